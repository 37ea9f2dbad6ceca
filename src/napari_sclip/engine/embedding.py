"""All that is kept of an image, so that new prompts cost no vision pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.axis_map import bilinear, windows_to_image
from napari_sclip.core.image import read_image
from napari_sclip.core.similarity import DenseMap
from napari_sclip.core.strips import WindowReader
from napari_sclip.core.windows import AxisWindows, place_windows, resized_shape
from napari_sclip.engine.vision_encoder import VisionEncoder
from napari_sclip.errors import ConfigError, ImageError
from napari_sclip.progress import ProgressCallback

MAX_ENLARGED_SIDE = 50_000
VISION_FIELDS = ("short_side", "window", "stride", "average_on", "nonfinite")


@dataclass(frozen=True)
class Embedding:
    """The dense features of one image.

    Attributes
    ----------
    dense : DenseMap
        Features and how they spread over the image's pixels.
    config : SegmentationConfig
        The settings it was made with, window and stride resolved.
    model : str
        Name of the model.
    fingerprint : str
        Of the model and its attention mode: only the same can classify it.
    windows : int
        How many windows were computed.
    """

    dense: DenseMap
    config: SegmentationConfig
    model: str
    fingerprint: str
    windows: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.dense.shape

    @property
    def nbytes(self) -> int:
        """Bytes that the features take."""
        return self.dense.features.nbytes

    def with_settings(self, config: SegmentationConfig | None) -> SegmentationConfig:
        """Return `config` with the fields that concern the vision pass as they were here."""
        if config is None:
            return self.config
        fixed = {name: getattr(self.config, name) for name in VISION_FIELDS}
        return dataclasses.replace(config, **fixed)


@dataclass(frozen=True)
class Layout:
    """The windows along both axes of the resized image."""

    rows: AxisWindows
    columns: AxisWindows

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.rows.starts) * len(self.columns.starts)


def plan_windows(shape: tuple[int, int], config: SegmentationConfig, patch: int) -> Layout:
    """Place the windows of an image.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image in pixels.
    config : SegmentationConfig
        Window and stride resolved.
    patch : int
        Side of the model's patches in pixels.

    Raises
    ------
    ConfigError
        If the window is not a whole number of patches.
    ImageError
        If the resized image is smaller than a patch, or absurdly long.
    """
    if config.window % patch:
        lower = max(patch, config.window // patch * patch)
        raise ConfigError(
            f"window must be a multiple of the model's patch of {patch} pixels; got "
            f"{config.window}. The nearest are {lower} and {lower + patch}."
        )
    height, width = resized_shape(*shape, config.short_side)
    if min(height, width) < patch:
        raise ImageError(
            f"The image is {height} x {width} pixels after resizing, smaller than one patch of "
            f"the model ({patch} x {patch}). Set short_side to {config.window} or more."
        )
    if max(height, width) > max(MAX_ENLARGED_SIDE, *shape):
        raise ImageError(
            f"An image of {shape[0]} x {shape[1]} pixels would be enlarged to {height} x "
            f"{width}. Cut it into pieces of a more even shape, or set short_side to None."
        )
    stride = config.stride
    if config.average_on == "patches":
        height, width = (max(1, round(n / patch)) * patch for n in (height, width))
        stride = max(1, round(stride / patch)) * patch
    return Layout(
        rows=place_windows(height, config.window, stride, patch),
        columns=place_windows(width, config.window, stride, patch),
    )


def embed_image(
    image: Any,  # noqa: ANN401 - any array-like
    config: SegmentationConfig,
    encoder: VisionEncoder,
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]],
    progress: ProgressCallback | None = None,
) -> tuple[DenseMap, int]:
    """Look at every window of an image.

    Parameters
    ----------
    image : numpy or dask-like array
        See `napari_sclip.core.image.read_image`.
    config : SegmentationConfig
        Window and stride resolved.
    encoder : VisionEncoder
    normalisation : tuple
        Mean and standard deviation of the model's preprocessing.
    progress : callable, optional

    Returns
    -------
    dense : DenseMap
    windows : int
        How many windows were computed.
    """
    plane = read_image(image, nonfinite=config.nonfinite)
    layout = plan_windows((plane.height, plane.width), config, encoder.source.patch)
    mean, std = normalisation
    reader = WindowReader(plane=plane, rows=layout.rows, columns=layout.columns, mean=mean, std=std)
    shape = (plane.height, plane.width)
    windows = encoder.encode(reader, progress)
    size = encoder.source.feature_size
    if config.average_on == "patches":
        return average_on_patches(windows, layout, size, shape, encoder.source.patch), layout.count
    return keep_windows(windows, layout, size, shape), layout.count


def keep_windows(
    windows: Iterable[tuple[int, torch.Tensor]], layout: Layout, size: int, shape: tuple[int, int]
) -> DenseMap:
    """Keep every window's features: exact.

    Parameters
    ----------
    windows : iterable of (int, (Hp, Wp, D) tensor)
        Number of the window, row by row, and its features.
    layout : Layout
    size : int
        Length D of a feature.
    shape : tuple of int
        Height and width of the image in pixels.
    """
    rows, columns = layout.rows, layout.columns
    down, across = rows.patches, columns.patches
    features = torch.empty((len(rows.starts) * down, len(columns.starts) * across, size))
    for number, window in windows:
        y, x = divmod(number, len(columns.starts))
        features[y * down : (y + 1) * down, x * across : (x + 1) * across] = window.cpu()
    return DenseMap(
        features=features,
        rows=windows_to_image(rows, shape[0]),
        columns=windows_to_image(columns, shape[1]),
    )


def average_on_patches(
    windows: Iterable[tuple[int, torch.Tensor]],
    layout: Layout,
    size: int,
    shape: tuple[int, int],
    patch: int,
) -> DenseMap:
    """Average windows on the patch grid; not normalised again, so still linear.

    Parameters are those of `keep_windows`, and the side of a patch in pixels.
    """
    rows, columns = layout.rows, layout.columns
    total = torch.zeros((rows.length // patch, columns.length // patch, size))
    for number, window in windows:
        y, x = divmod(number, len(columns.starts))
        top, left = rows.starts[y] // patch, columns.starts[x] // patch
        total[top : top + rows.patches, left : left + columns.patches] += window.cpu()
    covered_rows = torch.from_numpy(rows.coverage()[::patch]).float()
    covered_columns = torch.from_numpy(columns.coverage()[::patch]).float()
    total /= (covered_rows[:, None] * covered_columns[None])[..., None]
    return DenseMap(
        features=total,
        rows=bilinear(len(total), shape[0]),
        columns=bilinear(total.shape[1], shape[1]),
    )

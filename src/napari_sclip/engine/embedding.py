"""All that is kept of an image, so that new prompts cost no vision pass."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.axis_map import bilinear, windows_to_image
from napari_sclip.core.image import ImagePlane, read_image
from napari_sclip.core.refine import REFINEMENTS, Refiner
from napari_sclip.core.similarity import DenseMap
from napari_sclip.core.strips import WindowReader
from napari_sclip.core.windows import resized_shape
from napari_sclip.engine.layout import Layout, plan_windows
from napari_sclip.engine.vision_encoder import VisionEncoder
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback

__all__ = [
    "AveragedWindows",
    "Embedding",
    "KeptWindows",
    "Layout",
    "embed_image",
    "keep_windows",
    "plan_windows",
]

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
    plane : ImagePlane or None
        The image itself, which a refinement of the edges reads again: it refers to the array
        that was given, and copies nothing.
    """

    dense: DenseMap
    config: SegmentationConfig
    model: str
    fingerprint: str
    windows: int
    plane: ImagePlane | None = field(default=None, repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.dense.shape

    @property
    def feature_bytes(self) -> int:
        """Bytes that the features alone take."""
        return int(self.dense.features.nbytes)

    @property
    def nbytes(self) -> int:
        """Bytes that the features take, and the image where it is an array in memory."""
        image = self.plane.array if self.plane is not None else None
        return self.dense.features.nbytes + (image.nbytes if isinstance(image, np.ndarray) else 0)

    def with_settings(self, config: SegmentationConfig | None) -> SegmentationConfig:
        """Return `config` with the fields that concern the vision pass as they were here."""
        if config is None:
            return self.config
        fixed = {name: getattr(self.config, name) for name in VISION_FIELDS}
        return dataclasses.replace(config, **fixed)

    def refiner(self, name: str | None) -> Refiner | None:
        """Prepare the refinement of this name for the image; None where there is no name.

        Raises
        ------
        ConfigError
            If the embedding has no image.
        """
        if name is None:
            return None
        if self.plane is None:
            raise ConfigError(
                f"refine={name!r} needs the image, and this embedding was made without it. Embed "
                "the image again with Segmenter.embed, or classify with refine=None."
            )
        # A refinement is made for an image as large as the model sees it.
        seen = resized_shape(*self.shape, self.config.short_side)
        phases = max(1, min(a // b for a, b in zip(self.shape, seen, strict=True)))
        return Refiner(REFINEMENTS[name], self.plane, phases)


AfterBatch = Callable[[DenseMap, Layout, int], None]
"""Given the features so far, the windows' places, and how many windows are done."""


def embed_image(
    image: Any,  # noqa: ANN401 - any array-like
    config: SegmentationConfig,
    encoder: VisionEncoder,
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]],
    progress: ProgressCallback | None = None,
    after_batch: AfterBatch | None = None,
) -> tuple[DenseMap, int, ImagePlane]:
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
    after_batch : callable, optional
        Features of windows that are not done yet are 0 in what it is given.

    Returns
    -------
    dense : DenseMap
    windows : int
        How many windows were computed.
    plane : ImagePlane
        The image as it was read.
    """
    plane = read_image(image, nonfinite=config.nonfinite, progress=progress)
    patch, size = encoder.source.patch, encoder.source.feature_size
    shape = (plane.height, plane.width)
    layout = plan_windows(shape, config, patch)
    mean, std = normalisation
    reader = WindowReader(plane=plane, rows=layout.rows, columns=layout.columns, mean=mean, std=std)
    gathered: KeptWindows | AveragedWindows = (
        AveragedWindows(layout, size, shape, patch)
        if config.average_on == "patches"
        else KeptWindows(layout, size, shape)
    )
    for first, features in encoder.encode(reader, progress):
        for number, window in enumerate(features, start=first):
            gathered.add(number, window)
        done = first + len(features)
        if done == layout.count:
            gathered.finish()
        if after_batch is not None:
            after_batch(gathered.dense, layout, done)
    return gathered.dense, layout.count, plane


class KeptWindows:
    """Keeps every window's features: exact.

    Parameters
    ----------
    layout : Layout
    size : int
        Length D of a feature.
    shape : tuple of int
        Height and width of the image in pixels.

    Attributes
    ----------
    dense : DenseMap
        Of the windows that were added; 0 where there are none yet.
    """

    def __init__(self, layout: Layout, size: int, shape: tuple[int, int]) -> None:
        rows, columns = layout.rows, layout.columns
        down, across = len(rows.starts) * rows.patches, len(columns.starts) * columns.patches
        self._layout = layout
        self.dense = DenseMap(
            features=_zeros(down, across, size),
            rows=windows_to_image(rows, shape[0]),
            columns=windows_to_image(columns, shape[1]),
        )

    def add(self, number: int, window: torch.Tensor) -> None:
        """Add the (Hp, Wp, D) features of a window, numbered row by row."""
        down, across = window.shape[:2]
        y, x = divmod(number, len(self._layout.columns.starts))
        place = slice(y * down, (y + 1) * down), slice(x * across, (x + 1) * across)
        self.dense.features[place] = window.cpu()

    def finish(self) -> None:
        """Call once, when all windows have been added."""


class AveragedWindows:
    """Averages windows on the patch grid; not normalised again, so still linear.

    Parameters are those of `KeptWindows`, and the side of a patch in pixels. Until `finish` is
    called, `dense` holds sums instead of averages.
    """

    def __init__(self, layout: Layout, size: int, shape: tuple[int, int], patch: int) -> None:
        down, across = layout.rows.length // patch, layout.columns.length // patch
        self._layout = layout
        self._patch = patch
        self.dense = DenseMap(
            features=_zeros(down, across, size),
            rows=bilinear(down, shape[0]),
            columns=bilinear(across, shape[1]),
        )

    def add(self, number: int, window: torch.Tensor) -> None:
        """Add the (Hp, Wp, D) features of a window, numbered row by row."""
        rows, columns = self._layout.rows, self._layout.columns
        y, x = divmod(number, len(columns.starts))
        top, left = rows.starts[y] // self._patch, columns.starts[x] // self._patch
        place = slice(top, top + rows.patches), slice(left, left + columns.patches)
        self.dense.features[place] += window.cpu()

    def finish(self) -> None:
        """Call once, when all windows have been added."""
        rows = torch.from_numpy(self._layout.rows.coverage()[:: self._patch]).float()
        columns = torch.from_numpy(self._layout.columns.coverage()[:: self._patch]).float()
        self.dense.features.div_((rows[:, None] * columns[None])[..., None])


def keep_windows(
    windows: Iterable[tuple[int, torch.Tensor]], layout: Layout, size: int, shape: tuple[int, int]
) -> DenseMap:
    """Keep the features of all windows, each given with its number; see `KeptWindows`."""
    kept = KeptWindows(layout, size, shape)
    for number, window in windows:
        kept.add(number, window)
    return kept.dense


def _zeros(*shape: int) -> torch.Tensor:
    # numpy takes pages that the system has zeroed anyway, torch writes zeros over them.
    return torch.from_numpy(np.zeros(shape, dtype=np.float32))

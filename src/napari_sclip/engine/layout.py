"""Where an image's windows stand, and how many there are; needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.windows import AxisWindows, place_windows, resized_shape
from napari_sclip.errors import ConfigError, ImageError

MAX_ENLARGED_SIDE = 50_000


@dataclass(frozen=True)
class Layout:
    """The windows along both axes of the resized image."""

    rows: AxisWindows
    columns: AxisWindows

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.rows.starts) * len(self.columns.starts)


def count_windows(
    shape: tuple[int, int],
    config: SegmentationConfig | None = None,
    *,
    patch: int,
    input_size: int,
) -> int:
    """Count the windows of an image for a model that need not be loaded.

    Parameters
    ----------
    shape : tuple of int
        Height and width of the image in pixels.
    config : SegmentationConfig, optional
        As it is given to `Segmenter.segment`.
    patch, input_size : int
        Of the model, in pixels; a `ModelEntry` of the registry has both.

    Raises
    ------
    ConfigError, ImageError
        As `plan_windows` does.
    """
    resolved = (config or SegmentationConfig()).for_input_size(input_size)
    return plan_windows(shape, resolved, patch).count


def check_window(config: SegmentationConfig, patch: int) -> None:
    """Raise a `ConfigError` unless the window is a whole number of patches."""
    if config.window % patch:
        lower = max(patch, config.window // patch * patch)
        raise ConfigError(
            f"window must be a multiple of the model's patch of {patch} pixels; got "
            f"{config.window}. The nearest are {lower} and {lower + patch}."
        )


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
    check_window(config, patch)
    height, width = resized_shape(*shape, config.short_side)
    if min(height, width) < patch:
        raise ImageError(
            f"The image is {height} x {width} pixels after resizing, smaller than one patch of "
            f"the model ({patch} x {patch}). Set short_side to {config.window} or more."
        )
    if max(height, width) > max(MAX_ENLARGED_SIDE, *shape):
        raise ImageError(
            f"An image of {shape[0]} x {shape[1]} pixels would be enlarged to {height} x "
            f"{width}. Cut it into more even pieces, or keep the image's own size (no short side)."
        )
    stride = config.stride
    if config.average_on == "patches":
        height, width = (max(1, round(n / patch)) * patch for n in (height, width))
        stride = max(1, round(stride / patch)) * patch
    return Layout(
        rows=place_windows(height, config.window, stride, patch),
        columns=place_windows(width, config.window, stride, patch),
    )

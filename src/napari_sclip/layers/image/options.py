"""What a person chose about the image to read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from napari_sclip.config import check_contrast
from napari_sclip.errors import ConfigError

CHANNELS = ("layer", "displayed")
CONTRASTS = ("limits", "percentiles", "full")
REGIONS = ("plane", "view", "shape")
PLANES = ("current", "all")
LABELS_SIZES = ("image", "region", "read")


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    """How a layer is read; frozen, every field checked.

    Parameters
    ----------
    channels : str
        "layer": the layer itself, RGB as it is or grey. "displayed": the visible image layers
        of the same shape and place, blended as the screen shows them.
    channel_axis : int, None or "auto"
        Axis of the layer that counts channels. None: there is none. "auto": the axis that is
        labelled as one (see `napari_sclip.layers.image.axes.guess_channel_axis`).
    channel : int or None
        Which channel of that axis; None takes the one that its slider stands at.
    contrast : str
        What becomes black and white: the layer's "limits", "percentiles" of the plane, or the
        "full" range, from the plane's lowest value to its highest. With "limits", RGB is taken
        as it is: integers by the range of their dtype, floats as 0..1.
    percentiles : tuple of float
        Low and high percentile, 0..100, for "percentiles".
    region : str
        "plane": all of it. "view": what the window shows. "shape": a rectangle, ellipse or
        polygon of `shapes`: the selected one, or the only one.
    shapes : Shapes layer, optional
        For the region "shape".
    planes : str
        "current", or "all" along the sliders.
    short_side : int or None
        Pixels that the model will resize the shorter side to: of a multiscale image the
        smallest level that has as many is read. None reads the finest level.
    labels_size : str
        The pixels of the labels: "image", those of the whole image (its finest level);
        "region", those of the region (and of the current plane) only; "read", as "image" but
        of the level that is read.

    Raises
    ------
    ConfigError
        If a field is not usable.
    """

    channels: str = "layer"
    channel_axis: int | str | None = "auto"
    channel: int | None = None
    contrast: str = "limits"
    percentiles: tuple[float, float] = (1.0, 99.0)
    region: str = "plane"
    shapes: Any = field(default=None, compare=False)
    planes: str = "current"
    short_side: int | None = None
    labels_size: str = "image"

    def __post_init__(self) -> None:
        _one_of("channels", self.channels, CHANNELS)
        _one_of("contrast", self.contrast, CONTRASTS)
        _one_of("region", self.region, REGIONS)
        _one_of("planes", self.planes, PLANES)
        _one_of("labels_size", self.labels_size, LABELS_SIZES)
        if isinstance(self.channel_axis, str):
            _one_of("channel_axis", self.channel_axis, ("auto",))
        check_contrast(None, self.percentiles)
        if self.short_side is not None and self.short_side < 1:
            raise ConfigError(f"short_side must be at least 1 pixel; got {self.short_side}.")


def _one_of(name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        names = ", ".join(repr(k) for k in known)
        raise ConfigError(f"{name} must be one of {names}; got {value!r}.")

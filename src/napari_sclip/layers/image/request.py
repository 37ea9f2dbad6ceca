"""All that a worker needs to read an image; made on the GUI thread, touches no layer later."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_sclip.layers.image.axes import PlaneAxes
from napari_sclip.layers.image.geometry import Geometry, LabelsGrid
from napari_sclip.layers.image.roi import Region

LARGE_LABELS_BYTES = 2**30
LARGE_LABELS_SIDE = 16_384


@dataclass(frozen=True, eq=False)
class Look:
    """How the screen shows a layer, as it was when the request was made.

    Attributes
    ----------
    limits : tuple of float
        The values that become 0 and 1.
    colormap : napari Colormap or None
        None for RGB.
    gamma, opacity : float
    blending : str
        One of napari's modes.
    """

    limits: tuple[float, float]
    colormap: Any
    gamma: float
    opacity: float
    blending: str


@dataclass(frozen=True, eq=False)
class Source:
    """The pixels of one layer.

    Attributes
    ----------
    name : str
        Of the layer.
    array : array-like
        The level that is read; numpy, dask, zarr and their like. A last axis of 3 or 4 holds
        the colours where `rgb`.
    rgb : bool
    look : Look
    """

    name: str
    array: Any = field(repr=False)
    rgb: bool
    look: Look = field(repr=False)


@dataclass(frozen=True)
class Contrast:
    """What becomes black and what white: see `ReadOptions.contrast`."""

    rule: str = "limits"
    percentiles: tuple[float, float] = (1.0, 99.0)


@dataclass(frozen=True, eq=False)
class ImageRequest:
    """What is read of an image, and the labels that come of it.

    Attributes
    ----------
    name : str
        Of the image layer when the request was made.
    mode : str
        How RGB is made: "rgb" as it is, "grey" from one channel, "blend" as on the screen.
    sources : tuple of Source
        One; for "blend" one or more, from the bottom up.
    contrast : Contrast
    axes : PlaneAxes
        Of the image.
    shape : tuple of int
        Of the image's finest level, without RGB.
    factors : tuple of float
        Pixels of the finest level that one pixel of the level read is long, by axis.
    channel : int or None
        Place along the axis of channels.
    planes : tuple of tuple of int
        Places along the sliders, one tuple a plane.
    region : Region
        In pixels of the finest level.
    grid : LabelsGrid
        The pixels of the labels.
    geometry : Geometry
        Where they lie.
    id : str
        Of this request.
    """

    name: str
    mode: str
    sources: tuple[Source, ...]
    contrast: Contrast
    axes: PlaneAxes
    shape: tuple[int, ...]
    factors: tuple[float, ...]
    channel: int | None
    planes: tuple[tuple[int, ...], ...]
    region: Region
    grid: LabelsGrid
    geometry: Geometry = field(repr=False)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def rows_read(self) -> tuple[int, int]:
        """First row of the level read, and the one after the last."""
        return self._read(self.axes.rows, self.region.rows)

    @property
    def columns_read(self) -> tuple[int, int]:
        """First column of the level read, and the one after the last."""
        return self._read(self.axes.columns, self.region.columns)

    @property
    def read_shape(self) -> tuple[int, int]:
        """Height and width in pixels of each plane that is read."""
        (top, bottom), (left, right) = self.rows_read, self.columns_read
        return bottom - top, right - left

    @property
    def is_whole_plane(self) -> bool:
        """Whether the region has all rows and columns."""
        height, width = (self.shape[axis] for axis in _shown(self.axes))
        return self.region.rows == (0, height) and self.region.columns == (0, width)

    @property
    def labels_shape(self) -> tuple[int, ...]:
        """Shape of the Labels layer's data."""
        return self.grid.shape

    @property
    def labels_too_large(self) -> str | None:
        """Why the person should be asked before labels of this size are made, or None."""
        size = math.prod(self.grid.shape)
        shown = max(self.grid.shape[self.grid.axes.index(a)] for a in _shown(self.axes))
        if size <= LARGE_LABELS_BYTES and shown <= LARGE_LABELS_SIDE:
            return None
        shape = " x ".join(str(n) for n in self.grid.shape)
        return (
            f"Labels of {shape} pixels take {size / 2**30:.1f} GiB, and sides of more than "
            f"{LARGE_LABELS_SIDE} pixels are shown coarsely."
        )

    def place(self, number: int) -> dict[int, int]:
        """Where a plane lies: its place along every axis but rows and columns."""
        places = dict(zip(self.axes.sliders, self.planes[number], strict=True))
        if self.axes.channel is not None and self.channel is not None:
            places[self.axes.channel] = self.channel
        return places

    def describe(self) -> dict[str, Any]:
        """Describe what was read in plain values that JSON can hold."""
        region = self.region
        return {
            "image": self.name,
            "image_shape": list(self.shape),
            "mode": self.mode,
            "layers": [source.name for source in self.sources],
            "level_factors": list(self.factors),
            "contrast": self.contrast.rule,
            "percentiles": list(self.contrast.percentiles),
            "limits": [[float(v) for v in s.look.limits] for s in self.sources],
            "rows_axis": self.axes.rows,
            "columns_axis": self.axes.columns,
            "channel_axis": self.axes.channel,
            "channel": self.channel,
            "slider_axes": list(self.axes.sliders),
            "planes": [list(plane) for plane in self.planes],
            "region": {
                "kind": region.kind,
                "rows": list(region.rows),
                "columns": list(region.columns),
                "polygon": None if region.polygon is None else [list(p) for p in region.polygon],
            },
        }

    def _read(self, axis: int, pixels: tuple[int, int]) -> tuple[int, int]:
        factor = self.factors[axis]
        length = int(np.rint(self.shape[axis] / factor))
        last = min(length, math.ceil(pixels[1] / factor - 1e-9))
        return min(math.floor(pixels[0] / factor + 1e-9), last - 1), last


def _shown(axes: PlaneAxes) -> tuple[int, int]:
    return axes.rows, axes.columns

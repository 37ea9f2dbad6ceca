"""Which part of a plane is read: all, the current view, or a shape that a person drew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.errors import ImageError
from napari_sclip.layers.image.axes import Placement, place_layer

ELLIPSE_CORNERS = 128
ROUNDING = 1e-6
CHECKED_PIXELS = 4_000_000
"""Pixels up to which it is worth the time to see whether a polygon holds any."""


@dataclass(frozen=True)
class Region:
    """A part of a plane, in pixels of the image's finest level.

    Attributes
    ----------
    kind : str
        "plane", "view" or "shape".
    rows, columns : tuple of int
        First pixel, and the one after the last.
    polygon : tuple of (float, float), optional
        Corners as row and column; labels are written only to pixels whose middle lies within.
        Left out where the region is the whole rectangle.
    """

    kind: str
    rows: tuple[int, int]
    columns: tuple[int, int]
    polygon: tuple[tuple[float, float], ...] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]


def whole_plane(shape: tuple[int, int]) -> Region:
    """Take all of a plane of this height and width."""
    return Region("plane", (0, shape[0]), (0, shape[1]))


def current_view(viewer: Any, placement: Placement, shape: tuple[int, int]) -> Region:  # noqa: ANN401
    """Take the pixels that a viewer's window shows.

    Parameters
    ----------
    viewer : ViewerModel
    placement : Placement
        Of the image.
    shape : tuple of int
        Height and width of the plane in pixels.

    Raises
    ------
    ImageError
        If the window shows nothing of the image.
    """
    canvas = getattr(viewer, "canvas", None)
    if canvas is None:  # napari before 0.9
        size, camera = viewer._canvas_size, viewer.camera
    else:
        size, camera = canvas.viewbox_size(viewer.layers), viewer.scene.camera
    half = np.asarray(size, dtype=float) / 2 / camera.zoom
    corners = np.asarray(camera.center[-2:]) + half * [[-1, -1], [-1, 1], [1, 1], [1, -1]]
    points = placement.from_canvas(corners)
    low = np.floor(points.min(axis=0) + 0.5)
    high = np.floor(points.max(axis=0) + 0.5) + 1
    return _clipped("view", low, high, shape, "The window shows nothing of the image. Move it.")


def drawn_shape(
    viewer: Any,  # noqa: ANN401 - napari has no types
    shapes: Any,  # noqa: ANN401
    placement: Placement,
    shape: tuple[int, int],
) -> Region:
    """Take the pixels within a shape: the one selected, or the only one.

    Parameters
    ----------
    viewer : ViewerModel
    shapes : Shapes layer
    placement : Placement
        Of the image.
    shape : tuple of int
        Height and width of the plane in pixels.

    Raises
    ------
    ImageError
        If there is no such shape, it has no area, or it lies outside the image.
    """
    if shapes is None:
        raise ImageError("Expected a Shapes layer with a region; got none. Choose the layer.")
    chosen = sorted(shapes.selected_data) or list(range(len(shapes.data)))
    if len(chosen) != 1:
        raise ImageError(
            f"Expected one shape as the region; got {len(chosen)} in layer {shapes.name!r}. "
            "Draw a rectangle or a polygon, and select it."
        )
    kind = str(shapes.shape_type[chosen[0]])
    if kind not in ("rectangle", "ellipse", "polygon"):
        raise ImageError(
            f"Expected a rectangle, an ellipse or a polygon as the region; got a {kind}."
        )
    own = np.asarray(shapes.data[chosen[0]], dtype=float)
    corners = _ellipse(own) if kind == "ellipse" else own
    points = placement.from_canvas(place_layer(viewer, shapes).to_canvas(corners))
    low = np.ceil(points.min(axis=0) - ROUNDING)
    high = np.floor(points.max(axis=0) + ROUNDING) + 1
    outside = "The shape covers no pixel of the image. Draw it on the image."
    region = _clipped("shape", low, high, shape, outside)
    if _is_upright(points):
        return region
    polygon = tuple((float(row), float(column)) for row, column in points)
    region = Region("shape", region.rows, region.columns, polygon)
    if region.shape[0] * region.shape[1] <= CHECKED_PIXELS:
        rows, columns = np.arange(*region.rows), np.arange(*region.columns)
        mask = inside(region, rows.astype(float), columns.astype(float))
        if mask is None or not mask.any():
            raise ImageError(f"Expected a region within the image. {outside}")
    return region


def inside(region: Region, rows: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
    """Tell which points of a grid lie in a region's polygon.

    Parameters
    ----------
    region : Region
    rows, columns : (h,) and (w,) float arrays
        Ascending, in pixels of the finest level.

    Returns
    -------
    (h, w) bool array or None
        None where the region has no polygon: all of them.
    """
    if region.polygon is None:
        return None
    corners = np.asarray(region.polygon)
    # Every edge that a row crosses turns inside to outside from there on.
    turns = np.zeros((len(rows), len(columns) + 1), dtype=bool)
    for (row0, column0), (row1, column1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        crossed = np.flatnonzero((rows >= min(row0, row1)) & (rows < max(row0, row1)))
        if len(crossed):
            share = (rows[crossed] - row0) / (row1 - row0)
            at = np.searchsorted(columns, column0 + share * (column1 - column0))
            turns[crossed, at] ^= True
    mask: np.ndarray = np.logical_xor.accumulate(turns, axis=1)[:, :-1]
    return mask


def _clipped(
    kind: str, low: np.ndarray, high: np.ndarray, shape: tuple[int, int], empty: str
) -> Region:
    low = np.clip(low, 0, shape).astype(int)
    high = np.clip(high, 0, shape).astype(int)
    if (high <= low).any():
        raise ImageError(f"Expected a region within the {shape[0]} x {shape[1]} pixels. {empty}")
    return Region(kind, (int(low[0]), int(high[0])), (int(low[1]), int(high[1])))


def _ellipse(box: np.ndarray) -> np.ndarray:
    middle = box.mean(axis=0)
    down, across = (box[1] - box[0]) / 2, (box[3] - box[0]) / 2
    turn = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)[:, None]
    corners: np.ndarray = middle + np.sin(turn) * down + np.cos(turn) * across
    return corners


def _is_upright(points: np.ndarray) -> bool:
    """Whether corners are those of a rectangle along the image's rows and columns."""
    if len(points) != 4:
        return False
    low, high = points.min(axis=0), points.max(axis=0)
    at_edge = np.isclose(points, low, atol=ROUNDING) | np.isclose(points, high, atol=ROUNDING)
    steps = np.abs(np.roll(points, -1, axis=0) - points)
    return bool(at_edge.all() and np.isclose(steps, 0, atol=ROUNDING).any(axis=1).all())

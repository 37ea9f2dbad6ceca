"""Move a viewer to a part of a Labels layer, and show which part it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.core.uncertain import Spot
from napari_sclip.layers.image.axes import place_layer
from napari_sclip.layers.labels.targets import Target

AROUND = 3.0
"""How many times as long as a spot the view is that shows it."""

LEAST_PIXELS = 32.0

MARGIN = 1.5
"""Pixels between the middle of a spot's outermost pixels and the box around it."""


@dataclass(frozen=True)
class Sight:
    """What a viewer must show.

    Attributes
    ----------
    point : tuple of float
        Where the sliders must stand: the world coordinate of the spot's centre along each of the
        layer's axes.
    centre : tuple of float
        Row and column of the world for the middle of the view.
    size : tuple of float
        Height and width of the spot in the world.
    least : float
        Length that is worth showing in any case: some tens of pixels.
    """

    point: tuple[float, ...]
    centre: tuple[float, float]
    size: tuple[float, float]
    least: float


def sight_of(viewer: Any, layer: Any, plane: Target, spot: Spot) -> Sight:  # noqa: ANN401
    """Find where a spot lies in a viewer's world.

    Parameters
    ----------
    viewer : ViewerModel
        Must show two dimensions.
    layer : Labels layer
    plane : Target
        The whole plane that the spot lies in.
    spot : Spot
    """
    placement = place_layer(viewer, layer)
    (top, bottom), (left, right) = spot.rows, spot.columns
    corners = [(r, c) for r in (top - 0.5, bottom - 0.5) for c in (left - 0.5, right - 0.5)]
    points = np.stack([_in_data(plane, row, column) for row, column in [spot.centre, *corners]])
    world = points @ placement.matrix.T + placement.offset
    canvas = world[1:, list(placement.displayed)]
    low, high = canvas.min(axis=0), canvas.max(axis=0)
    pixel = np.abs(placement.matrix[np.ix_(placement.displayed, placement.displayed)]).sum(axis=0)
    return Sight(
        point=tuple(float(v) for v in world[0]),
        centre=(float(low[0] + high[0]) / 2, float(low[1] + high[1]) / 2),
        size=(float(high[0] - low[0]), float(high[1] - low[1])),
        least=LEAST_PIXELS * float(pixel.max()),
    )


def go_to(viewer: Any, layer: Any, plane: Target, spot: Spot) -> None:  # noqa: ANN401
    """Show a spot in the middle of a viewer, with something of what is around it.

    Parameters are those of `sight_of`.
    """
    sight = sight_of(viewer, layer, plane, spot)
    axes = range(viewer.dims.ndim - len(sight.point), viewer.dims.ndim)
    for axis, value in zip(axes, sight.point, strict=True):
        if axis not in viewer.dims.displayed:
            viewer.dims.set_point(axis, value)
    canvas = getattr(viewer, "canvas", None)
    if canvas is None:  # napari before 0.9
        size, camera = viewer._canvas_size, viewer.camera
    else:
        size, camera = canvas.viewbox_size(viewer.layers), viewer.scene.camera
    camera.center = (*camera.center[:-2], *sight.centre)
    needed = np.maximum(AROUND * np.asarray(sight.size), sight.least)
    camera.zoom = float(np.min(np.asarray(size, dtype=float) / needed))


def outline(viewer: Any, layer: Any, plane: Target, spot: Spot) -> None:  # noqa: ANN401
    """Draw a box around a spot, a little larger than it; the sliders must stand at its plane.

    Parameters are those of `sight_of`.
    """
    (top, bottom), (left, right) = spot.rows, spot.columns
    corners = [_in_data(plane, top, left), _in_data(plane, bottom - 1, right - 1)]
    axes = list(place_layer(viewer, layer).displayed)
    first, last = np.sort(np.stack(corners)[:, axes], axis=0)
    _set_box(layer, visible=True, bounds=(tuple(first - MARGIN), tuple(last + MARGIN)))


def clear_outline(layer: Any) -> None:  # noqa: ANN401
    """Take that box away."""
    _set_box(layer, visible=False)


def _set_box(layer: Any, **values: Any) -> None:  # noqa: ANN401
    # napari has no public way to draw upon a layer without adding another to the list of layers.
    box = getattr(layer, "_overlays", {}).get("selection_box")
    if box is not None:
        box.update({**values, "handles": False})


def _in_data(plane: Target, row: float, column: float) -> np.ndarray:
    parts = iter((column, row) if plane.swapped else (row, column))
    return np.array(
        [next(parts) if isinstance(own, slice) else own for own in plane.index], dtype=float
    )

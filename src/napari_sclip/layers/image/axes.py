"""Which axes of a layer are rows, columns, sliders and channels, and where they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.errors import ImageError

CHANNEL_LABELS = frozenset({"c", "ch", "channel", "channels", "s", "sample", "samples"})


@dataclass(frozen=True)
class PlaneAxes:
    """The parts that a layer's axes play; RGB is no axis here.

    Attributes
    ----------
    rows, columns : int
        The axes that are shown downwards and to the right.
    channel : int or None
        The axis of channels.
    sliders : tuple of int
        All others, ascending.
    """

    rows: int
    columns: int
    channel: int | None
    sliders: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a layer's data lie in the viewer's world, in the viewer's units.

    Attributes
    ----------
    matrix : (N, N) float array
        world = matrix @ data + offset.
    offset : (N,) float array
    displayed : tuple of int
        The axes that are shown as rows and columns.
    point : (N,) float array
        Where the viewer's sliders stand in the world, along this layer's axes.
    """

    matrix: np.ndarray
    offset: np.ndarray
    displayed: tuple[int, int]
    point: np.ndarray

    def to_canvas(self, data: np.ndarray) -> np.ndarray:
        """Map points of the data (n, N) to rows and columns of the canvas (n, 2)."""
        axes = list(self.displayed)
        world: np.ndarray = data @ self.matrix.T + self.offset
        return world[:, axes]

    def from_canvas(self, points: np.ndarray) -> np.ndarray:
        """Map rows and columns of the canvas (n, 2) to those of the data (n, 2)."""
        axes = list(self.displayed)
        shown = self.matrix[np.ix_(axes, axes)]
        return np.linalg.solve(shown, (points - self.offset[axes]).T).T

    def slice_position(self) -> np.ndarray:
        """Where the sliders stand in the data (N,); the displayed axes mean nothing."""
        point = self.point.copy()
        point[list(self.displayed)] = 0
        position: np.ndarray = np.linalg.inv(self.matrix) @ (point - self.offset)
        return position


def place_layer(viewer: Any, layer: Any) -> Placement:  # noqa: ANN401 - napari has no types
    """Find where a layer lies in a viewer's world.

    Parameters
    ----------
    viewer : ViewerModel
        Must show two dimensions.
    layer : Layer
        Of any kind, in that viewer or not.

    Raises
    ------
    ImageError
        If the viewer shows three dimensions.
    """
    dims = viewer.dims
    if dims.ndisplay != 2:
        raise ImageError(
            "Expected a viewer that shows two dimensions; got three. Switch to 2D with the "
            "button below the list of layers, or with Ctrl+Y."
        )
    ndim = int(layer.ndim)
    origin = np.asarray(layer.data_to_world(np.zeros(ndim)))
    matrix = np.stack(
        [np.asarray(layer.data_to_world(unit)) - origin for unit in np.eye(ndim)], axis=1
    )
    factors = _unit_factors(getattr(dims, "units", None), layer.units)
    order = np.argsort(np.argsort(dims.order[-ndim:]))
    point = np.zeros(ndim)
    point[-len(dims.point) :] = dims.point[-ndim:]
    return Placement(
        matrix=matrix * factors[:, None],
        offset=origin * factors,
        displayed=(int(order[-2]), int(order[-1])),
        point=point,
    )


def plane_axes(placement: Placement, channel_axis: int | None) -> PlaneAxes:
    """Give every axis of a layer its part.

    Raises
    ------
    ImageError
        If the channels are shown as rows or columns.
    """
    rows, columns = placement.displayed
    ndim = len(placement.point)
    channel = channel_axis
    if channel is not None:
        if not -ndim <= channel < ndim:
            raise ImageError(
                f"Expected an axis of channels in 0..{ndim - 1}; got {channel}. Choose an axis "
                "that the layer has."
            )
        channel %= ndim
        if channel in (rows, columns):
            raise ImageError(
                f"Axis {channel} is said to count channels, and is shown on the screen. Roll the "
                "viewer's axes until rows and columns of pixels are shown, or choose another "
                "axis of channels."
            )
    sliders = tuple(a for a in range(ndim) if a not in (rows, columns, channel))
    return PlaneAxes(rows, columns, channel, sliders)


def guess_channel_axis(layer: Any) -> int | None:  # noqa: ANN401 - napari has no types
    """Find the axis of a layer that is labelled as channels, or None."""
    labels = [str(label).casefold() for label in layer.axis_labels]
    found = [axis for axis, label in enumerate(labels) if label in CHANNEL_LABELS]
    return found[0] if len(found) == 1 and not getattr(layer, "rgb", False) else None


def current_index(placement: Placement, shape: tuple[int, ...], axis: int) -> int:
    """Index along an axis at which its slider stands.

    Raises
    ------
    ImageError
        If the layer has nothing there.
    """
    index = int(np.round(placement.slice_position()[axis]))
    if not 0 <= index < shape[axis]:
        raise ImageError(
            f"The viewer shows place {index} along axis {axis}, where the image has none: it has "
            f"{shape[axis]}, counted from 0. Move the slider to a plane of this image."
        )
    return index


def _unit_factors(world: Any, units: Any) -> np.ndarray:  # noqa: ANN401 - units of pint
    """Tell what one unit of each axis of a layer is in the viewer's units."""
    if world is None or len(world) < len(units):
        return np.ones(len(units))
    return np.array(
        [
            1.0 if own == other else (1 * own).to(other).magnitude
            for own, other in zip(units, world[-len(units) :], strict=True)
        ]
    )

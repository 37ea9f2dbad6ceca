"""Which pixels of a Labels layer a plane that was read stands for."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sclip.errors import ImageError
from napari_sclip.layers.image.axes import current_index, place_layer, plane_axes
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.roi import inside
from napari_sclip.layers.labels.chunks import Room
from napari_sclip.layers.labels.layer import label_lut
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    from napari.layers import Labels

ROOM_ARRAYS = 3
"""As many as `Draft` and `update_labels` keep of a plane."""
ROOM_BYTES = 2**29


class LabelsMismatchError(ImageError):
    """A Labels layer is not the one that a request's labels go to."""


@dataclass(frozen=True, eq=False)
class Target:
    """The part of a Labels layer's data that one plane is written to.

    Attributes
    ----------
    index : tuple of (int or slice)
        Into the layer's data; rows and columns are slices.
    swapped : bool
        Whether columns come before rows in the data.
    rows_from, columns_from : (h,) and (w,) int arrays
        The pixel of the plane that was read for each row and column.
    mask : (h, w) bool array or None
        The pixels that belong to the region; None for all.
    """

    index: tuple[int | slice, ...]
    swapped: bool
    rows_from: np.ndarray
    columns_from: np.ndarray
    mask: np.ndarray | None

    @property
    def row_axis(self) -> int:
        """The axis of the layer's data along which the rows are."""
        axes = [axis for axis, part in enumerate(self.index) if isinstance(part, slice)]
        return axes[1 if self.swapped else 0]

    def view(self, data: np.ndarray) -> np.ndarray:
        """Return the part of a layer's data, rows first, as a view."""
        part: np.ndarray = data[self.index]
        return part.T if self.swapped else part

    def same_plane(self, other: Target) -> bool:
        """Whether another target is a part of the same plane."""
        pairs = zip(self.index, other.index, strict=True)
        return all((isinstance(i, slice) and isinstance(j, slice)) or i == j for i, j in pairs)

    def spread(self, labels: np.ndarray) -> np.ndarray:
        """Spread the labels of the plane that was read over the pixels of the layer."""
        needed = (len(self.rows_from), len(self.columns_from))
        if labels.shape == needed and self._one_to_one(labels.shape):
            return labels
        out: np.ndarray = labels[self.rows_from][:, self.columns_from]
        return out

    def box(self, changed: np.ndarray) -> tuple[int | slice, ...] | None:
        """Index of the smallest part of the layer's data that holds all changed pixels."""
        if not changed.any():
            return None
        rows, columns = (np.flatnonzero(changed.any(axis=a)) for a in (1, 0))
        return self.part(*(slice(int(a[0]), int(a[-1]) + 1) for a in (rows, columns)))

    def part(self, rows: slice, columns: slice) -> tuple[int | slice, ...]:
        """Index of some rows and columns of this part into the layer's data."""
        parts = iter((columns, rows) if self.swapped else (rows, columns))
        index: list[int | slice] = []
        for own in self.index:
            if isinstance(own, slice):
                part = next(parts)
                index.append(slice(own.start + part.start, own.start + part.stop))
            else:
                index.append(own)
        return tuple(index)

    def indices(self, changed: np.ndarray) -> tuple[np.ndarray, ...]:
        """Turn a mask of this part into indices of the layer's data, one array an axis."""
        rows, columns = (a.astype(np.int32) for a in np.nonzero(changed))
        parts = iter((columns, rows) if self.swapped else (rows, columns))
        return tuple(
            next(parts) + np.int32(own.start)
            if isinstance(own, slice)
            else np.full(len(rows), own, dtype=np.int32)
            for own in self.index
        )

    def _one_to_one(self, shape: tuple[int, ...]) -> bool:
        return bool(
            np.array_equal(self.rows_from, np.arange(shape[0]))
            and np.array_equal(self.columns_from, np.arange(shape[1]))
        )


def find_target(request: ImageRequest, number: int) -> Target:
    """Find where the labels of a plane go.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane.
    """
    axes, grid = request.axes, request.grid
    rows, rows_from = _along(request, axes.rows, request.region.rows, request.rows_read)
    columns, columns_from = _along(
        request, axes.columns, request.region.columns, request.columns_read
    )
    index: list[int | slice] = []
    for own, axis in enumerate(grid.axes):
        if axis == axes.rows:
            index.append(rows)
        elif axis == axes.columns:
            index.append(columns)
        elif grid.shape[own] == 1:
            index.append(0)
        else:
            index.append(request.place(number)[axis])
    mask = inside(
        request.region, grid.centres(axes.rows)[rows], grid.centres(axes.columns)[columns]
    )
    return Target(tuple(index), axes.rows > axes.columns, rows_from, columns_from, mask)


def why_not_fitting(layer: Any, request: ImageRequest) -> str | None:  # noqa: ANN401
    """Say why a request's labels cannot go into a layer, or None if they can.

    Parameters
    ----------
    layer : Labels layer
    request : ImageRequest
    """
    data = layer.data
    if not isinstance(data, np.ndarray):
        return (
            f"Expected labels in memory to write to; got {type(data).__name__} in layer "
            f"{layer.name!r}. Write to a new layer."
        )
    if not data.flags.writeable:
        return f"The labels in layer {layer.name!r} are read-only. Write to a new layer."
    if data.shape != request.labels_shape:
        return (
            f"Expected labels of shape {request.labels_shape} for this image; layer "
            f"{layer.name!r} has {data.shape}. Write to a new layer."
        )
    if lies_elsewhere(layer, request):
        return (
            f"The layer {layer.name!r} lies in another place than the labels of this image: the "
            "image or the labels have been moved. Write to a new layer."
        )
    return None


def lies_elsewhere(layer: Any, request: ImageRequest) -> bool:  # noqa: ANN401
    """Whether labels of the shape of a request's lie in another place than these."""
    ndim = len(layer.data.shape)
    corners = np.concatenate([np.zeros((1, ndim)), np.eye(ndim)])
    place = request.geometry.to_world(corners)
    own = np.stack([layer.data_to_world(corner) for corner in corners])
    return not np.allclose(own, place, atol=1e-6 * max(1.0, float(np.abs(place).max())))


def check_fitting(layer: Any, request: ImageRequest) -> None:  # noqa: ANN401
    """Raise `LabelsMismatchError` where a request's labels cannot go into a layer."""
    reason = why_not_fitting(layer, request)
    if reason is not None:
        raise LabelsMismatchError(reason)


def _along(
    request: ImageRequest, axis: int, region: tuple[int, int], read: tuple[int, int]
) -> tuple[slice, np.ndarray]:
    centres = request.grid.centres(axis)
    first, last = np.searchsorted(centres, [region[0] - 0.5, region[1] - 0.5])
    pixels = np.floor((centres[first:last] + 0.5) / request.factors[axis] + 1e-9).astype(int)
    return slice(int(first), int(last)), np.clip(pixels - read[0], 0, read[1] - read[0] - 1)


@dataclass(frozen=True, eq=False)
class PlacedPlane:
    """Labels of one plane, as they will stand in the layer.

    Attributes
    ----------
    values : (h, w) array
        Ids of the layer, in its pixels and dtype.
    lut : (K + 1,) array
        The layer's id for each id that the engine counts.
    room : Room
        Of arrays like `values`, for whoever draws or writes them.
    """

    values: np.ndarray
    lut: np.ndarray
    room: Room = field(default_factory=Room)

    def with_room(self, planes: int = 1) -> PlacedPlane:
        """Return the same with room to be drawn or written, unless so many planes need too much."""
        fits = planes * ROOM_ARRAYS * self.values.nbytes <= ROOM_BYTES
        return replace(self, room=Room(self.values.nbytes, ROOM_ARRAYS) if fits else Room())


class Placer:
    """Made on the GUI thread; `place` is for a worker, since it takes long on large planes.

    Parameters
    ----------
    layer : Labels
        That knows the classes.
    request : ImageRequest
    classes : sequence of ClassPrompt
        In the order that the engine counts them.
    """

    def __init__(
        self, layer: Labels, request: ImageRequest, classes: Sequence[ClassPrompt]
    ) -> None:
        self._request = request
        self._lut = label_lut(layer, classes)

    def place(self, number: int, labels: np.ndarray) -> PlacedPlane:
        """Place the labels of a plane.

        Parameters
        ----------
        number : int
            Of the plane.
        labels : (h, w) unsigned array
            Of the size that was read.
        """
        values = find_target(self._request, number).spread(labels)
        same_ids = np.array_equal(self._lut, np.arange(len(self._lut)))
        if not same_ids or values.dtype != self._lut.dtype:
            values = self._lut[values]
        return PlacedPlane(values, self._lut)


def shown_plane(viewer: Any, layer: Any) -> Target:  # noqa: ANN401 - napari has no types
    """Find the whole plane of a Labels layer that a viewer shows.

    Parameters
    ----------
    viewer : ViewerModel
        Must show two dimensions.
    layer : Labels layer

    Raises
    ------
    ImageError
        If the viewer shows three dimensions, or the layer has nothing where its sliders stand.
    """
    placement = place_layer(viewer, layer)
    axes = plane_axes(placement, None)
    shape = tuple(int(n) for n in layer.data.shape)
    places = {
        axis: 0 if shape[axis] == 1 else current_index(placement, shape, axis)
        for axis in axes.sliders
    }
    return _plane(shape, (axes.rows, axes.columns), places)


def all_planes(shape: tuple[int, ...], shown: tuple[int, int] = (-2, -1)) -> Iterator[Target]:
    """Yield every plane of a Labels layer.

    Parameters
    ----------
    shape : tuple of int
        Of the layer's data.
    shown : tuple of int
        The axes of rows and columns.
    """
    rows, columns = (axis % len(shape) for axis in shown)
    sliders = [axis for axis in range(len(shape)) if axis not in (rows, columns)]
    for place in itertools.product(*(range(shape[axis]) for axis in sliders)):
        yield _plane(shape, (rows, columns), dict(zip(sliders, place, strict=True)))


def whole_plane_of(request: ImageRequest, number: int = 0) -> Target:
    """Find the whole plane that the labels of a request's plane are a part of."""
    target = find_target(request, number)
    shape = request.labels_shape
    shown = [axis for axis, own in enumerate(target.index) if isinstance(own, slice)]
    rows, columns = reversed(shown) if target.swapped else shown
    places = {axis: own for axis, own in enumerate(target.index) if not isinstance(own, slice)}
    return _plane(shape, (rows, columns), places)


def spread_over_plane(request: ImageRequest, values: np.ndarray, number: int = 0) -> np.ndarray:
    """Bring values of what was read to the pixels of the whole plane of the labels.

    Parameters
    ----------
    request : ImageRequest
    values : (h, w) float array
        Of `ImageRequest.read_shape`: a margin, for example.
    number : int
        Of the plane.

    Returns
    -------
    (H, W) float32 array
        NaN outside the region that was read.
    """
    target = find_target(request, number)
    plane = whole_plane_of(request, number)
    out = np.full((len(plane.rows_from), len(plane.columns_from)), np.nan, dtype=np.float32)
    part = [own for own in target.index if isinstance(own, slice)]
    rows, columns = reversed(part) if target.swapped else part
    where = True if target.mask is None else target.mask
    np.copyto(out[rows, columns], target.spread(values), where=where)
    return out


def point_in_read(
    viewer: Any,  # noqa: ANN401 - napari has no types
    layer: Any,  # noqa: ANN401
    request: ImageRequest,
    world: Any,  # noqa: ANN401 - any sequence of floats
) -> tuple[float, float] | None:
    """Find the pixel of what a request reads under a point of the world.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Image layer
        Of the request.
    request : ImageRequest
    world : sequence of float
        One coordinate for each of the viewer's dimensions, as `viewer.cursor.position`.

    Returns
    -------
    tuple of float or None
        Row and column as `Segmenter.attention_at` takes them; None outside of what is read.
    """
    shown = np.asarray(world, dtype=float)[list(viewer.dims.displayed)]
    (point,) = place_layer(viewer, layer).from_canvas(shown[None])
    axes = request.axes
    row, column = (
        float((own + 0.5) / request.factors[axis] - 0.5 - first)
        for own, axis, first in zip(
            point,
            (axes.rows, axes.columns),
            (request.rows_read[0], request.columns_read[0]),
            strict=True,
        )
    )
    height, width = request.read_shape
    if -0.5 <= row <= height - 0.5 and -0.5 <= column <= width - 0.5:
        return row, column
    return None


def part_of(plane: Target, rows: tuple[int, int], columns: tuple[int, int]) -> Target:
    """Cut a rectangle out of a whole plane."""
    parts = iter((columns, rows) if plane.swapped else (rows, columns))
    index = tuple(slice(*next(parts)) if isinstance(own, slice) else own for own in plane.index)
    return dataclasses.replace(
        plane,
        index=index,
        rows_from=np.arange(rows[1] - rows[0]),
        columns_from=np.arange(columns[1] - columns[0]),
    )


def _plane(shape: tuple[int, ...], shown: tuple[int, int], places: dict[int, Any]) -> Target:
    index = tuple(
        slice(0, length) if axis in shown else places[axis] for axis, length in enumerate(shape)
    )
    rows, columns = shown
    return Target(
        index=index,
        swapped=rows > columns,
        rows_from=np.arange(shape[rows]),
        columns_from=np.arange(shape[columns]),
        mask=None,
    )

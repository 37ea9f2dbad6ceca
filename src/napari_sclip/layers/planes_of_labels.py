"""The plane of a Labels layer that a viewer shows, and its place in the world."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_sclip.layers.image.axes import current_index, place_layer, plane_axes
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.mapping import Target, find_target


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

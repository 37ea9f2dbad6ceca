"""Which pixels of a Labels layer a plane that was read stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.errors import ImageError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.roi import inside


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
    ndim = len(data.shape)
    corners = np.concatenate([np.zeros((1, ndim)), np.eye(ndim)])
    place = request.geometry.to_world(corners)
    own = np.stack([layer.data_to_world(corner) for corner in corners])
    if not np.allclose(own, place, atol=1e-6 * max(1.0, float(np.abs(place).max()))):
        return (
            f"The layer {layer.name!r} lies in another place than the labels of this image: the "
            "image or the labels have been moved. Write to a new layer."
        )
    return None


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

"""Large planes a few rows at a time: what is computed on the way stays in the processor's cache.

Fresh arrays of the size of a plane cost more than what is computed in them, as the system has to
find memory for each.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

SLAB_PIXELS = 2**18


def slabs(rows: range, width: int) -> Iterator[slice]:
    """Go through rows of a plane, as many at a time as the cache holds.

    Parameters
    ----------
    rows : range
        Without a step.
    width : int
        Pixels in a row.
    """
    step = max(1, SLAB_PIXELS // max(1, width))
    for first in range(rows.start, rows.stop, step):
        yield slice(first, min(first + step, rows.stop))


class Pixels:
    """Some pixels of a plane, a bit each; read and written a slab at a time.

    Parameters
    ----------
    shape : (int, int)
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._packed: dict[int, np.ndarray | None] = {}  # None where all of a slab are among them

    @classmethod
    def of(cls, plane: np.ndarray) -> Pixels:
        """Pack a bool array."""
        pixels = cls(plane.shape)
        for rows in slabs(range(plane.shape[0]), plane.shape[1]):
            pixels[rows] = plane[rows]
        return pixels

    def __setitem__(self, rows: slice, mask: np.ndarray) -> None:
        if mask.any():
            self._packed[rows.start] = None if mask.all() else np.packbits(mask)
        else:
            self._packed.pop(rows.start, None)

    def __getitem__(self, rows: slice) -> np.ndarray:
        packed = self._packed.get(rows.start)
        if packed is None:
            return np.array(rows.start in self._packed)  # one value for all
        shape = rows.stop - rows.start, self.shape[1]
        return np.unpackbits(packed, count=shape[0] * shape[1]).view(bool).reshape(shape)

    def any_in(self, rows: slice) -> bool:
        """Whether there are some in a slab."""
        return rows.start in self._packed

    def __bool__(self) -> bool:
        return bool(self._packed)

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return sum(packed.nbytes for packed in self._packed.values() if packed is not None)

    def to_array(self) -> np.ndarray:
        """Return them as a bool array."""
        out = np.zeros(self.shape, dtype=bool)
        for rows in slabs(range(self.shape[0]), self.shape[1]):
            out[rows] = self[rows]
        return out


def put(into: np.ndarray, values: np.ndarray, where: np.ndarray | Pixels | None = None) -> None:
    """Copy values as `numpy.copyto` does; quick where all of them are taken.

    Parameters
    ----------
    into, values : (h, w) array
    where : (h, w) bool array or Pixels, optional
        The pixels that take them; left out, all do.
    """
    for rows in slabs(range(into.shape[0]), into.shape[1]):
        mask = None if where is None else where[rows]
        np.copyto(into[rows], values[rows], where=True if mask is None or mask.all() else mask)


def rows_unlike(values: np.ndarray, others: np.ndarray) -> range:
    """Find the rows, from the first to the last, in which two planes differ."""
    differs = np.zeros(len(values), dtype=bool)
    for rows in slabs(range(len(values)), values.shape[1]):
        differs[rows] = (values[rows] != others[rows]).any(axis=1)
    found = np.flatnonzero(differs)
    return range(int(found[0]), int(found[-1]) + 1) if found.size else range(0)


class Room:
    """A few pieces of memory that have been written to; make it in a worker.

    Parameters
    ----------
    nbytes : int
        Of a piece.
    count : int
        How many.
    """

    def __init__(self, nbytes: int = 0, count: int = 0) -> None:
        self._pieces = [np.empty(nbytes, dtype=np.uint8) for _ in range(count)]
        for piece in self._pieces:
            piece.fill(0)

    def take(self, shape: tuple[int, ...], dtype: np.dtype[Any] | type) -> np.ndarray:
        """Return an array with anything in it: of a piece, if one is left and not far too large."""
        fresh: np.ndarray = np.empty(shape, dtype)
        if self._pieces and self._pieces[-1].nbytes // 2 <= fresh.nbytes <= self._pieces[-1].nbytes:
            return self._pieces.pop()[: fresh.nbytes].view(dtype).reshape(shape)
        return fresh

"""Memory asked for by a worker, for the GUI thread to write into.

The first write to each page of fresh memory is what costs most on a large plane, many times what
is computed there.
"""

from __future__ import annotations

from typing import Any

import numpy as np


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

"""Where the windows of a sliding vision pass stand along one axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class AxisWindows:
    """The windows along one axis of the resized image.

    Attributes
    ----------
    length : int
        Pixels of the resized image along this axis.
    window : int
        Pixels of each window: what was asked for, or `length` where that is less.
    starts : tuple of int
        First pixel of each window; the last window is pushed back inside the image.
    patches : int
        Patches of each window.
    """

    length: int
    window: int
    starts: tuple[int, ...]
    patches: int

    def coverage(self) -> np.ndarray:
        """Count the windows over each pixel: (length,) int."""
        edges = np.zeros(self.length + 1, dtype=np.int64)
        for start in self.starts:
            edges[start] += 1
            edges[start + self.window] -= 1
        return np.cumsum(edges[:-1])


def place_windows(length: int, window: int, stride: int, patch: int) -> AxisWindows:
    """Slide a window along an axis as the paper's pipeline does.

    Parameters
    ----------
    length : int
        Pixels of the resized image along the axis, at least `patch`.
    window, stride : int
        Pixels of a window and between two windows.
    patch : int
        Pixels of a patch. Pixels beyond a whole number of patches are not seen by the
        tower; its output is stretched over them.

    Returns
    -------
    AxisWindows
    """
    size = min(window, length)
    count = max(length - size + stride - 1, 0) // stride + 1
    starts = tuple(min(index * stride, length - size) for index in range(count))
    return AxisWindows(length=length, window=size, starts=starts, patches=size // patch)


def resized_shape(height: int, width: int, short_side: int | None) -> tuple[int, int]:
    """Size of the image after its shorter side is brought to `short_side`, ratio kept.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    short_side : int or None
        Wanted length of the shorter side in pixels; None keeps the size.

    Returns
    -------
    tuple of int
        Height and width in pixels, halves rounded up.
    """
    if short_side is None:
        return height, width
    short = min(height, width)

    def scaled(side: int) -> int:
        return (2 * side * short_side + short) // (2 * short)

    return scaled(height), scaled(width)

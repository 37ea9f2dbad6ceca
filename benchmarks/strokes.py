"""Strokes as a careful person would draw them, where labels are wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

BRUSH_PIXELS = 10
"""Diameter of the brush in pixels of the image."""


def next_stroke(
    labels: NDArray[np.integer],
    truth: NDArray[np.integer],
    painted: NDArray[np.bool_],
    brush: float = BRUSH_PIXELS,
) -> NDArray[np.bool_] | None:
    """Dab the brush onto the middle of the largest connected part that is labelled wrongly.

    Parameters
    ----------
    labels, truth : (H, W) integers
    painted : (H, W) bool array
        Pixels that were painted before: they count as right.
    brush : float
        Diameter in pixels.

    Returns
    -------
    (H, W) bool array or None
        Pixels within the brush that are of the class at its middle: nobody paints over an edge
        that can be seen. None if nothing is wrong.
    """
    parts, count = ndimage.label((labels != truth) & ~painted)
    if not count:
        return None
    largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
    place = ndimage.find_objects(parts)[largest - 1]
    inside = np.pad(parts[place] == largest, 1)
    depth = ndimage.distance_transform_edt(inside)[1:-1, 1:-1]
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    row, column = int(row) + place[0].start, int(column) + place[1].start
    down, across = np.ogrid[: truth.shape[0], : truth.shape[1]]
    disc = (down - row) ** 2 + (across - column) ** 2 <= (brush / 2) ** 2
    stroke: NDArray[np.bool_] = disc & (truth == truth[row, column])
    return stroke

"""Single objects of one class: connected components, those that touch cut at their necks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

MIN_DISTANCE = 5.0
NECK = 0.7


def split_instances(
    mask: np.ndarray,
    *,
    min_distance: float = MIN_DISTANCE,
    neck: float = NECK,
    split_touching: bool = True,
    spacing: Sequence[float] | None = None,
) -> np.ndarray:
    """Give every object of a mask a number of its own.

    Objects that touch are cut by a watershed on the distance to the mask's edge. Its basins are
    joined again where the neck between two of them is wide, so that a long or rough object stays
    whole.

    Parameters
    ----------
    mask : (H, W) or (D, H, W) bool array
        Pixels that touch by a corner belong together.
    min_distance : float
        Middles of two touching objects are at least so far apart, in pixels (or in the unit of
        `spacing`).
    neck : float
        0..1. Two objects are told apart where the neck between them is narrower than this share
        of the smaller one's width.
    split_touching : bool
        False leaves every connected component whole.
    spacing : sequence of float, optional
        Length of a pixel along each axis; 1 if left out.

    Returns
    -------
    int32 array of the same shape
        0 outside the mask, 1 to n inside; the same for the same mask.
    """
    from skimage.measure import label  # slow to load; in a worker where there is a window

    inside = np.asarray(mask, dtype=bool)
    out = np.zeros(inside.shape, dtype=np.int32)
    if not inside.any():
        return out
    box = _bounding_box(inside)
    cut = inside[box]
    components: np.ndarray = label(cut, connectivity=cut.ndim).astype(np.int32, copy=False)
    if split_touching:
        components = _split(cut, components, min_distance, neck, spacing)
    out[box] = components
    return out


def _split(
    mask: np.ndarray,
    components: np.ndarray,
    min_distance: float,
    neck: float,
    spacing: Sequence[float] | None,
) -> np.ndarray:
    from scipy import ndimage
    from skimage.measure import label
    from skimage.segmentation import watershed

    lengths = np.ones(mask.ndim) if spacing is None else np.asarray(spacing, dtype=float)
    distance = ndimage.distance_transform_edt(mask, sampling=lengths).astype(np.float32)
    reach = tuple(2 * int(min_distance / length) + 1 for length in lengths)
    peaks = mask & (distance == ndimage.maximum_filter(distance, size=reach))
    _give_each_a_peak(peaks, components, distance)
    markers = label(peaks, connectivity=mask.ndim)
    basins = watershed(-distance, markers, mask=mask, connectivity=mask.ndim)
    heights = np.zeros(int(markers.max()) + 1, dtype=np.float32)
    heights[markers[peaks]] = distance[peaks]
    joined = _join_over_wide_necks(basins, distance, heights, neck)
    out: np.ndarray = joined[basins]
    return out


def _give_each_a_peak(peaks: np.ndarray, components: np.ndarray, distance: np.ndarray) -> None:
    """Mark the middle of a component whose peak is hidden by a larger neighbour."""
    from scipy import ndimage

    has_peak = np.zeros(int(components.max()) + 1, dtype=bool)
    has_peak[components[peaks]] = True
    missing = np.flatnonzero(~has_peak[1:]) + 1
    for place in ndimage.maximum_position(distance, components, missing) if len(missing) else ():
        peaks[place] = True


def _join_over_wide_necks(
    basins: np.ndarray, distance: np.ndarray, heights: np.ndarray, neck: float
) -> np.ndarray:
    """Table from basins to objects, both counted from 1."""
    parent = list(range(len(heights)))

    def root(basin: int) -> int:
        while parent[basin] != basin:
            parent[basin] = parent[parent[basin]]
            basin = parent[basin]
        return basin

    # The widest neck first: what it joins is the object that narrower ones are compared with.
    for width, one, other in _necks(basins, distance):
        a, b = sorted((root(one), root(other)))
        if a != b and width >= neck * min(heights[a], heights[b]):
            parent[b] = a
            heights[a] = max(heights[a], heights[b])
    roots = np.array([root(basin) for basin in range(len(parent))])
    _, objects = np.unique(roots, return_inverse=True)
    return objects.astype(np.int32)


def _necks(basins: np.ndarray, distance: np.ndarray) -> list[tuple[float, int, int]]:
    """Half the width of the widest passage between every two basins that touch, widest first."""
    pairs, widths = [np.empty((0, 2), dtype=np.int64)], [np.empty(0, dtype=np.float32)]
    for offset in itertools.product((-1, 0, 1), repeat=basins.ndim):
        if offset <= (0,) * basins.ndim:
            continue
        here = tuple(slice(max(0, -o), min(0, -o) or None) for o in offset)
        there = tuple(slice(max(0, o), min(0, o) or None) for o in offset)
        one, other = basins[here], basins[there]
        meet = (one != other) & (one > 0) & (other > 0)
        pairs.append(np.sort(np.stack([one[meet], other[meet]], axis=1), axis=1))
        widths.append(np.minimum(distance[here][meet], distance[there][meet]))
    found, place = np.unique(np.concatenate(pairs), axis=0, return_inverse=True)
    widest = np.zeros(len(found), dtype=np.float32)
    np.maximum.at(widest, place.ravel(), np.concatenate(widths))
    necks = [(float(w), int(a), int(b)) for w, (a, b) in zip(widest, found, strict=True)]
    return sorted(necks, key=lambda item: (-item[0], item[1], item[2]))


def _bounding_box(mask: np.ndarray) -> tuple[slice, ...]:
    box = []
    for axis in range(mask.ndim):
        used = np.flatnonzero(mask.any(axis=tuple(a for a in range(mask.ndim) if a != axis)))
        box.append(slice(int(used[0]), int(used[-1]) + 1))
    return tuple(box)

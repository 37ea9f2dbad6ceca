"""Small regions and small holes of labels."""

from __future__ import annotations

import numpy as np

from napari_sclip.progress import ProgressCallback, report


def clean_labels(
    labels: np.ndarray,
    min_region_pixels: int = 0,
    max_hole_pixels: int = 0,
    progress: ProgressCallback | None = None,
) -> np.ndarray:
    """Remove small regions, then fill small holes.

    A region is a connected part of one label that is not 0, diagonals included. A region with
    fewer than `min_region_pixels` is given to the label that has the longest border with it, of
    the regions that are large enough and of 0. A hole is a connected part of 0, diagonals not
    included, that one label alone surrounds; one with no more than `max_hole_pixels` gets that
    label. What touches the border of the image is no hole.

    Parameters
    ----------
    labels : (H, W) unsigned integers
    min_region_pixels : int
        0 and 1 leave all regions.
    max_hole_pixels : int
        0 leaves all holes.
    progress : callable, optional

    Returns
    -------
    (H, W) array
        Of the same dtype; `labels` itself where nothing was asked for.
    """
    if min_region_pixels > 1:
        report(progress, 0, 2, "Removing small regions")
        labels = _without_small_regions(labels, min_region_pixels, progress)
    if max_hole_pixels > 0:
        report(progress, 1, 2, "Filling holes")
        labels = _without_small_holes(labels, max_hole_pixels)
    return labels


def _without_small_regions(
    labels: np.ndarray, least: int, progress: ProgressCallback | None
) -> np.ndarray:
    from skimage.measure import label

    regions = label(labels, background=0, connectivity=2)
    report(progress, 0, 2, "Removing small regions")
    small = np.bincount(regions.ravel()) < least
    small[0] = False
    given = labels.copy()
    # A small region with only small ones around it waits until one of them has been given away.
    while small.any():
        inside, outside = _borders(regions, small)
        to = given.ravel()[outside]
        settled = ~small[regions.ravel()[outside]]
        here, to = regions.ravel()[inside[settled]], to[settled]
        if not len(here):
            break
        region, chosen = _most_common(here, to)
        new = np.zeros(len(small), dtype=labels.dtype)
        new[region] = chosen
        now = np.zeros(len(small), dtype=bool)
        now[region] = True
        pixels = now[regions]
        given[pixels] = new[regions[pixels]]
        small &= ~now
        report(progress, 0, 2, "Removing small regions")
    return given


def _without_small_holes(labels: np.ndarray, most: int) -> np.ndarray:
    from skimage.measure import label

    holes = label(labels == 0, connectivity=1)
    small = np.bincount(holes.ravel()) <= most
    small[0] = False
    for edge in (holes[0], holes[-1], holes[:, 0], holes[:, -1]):
        small[edge] = False
    inside, outside = _borders(holes, small)
    hole, around = holes.ravel()[inside], labels.ravel()[outside]
    least = np.full(len(small), np.iinfo(labels.dtype).max, dtype=labels.dtype)
    largest = np.zeros(len(small), dtype=labels.dtype)
    np.minimum.at(least, hole, around)
    np.maximum.at(largest, hole, around)
    filled = np.where(small & (least == largest), largest, 0).astype(labels.dtype)
    out: np.ndarray = labels + filled[holes]
    return out


def _borders(regions: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of neighbouring pixels, as flat indices: one in a chosen region, one outside of it."""
    height, width = regions.shape
    index = np.arange(height * width).reshape(height, width)
    inside, outside = [], []
    for a, b in (
        (np.s_[:, :-1], np.s_[:, 1:]),
        (np.s_[:-1], np.s_[1:]),
    ):
        differ = regions[a] != regions[b]
        for here, there in ((a, b), (b, a)):
            found = differ & chosen[regions[here]]
            inside.append(index[here][found])
            outside.append(index[there][found])
    return np.concatenate(inside), np.concatenate(outside)


def _most_common(keys: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the most common value of each key; the smallest of several."""
    pairs, counts = np.unique(np.stack([keys, values]), axis=1, return_counts=True)
    order = np.lexsort((pairs[1], -counts, pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    best = order[first]
    return pairs[0][best], pairs[1][best]

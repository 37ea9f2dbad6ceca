"""Where a person should look next: connected spots of doubt, or of one class, largest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

DOUBTFUL = 0.2
"""Margin at which the second best class is two thirds as likely as the best of two."""

MOST = 0.25
SAMPLED_PIXELS = 500_000
MIN_AREA = 16


@dataclass(frozen=True, eq=False)
class Spot:
    """Connected pixels of one plane that a person can look at at once.

    Attributes
    ----------
    rows, columns : tuple of int
        Bounding box: first pixel, and the one after the last.
    centre : tuple of int
        The pixel of the spot that is nearest to its middle.
    area : int
        Pixels.
    margin : float or None
        Mean margin, 0..1; None where it was not looked at.
    label : int or None
        Id of the class, where all pixels have the same.
    """

    rows: tuple[int, int]
    columns: tuple[int, int]
    centre: tuple[int, int]
    area: int
    margin: float | None
    label: int | None
    _spots: np.ndarray = field(repr=False)

    @property
    def box(self) -> tuple[slice, slice]:
        """The bounding box as an index."""
        return slice(*self.rows), slice(*self.columns)

    def inside(self) -> np.ndarray:
        """Tell which pixels of the bounding box belong to the spot: (h, w) bool array."""
        out: np.ndarray = self._spots[self.box] == self._spots[self.centre]
        return out


def uncertain_level(margin: np.ndarray) -> float:
    """Choose the margin up to which a pixel counts as uncertain.

    It is 0.2, whatever the model: there the two best of two classes stand 60 to 40. Where that
    would be much of the image, because the model is unsure everywhere, it is the margin that a
    quarter of the pixels do not exceed: spots as large as the image would lead nowhere.

    Parameters
    ----------
    margin : (H, W) float array
        0..1; NaN where it is not known.
    """
    step = max(1, int(np.sqrt(margin.size / SAMPLED_PIXELS)))
    sample = margin[::step, ::step]
    known = sample[np.isfinite(sample)]
    return min(DOUBTFUL, float(np.quantile(known, MOST))) if known.size else DOUBTFUL


def uncertain_mask(
    margin: np.ndarray, *, below: float | None = None, min_area: int = MIN_AREA
) -> np.ndarray:
    """Tell which pixels are uncertain, without specks.

    Parameters
    ----------
    margin : (H, W) float array
        0..1; NaN where it is not known, which is not uncertain.
    below : float, optional
        Largest margin that counts as uncertain; `uncertain_level` if left out.
    min_area : int
        Connected pixels fewer than these are left out.

    Returns
    -------
    (H, W) bool array
    """
    low: np.ndarray = margin <= (uncertain_level(margin) if below is None else below)
    if min_area <= 1:
        return low
    spots = _connected(low)
    large = np.bincount(spots.ravel()) >= min_area
    large[0] = False
    out: np.ndarray = large[spots]
    return out


def find_uncertain(
    margin: np.ndarray,
    *,
    below: float | None = None,
    checked: np.ndarray | None = None,
    min_area: int = MIN_AREA,
) -> list[Spot]:
    """Find the uncertain spots of a plane.

    Parameters
    ----------
    margin, below, min_area
        As `uncertain_mask` takes them.
    checked : (H, W) bool array, optional
        Pixels that a person has looked at. What is left of a spot of which a part was checked is
        found, however small.

    Returns
    -------
    list of Spot
        Largest first, spots of one size from the top left on.
    """
    return spots_of(uncertain_mask(margin, below=below, min_area=min_area), margin, checked=checked)


def spots_of(
    mask: np.ndarray, margin: np.ndarray | None = None, *, checked: np.ndarray | None = None
) -> list[Spot]:
    """Find the connected spots of a mask; see `find_uncertain`."""
    left = mask if checked is None else mask & ~checked
    return _measure(_connected(left), margin, None)


def find_unchecked(
    labels: np.ndarray, *, checked: np.ndarray | None = None, margin: np.ndarray | None = None
) -> list[Spot]:
    """Find the connected pixels of one class that nobody has checked; 0 is no class.

    Parameters
    ----------
    labels : (H, W) unsigned array
    checked : (H, W) bool array, optional
    margin : (H, W) float array, optional
        For `Spot.margin` only.

    Returns
    -------
    list of Spot
        As `find_uncertain`.
    """
    left = labels if checked is None else np.where(checked, 0, labels)
    return _measure(_connected(left), margin, labels)


def next_spot(
    spots: Sequence[Spot], after: Spot | None = None, *, backwards: bool = False
) -> Spot | None:
    """Choose the spot to go to.

    Parameters
    ----------
    spots : sequence of Spot
        Largest first, as they are found now.
    after : Spot, optional
        Where the person is, of these spots or of ones that were found earlier: one that has been
        checked meanwhile is followed by the next smaller one.
    backwards : bool
        Towards larger spots.

    Returns
    -------
    Spot or None
        Beyond the last one comes the first again; None if there are none.
    """
    if not spots:
        return None
    if after is None:
        return spots[-1 if backwards else 0]
    here = _order(after)
    if backwards:
        return next((spot for spot in reversed(spots) if _order(spot) < here), spots[-1])
    return next((spot for spot in spots if _order(spot) > here), spots[0])


def _connected(values: np.ndarray) -> np.ndarray:
    """Give connected pixels of one value other than 0 a number; corners connect."""
    from skimage.measure import label  # slow to load; in a worker where there is a window

    spots: np.ndarray = label(values, background=0, connectivity=2)
    return spots


def _order(spot: Spot) -> tuple[int, int, int]:
    return -spot.area, *spot.centre


def _measure(spots: np.ndarray, margin: np.ndarray | None, labels: np.ndarray | None) -> list[Spot]:
    from scipy import ndimage

    if spots.size == 0 or not (pixels := np.flatnonzero(spots)).size:
        return []
    own = spots.ravel()[pixels]
    areas = np.bincount(own)
    centres = _centres(own, pixels, areas, spots.shape[1])
    means = None
    if margin is not None:
        totals = np.bincount(own, weights=np.nan_to_num(margin.ravel()[pixels]))
        means = totals / np.maximum(areas, 1)
    found = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(spots), start=1):
        centre = divmod(int(centres[number]), spots.shape[1])
        found.append(
            Spot(
                rows=(rows.start, rows.stop),
                columns=(columns.start, columns.stop),
                centre=centre,
                area=int(areas[number]),
                margin=None if means is None else float(means[number]),
                label=None if labels is None else int(labels[centre]),
                _spots=spots,
            )
        )
    return sorted(found, key=_order)


def _centres(own: np.ndarray, pixels: np.ndarray, areas: np.ndarray, width: int) -> np.ndarray:
    """Flat index of the pixel of each spot that is nearest to the mean of its pixels."""
    count = np.maximum(areas, 1)
    rows, columns = (part.astype(np.float32) for part in np.divmod(pixels, width))
    middle_row = (np.bincount(own, weights=rows) / count).astype(np.float32)
    middle_column = (np.bincount(own, weights=columns) / count).astype(np.float32)
    away = (rows - middle_row[own]) ** 2 + (columns - middle_column[own]) ** 2
    nearest = np.full(len(areas), np.inf, dtype=np.float32)
    np.minimum.at(nearest, own, away)
    candidates = np.flatnonzero(away == nearest[own])
    _, first = np.unique(own[candidates], return_index=True)
    out = np.zeros(len(areas), dtype=np.int64)
    out[own[candidates[first]]] = pixels[candidates[first]]
    return out

"""What a new prediction changes in a plane, and what it has to leave to the person."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_sclip.layers.edits import PredictionLog
from napari_sclip.layers.mapping import Target
from napari_sclip.layers.slabs import Pixels, slabs


@dataclass(frozen=True, eq=False)
class Difference:
    """A new prediction beside what is in the layer.

    Attributes
    ----------
    changed : int
        Pixels that take another id.
    kept : int
        Pixels of a person for which another id was predicted.
    by_hand : Pixels
        Those of the person.
    free : Pixels or None
        Those that take what is predicted; None for all.
    box : tuple of (int or slice) or None
        Index of the smallest part of the layer's data that holds all changed pixels; None if there
        are none.
    """

    changed: int
    kept: int
    by_hand: Pixels
    free: Pixels | None
    box: tuple[int | slice, ...] | None


def find_difference(
    data: np.ndarray,
    target: Target,
    new: np.ndarray,
    log: PredictionLog | None,
    painted: np.ndarray | None,
) -> Difference:
    """Compare what was predicted with what is in a layer; nothing is written.

    Parameters
    ----------
    data : array
        The layer's.
    target : Target
    new : (h, w) array
        The prediction, in ids of the layer.
    log : PredictionLog or None
        Tells what a person painted; None if that is not to be kept.
    painted : (h, w) bool array or None
        Pixels that are the person's in any case.
    """
    old = target.view(data)
    height, width = old.shape
    predicted, marks = (None, None) if log is None else log.look(target)
    by_hand, free = Pixels(old.shape), Pixels(old.shape)
    changed = kept = 0
    in_rows, in_columns = np.zeros(height, dtype=bool), np.zeros(width, dtype=bool)
    for rows in slabs(range(height), width):
        differs = old[rows] != new[rows]
        hand = None if predicted is None else old[rows] != predicted[rows]
        for more in (marks, painted):
            if more is not None:
                hand = more[rows] if hand is None else hand | more[rows]
        mask = None if target.mask is None else target.mask[rows]
        if mask is not None:
            differs &= mask
            hand = None if hand is None else hand & mask
        if hand is not None:
            by_hand[rows] = hand
            if hand.any():
                kept += int(np.count_nonzero(differs & hand))
                mask = ~hand if mask is None else mask & ~hand
                differs &= mask
        free[rows] = np.array(True) if mask is None else mask
        changed += int(np.count_nonzero(differs))
        in_rows[rows] = differs.any(axis=1)
        in_columns |= differs.any(axis=0)
    box = target.part(_span(in_rows), _span(in_columns)) if changed else None
    takes_all = target.mask is None and not by_hand
    return Difference(changed, kept, by_hand, None if takes_all else free, box)


def _span(found: np.ndarray) -> slice:
    places = np.flatnonzero(found)
    return slice(int(places[0]), int(places[-1]) + 1)

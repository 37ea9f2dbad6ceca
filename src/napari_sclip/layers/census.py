"""How much of a Labels layer a person has painted, and which ids it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SLAB_PIXELS = 2**20


@dataclass(frozen=True)
class Census:
    """What was counted.

    Attributes
    ----------
    ids : tuple of int
        Those that occur, 0 too; where none reaches `few` of `take_census`, the highest alone.
    painted : int
        Pixels that are the person's.
    of_missing : mapping of int to int
        The person's pixels of those ids that were asked for; ids without any are left out.
    scribbled : int
        Pixels in layers of scribbles.
    """

    ids: tuple[int, ...]
    painted: int
    of_missing: Mapping[int, int]
    scribbled: int


def take_census(
    data: np.ndarray,
    predicted: np.ndarray,
    marks: np.ndarray | None,
    missing: Collection[int] = (),
    scribbles: Sequence[np.ndarray] = (),
    *,
    few: int = 256,
) -> Census:
    """Count; of a large layer in a worker, as only a part of it is held in memory again.

    Parameters
    ----------
    data : unsigned array
        Of the layer, without drafts.
    predicted, marks
        Of its log, as `PredictionLog.everywhere` gives them.
    missing : collection of int
        Ids of classes whose pixels are to be counted.
    scribbles : sequence of array
        Data of the layers of scribbles over it.
    few : int
        Below this the highest id says enough.

    Returns
    -------
    Census
    """
    flat, before = data.reshape(-1), predicted.reshape(-1)
    painted_before = None if marks is None else marks.reshape(-1)
    ids: set[int] = set()
    painted, highest = 0, 0
    of_missing: Counter[int] = Counter()
    for start in range(0, flat.size, SLAB_PIXELS):
        part = slice(start, start + SLAB_PIXELS)
        here = flat[part]
        highest = max(highest, int(here.max()))
        by_hand = here != before[part]
        if painted_before is not None:
            by_hand |= painted_before[part]
        count = int(np.count_nonzero(by_hand))
        painted += count
        if missing and count:
            found, counts = np.unique(here[by_hand], return_counts=True)
            of_missing.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    if highest >= few:
        for start in range(0, flat.size, SLAB_PIXELS):
            ids.update(np.unique(flat[start : start + SLAB_PIXELS]).tolist())
    return Census(
        ids=tuple(sorted(ids | {highest})),
        painted=painted,
        of_missing={k: of_missing[k] for k in missing if of_missing[k]},
        scribbled=sum(int(np.count_nonzero(layer)) for layer in scribbles),
    )

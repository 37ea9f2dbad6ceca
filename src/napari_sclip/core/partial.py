"""Labels of an image of which only some windows have been computed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from napari_sclip.core.scores import Decision, decide
from napari_sclip.core.similarity import DenseMap, rectangles


def predict_seen_labels(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    seen: Sequence[tuple[slice, slice]],
    scale: Tensor | None,
) -> np.ndarray:
    """Label the pixels that windows have covered; no class is dropped for its small area.

    Parameters
    ----------
    dense : DenseMap
    text : (P, D) tensor
        L2-normalised, in the order of the classes.
    decision : Decision
    seen : sequence of (slice, slice)
        Rectangles of the image's pixels.
    scale : (R, C) tensor or None
        As `rectangles` takes it.

    Returns
    -------
    (H, W) uint8 or uint16 array
        As `predict_labels` gives it; 0 where nothing has been seen.
    """
    ids = decision.label_ids()
    labels = np.zeros(dense.shape, dtype=ids.dtype)
    for place in seen:
        for piece in rectangles(dense, text, place, scale):
            winner, undecided = decide(piece.similarity, decision)
            found = ids[winner.cpu().numpy()]
            if undecided is not None:
                found[undecided.cpu().numpy()] = 0
            labels[piece.place] = found
    return labels

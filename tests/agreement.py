"""Where two ways to the same labels must agree, whatever the last digits are."""

from __future__ import annotations

import numpy as np

SCORE_ROUNDING = 2e-5
"""Logits of 40 times a similarity are rounded by up to 2.4e-6 a step, in float32; scores move by no
more than half of what logits do. This leaves room for the steps of both ways and for their sums."""


def clear_pixels(
    scores: np.ndarray, threshold: float = 0.0, off: float = SCORE_ROUNDING
) -> np.ndarray:
    """Find the pixels whose label errors of `off` in the scores cannot change: nearly all of them.

    Parameters
    ----------
    scores : (K, H, W) array
    threshold : float
    off : float
    """
    ordered = np.sort(scores, axis=0)
    clear = np.abs(ordered[-1] - threshold) > off
    if len(ordered) > 1:
        clear &= ordered[-1] - ordered[-2] > 2 * off
    assert clear.mean() > 0.99
    return np.asarray(clear)

"""What one patch attends to in the last block, as numbers over the patch grid."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_sclip.core.attention import AttentionInputs, AttentionMode
from napari_sclip.errors import ConfigError


def attention_of_patch(
    inputs: AttentionInputs, mode: AttentionMode, patch: tuple[int, int], head: int | None = None
) -> tuple[np.ndarray, float]:
    """Compute how the attention of one patch is spread over the patches of its window.

    Only the one row of the attention map is computed.

    Parameters
    ----------
    inputs : AttentionInputs
        Of one window.
    mode : AttentionMode
    patch : tuple of int
        Row and column in the patch grid.
    head : int, optional
        Counted from 0; the mean of all heads if left out.

    Returns
    -------
    weights : (Hp, Wp) float32 array
        Sum to 1: the class token's share is left out and the rest is scaled up. So is the sum of
        2 that the weights of `sclip` have.
    class_token : float
        Share of the class token before that, 0..1.

    Raises
    ------
    ConfigError
        If there is no such head.
    """
    heads = inputs.q.shape[1]
    if head is not None and not 0 <= head < heads:
        raise ConfigError(
            f"Expected a head from 0 to {heads - 1}, or None for the mean of all; got {head}."
        )
    exact = dataclasses.replace(
        inputs,
        tokens=inputs.tokens.float(),
        q=inputs.q.float(),
        k=inputs.k.float(),
        v=inputs.v.float(),
    )
    row, column = patch
    rows = mode.weigh(exact, 1 + row * inputs.grid[1] + column)[0]
    weights = (rows.mean(0) if head is None else rows[head]).double().cpu().numpy()
    over_patches = max(weights[1:].sum(), np.finfo(np.float64).tiny)
    class_token = float(weights[0] / (weights[0] + over_patches))
    return (weights[1:] / over_patches).reshape(inputs.grid).astype(np.float32), class_token

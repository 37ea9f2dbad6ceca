"""Correlative self-attention without the block's residual and MLP."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import correlative_attention, correlative_weights

MODE = AttentionMode(
    name="sclip-reduced",
    attend=correlative_attention,
    weigh=correlative_weights,
    reduced=True,
    summary="softmax(q qT) v + softmax(k kT) v; residual and MLP dropped",
)

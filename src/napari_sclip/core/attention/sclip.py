"""SCLIP: correlative self-attention, the block's residual and MLP kept."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import correlative_attention, correlative_weights

MODE = AttentionMode(
    name="sclip",
    attend=correlative_attention,
    weigh=correlative_weights,
    reduced=False,
    summary="softmax(q qT) v + softmax(k kT) v; residual and MLP kept (Wang et al., 2024)",
)

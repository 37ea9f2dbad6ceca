"""Queries with queries (Table 2 of the SCLIP paper)."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import query_attention, query_weights

MODE = AttentionMode(
    name="q-only",
    attend=query_attention,
    weigh=query_weights,
    reduced=False,
    summary="softmax(q qT) v; residual and MLP kept (ablation of Wang et al., 2024)",
)

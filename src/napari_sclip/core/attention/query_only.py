"""Queries with queries (Table 2 of the SCLIP paper)."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import query_attention

MODE = AttentionMode(
    name="q-only",
    attend=query_attention,
    reduced=False,
    summary="softmax(q qT) v; residual and MLP kept (ablation of Wang et al., 2024)",
)

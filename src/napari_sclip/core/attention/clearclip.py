"""ClearCLIP: queries with queries, without the block's residual and MLP."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import query_attention, query_weights

MODE = AttentionMode(
    name="clearclip",
    attend=query_attention,
    weigh=query_weights,
    reduced=True,
    summary="softmax(q qT) v; residual and MLP dropped (Lan et al., 2024)",
)

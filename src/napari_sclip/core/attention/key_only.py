"""Keys with keys (Table 2 of the SCLIP paper)."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.correlative import key_attention, key_weights

MODE = AttentionMode(
    name="k-only",
    attend=key_attention,
    weigh=key_weights,
    reduced=False,
    summary="softmax(k kT) v; residual and MLP kept (ablation of Wang et al., 2024)",
)

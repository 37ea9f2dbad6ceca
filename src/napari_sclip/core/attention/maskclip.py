"""MaskCLIP: the values alone, without the block's residual and MLP."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.identity import identity_attention

MODE = AttentionMode(
    name="maskclip",
    attend=identity_attention,
    reduced=True,
    summary="v; residual and MLP dropped (Zhou, Loy, Dai, 2022)",
)

"""MaskCLIP: the values alone, without the block's residual and MLP."""

from __future__ import annotations

from napari_sclip.core.attention.base import AttentionMode
from napari_sclip.core.attention.identity import identity_attention, identity_weights

MODE = AttentionMode(
    name="maskclip",
    attend=identity_attention,
    weigh=identity_weights,
    reduced=True,
    summary="v; residual and MLP dropped (Zhou, Loy, Dai, 2022)",
)

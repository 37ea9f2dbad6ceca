"""Every token attends to itself alone (Table 2 of the SCLIP paper)."""

from __future__ import annotations

from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode


def identity_attention(inputs: AttentionInputs) -> Tensor:
    """``v``."""
    return inputs.v


MODE = AttentionMode(
    name="identity",
    attend=identity_attention,
    reduced=False,
    summary="v; residual and MLP kept (ablation of Wang et al., 2024)",
)

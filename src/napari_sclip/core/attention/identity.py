"""Every token attends to itself alone (Table 2 of the SCLIP paper)."""

from __future__ import annotations

import torch
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode


def identity_attention(inputs: AttentionInputs) -> Tensor:
    """``v``."""
    return inputs.v


def identity_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """All on the token itself."""
    weights = torch.zeros_like(inputs.v[..., 0])
    weights[..., token] = 1
    return weights


MODE = AttentionMode(
    name="identity",
    attend=identity_attention,
    weigh=identity_weights,
    reduced=False,
    summary="v; residual and MLP kept (ablation of Wang et al., 2024)",
)

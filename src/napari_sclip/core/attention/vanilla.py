"""CLIP's own attention."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode


def vanilla_attention(inputs: AttentionInputs) -> Tensor:
    """``softmax(q kᵀ / √d) v``."""
    return F.scaled_dot_product_attention(inputs.q, inputs.k, inputs.v)


MODE = AttentionMode(
    name="vanilla",
    attend=vanilla_attention,
    reduced=False,
    summary="softmax(q kT) v; residual and MLP kept (Radford et al., 2021)",
)

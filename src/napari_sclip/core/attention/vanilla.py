"""CLIP's own attention."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode, softmax_weights


def vanilla_attention(inputs: AttentionInputs) -> Tensor:
    """``softmax(q kᵀ / √d) v``."""
    return F.scaled_dot_product_attention(inputs.q, inputs.k, inputs.v)


def vanilla_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """Row of ``softmax(q kᵀ / √d)``."""
    return softmax_weights(inputs.q[:, :, token], inputs.k)


MODE = AttentionMode(
    name="vanilla",
    attend=vanilla_attention,
    weigh=vanilla_weights,
    reduced=False,
    summary="softmax(q kT) v; residual and MLP kept (Radford et al., 2021)",
)

"""Attention of tokens to themselves by one projection, and its sum over two."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, softmax_weights


def self_correlation(projected: Tensor, v: Tensor) -> Tensor:
    """``softmax(p pᵀ / √d) v`` without a map of all pairs of tokens in memory."""
    return F.scaled_dot_product_attention(projected, projected, v)


def query_attention(inputs: AttentionInputs) -> Tensor:
    """``softmax(q qᵀ / √d) v``."""
    return self_correlation(inputs.q, inputs.v)


def key_attention(inputs: AttentionInputs) -> Tensor:
    """``softmax(k kᵀ / √d) v``."""
    return self_correlation(inputs.k, inputs.v)


def correlative_attention(inputs: AttentionInputs) -> Tensor:
    """Correlative self-attention, equation 3 of Wang, Mei, Yuille (ECCV 2024).

    ``softmax(q qᵀ / √d) v + softmax(k kᵀ / √d) v``; the weights of a token sum to 2.
    """
    return query_attention(inputs) + key_attention(inputs)


def query_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """Row of ``softmax(q qᵀ / √d)``."""
    return softmax_weights(inputs.q[:, :, token], inputs.q)


def key_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """Row of ``softmax(k kᵀ / √d)``."""
    return softmax_weights(inputs.k[:, :, token], inputs.k)


def correlative_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """Row of ``softmax(q qᵀ / √d) + softmax(k kᵀ / √d)``; sums to 2."""
    return query_weights(inputs, token) + key_weights(inputs, token)

"""The rules of the attention modes."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, SoftmaxRule, SoftmaxTerm

# CLIP's own


def query_key(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """``softmax(q kᵀ / √d)``."""
    yield SoftmaxTerm(inputs.q, inputs.k)


# Correlative self-attention and its halves


def query_query(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """``softmax(q qᵀ / √d)``."""
    yield SoftmaxTerm(inputs.q, inputs.q)


def key_key(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """``softmax(k kᵀ / √d)``."""
    yield SoftmaxTerm(inputs.k, inputs.k)


def correlative(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """Correlative self-attention, equation 3 of Wang, Mei, Yuille (ECCV 2024).

    ``softmax(q qᵀ / √d) + softmax(k kᵀ / √d)``; the weights of a token sum to 2.
    """
    yield from query_query(inputs)
    yield from key_key(inputs)


# Other projections in place of the learned ones (Table 2 of the SCLIP paper)

RANDOM_SEED = 0


def identity_projection(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """``softmax(x xᵀ / √d)``, x being the block's normalised input, a head's part at a time."""
    own = split_heads(inputs.tokens, inputs)
    yield SoftmaxTerm(own, own)


def random_projections(count: int) -> SoftmaxRule:
    """Mean over `count` seeded projections W of ``softmax(x W Wᵀ xᵀ / √d)``.

    The entries of W are normal with variance 1 / width, so that projected tokens keep their
    scale. They are drawn on the CPU: every device gets the same ones.
    """

    def rule(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
        width = inputs.tokens.shape[-1]
        generator = torch.Generator().manual_seed(RANDOM_SEED)
        for _ in range(count):
            drawn = torch.randn(width, width, generator=generator) / width**0.5
            projected = split_heads(inputs.tokens @ drawn.to(inputs.tokens), inputs)
            yield SoftmaxTerm(projected, projected, share=1 / count)

    return rule


def split_heads(tokens: Tensor, inputs: AttentionInputs) -> Tensor:
    """Split (B, N, width) as queries, keys and values are split: (B, heads, N, head width)."""
    return tokens.view(*tokens.shape[:2], inputs.v.shape[1], -1).transpose(1, 2)


# Every token to itself alone


def own_value(inputs: AttentionInputs) -> Tensor:
    """``v``."""
    return inputs.v


def own_weight(inputs: AttentionInputs, token: int) -> Tensor:
    """All on the token itself."""
    weights = torch.zeros_like(inputs.v[..., 0])
    weights[..., token] = 1
    return weights


# A preference for neighbours (NACLIP: Hajimiri et al., WACV 2025)

SIGMA_PATCHES = 5.0


def neighbour_bias(grid: tuple[int, int], like: Tensor) -> Tensor:
    """``exp(-|i - j|² / 2σ²)`` between patches i and j; 0 from and to the class token.

    Parameters
    ----------
    grid : tuple of int
        Patches of the window, (Hp, Wp).
    like : tensor
        Gives the dtype and the device.

    Returns
    -------
    (N, N) tensor
        N is 1 + Hp * Wp.
    """
    rows, columns = torch.meshgrid(
        torch.arange(grid[0], device=like.device, dtype=torch.float32),
        torch.arange(grid[1], device=like.device, dtype=torch.float32),
        indexing="ij",
    )
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1)
    squared = (places[:, None] - places[None]).square().sum(-1)
    bias = torch.exp(-squared / (2 * SIGMA_PATCHES**2))
    return F.pad(bias, (1, 0, 1, 0)).to(like.dtype)


def key_key_near(inputs: AttentionInputs) -> Iterator[SoftmaxTerm]:
    """``softmax(k kᵀ / √d + ω)``, ω being `neighbour_bias`."""
    yield SoftmaxTerm(inputs.k, inputs.k, bias=neighbour_bias(inputs.grid, inputs.k))

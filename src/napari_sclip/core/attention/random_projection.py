"""Random projections in place of the learned ones (Table 2 of the SCLIP paper)."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode, softmax_weights
from napari_sclip.core.attention.correlative import self_correlation

SEED = 0


def random_attention(inputs: AttentionInputs, count: int) -> Tensor:
    """Mean over `count` seeded projections W of ``softmax(x W Wᵀ xᵀ / √d) v``.

    The entries of W are normal with variance 1 / width, so that projected tokens keep their
    scale. They are drawn on the CPU: every device gets the same ones.
    """
    total = torch.zeros_like(inputs.v)
    for projected in random_projections(inputs, count):
        total = total + self_correlation(projected, inputs.v)
    return total / count


def random_weights(inputs: AttentionInputs, token: int, count: int) -> Tensor:
    """Mean row of ``softmax(x W Wᵀ xᵀ / √d)``."""
    total = torch.zeros_like(inputs.v[..., 0])
    for projected in random_projections(inputs, count):
        total = total + softmax_weights(projected[:, :, token], projected)
    return total / count


def random_projections(inputs: AttentionInputs, count: int) -> Iterator[Tensor]:
    """Yield ``x W`` for each W: (B, heads, N, head width)."""
    batch, tokens, width = inputs.tokens.shape
    heads = inputs.v.shape[1]
    generator = torch.Generator().manual_seed(SEED)
    for _ in range(count):
        drawn = torch.randn(width, width, generator=generator) / width**0.5
        projected = inputs.tokens @ drawn.to(inputs.tokens)
        yield projected.view(batch, tokens, heads, -1).transpose(1, 2)


def random_mode(count: int) -> AttentionMode:
    """Make the mode with `count` projections."""
    return AttentionMode(
        name=f"random-{count}",
        attend=lambda inputs: random_attention(inputs, count),
        weigh=lambda inputs, token: random_weights(inputs, token, count),
        reduced=False,
        summary=f"mean of {count} softmax(x W WT xT) v, W random; residual and MLP kept "
        "(ablation of Wang et al., 2024)",
    )


MODES = tuple(random_mode(count) for count in (1, 4, 16))

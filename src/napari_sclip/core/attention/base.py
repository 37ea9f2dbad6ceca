"""What an attention mode is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class AttentionInputs:
    """What the last block's attention is given.

    Attributes
    ----------
    tokens : (B, N, width) tensor
        The block's normalised input, the class token first.
    q, k, v : (B, heads, N, head width) tensors
        Queries, keys and values.
    grid : tuple of int
        Patches of the window, (Hp, Wp); N is 1 + Hp * Wp.
    """

    tokens: Tensor
    q: Tensor
    k: Tensor
    v: Tensor
    grid: tuple[int, int]


Attend = Callable[[AttentionInputs], Tensor]
"""Gives the attended values, (B, heads, N, head width)."""

Weigh = Callable[[AttentionInputs, int], Tensor]
"""Gives the weights that one token, by its index, gives to all values: (B, heads, N)."""


def softmax_weights(query: Tensor, keys: Tensor, bias: Tensor | None = None) -> Tensor:
    """``softmax(query keysᵀ / √d + bias)`` of one token: (B, heads, d) to (B, heads, N)."""
    logits = torch.einsum("bhd,bhnd->bhn", query, keys) / keys.shape[-1] ** 0.5
    return torch.softmax(logits if bias is None else logits + bias, dim=-1)


@dataclass(frozen=True)
class AttentionMode:
    """The rule in the last block of the vision tower.

    Attributes
    ----------
    name : str
        Name that users choose it by.
    attend : callable
        Which attention.
    weigh : callable
        The same attention's weights, for one token: what it attends to.
    reduced : bool
        Which block form: True drops the block's residual and MLP, False keeps them.
    summary : str
        The rule in one line.
    """

    name: str
    attend: Attend
    weigh: Weigh
    reduced: bool
    summary: str

"""What an attention mode is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
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


@dataclass(frozen=True)
class SoftmaxTerm:
    """``share · softmax(a bᵀ / √d + bias)``: the weights of a rule, or a part of their sum.

    Attributes
    ----------
    a, b : (B, heads, N, d) tensors
    bias : (N, N) tensor or None
    share : float
    """

    a: Tensor
    b: Tensor
    bias: Tensor | None = None
    share: float = 1.0


SoftmaxRule = Callable[[AttentionInputs], Iterable[SoftmaxTerm]]
"""Gives the terms whose sum are the weights of all tokens."""


def softmax_mode(name: str, rule: SoftmaxRule, *, reduced: bool, summary: str) -> AttentionMode:
    """Make the mode of a rule that is a sum of softmaxes; the parameters are the mode's."""

    def attend(inputs: AttentionInputs) -> Tensor:
        # The fused kernel keeps the map of all pairs of tokens out of memory.
        return functools.reduce(
            torch.add,
            (
                term.share
                * F.scaled_dot_product_attention(term.a, term.b, inputs.v, attn_mask=term.bias)
                for term in rule(inputs)
            ),
        )

    def weigh(inputs: AttentionInputs, token: int) -> Tensor:
        return functools.reduce(torch.add, (_row(term, token) for term in rule(inputs)))

    return AttentionMode(name, attend, weigh, reduced, summary)


def _row(term: SoftmaxTerm, token: int) -> Tensor:
    logits = torch.einsum("bhd,bhnd->bhn", term.a[:, :, token], term.b) / term.b.shape[-1] ** 0.5
    if term.bias is not None:
        logits = logits + term.bias[token]
    return term.share * torch.softmax(logits, dim=-1)

"""What an attention mode is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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


@dataclass(frozen=True)
class AttentionMode:
    """The rule in the last block of the vision tower.

    Attributes
    ----------
    name : str
        Name that users choose it by.
    attend : callable
        Which attention.
    reduced : bool
        Which block form: True drops the block's residual and MLP, False keeps them.
    summary : str
        The rule in one line.
    """

    name: str
    attend: Attend
    reduced: bool
    summary: str

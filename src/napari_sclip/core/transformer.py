"""A CLIP transformer as plain tensors and functions.

The parameters are read from a state dict under the names that open_clip and OpenAI's CLIP
share; no module of theirs is called, so nothing depends on how a release arranges them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

Activation = Callable[[Tensor], Tensor]
Weights = TypeVar("Weights")


def quick_gelu(x: Tensor) -> Tensor:
    """``x * sigmoid(1.702 x)``, the approximation that OpenAI's CLIP was trained with."""
    return x * torch.sigmoid(1.702 * x)


def gelu_tanh(x: Tensor) -> Tensor:
    """GELU by its tanh approximation."""
    return F.gelu(x, approximate="tanh")


ACTIVATIONS: dict[str, Activation] = {
    "gelu": F.gelu,
    "gelu_tanh": gelu_tanh,
    "quick_gelu": quick_gelu,
}


@dataclass(frozen=True)
class Norm:
    """Layer normalisation over the last axis."""

    weight: Tensor
    bias: Tensor | None
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """Normalise."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


@dataclass(frozen=True)
class Linear:
    """``x @ weight.T + bias``."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """Apply."""
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True)
class Block:
    """One residual attention block; `ls_1` and `ls_2` are layer scales, where there are any."""

    ln_1: Norm
    in_proj: Linear
    out_proj: Linear
    ls_1: Tensor | None
    ln_2: Norm
    c_fc: Linear
    c_proj: Linear
    ls_2: Tensor | None

    def qkv(self, x: Tensor, heads: int) -> tuple[Tensor, Tensor, Tensor]:
        """Project normalised tokens to queries, keys and values, each (B, heads, N, head width)."""
        batch, tokens, _ = x.shape
        projected = self.in_proj(x).view(batch, tokens, 3, heads, -1)
        q, k, v = projected.permute(2, 0, 3, 1, 4)
        return q, k, v

    def merge_heads(self, attended: Tensor) -> Tensor:
        """Bring (B, heads, N, head width) through the output projection and layer scale."""
        batch, _, tokens, _ = attended.shape
        out = self.out_proj(attended.transpose(1, 2).reshape(batch, tokens, -1))
        return out if self.ls_1 is None else out * self.ls_1

    def mlp(self, x: Tensor, activation: Activation) -> Tensor:
        """Return the second half of the block, with its norm and without its residual."""
        out = self.c_proj(activation(self.c_fc(self.ln_2(x))))
        return out if self.ls_2 is None else out * self.ls_2


@dataclass(frozen=True)
class Transformer:
    """A stack of blocks."""

    blocks: tuple[Block, ...]
    heads: int
    activation: str

    def run_block(self, block: Block, x: Tensor, *, causal: bool = False) -> Tensor:
        """One block as it was trained."""
        q, k, v = block.qkv(block.ln_1(x), self.heads)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        x = x + block.merge_heads(attended)
        return x + block.mlp(x, ACTIVATIONS[self.activation])


def move(weights: Weights, device: torch.device, dtype: torch.dtype) -> Weights:
    """Copy a tree of frozen dataclasses with every tensor on `device` as `dtype`."""

    def moved(value: Any) -> Any:  # noqa: ANN401 - any leaf of the tree
        if isinstance(value, Tensor):
            return value.to(device=device, dtype=dtype).contiguous()
        if isinstance(value, tuple):
            return tuple(moved(item) for item in value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            changes = {f.name: moved(getattr(value, f.name)) for f in dataclasses.fields(value)}
            return dataclasses.replace(value, **changes)
        return value

    result: Weights = moved(weights)
    return result


def read_norm(state: Mapping[str, Tensor], name: str, eps: float) -> Norm:
    """Read a layer norm from a state dict."""
    return Norm(weight=state[f"{name}.weight"], bias=state.get(f"{name}.bias"), eps=eps)


def read_linear(state: Mapping[str, Tensor], name: str) -> Linear:
    """Read a linear layer from a state dict."""
    return Linear(weight=state[f"{name}.weight"], bias=state.get(f"{name}.bias"))


def read_transformer(
    state: Mapping[str, Tensor], prefix: str, *, heads: int, activation: str, eps: float
) -> Transformer:
    """Read the blocks ``{prefix}.resblocks.0`` and following from a state dict."""
    blocks: list[Block] = []
    while f"{prefix}.resblocks.{len(blocks)}.ln_1.weight" in state:
        name = f"{prefix}.resblocks.{len(blocks)}"
        blocks.append(
            Block(
                ln_1=read_norm(state, f"{name}.ln_1", eps),
                in_proj=Linear(
                    weight=state[f"{name}.attn.in_proj_weight"],
                    bias=state.get(f"{name}.attn.in_proj_bias"),
                ),
                out_proj=read_linear(state, f"{name}.attn.out_proj"),
                ls_1=state.get(f"{name}.ls_1.gamma"),
                ln_2=read_norm(state, f"{name}.ln_2", eps),
                c_fc=read_linear(state, f"{name}.mlp.c_fc"),
                c_proj=read_linear(state, f"{name}.mlp.c_proj"),
                ls_2=state.get(f"{name}.ls_2.gamma"),
            )
        )
    return Transformer(blocks=tuple(blocks), heads=heads, activation=activation)

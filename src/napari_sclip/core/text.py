"""The text tower: tokens to text embeddings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.transformer import (
    Linear,
    Norm,
    Transformer,
    read_norm,
    read_transformer,
)

MAX_BATCH_TOKENS = 4096


@dataclass(frozen=True)
class TextTower:
    """The parameters of a CLIP text transformer.

    Attributes
    ----------
    token_embedding : (vocabulary, width) tensor
    positional_embedding : (context length, width) tensor
    transformer : Transformer
    ln_final : Norm
    projection : Linear or None
    pool : str
        Which token stands for the text: "argmax" (the largest id: the end token), "eos",
        "first" or "last".
    end_token : int
        Id of the end token, where `pool` is "eos".
    causal : bool
        Whether a token sees only those before it.
    """

    token_embedding: Tensor
    positional_embedding: Tensor
    transformer: Transformer
    ln_final: Norm
    projection: Linear | None
    pool: str
    end_token: int
    causal: bool

    @property
    def context_length(self) -> int:
        """Tokens that the tower reads at most."""
        return int(self.positional_embedding.shape[0])

    @property
    def can_be_cut(self) -> bool:
        """Whether tokens after the end token change nothing."""
        return self.causal and self.pool in ("argmax", "eos", "first")


def read_text_tower(
    state: Mapping[str, Tensor],
    *,
    heads: int,
    activation: str,
    eps: float = 1e-5,
    pool: str = "argmax",
    end_token: int = 0,
    causal: bool = True,
) -> TextTower:
    """Read the tower from a state dict with open_clip's names (``token_embedding.weight``, ...)."""
    projection: Linear | None = None
    if "text_projection.weight" in state:
        bias = state.get("text_projection.bias")
        projection = Linear(weight=state["text_projection.weight"], bias=bias)
    elif "text_projection" in state:
        projection = Linear(weight=state["text_projection"].T, bias=None)
    return TextTower(
        token_embedding=state["token_embedding.weight"],
        positional_embedding=state["positional_embedding"],
        transformer=read_transformer(
            state, "transformer", heads=heads, activation=activation, eps=eps
        ),
        ln_final=read_norm(state, "ln_final", eps),
        projection=projection,
        pool=pool,
        end_token=end_token,
        causal=causal,
    )


def text_lengths(tower: TextTower, tokens: Tensor) -> Tensor:
    """Tokens of each text up to and with the one that stands for it: (B,) int."""
    if not tower.can_be_cut:
        return torch.full((len(tokens),), tokens.shape[1])
    return _pooled_place(tower, tokens) + 1


def embed_texts(
    tower: TextTower, tokens: Tensor, between: Callable[[], None] | None = None
) -> Tensor:
    """Embed tokenized texts.

    The tower is causal and one token stands for the text, so what follows that token is cut
    off; texts of similar length are computed together.

    Parameters
    ----------
    tower : TextTower
    tokens : (B, context length) int tensor
        Zero behind the end token.
    between : callable, optional
        Called after every block of every batch; raising from it stops the work.

    Returns
    -------
    (B, D) float32 tensor
        L2-normalised, on the tower's device.
    """
    lengths = text_lengths(tower, tokens)
    order = torch.argsort(lengths, descending=True)
    size = int((tower.ln_final if tower.projection is None else tower.projection).weight.shape[0])
    device = tower.token_embedding.device
    out = torch.empty((len(tokens), size), dtype=torch.float32, device=device)
    first = 0
    while first < len(order):
        longest = int(lengths[order[first]])
        chosen = order[first : first + max(1, MAX_BATCH_TOKENS // longest)]
        embedded = _embed_batch(tower, tokens[chosen, :longest].to(device), between)
        out[chosen.to(device)] = F.normalize(embedded.float(), dim=-1)
        first += len(chosen)
    return out


def _pooled_place(tower: TextTower, tokens: Tensor) -> Tensor:
    if tower.pool == "argmax":
        return tokens.argmax(-1)
    if tower.pool == "eos":
        return (tokens == tower.end_token).int().argmax(-1)
    place = 0 if tower.pool == "first" else tokens.shape[1] - 1
    return torch.full((len(tokens),), place, device=tokens.device)


def _embed_batch(tower: TextTower, tokens: Tensor, between: Callable[[], None] | None) -> Tensor:
    x = F.embedding(tokens, tower.token_embedding) + tower.positional_embedding[: tokens.shape[1]]
    for block in tower.transformer.blocks:
        x = tower.transformer.run_block(block, x, causal=tower.causal)
        if between is not None:
            between()
    x = x[torch.arange(len(x), device=x.device), _pooled_place(tower, tokens)]
    x = tower.ln_final(x)
    return x if tower.projection is None else tower.projection(x)

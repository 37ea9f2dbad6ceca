"""The vision tower: windows of pixels to dense features, and what a patch attends to."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention import AttentionInputs, AttentionMode
from napari_sclip.core.transformer import (
    ACTIVATIONS,
    Norm,
    Transformer,
    read_norm,
    read_transformer,
)
from napari_sclip.errors import ConfigError


@dataclass(frozen=True)
class VisionTower:
    """The parameters of a CLIP vision transformer.

    Attributes
    ----------
    patch_weight : (width, 3, patch, patch) tensor
        The patch embedding.
    patch_bias : (width,) tensor or None
    class_embedding : (width,) tensor
    positional_embedding : (1 + side * side, width) tensor
        The class token's row first.
    ln_pre : Norm or None
    transformer : Transformer
    ln_post : Norm
    projection : (width, D) tensor or None
    """

    patch_weight: Tensor
    patch_bias: Tensor | None
    class_embedding: Tensor
    positional_embedding: Tensor
    ln_pre: Norm | None
    transformer: Transformer
    ln_post: Norm
    projection: Tensor | None

    @property
    def patch(self) -> int:
        """Side of a patch in pixels."""
        return int(self.patch_weight.shape[-1])

    @property
    def side(self) -> int:
        """Patches along a side of the window that the tower was trained with."""
        return math.isqrt(int(self.positional_embedding.shape[0]) - 1)

    @property
    def input_size(self) -> int:
        """Side in pixels of the window that the tower was trained with."""
        return self.side * self.patch

    @property
    def feature_size(self) -> int:
        """Length D of a feature."""
        last = self.patch_weight if self.projection is None else self.projection.T
        return int(last.shape[0])


def read_vision_tower(
    state: Mapping[str, Tensor], *, heads: int, activation: str, eps: float = 1e-5
) -> VisionTower:
    """Read the tower from a state dict with open_clip's names (``visual.conv1.weight``, ...).

    Parameters
    ----------
    state : mapping of str to tensor
        The whole state dict, or its ``visual.`` part.
    heads : int
        Attention heads of every block.
    activation : str
        A key of `ACTIVATIONS`.
    eps : float
        Of every layer norm.
    """
    return VisionTower(
        patch_weight=state["visual.conv1.weight"],
        patch_bias=state.get("visual.conv1.bias"),
        class_embedding=state["visual.class_embedding"],
        positional_embedding=state["visual.positional_embedding"],
        ln_pre=read_norm(state, "visual.ln_pre", eps) if "visual.ln_pre.weight" in state else None,
        transformer=read_transformer(
            state, "visual.transformer", heads=heads, activation=activation, eps=eps
        ),
        ln_post=read_norm(state, "visual.ln_post", eps),
        projection=state.get("visual.proj"),
    )


def resample_positions(embedding: Tensor, grid: tuple[int, int]) -> Tensor:
    """Fit a position embedding to a patch grid, as the authors of SCLIP (and DINO) do.

    Parameters
    ----------
    embedding : (1 + side * side, width) tensor
        The class token's row first.
    grid : tuple of int
        Patches of the window, (Hp, Wp).

    Returns
    -------
    (1 + Hp * Wp, width) tensor
    """
    side = math.isqrt(embedding.shape[0] - 1)
    if grid == (side, side):
        return embedding
    class_row, rows = embedding[:1], embedding[1:]
    square = rows.float().reshape(1, side, side, -1).permute(0, 3, 1, 2)
    # A tenth of a patch keeps the float product from rounding down to one patch less.
    scale = ((grid[0] + 0.1) / side, (grid[1] + 0.1) / side)
    fitted = F.interpolate(square, scale_factor=scale, mode="bicubic", align_corners=False)
    flat = fitted.permute(0, 2, 3, 1).reshape(grid[0] * grid[1], -1)
    return torch.cat([class_row, flat.to(embedding.dtype)])


def embed_patches(tower: VisionTower, windows: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """Turn windows into tokens with positions: the input of the first block.

    Returns
    -------
    tokens : (B, 1 + Hp * Wp, width) tensor
    grid : tuple of int
        (Hp, Wp)
    """
    patch = tower.patch
    batch, channels = windows.shape[:2]
    grid = windows.shape[2] // patch, windows.shape[3] // patch
    whole = windows[:, :, : grid[0] * patch, : grid[1] * patch]
    # A matrix product rather than a convolution: faster on CPUs, and never TF32 on GPUs.
    pixels = whole.reshape(batch, channels, grid[0], patch, grid[1], patch)
    pixels = pixels.permute(0, 2, 4, 1, 3, 5).reshape(batch, grid[0] * grid[1], -1)
    tokens = F.linear(pixels, tower.patch_weight.flatten(1), tower.patch_bias)
    class_token = tower.class_embedding.expand(batch, 1, -1)
    tokens = torch.cat([class_token, tokens], dim=1)
    tokens = tokens + resample_positions(tower.positional_embedding, grid)
    return (tokens if tower.ln_pre is None else tower.ln_pre(tokens)), grid


def dense_features(
    tower: VisionTower,
    windows: Tensor,
    mode: AttentionMode,
    between: Callable[[], None] | None = None,
) -> Tensor:
    """Compute the features of every patch of every window.

    All blocks but the last run as they were trained; the last one follows `mode`
    (Wang, Mei, Yuille, "SCLIP", ECCV 2024, section 3).

    Parameters
    ----------
    tower : VisionTower
        On the device and of the dtype to compute with.
    windows : (B, 3, h, w) tensor
        Normalised pixels, on the tower's device and of its dtype.
    mode : AttentionMode
        What the last block does.
    between : callable, optional
        Called after every block but the last; raising from it stops the work.

    Returns
    -------
    (B, Hp, Wp, D) float32 tensor
        L2-normalised.
    """
    tokens, grid = run_earlier_blocks(tower, windows, between)
    return run_last_block(tower, tokens, grid, mode)


def run_earlier_blocks(
    tower: VisionTower, windows: Tensor, between: Callable[[], None] | None = None
) -> tuple[Tensor, tuple[int, int]]:
    """Run all blocks but the last, which no attention mode changes.

    Parameters are those of `dense_features`.

    Returns
    -------
    tokens : (B, 1 + Hp * Wp, width) tensor
    grid : tuple of int
        (Hp, Wp)
    """
    tokens, grid = embed_patches(tower, windows)
    for block in tower.transformer.blocks[:-1]:
        tokens = tower.transformer.run_block(block, tokens)
        if between is not None:
            between()
    return tokens, grid


def last_block_inputs(tower: VisionTower, tokens: Tensor, grid: tuple[int, int]) -> AttentionInputs:
    """Give what the last block's attention is given, whatever the mode."""
    last = tower.transformer.blocks[-1]
    normed = last.ln_1(tokens)
    q, k, v = last.qkv(normed, tower.transformer.heads)
    return AttentionInputs(tokens=normed, q=q, k=k, v=v, grid=grid)


def run_last_block(
    tower: VisionTower, tokens: Tensor, grid: tuple[int, int], mode: AttentionMode
) -> Tensor:
    """Finish what `run_earlier_blocks` began: (B, Hp, Wp, D) float32, L2-normalised."""
    transformer, last = tower.transformer, tower.transformer.blocks[-1]
    attended = mode.attend(last_block_inputs(tower, tokens, grid))
    # Nothing mixes tokens after the attention, so the class token is dropped here already.
    out = last.merge_heads(attended[:, :, 1:])
    if not mode.reduced:
        out = tokens[:, 1:] + out
        out = out + last.mlp(out, ACTIVATIONS[transformer.activation])
    out = tower.ln_post(out)
    if tower.projection is not None:
        out = out @ tower.projection
    out = F.normalize(out.float(), dim=-1)
    return out.reshape(len(out), *grid, -1)


def attention_of_patch(
    inputs: AttentionInputs, mode: AttentionMode, patch: tuple[int, int], head: int | None = None
) -> tuple[np.ndarray, float]:
    """Compute how the attention of one patch is spread over the patches of its window.

    Only the one row of the attention map is computed.

    Parameters
    ----------
    inputs : AttentionInputs
        Of one window.
    mode : AttentionMode
    patch : tuple of int
        Row and column in the patch grid.
    head : int, optional
        Counted from 0; the mean of all heads if left out.

    Returns
    -------
    weights : (Hp, Wp) float32 array
        Sum to 1: the class token's share is left out and the rest is scaled up. So is the sum of
        2 that the weights of `sclip` have.
    class_token : float
        Share of the class token before that, 0..1.

    Raises
    ------
    ConfigError
        If there is no such head.
    """
    heads = inputs.q.shape[1]
    if head is not None and not 0 <= head < heads:
        raise ConfigError(
            f"Expected a head from 0 to {heads - 1}, or None for the mean of all; got {head}."
        )
    exact = dataclasses.replace(
        inputs,
        tokens=inputs.tokens.float(),
        q=inputs.q.float(),
        k=inputs.k.float(),
        v=inputs.v.float(),
    )
    row, column = patch
    rows = mode.weigh(exact, 1 + row * inputs.grid[1] + column)[0]
    weights = (rows.mean(0) if head is None else rows[head]).double().cpu().numpy()
    over_patches = max(weights[1:].sum(), np.finfo(np.float64).tiny)
    class_token = float(weights[0] / (weights[0] + over_patches))
    return (weights[1:] / over_patches).reshape(inputs.grid).astype(np.float32), class_token

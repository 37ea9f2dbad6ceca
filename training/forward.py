"""The same forward passes as open_clip's, arranged so that they train fast on a CPU.

Patches are embedded by one matrix product, only those kept by patch dropout, and attention is
written out: the backward passes of convolution and of fused attention dominate otherwise.
"""

from __future__ import annotations

import torch
from open_clip import CLIP
from open_clip.transformer import ResidualAttentionBlock
from torch.nn import functional


def attend(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Softmax attention; (B * heads, N, d) each, additive mask (N, N)."""
    scores = torch.bmm(q * q.shape[-1] ** -0.5, k.transpose(1, 2))
    if mask is not None:
        scores = scores + mask
    return torch.bmm(scores.softmax(-1).to(v.dtype), v)


def run_block(
    block: ResidualAttentionBlock, x: torch.Tensor, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """One residual block of open_clip, (B, N, C) to the same."""
    batch, count, width = x.shape
    attn = block.attn
    packed = functional.linear(block.ln_1(x), attn.in_proj_weight, attn.in_proj_bias)
    packed = packed.view(batch, count, 3, attn.num_heads, -1).permute(2, 0, 3, 1, 4)
    q, k, v = packed.reshape(3, batch * attn.num_heads, count, -1).unbind(0)
    mixed = attend(q, k, v, mask).view(batch, attn.num_heads, count, -1)
    x = x + attn.out_proj(mixed.transpose(1, 2).reshape(batch, count, width))
    fed: torch.Tensor = x + block.mlp(block.ln_2(x))
    return fed


def encode_windows(model: CLIP, images: torch.Tensor, dropped: float) -> torch.Tensor:
    """Embed windows by the class token.

    Parameters
    ----------
    model : open_clip.CLIP
    images : (B, 3, S, S) float32, normalised
    dropped : float
        Share of the patches of each window left out, in 0..1.

    Returns
    -------
    (B, D)
        Not normalised.
    """
    tower = model.visual
    side = tower.conv1.kernel_size[0]
    patches = functional.pixel_unshuffle(images, side).flatten(2).transpose(1, 2)
    position = tower.positional_embedding
    place = position[1:].expand(len(images), -1, -1)
    if dropped:
        kept = max(1, round(patches.shape[1] * (1.0 - dropped)))
        order = torch.rand(patches.shape[:2], device=images.device).argsort(1)[:, :kept, None]
        patches = patches.gather(1, order.expand(-1, -1, patches.shape[2]))
        place = place.gather(1, order.expand(-1, -1, place.shape[2]))
    x = functional.linear(patches, tower.conv1.weight.flatten(1)) + place
    first = (tower.class_embedding + position[0]).expand(len(x), 1, -1)
    x = tower.ln_pre(torch.cat([first.to(x.dtype), x.to(first.dtype)], dim=1))
    for block in tower.transformer.resblocks:
        x = run_block(block, x)
    embedded: torch.Tensor = tower.ln_post(x[:, 0]) @ tower.proj
    return embedded


def encode_texts(model: CLIP, tokens: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
    """L2-normalised text embeddings.

    The order of ids is kept by the compact embedding, so that the end token stays the largest.
    The tower is causal: what comes after the end token can be cut off.

    Parameters
    ----------
    model : open_clip.CLIP
    tokens : (V,) int64
        The used ids of CLIP's vocabulary, sorted.
    ids : (N, 77) int64

    Returns
    -------
    (N, D)
    """
    length = int(ids.argmax(1).max()) + 1
    compact = torch.searchsorted(tokens, ids[:, :length].contiguous())
    x = model.token_embedding(compact) + model.positional_embedding[:length]
    mask = model.attn_mask[:length, :length]
    for block in model.transformer.resblocks:
        x = run_block(block, x, mask)
    x = model.ln_final(x)[torch.arange(len(x)), compact.argmax(1)]
    return functional.normalize((x @ model.text_projection).float(), dim=-1)

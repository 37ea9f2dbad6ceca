"""The plain recipe: SCLIP as one would write it down from the paper with open_clip's modules.

One window at a time, attention maps in memory, texts of 77 tokens, similarities of every
prompt at the image's size. The engine must agree with it and is measured against it. It shares
no code with the engine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def project(
    attention: Any,  # noqa: ANN401 - any module
    x: Tensor,
) -> tuple[Tensor, Tensor, Tensor]:
    """Project to queries, keys and values by a module: each (B, heads, N, head width)."""
    batch, tokens, width = x.shape
    heads = attention.num_heads
    qkv = F.linear(x, attention.in_proj_weight, attention.in_proj_bias)
    q, k, v = (
        part.reshape(batch, tokens, heads, width // heads).transpose(1, 2)
        for part in qkv.chunk(3, dim=-1)
    )
    return q, k, v


def attention_map(a: Tensor, b: Tensor) -> Tensor:
    """``softmax(a bᵀ / √d)``, with the map of all pairs of tokens in memory."""
    return torch.softmax(a @ b.transpose(-1, -2) * a.shape[-1] ** -0.5, dim=-1)


def attend(attention: Any, weights: Tensor, v: Tensor) -> Tensor:  # noqa: ANN401 - any module
    """Mix values by a map and project them: (B, N, width)."""
    mixed = (weights @ v).transpose(1, 2).flatten(2)
    return F.linear(mixed, attention.out_proj.weight, attention.out_proj.bias)


def correlative_attention(attention: Any, x: Tensor) -> Tensor:  # noqa: ANN401 - any module
    """Correlative self-attention with the weights of a module, (B, N, width)."""
    q, k, v = project(attention, x)
    return attend(attention, attention_map(q, q) + attention_map(k, k), v)


def vanilla_attention(attention: Any, x: Tensor) -> Tensor:  # noqa: ANN401 - any module
    """Self-attention with the weights of a module, (B, N, width)."""
    q, k, v = project(attention, x)
    return attend(attention, attention_map(q, k), v)


def window_features(visual: Any, window: Tensor) -> tuple[Tensor, tuple[int, int]]:  # noqa: ANN401
    """Features of one window (1, 3, h, w): (Hp * Wp, D), L2-normalised, and the patch grid."""
    x = F.conv2d(window, visual.conv1.weight, stride=visual.conv1.stride)
    grid = int(x.shape[2]), int(x.shape[3])
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([visual.class_embedding.view(1, 1, -1), x], dim=1)
    position = visual.positional_embedding
    side = round((len(position) - 1) ** 0.5)
    if grid != (side, side):
        square = position[1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        scale = ((grid[0] + 0.1) / side, (grid[1] + 0.1) / side)
        square = F.interpolate(square, scale_factor=scale, mode="bicubic", align_corners=False)
        position = torch.cat([position[:1], square.flatten(2)[0].T])
    x = visual.ln_pre(x + position)
    *earlier, last = visual.transformer.resblocks
    for block in earlier:
        x = x + vanilla_attention(block.attn, block.ln_1(x))
        x = x + block.mlp(block.ln_2(x))
    x = x + correlative_attention(last.attn, last.ln_1(x))
    x = x + last.mlp(last.ln_2(x))
    x = visual.ln_post(x)[:, 1:] @ visual.proj
    return F.normalize(x[0], dim=-1), grid


def text_embeddings(
    model: Any,  # noqa: ANN401 - any module
    prompts: Sequence[str],
    templates: Sequence[str],
) -> Tensor:
    """Mean of the normalised embeddings of all templates, normalised again: (P, D)."""
    tokenizer = open_clip.SimpleTokenizer(context_length=model.context_length)
    rows = []
    for prompt in prompts:
        tokens = tokenizer([t.replace("{}", prompt) for t in templates])
        rows.append(F.normalize(model.encode_text(tokens), dim=-1).mean(0))
    return F.normalize(torch.stack(rows), dim=-1)


def preprocess(image: np.ndarray, short_side: int | None) -> Tensor:
    """Resize and normalise a (H, W, 3) uint8 image: (1, 3, h, w)."""
    pixels = torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]
    if short_side is not None:
        scale = short_side / min(image.shape[:2])
        size = [int(n * scale + 0.5) for n in image.shape[:2]]
        pixels = F.interpolate(pixels, size=size, mode="bilinear", align_corners=False)
    mean, std = torch.tensor(MEAN).view(1, 3, 1, 1), torch.tensor(STD).view(1, 3, 1, 1)
    return (pixels / 255 - mean) / std


def slide(
    visual: Any,  # noqa: ANN401 - any module
    pixels: Tensor,
    text: Tensor,
    size: tuple[int, int],
    window: int,
    stride: int,
) -> Tensor:
    """Similarities of all prompts at the image's size: (P, H, W)."""
    height, width = int(pixels.shape[2]), int(pixels.shape[3])
    total = torch.zeros(1, len(text), height, width)
    count = torch.zeros(1, 1, height, width)
    tall, wide = min(window, height), min(window, width)
    for row in range(max(height - tall + stride - 1, 0) // stride + 1):
        for column in range(max(width - wide + stride - 1, 0) // stride + 1):
            bottom = min(row * stride + tall, height)
            right = min(column * stride + wide, width)
            place = slice(bottom - tall, bottom), slice(right - wide, right)
            features, grid = window_features(visual, pixels[:, :, place[0], place[1]])
            similarity = (features @ text.T).T.reshape(1, len(text), *grid)
            total[:, :, place[0], place[1]] += F.interpolate(
                similarity, size=(tall, wide), mode="bilinear", align_corners=False
            )
            count[:, :, place[0], place[1]] += 1
    mean = total / count
    return F.interpolate(mean, size=size, mode="bilinear", align_corners=False)[0]


def decide(
    similarity: Tensor,
    class_of_prompt: Sequence[int],
    *,
    logit_scale: float = 40.0,
    threshold: float = 0.0,
    min_area_fraction: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Scores (K, H, W) and indices of the best class (H, W); class 0 is the background."""
    probability = torch.softmax(similarity * logit_scale, dim=0)
    members = torch.tensor(list(class_of_prompt))
    classes = int(members.max()) + 1
    scores = torch.stack([probability[members == k].max(0).values for k in range(classes)])
    if min_area_fraction > 0:
        areas = F.one_hot(scores.argmax(0), classes)[:, :, 1:].sum((0, 1)).float()
        scores[1:] *= (areas > min_area_fraction * areas.sum()).float().view(-1, 1, 1)
    best, winner = scores.max(0)
    winner[best < threshold] = 0
    return scores.numpy(), winner.numpy()

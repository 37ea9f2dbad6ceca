"""Dense evaluation while training: sliding windows over held-out scenes.

Labels are computed apart from the engine, so that training needs nothing of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from benchmarks.metrics import score
from numpy.typing import NDArray
from open_clip import CLIP
from open_clip.transformer import ResidualAttentionBlock
from torch.nn import functional
from training.forward import encode_texts
from training.model import normalize_pixels
from training.vocabulary import tokenize

from napari_sclip.samples.scenes import Scene
from napari_sclip.templates import IMAGENET_TEMPLATES


def patch_features(model: CLIP, images: torch.Tensor, attention: str) -> torch.Tensor:
    """L2-normalised features of every patch.

    Parameters
    ----------
    model : open_clip.CLIP
    images : (B, 3, S, S) float32, normalised
    attention : {"sclip", "vanilla"}

    Returns
    -------
    (B, D, Hp, Wp) float32
    """
    tower = model.visual
    x = tower.conv1(images)
    rows, cols = x.shape[-2:]
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([tower.class_embedding.expand(len(x), 1, -1), x], dim=1)
    x = tower.ln_pre(x + tower.positional_embedding)
    blocks = list(tower.transformer.resblocks)
    for block in blocks[:-1]:
        x = block(x)
    x = _last_block(blocks[-1], x, attention)
    x = tower.ln_post(x[:, 1:]) @ tower.proj
    x = functional.normalize(x, dim=-1)
    return x.transpose(1, 2).reshape(len(x), -1, rows, cols)


def _last_block(block: ResidualAttentionBlock, x: torch.Tensor, attention: str) -> torch.Tensor:
    attn = block.attn
    packed = functional.linear(block.ln_1(x), attn.in_proj_weight, attn.in_proj_bias)
    packed = packed.view(*x.shape[:2], 3, attn.num_heads, -1)
    q, k, v = packed.permute(2, 0, 3, 1, 4).unbind(0)
    sdpa = functional.scaled_dot_product_attention
    mixed = sdpa(q, q, v) + sdpa(k, k, v) if attention == "sclip" else sdpa(q, k, v)
    x = x + attn.out_proj(mixed.transpose(1, 2).flatten(2))
    fed: torch.Tensor = x + block.mlp(block.ln_2(x))
    return fed


def window_starts(length: int, window: int, stride: int) -> list[int]:
    """Where windows begin; the last is pushed back inside."""
    return [*range(0, length - window, stride), length - window]


@torch.no_grad()
def segment(model: CLIP, tokens: torch.Tensor, scene: Scene, attention: str) -> NDArray[np.uint8]:
    """(H, W) uint8 labels of a scene by sliding windows at its native size."""
    image = torch.from_numpy(scene.image).permute(2, 0, 1).float() / 255.0
    height, width = image.shape[1:]
    side = model.visual.image_size[0]
    corners = [
        (top, left)
        for top in window_starts(height, side, side // 2)
        for left in window_starts(width, side, side // 2)
    ]
    windows = torch.stack([image[:, t : t + side, n : n + side] for t, n in corners])
    dense = patch_features(model, normalize_pixels(windows), attention)
    texts, owner = [], []
    for index, item in enumerate(scene.classes):
        for prompt in item.prompts:
            ids = tokenize([template.format(prompt) for template in IMAGENET_TEMPLATES])
            mean = encode_texts(model, tokens, ids).mean(0)
            texts.append(functional.normalize(mean, dim=0))
            owner.append(0 if item.background else index + 1)
    similarity = torch.einsum("bdhw,pd->bphw", dense, torch.stack(texts))
    similarity = functional.interpolate(similarity, size=(side, side), mode="bilinear")
    total = torch.zeros(len(owner), height, width)
    weight = torch.zeros(height, width)
    for (top, left), part in zip(corners, similarity, strict=True):
        total[:, top : top + side, left : left + side] += part
        weight[top : top + side, left : left + side] += 1.0
    best = (total / weight).argmax(0).numpy()
    return np.asarray(np.array(owner, dtype=np.uint8)[best])


def evaluate(
    model: CLIP, tokens: torch.Tensor, scenes: Sequence[Scene], attention: str
) -> tuple[float, float]:
    """Mean in-object accuracy and mean IoU over scenes."""
    model.eval()
    results = [score(segment(model, tokens, scene, attention), scene) for scene in scenes]
    model.train()
    accuracy, overlap = np.mean(results, axis=0)
    return float(accuracy), float(overlap)

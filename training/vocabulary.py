"""What a window may be said to show, and the tokens that saying it needs."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip import SimpleTokenizer

from napari_sclip.samples.captions import BACKGROUND_PROMPTS, with_article
from napari_sclip.samples.shapes import COLORS, SHAPES
from napari_sclip.templates import IMAGENET_TEMPLATES

PAIRS = tuple(f"{color} {shape}" for color in COLORS for shape in SHAPES)
COLOR_PHRASES = tuple(f"{color} object" for color in COLORS)
PHRASES = (*PAIRS, *COLOR_PHRASES, *SHAPES, *BACKGROUND_PROMPTS)

BARE_SHARE = 0.3
"""How often a phrase is given to the text tower without a template."""

_TOKENIZER = SimpleTokenizer()


def phrase_areas(
    pair_areas: NDArray[np.float32], background_areas: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Share of the window that each phrase is true of.

    Parameters
    ----------
    pair_areas : (B, colours * shapes) float32 in 0..1
    background_areas : (B, textures) float32 in 0..1

    Returns
    -------
    (B, len(PHRASES)) float32
    """
    table = pair_areas.reshape(-1, len(COLORS), len(SHAPES))
    return np.concatenate(
        [
            pair_areas,
            table.sum(2),
            table.sum(1),
            background_areas.sum(1, keepdims=True),
            background_areas,
        ],
        axis=1,
    )


def draw_sentences(draw: random.Random) -> list[str]:
    """Every phrase of the vocabulary, in a random template or bare."""
    return [
        phrase if draw.random() < BARE_SHARE else draw.choice(IMAGENET_TEMPLATES).format(phrase)
        for phrase in PHRASES
    ]


def tokenize(texts: Sequence[str]) -> torch.Tensor:
    """(N, 77) token ids of CLIP's tokenizer."""
    return torch.as_tensor(_TOKENIZER(list(texts)))


def used_tokens() -> torch.Tensor:
    """Sorted ids of every token that captions, phrases and templates can hold."""
    words = [
        *PHRASES,
        *(with_article(phrase) for phrase in PHRASES),
        *(template.format("red circle") for template in IMAGENET_TEMPLATES),
        "a red circle, a blue star and an orange cell on a striped background",
    ]
    return torch.from_numpy(np.unique(tokenize(words).numpy()))

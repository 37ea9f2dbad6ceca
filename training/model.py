"""The model that is trained: an ordinary open_clip CLIP, small."""

from __future__ import annotations

from typing import Any

import torch
from open_clip import CLIP
from torch import nn

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
VOCABULARY = 49408

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 128,
        "vision_cfg": {
            "image_size": 96,
            "layers": 4,
            "width": 160,
            "head_width": 32,
            "patch_size": 8,
        },
        "text_cfg": {
            "context_length": 77,
            "vocab_size": VOCABULARY,
            "width": 128,
            "heads": 4,
            "layers": 2,
        },
    },
    "preprocess_cfg": {"mean": list(MEAN), "std": list(STD)},
}


def build_model(tokens: torch.Tensor) -> CLIP:
    """Build the model with an embedding of the used tokens alone.

    Parameters
    ----------
    tokens : (V,) int64
        Sorted ids of the tokens that occur; the others would get no gradient.

    Returns
    -------
    open_clip.CLIP
    """
    config = CONFIG["model_cfg"]
    model = CLIP(**config)
    model.token_embedding = nn.Embedding(len(tokens), config["text_cfg"]["width"])
    nn.init.normal_(model.token_embedding.weight, std=0.02)
    return model


def normalize_pixels(images: torch.Tensor) -> torch.Tensor:
    """(B, 3, H, W) in 0..1 to what the vision tower reads."""
    mean = torch.tensor(MEAN, device=images.device)[:, None, None]
    std = torch.tensor(STD, device=images.device)[:, None, None]
    return (images - mean) / std


class Average:
    """Exponential moving average of a model's parameters."""

    def __init__(self, model: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.steps = 0
        self.values = {k: v.detach().clone() for k, v in model.named_parameters()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Take one step towards the model's present parameters."""
        self.steps += 1
        # Early on the start must not weigh more than the training.
        decay = min(self.decay, self.steps / (self.steps + 10.0))
        for name, value in model.named_parameters():
            self.values[name].lerp_(value.detach(), 1.0 - decay)

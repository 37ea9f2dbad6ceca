"""The numbers that the authors' own code gives on small towers with random weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from napari_sclip.core.transformer import read_norm, read_transformer
from napari_sclip.core.vision import VisionTower, read_vision_tower

DATA = Path(__file__).parent / "data"


@cache
def golden() -> dict[str, np.ndarray]:
    with np.load(DATA / "sclip_tiny.npz") as file:
        return {name: file[name] for name in file.files}


def golden_tower() -> VisionTower:
    state = {
        name.removeprefix("weights/"): torch.from_numpy(values)
        for name, values in golden().items()
        if name.startswith("weights/")
    }
    return read_vision_tower(state, heads=2, activation="quick_gelu", eps=1e-5)


def golden_pixels() -> torch.Tensor:
    return torch.from_numpy(golden()["resized_normalized"])


@cache
def golden_heirs() -> dict[str, np.ndarray]:
    """What the code of NACLIP and ClearCLIP gives, on a window of 9 x 11 patches."""
    with np.load(DATA / "heirs_last_block.npz") as file:
        return {name: file[name] for name in file.files}


def golden_last_block() -> VisionTower:
    """A tower whose only block is the last one of those twelve, to run `run_last_block` with."""
    state = {
        name.removeprefix("weights/").replace("resblocks.11.", "resblocks.0."): torch.from_numpy(
            values
        ).float()
        for name, values in golden_heirs().items()
        if name.startswith("weights/")
    }
    nothing = torch.empty(0)
    return VisionTower(
        patch_weight=nothing,
        patch_bias=None,
        class_embedding=nothing,
        positional_embedding=nothing,
        ln_pre=None,
        transformer=read_transformer(
            state, "visual.transformer", heads=3, activation="quick_gelu", eps=1e-5
        ),
        ln_post=read_norm(state, "visual.ln_post", 1e-5),
        projection=state["visual.proj"],
    )

"""The numbers that the authors' own code gives on a small tower with random weights."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch

from napari_sclip.core.vision import VisionTower, read_vision_tower

PATH = Path(__file__).parent / "data" / "sclip_tiny.npz"


@cache
def golden() -> dict[str, np.ndarray]:
    with np.load(PATH) as file:
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

"""Small stand-ins for files that are too large for a repository."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch


class Tiny(torch.nn.Module):
    def __init__(self, *, like_openai: bool = True) -> None:
        super().__init__()
        self.proj = torch.nn.Parameter(torch.tensor([1.0, 2.0], dtype=torch.float16))
        if like_openai:
            self.register_buffer("input_resolution", torch.tensor(224))
            self.register_buffer("context_length", torch.tensor(77))
            self.register_buffer("vocab_size", torch.tensor(49408))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.proj


def save_torchscript(module: torch.nn.Module, path: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(str(path))
    return path

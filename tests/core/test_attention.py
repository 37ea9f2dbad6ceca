"""Every attention mode equals its formula, written out with the whole map."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from napari_sclip.core.attention import ATTENTION_MODES, AttentionInputs, find_attention_mode
from napari_sclip.core.attention.modes import RANDOM_SEED
from napari_sclip.core.transformer import Linear, Norm
from napari_sclip.core.vision import dense_features, run_earlier_blocks, run_last_block
from napari_sclip.errors import ConfigError
from tests.golden import golden_pixels, golden_tower

GRID = (5, 7)
TOKENS = 1 + GRID[0] * GRID[1]
HEADS, WIDTH = 2, 32


def inputs() -> AttentionInputs:
    generator = torch.Generator().manual_seed(1)
    shape = (3, HEADS, TOKENS, WIDTH // HEADS)
    q, k, v = (torch.randn(shape, generator=generator) for _ in range(3))
    tokens = torch.randn(3, TOKENS, WIDTH, generator=generator)
    return AttentionInputs(tokens=tokens, q=q, k=k, v=v, grid=GRID)


def softmax_of(a: Tensor, b: Tensor, bias: Tensor | float = 0.0) -> Tensor:
    return torch.softmax(a @ b.transpose(-1, -2) * a.shape[-1] ** -0.5 + bias, dim=-1)


def neighbours() -> Tensor:
    bias = torch.zeros(TOKENS, TOKENS)
    for i in range(1, TOKENS):
        for j in range(1, TOKENS):
            (yi, xi), (yj, xj) = divmod(i - 1, GRID[1]), divmod(j - 1, GRID[1])
            squared = (yi - yj) ** 2 + (xi - xj) ** 2
            bias[i, j] = torch.exp(torch.tensor(-squared / 50.0))
    return bias


def random_weights(x: AttentionInputs, count: int) -> Tensor:
    generator = torch.Generator().manual_seed(RANDOM_SEED)
    maps = []
    for _ in range(count):
        projection = torch.randn(WIDTH, WIDTH, generator=generator) / WIDTH**0.5
        p = split(x.tokens @ projection)
        maps.append(softmax_of(p, p))
    return torch.stack(maps).mean(0)


def split(tokens: Tensor) -> Tensor:
    return tokens.view(3, TOKENS, HEADS, -1).transpose(1, 2)


FORMULAS: dict[str, tuple[Callable[[AttentionInputs], Tensor], bool]] = {
    "sclip": (lambda x: softmax_of(x.q, x.q) + softmax_of(x.k, x.k), False),
    "sclip-reduced": (lambda x: softmax_of(x.q, x.q) + softmax_of(x.k, x.k), True),
    "vanilla": (lambda x: softmax_of(x.q, x.k), False),
    "maskclip": (lambda x: torch.eye(TOKENS), True),
    "clearclip": (lambda x: softmax_of(x.q, x.q), True),
    "naclip": (lambda x: softmax_of(x.k, x.k, neighbours()), True),
    "q-only": (lambda x: softmax_of(x.q, x.q), False),
    "k-only": (lambda x: softmax_of(x.k, x.k), False),
    "identity": (lambda x: softmax_of(split(x.tokens), split(x.tokens)), False),
    "self-only": (lambda x: torch.eye(TOKENS), False),
    "random-1": (lambda x: random_weights(x, 1), False),
    "random-4": (lambda x: random_weights(x, 4), False),
    "random-16": (lambda x: random_weights(x, 16), False),
}


def test_every_mode_has_a_formula_here() -> None:
    assert [mode.name for mode in ATTENTION_MODES] == list(FORMULAS)


@pytest.mark.parametrize("name", FORMULAS)
def test_mode_equals_its_formula(name: str) -> None:
    weights, reduced = FORMULAS[name]
    mode, x = find_attention_mode(name), inputs()
    assert mode.reduced is reduced
    torch.testing.assert_close(mode.attend(x), weights(x) @ x.v, atol=2e-6, rtol=1e-5)


def test_block_form_is_independent_of_attention() -> None:
    assert find_attention_mode("naclip:full").attend is find_attention_mode("naclip").attend
    assert not find_attention_mode("naclip:full").reduced
    tower, window = golden_tower(), golden_pixels()[None, :, :64, :64]
    named = dense_features(tower, window, find_attention_mode("sclip-reduced"))
    chosen = dense_features(tower, window, find_attention_mode("sclip:reduced"))
    kept = dense_features(tower, window, find_attention_mode("sclip"))
    torch.testing.assert_close(named, chosen)
    assert (named - kept).abs().max() > 0.01


def test_reduced_form_is_the_attention_output_alone() -> None:
    tower, window = golden_tower(), golden_pixels()[None, :, :64, :64]
    seen: dict[str, Tensor] = {}
    mode = find_attention_mode("clearclip")

    def attend(x: AttentionInputs) -> Tensor:
        seen["attended"] = mode.attend(x)
        return seen["attended"]

    features = dense_features(tower, window, dataclasses.replace(mode, attend=attend))
    merged = tower.transformer.blocks[-1].merge_heads(seen["attended"])[:, 1:]
    assert tower.projection is not None
    expected = torch.nn.functional.normalize(tower.ln_post(merged) @ tower.projection, dim=-1)
    torch.testing.assert_close(features.flatten(1, 2), expected)


def test_identity_is_the_papers_projection_in_double_precision() -> None:
    """Table 2 of the paper: W = I, so tokens are compared as ln_1 left them, a head at a time."""
    tower, block = golden_tower(), golden_tower().transformer.blocks[-1]
    tokens, grid = run_earlier_blocks(tower, golden_pixels()[None, :, :64, :96])

    def exact(tensor: Tensor | None) -> np.ndarray:
        assert tensor is not None
        return np.asarray(tensor, dtype=np.float64)

    def norm(x: np.ndarray, by: Norm) -> np.ndarray:
        scaled = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + by.eps)
        return np.asarray(scaled * exact(by.weight) + exact(by.bias))

    def linear(x: np.ndarray, by: Linear) -> np.ndarray:
        return np.asarray(x @ exact(by.weight).T + exact(by.bias))

    stream = exact(tokens[0])
    x = norm(stream, block.ln_1)
    width, heads = x.shape[1], tower.transformer.heads
    value = linear(x, block.in_proj)[:, 2 * width :]
    joined = []
    for own in np.split(np.arange(width), heads):
        weights = np.exp(x[:, own] @ x[:, own].T / np.sqrt(len(own)))
        joined.append(weights / weights.sum(1, keepdims=True) @ value[:, own])
    stream = stream + linear(np.concatenate(joined, axis=1), block.out_proj)
    hidden = linear(norm(stream, block.ln_2), block.c_fc)
    stream = stream + linear(hidden / (1 + np.exp(-1.702 * hidden)), block.c_proj)
    features = norm(stream, tower.ln_post)[1:] @ exact(tower.projection)
    features /= np.linalg.norm(features, axis=1, keepdims=True)

    found = run_last_block(tower, tokens, grid, find_attention_mode("identity"))
    np.testing.assert_allclose(found.flatten(0, 2), features, atol=1e-5, rtol=0)


class LargestMap(TorchDispatchMode):
    """Counts tensors with a (tokens, tokens) plane for each head."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = 0

    def __torch_dispatch__(
        self,
        function: Callable[..., object],
        types: object,
        args: Sequence[object] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        out = function(*args, **(kwargs or {}))
        for value in out if isinstance(out, (tuple, list)) else (out,):
            if isinstance(value, Tensor) and value.dim() >= 3:
                self.maps += tuple(value.shape[-2:]) == (TOKENS, TOKENS)
        return out


def test_the_watch_for_maps_sees_one() -> None:
    x = inputs()
    with LargestMap() as watch:
        softmax_of(x.q, x.k)
    assert watch.maps > 0


@pytest.mark.parametrize("name", FORMULAS)
def test_no_map_of_all_pairs_of_tokens_is_made(name: str) -> None:
    x = inputs()
    with torch.inference_mode(), LargestMap() as watch:
        find_attention_mode(name).attend(x)
    assert watch.maps == 0


@pytest.mark.parametrize("name", ["slip", "sclip:half", ""])
def test_unknown_mode_lists_the_known_ones(name: str) -> None:
    with pytest.raises(ConfigError, match=r"sclip, sclip-reduced, vanilla.*random-16"):
        find_attention_mode(name)

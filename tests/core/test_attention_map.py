"""What a patch attends to is what its values are mixed by."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_sclip.core.attention import ATTENTION_MODES, AttentionMode, find_attention_mode
from napari_sclip.core.transformer import ACTIVATIONS
from napari_sclip.core.vision import attention_of_patch, last_block_inputs, run_earlier_blocks
from napari_sclip.errors import ConfigError
from tests.core.test_attention import FORMULAS, GRID, HEADS, TOKENS, inputs
from tests.golden import golden, golden_pixels, golden_tower


@pytest.mark.parametrize("mode", ATTENTION_MODES, ids=lambda mode: mode.name)
def test_the_weights_of_every_mode_mix_its_values(mode: AttentionMode) -> None:
    x = inputs()
    attended = mode.attend(x)
    for token in (0, 1, 17, TOKENS - 1):
        weights = mode.weigh(x, token)
        assert weights.shape == (3, HEADS, TOKENS)
        mixed = torch.einsum("bhn,bhnd->bhd", weights, x.v)
        torch.testing.assert_close(mixed, attended[:, :, token], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("mode", ATTENTION_MODES, ids=lambda mode: mode.name)
def test_the_map_is_a_row_of_the_whole_softmax(mode: AttentionMode) -> None:
    x = inputs()
    whole = FORMULAS[mode.name][0](x).expand(3, HEADS, TOKENS, TOKENS)[0].double().numpy()
    patch = (3, 5)
    row = whole[:, 1 + patch[0] * GRID[1] + patch[1]]
    for head, expected in ((None, row.mean(0)), (0, row[0]), (1, row[1])):
        weights, class_token = attention_of_patch(x, mode, patch, head)
        assert weights.shape == GRID
        assert weights.sum() == pytest.approx(1, abs=1e-5)
        np.testing.assert_allclose(
            weights.ravel(), expected[1:] / expected[1:].sum(), atol=1e-6, rtol=1e-4
        )
        assert class_token == pytest.approx(expected[0] / expected.sum(), abs=1e-5)


@pytest.mark.parametrize(
    ("name", "kept"), [("sclip", "window0/csa_features"), ("vanilla", "window0/vanilla_features")]
)
def test_the_authors_features_follow_from_the_weights(name: str, kept: str) -> None:
    tower, mode = golden_tower(), find_attention_mode(name)
    tokens, grid = run_earlier_blocks(tower, golden_pixels()[None, :, :64, :64])
    x = last_block_inputs(tower, tokens, grid)
    rows = torch.stack([mode.weigh(x, token) for token in range(tokens.shape[1])], dim=2)
    last = tower.transformer.blocks[-1]
    out = tokens + last.merge_heads(rows @ x.v)
    out = tower.ln_post(out + last.mlp(out, ACTIVATIONS["quick_gelu"]))
    assert tower.projection is not None
    features = F.normalize((out @ tower.projection)[0, 1:], dim=-1)
    np.testing.assert_allclose(features, golden()[kept], atol=1e-5, rtol=0)


def test_a_head_that_is_not_there() -> None:
    mode = find_attention_mode("sclip")
    for head in (HEADS, -1):
        with pytest.raises(ConfigError, match="from 0 to 1"):
            attention_of_patch(inputs(), mode, (0, 0), head)


def test_all_on_the_class_token_is_no_division_by_zero() -> None:
    x = inputs()
    x.q[:, :, 1:] = 1e3 * x.k[:, :, :1]
    weights, class_token = attention_of_patch(x, find_attention_mode("vanilla"), (0, 0))
    assert np.isfinite(weights).all()
    assert class_token == pytest.approx(1)

"""The engine reproduces the authors' numbers: to 1e-5, and labels exactly."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_sclip.core.attention import find_attention_mode
from napari_sclip.core.axis_map import windows_to_image
from napari_sclip.core.scores import Decision, predict_labels, predict_margin, predict_scores
from napari_sclip.core.similarity import DenseMap, rectangles
from napari_sclip.core.vision import dense_features, run_last_block
from napari_sclip.core.windows import place_windows
from tests.golden import (
    golden,
    golden_heirs,
    golden_last_block,
    golden_pixels,
    golden_tower,
)

TOLERANCE = 1e-5


@pytest.mark.parametrize(
    ("mode", "height", "width", "name"),
    [
        ("sclip", 64, 64, "window0/csa_features"),
        ("vanilla", 64, 64, "window0/vanilla_features"),
        ("sclip", 80, 112, "window_80x112/csa_features"),
    ],
)
def test_features_of_a_window(mode: str, height: int, width: int, name: str) -> None:
    window = golden_pixels()[None, :, :height, :width]
    features = dense_features(golden_tower(), window, find_attention_mode(mode))
    assert features.shape == (1, height // 8, width // 8, 64)
    np.testing.assert_allclose(features.flatten(0, 2), golden()[name], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("vanilla", "vanilla"),
        ("vanilla:reduced", "vanilla_reduced"),
        ("sclip", "sclip"),
        ("sclip-reduced", "sclip_reduced"),
        ("q-only", "qq_kept"),
        ("clearclip", "clearclip"),
        ("k-only:reduced", "kk_reduced"),
        ("naclip", "naclip"),
        ("maskclip", "maskclip_reduced"),
        ("self-only:reduced", "maskclip_reduced"),
    ],
)
def test_features_of_the_last_block_by_every_rule(mode: str, name: str) -> None:
    tokens = torch.from_numpy(golden_heirs()["tower/144x176/last_block_input"])[None]
    features = run_last_block(golden_last_block(), tokens, (9, 11), find_attention_mode(mode))
    expected = golden_heirs()[f"{name}/144x176/features"]
    np.testing.assert_allclose(features.flatten(0, 2), expected, atol=TOLERANCE, rtol=0)


@pytest.fixture(scope="module")
def dense() -> DenseMap:
    tower, pixels, mode = golden_tower(), golden_pixels(), find_attention_mode("sclip")
    data = golden()
    window, stride = int(data["window"]), int(data["stride"])
    rows, columns = (place_windows(n, window, stride, 8) for n in pixels.shape[1:])
    features = torch.cat(
        [
            torch.cat(
                [
                    dense_features(tower, pixels[None, :, y : y + window, x : x + window], mode)[0]
                    for x in columns.starts
                ],
                dim=1,
            )
            for y in rows.starts
        ]
    )
    height, width = data["image_uint8"].shape[:2]
    return DenseMap(features, windows_to_image(rows, height), windows_to_image(columns, width))


@pytest.fixture(scope="module")
def decision() -> Decision:
    data = golden()
    counts = np.bincount(data["class_of_prompt"])
    return Decision(
        prompts_per_class=tuple(int(n) for n in counts),
        background=0,
        logit_scale=float(data["logit_scale"]),
        threshold=float(data["prob_threshold"]),
        min_area_fraction=float(data["area_threshold"]),
    )


def text() -> torch.Tensor:
    return torch.from_numpy(golden()["text_embeddings"])


@pytest.fixture(scope="module")
def similarity(dense: DenseMap) -> np.ndarray:
    found = np.full((6, 150, 200), np.nan)
    for piece in rectangles(dense, text()):
        found[(slice(None), *piece.place)] = piece.similarity
    return found


@pytest.fixture(scope="module")
def score_tolerance(similarity: np.ndarray, decision: Decision) -> float:
    """How far scores may be off where similarities are as far off as they were found to be.

    A score p moves by p (1 - p), a quarter at most, times the difference of two logits, each off by
    the logit scale times what a similarity is off. The rest is the rounding of the softmax itself.
    """
    off = float(np.abs(similarity - golden()["slide/logits"]).max())
    return 2 * decision.logit_scale * off / 4 + 1e-6


def test_similarities_at_the_image_size(similarity: np.ndarray) -> None:
    np.testing.assert_allclose(similarity, golden()["slide/logits"], atol=TOLERANCE, rtol=0)


def test_labels_exactly(dense: DenseMap, decision: Decision) -> None:
    labels, dropped = predict_labels(dense, text(), decision)
    assert dropped, "the golden image has a class under the area threshold"
    np.testing.assert_array_equal(labels, golden()["slide/labels"])


def test_scores(dense: DenseMap, decision: Decision, score_tolerance: float) -> None:
    _, dropped = predict_labels(dense, text(), decision)
    scores = predict_scores(dense, text(), decision, dropped)
    np.testing.assert_allclose(scores, golden()["slide/scores"], atol=score_tolerance, rtol=0)


def test_margin_is_the_best_less_the_second_best_score(
    dense: DenseMap, decision: Decision, score_tolerance: float
) -> None:
    ordered = np.sort(golden()["slide/scores"], axis=0)
    _, dropped = predict_labels(dense, text(), decision)
    margin = predict_margin(dense, text(), decision, dropped)
    np.testing.assert_allclose(margin, ordered[-1] - ordered[-2], atol=2 * score_tolerance, rtol=0)


def test_pieces_do_not_change_the_result(
    dense: DenseMap, decision: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.core.similarity.rectangle_size", lambda *_: (41, 37))
    assert len(list(rectangles(dense, text()))) == 4 * 6
    labels, _ = predict_labels(dense, text(), decision)
    np.testing.assert_array_equal(labels, golden()["slide/labels"])

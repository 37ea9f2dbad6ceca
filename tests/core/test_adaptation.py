"""Learning from examples: which pixels stand for them, and what the shifts do."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_sclip.core.adaptation import (
    choose_evenly,
    choose_places,
    feature_spread,
    features_at,
    learn_shifts,
)
from napari_sclip.core.axis_map import bilinear, windows_to_image
from napari_sclip.core.similarity import DenseMap, rectangles
from napari_sclip.core.windows import place_windows


@pytest.fixture
def dense() -> DenseMap:
    """Features of overlapping windows, spread over an image of another size."""
    rows, columns = place_windows(48, 32, 16, 8), place_windows(64, 32, 16, 8)
    shape = (len(rows.starts) * rows.patches, len(columns.starts) * columns.patches, 12)
    features = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return DenseMap(
        F.normalize(features, dim=-1), windows_to_image(rows, 70), windows_to_image(columns, 90)
    )


def random_rows(count: int, size: int, seed: int = 1) -> torch.Tensor:
    rows = torch.randn(count, size, generator=torch.Generator().manual_seed(seed))
    return F.normalize(rows, dim=-1)


def test_features_of_pixels_are_those_that_similarities_are_made_of(dense: DenseMap) -> None:
    text = random_rows(3, 12)
    whole = torch.empty(3, *dense.shape)
    for piece in rectangles(dense, text):
        whole[(slice(None), *piece.place)] = piece.similarity
    rng = np.random.default_rng(0)
    y, x = rng.integers(0, 70, 300), rng.integers(0, 90, 300)
    found = features_at(dense, y, x)
    torch.testing.assert_close(text @ found.T, whole[:, y, x], atol=1e-5, rtol=0)
    assert features_at(dense, y[:0], x[:0]).shape == (0, 12)


def test_one_pixel_of_each_class_stands_for_a_square() -> None:
    where = np.zeros((20, 30), dtype=bool)
    classes = np.zeros((20, 30), dtype=np.uint8)
    where[0:5, 0:5] = True  # one square of 10, its lower right pixel is the most central one
    where[12:20, 10:30] = True
    classes[:, 15:] = 2
    found = choose_places(classes, where, 10)
    places = set(zip(found.rows.tolist(), found.columns.tolist(), strict=True))
    assert sorted(found.classes.tolist()) == [0, 0, 2, 2]
    assert (4, 4) in places
    assert where[found.rows, found.columns].all()
    np.testing.assert_array_equal(classes[found.rows, found.columns], found.classes)


def test_squares_that_hang_over_the_edge_and_single_pixels() -> None:
    where = np.ones((7, 11), dtype=bool)
    found = choose_places(np.zeros((7, 11), np.int64), where, 5)
    assert len(found.rows) == 2 * 3
    where[:] = False
    where[6, 10] = True
    found = choose_places(np.full((7, 11), 3), where, 5)
    assert (int(found.rows[0]), int(found.columns[0]), int(found.classes[0])) == (6, 10, 3)
    assert len(found.rows) == 1
    where[6, 10] = False
    assert len(choose_places(np.zeros((7, 11), np.int64), where, 5).rows) == 0


def test_many_examples_do_not_crowd_out_few() -> None:
    classes = np.repeat([0, 1, 2], [1000, 3, 50])
    kept = choose_evenly(classes, 100)
    np.testing.assert_array_equal(np.bincount(classes[kept]), [49, 3, 48])
    assert len(set(kept.tolist())) == 100
    assert (np.diff(kept) > 0).all()
    assert kept.max() - kept.min() > 900, "spread over all, not the first ones"
    np.testing.assert_array_equal(choose_evenly(classes[:60], 100), np.arange(60))


def test_places_are_at_most_as_many_as_asked_for() -> None:
    where = np.ones((64, 64), dtype=bool)
    classes = np.zeros((64, 64), dtype=np.int64)
    classes[:2, :2] = 1
    found = choose_places(classes, where, 2, most=50)
    assert len(found.rows) == 50
    assert (found.classes == 1).sum() == 1


def predicted(text: torch.Tensor, shifts: torch.Tensor, features: torch.Tensor) -> list[int]:
    return (text + shifts).matmul(features.T).argmax(0).tolist()


def test_the_examples_get_their_class_and_the_rest_changes_little(dense: DenseMap) -> None:
    text = random_rows(4, 12) / 5  # similarities of a real model differ by about as little
    features = dense.features.flatten(0, 1)
    spread = feature_spread(dense)
    wrong = (text @ features.T).argmin(0)[:1]
    shifts = learn_shifts(text, (1, 1, 1, 1), features[:1], wrong, spread)
    assert predicted(text, shifts, features[:1]) == wrong.tolist()
    before = (text @ features.T).argmax(0)
    after = ((text + shifts) @ features.T).argmax(0)
    assert (before[1:] == after[1:]).float().mean() > 0.5


def test_what_the_text_gets_right_by_far_teaches_nothing() -> None:
    text = torch.eye(3, 5)
    shifts = learn_shifts(text, (1, 1, 1), text.clone(), torch.arange(3), torch.eye(5))
    assert not shifts.any()


def test_a_class_without_examples_keeps_its_text_unless_it_is_in_the_way() -> None:
    text = torch.eye(3, 5)
    feature = F.normalize(torch.tensor([[0.6, 0.5, -0.5, 0.0, 0.0]]), dim=-1)
    shifts = learn_shifts(text, (1, 1, 1), feature, torch.tensor([1]), torch.eye(5))
    assert shifts[0].any()
    assert shifts[1].any()
    assert not shifts[2].any(), "its similarity is far below"


def test_all_prompts_of_a_class_count_by_their_best() -> None:
    text = torch.eye(4, 6) / 5
    feature = F.normalize(torch.tensor([[0.0, 0.9, 0.0, 0.3, 0.0, 0.0]]), dim=-1)
    shifts = learn_shifts(text, (2, 2), feature, torch.tensor([0]), torch.eye(6))
    assert not shifts.any(), "the second prompt of the class is right already"
    shifts = learn_shifts(text, (2, 2), feature, torch.tensor([1]), torch.eye(6))
    rows = text + shifts.repeat_interleave(torch.tensor([2, 2]), dim=0)
    assert int((rows @ feature[0]).argmax()) >= 2


def test_contradictions_end_in_the_middle() -> None:
    text = torch.eye(2, 4)
    feature = F.normalize(torch.tensor([[0.5, 0.1, 0.4, 0.0]]), dim=-1)
    both = torch.cat([feature, feature])
    shifts = learn_shifts(text, (1, 1), both, torch.tensor([0, 1]), torch.eye(4))
    similarity = (text + shifts) @ feature[0]
    plain = text @ feature[0]
    assert abs(similarity[0] - similarity[1]) < abs(plain[0] - plain[1])
    assert torch.isfinite(shifts).all()


def test_no_example_and_a_single_class() -> None:
    text = torch.eye(2, 4)
    none = torch.empty(0, 4)
    assert not learn_shifts(text, (1, 1), none, torch.empty(0).long(), torch.eye(4)).any()
    shifts = learn_shifts(text[:1], (1,), text[1:], torch.tensor([0]), torch.eye(4))
    assert shifts.shape == (1, 4)
    assert not shifts.any()


def test_the_spread_is_the_mean_of_products_also_of_many_patches() -> None:
    features = random_rows(200 * 100, 3).view(200, 100, 3)
    dense = DenseMap(features, bilinear(200, 200), bilinear(100, 100))
    flat = features.flatten(0, 1)
    torch.testing.assert_close(feature_spread(dense), flat.T @ flat / 20000, atol=0.02, rtol=0)
    small = DenseMap(features[:4, :5], bilinear(4, 8), bilinear(5, 8))
    flat = features[:4, :5].flatten(0, 1)
    wide = DenseMap(random_rows(64 * 9, 129).view(64, 9, 129), bilinear(64, 64), bilinear(9, 9))
    assert torch.equal(feature_spread(wide), feature_spread(wide).T)
    torch.testing.assert_close(feature_spread(small), flat.T @ flat / 20)

"""Where to look next: spots of a low margin, and of one class."""

from __future__ import annotations

import time

import numpy as np
import pytest
from scipy import ndimage

from napari_sclip import Segmenter, make_scene
from napari_sclip.core.uncertain import (
    DOUBTFUL,
    Spot,
    find_uncertain,
    find_unchecked,
    next_spot,
    spots_of,
    uncertain_level,
    uncertain_mask,
)


def margin_with(*boxes: tuple[int, int, int, int, float]) -> np.ndarray:
    margin = np.full((60, 80), 0.9, dtype=np.float32)
    for top, bottom, left, right, value in boxes:
        margin[top:bottom, left:right] = value
    return margin


def test_largest_first_with_place_and_margin() -> None:
    margin = margin_with((5, 10, 5, 15, 0.1), (30, 50, 40, 60, 0.05), (0, 2, 70, 72, 0.0))
    first, second = find_uncertain(margin)
    assert (first.rows, first.columns, first.area) == ((30, 50), (40, 60), 400)
    assert first.margin == pytest.approx(0.05)
    assert first.centre == (39, 49)
    assert (second.rows, second.columns, second.area) == ((5, 10), (5, 15), 50)
    assert second.label is None
    third = find_uncertain(margin, min_area=4)[2]
    assert third.area == 4
    assert len(find_uncertain(margin, below=0.07)) == 1


def test_the_centre_of_a_ring_lies_on_it() -> None:
    margin = margin_with((10, 40, 10, 40, 0.1), (15, 35, 15, 35, 0.9))
    (spot,) = find_uncertain(margin)
    assert margin[spot.centre] <= DOUBTFUL
    np.testing.assert_array_equal(spot.inside(), margin[10:40, 10:40] <= DOUBTFUL)


def test_what_was_checked_is_left_out_and_its_rest_is_not() -> None:
    margin = margin_with((5, 10, 5, 15, 0.1), (30, 50, 40, 60, 0.05))
    checked = np.zeros(margin.shape, dtype=bool)
    checked[30:50, 40:60] = True
    checked[5:10, 5:14] = True
    (rest,) = find_uncertain(margin, checked=checked)
    assert rest.area == 5  # smaller than what is a speck in the map
    assert find_uncertain(margin, checked=np.ones(margin.shape, dtype=bool)) == []


def test_unknown_pixels_are_not_uncertain() -> None:
    margin = margin_with((5, 10, 5, 15, 0.1))
    margin[20:60] = np.nan
    (spot,) = find_uncertain(margin)
    assert spot.area == 50
    assert find_uncertain(np.full((20, 20), np.nan)) == []


def test_a_model_that_is_unsure_everywhere_still_gives_spots() -> None:
    noise = np.random.default_rng(0).random((200, 300))
    smooth = ndimage.gaussian_filter(noise, 8)
    margin = 0.15 * (smooth - smooth.min()) / (smooth.max() - smooth.min())
    assert uncertain_level(margin) == pytest.approx(np.quantile(margin, 0.25), rel=0.05)
    spots = find_uncertain(margin)
    assert len(spots) > 3
    assert spots[0].area < 0.25 * margin.size
    assert uncertain_level(margin + 0.5) == DOUBTFUL


def test_pixels_of_one_class_that_nobody_checked() -> None:
    labels = np.zeros((20, 30), dtype=np.uint8)
    labels[2:6, 2:10] = 1
    labels[6:9, 2:10] = 2  # touches, and is another class
    checked = np.zeros(labels.shape, dtype=bool)
    first, second = find_unchecked(labels)
    assert [(s.label, s.area) for s in (first, second)] == [(1, 32), (2, 24)]
    assert first.margin is None
    checked[first.box] |= first.inside()
    assert [s.label for s in find_unchecked(labels, checked=checked)] == [2]


def test_going_from_spot_to_spot_while_they_are_checked() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    for size, (row, column) in enumerate([(1, 1), (1, 20), (20, 1), (20, 20)], start=3):
        mask[row : row + size, column : column + size] = True
    checked = np.zeros(mask.shape, dtype=bool)
    seen: list[int] = []
    spot: Spot | None = None
    for _ in range(4):
        spot = next_spot(spots_of(mask, checked=checked), spot)
        assert spot is not None
        seen.append(spot.area)
        checked[spot.box] |= spot.inside()
    assert seen == [36, 25, 16, 9]
    assert next_spot(spots_of(mask, checked=checked), spot) is None
    spots = spots_of(mask)
    assert next_spot(spots, spots[-1]) is spots[0]
    assert next_spot(spots, spots[0], backwards=True) is spots[-1]
    assert next_spot(spots, spots[2], backwards=True) is spots[1]


def test_spots_of_one_size_are_all_visited() -> None:
    mask = np.zeros((40, 40), dtype=bool)
    mask[2::10, 2::10] = True
    spots = spots_of(mask)
    visited: list[tuple[int, int]] = []
    spot = None
    for _ in spots:
        spot = next_spot(spots, spot)
        assert spot is not None
        visited.append(spot.centre)
    assert visited == sorted(visited)
    assert len(set(visited)) == len(spots) == 16


def test_the_margin_of_a_real_result(demo: Segmenter) -> None:
    scene = make_scene(2)
    result = demo.segment(scene.image, "cyan star, green cell, background")
    margin = result.margin()
    spots = find_uncertain(margin)
    assert spots
    mask = uncertain_mask(margin)
    for spot in spots:
        assert spot.inside().sum() == spot.area
        assert mask[spot.centre]
        assert spot.margin is not None
        assert spot.margin <= DOUBTFUL
    assert sum(spot.area for spot in spots) == mask.sum()


@pytest.mark.timed
def test_a_large_map_is_quick() -> None:
    noise = np.random.default_rng(0).random((750, 1000), dtype=np.float32)
    smooth = np.kron(ndimage.gaussian_filter(noise, 4), np.ones((4, 4), dtype=np.float32))
    margin = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    times = []
    for _ in range(3):
        started = time.perf_counter()
        assert len(find_uncertain(margin, below=float(np.quantile(margin, 0.05)))) > 50
        times.append(time.perf_counter() - started)
    assert min(times) < 2  # 0.5 s alone on two cores

"""Objects that touch are told apart, and one object stays one."""

from __future__ import annotations

import time

import numpy as np
import pytest

from napari_sclip.core.instances import split_instances


def disc(shape: tuple[int, ...], centre: tuple[float, ...], radius: float) -> np.ndarray:
    grid = np.indices(shape, dtype=float)
    squared = sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True))
    return np.asarray(squared <= radius**2)


def count(labels: np.ndarray) -> int:
    """Number of objects, whose ids must be 1 to n."""
    ids = np.unique(labels[labels > 0])
    np.testing.assert_array_equal(ids, np.arange(1, len(ids) + 1))
    return len(ids)


def test_apart_from_each_other() -> None:
    mask = disc((60, 90), (20, 20), 12) | disc((60, 90), (40, 65), 15)
    labels = split_instances(mask)
    assert labels.dtype == np.int32
    assert count(labels) == 2
    np.testing.assert_array_equal(labels > 0, mask)
    assert labels[20, 20] == 1
    assert labels[40, 65] == 2


def test_touching_discs_are_cut_at_the_neck() -> None:
    one, other = disc((60, 90), (30, 28), 18), disc((60, 90), (30, 58), 18)
    labels = split_instances(one | other)
    assert count(labels) == 2
    np.testing.assert_array_equal(labels > 0, one | other)
    assert (labels[:, :42] <= 1).all()
    assert set(np.unique(labels[:, 45:])) == {0, 2}


def test_components_can_be_left_whole() -> None:
    mask = disc((60, 90), (30, 28), 18) | disc((60, 90), (30, 58), 18)
    assert count(split_instances(mask, split_touching=False)) == 1
    assert count(split_instances(mask, neck=0.2)) == 1


def test_a_disc_that_lies_on_another() -> None:
    mask = disc((90, 90), (40, 40), 25) | disc((90, 90), (64, 64), 12)
    assert count(split_instances(mask)) == 2
    assert count(split_instances(mask, min_distance=40)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_long_and_rough_objects_stay_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows, columns = np.indices((120, 260))
    rough = 14 + rng.standard_normal(260)
    bar = (abs(rows - 30) < rough) & (columns > 5) & (columns < 250)
    bent = ((abs(rows - 80) < 10) & (columns > 20) & (columns < 200)) | (
        (abs(columns - 30) < 10) & (rows > 70) & (rows < 118)
    )
    ellipse = ((rows - 100) / 14) ** 2 + ((columns - 150) / 60) ** 2 < 1
    for mask in (bar, bent, ellipse):
        whole = split_instances(mask, split_touching=False) == 1
        assert count(split_instances(whole)) == 1


def test_a_small_one_beside_a_large_one_is_not_lost() -> None:
    mask = disc((60, 60), (30, 30), 15)
    mask[30, 47] = True
    labels = split_instances(mask)
    assert count(labels) == 2
    assert (labels == labels[30, 47]).sum() == 1


def test_corners_touch() -> None:
    assert count(split_instances(np.eye(12, dtype=bool))) == 1


def test_in_three_dimensions_with_thick_planes() -> None:
    # Planes are three times as far apart as pixels: in the world both are balls of radius 12.
    planes, rows, columns = np.indices((9, 40, 70))
    one = (3 * (planes - 4)) ** 2 + (rows - 20) ** 2 + (columns - 20) ** 2 <= 144
    other = (3 * (planes - 4)) ** 2 + (rows - 20) ** 2 + (columns - 41) ** 2 <= 144
    labels = split_instances(one | other, spacing=(3, 1, 1))
    assert count(labels) == 2
    assert (labels[:, :, :30] <= 1).all()


def test_nothing_and_everything() -> None:
    assert not split_instances(np.zeros((5, 6), dtype=bool)).any()
    assert (split_instances(np.ones((30, 40), dtype=bool)) == 1).all()


def test_the_same_again() -> None:
    rng = np.random.default_rng(0)
    mask = np.zeros((200, 200), dtype=bool)
    for row, column, radius in rng.integers([0, 0, 3], [200, 200, 16], (60, 3)):
        mask |= disc((200, 200), (row, column), radius)
    first, again = split_instances(mask), split_instances(mask.copy())
    np.testing.assert_array_equal(first, again)
    assert count(first) > count(split_instances(mask, split_touching=False))


@pytest.mark.timed
def test_many_objects_take_seconds_at_most() -> None:
    tile = disc((40, 40), (20, 13), 9) | disc((40, 40), (20, 27), 9)
    mask = np.tile(tile, (25, 25))
    started = time.perf_counter()
    assert count(split_instances(mask)) == 2 * 25 * 25
    assert time.perf_counter() - started < 5

"""Large planes a few rows at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.layers.labels import chunks as module
from napari_sclip.layers.labels.chunks import Pixels, Room, put, rows_unlike, slabs

SHAPES = [(1, 1), (7, 5), (8, 4), (40, 3), (3, 100)]


@pytest.fixture(autouse=True)
def small_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLAB_PIXELS", 16)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 40))
def test_slabs_are_all_rows_once(start: int, count: int, width: int) -> None:
    rows = range(start, start + count)
    assert [row for part in slabs(rows, width) for row in range(part.start, part.stop)] == [*rows]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0, 0.02, 0.5, 1])
@pytest.mark.parametrize("turned", [False, True])
def test_pixels_are_those_that_were_packed(
    shape: tuple[int, int], share: float, turned: bool
) -> None:
    plane = np.random.default_rng(0).random(shape) < share
    plane = plane.T if turned else plane
    pixels = Pixels.of(plane)
    np.testing.assert_array_equal(pixels.to_array(), plane)
    assert bool(pixels) == plane.any()
    for rows in slabs(range(plane.shape[0]), plane.shape[1]):
        assert pixels.any_in(rows) == plane[rows].any()
        pixels[rows] = np.zeros_like(plane[rows])
    assert not pixels
    assert pixels.nbytes == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_put_copies_as_numpy_does(shape: tuple[int, int], share: float) -> None:
    random = np.random.default_rng(0)
    values = random.integers(0, 200, shape, dtype=np.uint8)
    where = random.random(shape) < share
    expected = np.where(where, values, 0)
    for mask in (where, Pixels.of(where)):
        into = np.zeros(shape, np.uint16)
        put(into, values, mask)
        np.testing.assert_array_equal(into, expected)
    put(into, values)
    np.testing.assert_array_equal(into, values)


def test_rows_in_which_planes_differ() -> None:
    one = np.zeros((40, 3), np.uint8)
    other = one.copy()
    assert not rows_unlike(one, other)
    other[[12, 30], [0, 2]] = 1
    assert rows_unlike(one, other) == range(12, 31)


def test_room_is_given_once_and_only_where_it_is_not_wasted() -> None:
    room = Room(nbytes=24, count=2)
    assert room.take((2, 3), np.uint8).base is None, "too small for a piece"
    first, second, third = (room.take(shape, np.uint16) for shape in ((3, 4), (4, 3), (3, 4)))
    assert first.shape == (3, 4)
    assert second.dtype == np.uint16
    assert first.base is not None
    assert second.base is not None
    assert not np.shares_memory(first, second)
    assert third.base is None
    assert Room(nbytes=24, count=1).take((24,), bool).base is not None
    assert Room(nbytes=24, count=1).take((25,), bool).base is None

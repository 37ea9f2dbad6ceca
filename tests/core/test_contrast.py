"""One rule of contrast for files and layers."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from napari_sclip import SclipError
from napari_sclip.core.contrast import (
    SAMPLED_PIXELS,
    find_limits,
    natural_limits,
    rescale,
    sample_step,
    scale_values,
)
from napari_sclip.layers.image.options import ReadOptions


def test_limits_are_those_of_all_parts_together() -> None:
    parts = [np.array([3.0, np.nan]), np.array([np.inf]), np.array([-2.0, 7.0])]
    assert find_limits(parts) == (-2, 7)
    assert find_limits(parts, (0, 50)) == (-2, 3)
    assert find_limits([np.array([True, False]), np.array([True])], (0, 100)) == (0, 1)
    assert find_limits([np.array([np.nan])]) is find_limits([], (1, 99)) is None


def test_the_full_range_of_a_large_image_is_found_piece_by_piece() -> None:
    alive: list[weakref.ref[Any]] = []

    def parts() -> Iterator[np.ndarray]:
        for k in range(8):
            part = np.full(10, float(k))
            alive.append(weakref.ref(part))
            yield part
            assert sum(ref() is not None for ref in alive) <= 2

    assert find_limits(parts()) == (0, 7)


def test_percentiles_are_those_of_about_a_million_pixels() -> None:
    assert sample_step((1000, 1000), (1, 99)) == sample_step((9000, 9000), None) == 1
    step = sample_step((9000, 9000), (1, 99))
    assert SAMPLED_PIXELS / 2 < (9000 // step) ** 2 <= SAMPLED_PIXELS


def test_limits_of_a_dtype() -> None:
    assert natural_limits("uint8") == (0, 255)
    assert natural_limits("int16") == (-32768, 32767)
    assert natural_limits(bool) == (0, 1)
    assert natural_limits("float32") is None


def test_values_are_scaled_and_clipped() -> None:
    values = np.array([-1, 0.5, 2, np.nan, np.inf])
    np.testing.assert_array_equal(scale_values(values, (0, 1)), [0, 0.5, 1, np.nan, 1])
    np.testing.assert_array_equal(scale_values(values[:3], (5, 5)), [0, 0, 0])


@pytest.mark.parametrize("percentiles", [(5, 5), (-1, 50), (50, 101), (99, 1), (1, float("nan"))])
def test_files_and_layers_refuse_the_same(percentiles: tuple[float, float]) -> None:
    with pytest.raises(SclipError) as of_a_file:
        rescale(np.ones((4, 4)), percentiles=percentiles)
    with pytest.raises(SclipError) as of_a_layer:
        ReadOptions(percentiles=percentiles)
    assert str(of_a_file.value) == str(of_a_layer.value)

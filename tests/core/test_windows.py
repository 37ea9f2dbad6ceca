"""Windows stand where the paper's pipeline puts them, and the maps equal interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from napari_sclip.core.axis_map import bilinear, windows_to_image
from napari_sclip.core.windows import place_windows, resized_shape


@pytest.mark.parametrize(
    ("length", "window", "stride", "starts"),
    [
        (336, 224, 112, (0, 112)),
        (337, 224, 112, (0, 112, 113)),
        (448, 224, 112, (0, 112, 224)),
        (224, 224, 112, (0,)),
        (100, 224, 112, (0,)),
        (500, 224, 200, (0, 200, 276)),
    ],
)
def test_starts(length: int, window: int, stride: int, starts: tuple[int, ...]) -> None:
    placed = place_windows(length, window, stride, 16)
    assert placed.starts == starts
    assert placed.window == min(window, length)
    assert placed.patches == min(window, length) // 16


@given(st.integers(8, 900), st.integers(1, 40), st.data())
def test_every_pixel_is_seen(length: int, patches: int, data: st.DataObject) -> None:
    window = 8 * patches
    stride = data.draw(st.integers(1, window))
    placed = place_windows(length, window, stride, 8)
    assert placed.coverage().min() >= 1
    assert placed.starts[-1] + placed.window == length
    assert list(placed.starts) == sorted(set(placed.starts))


@pytest.mark.parametrize(
    ("shape", "short_side", "expected"),
    [
        ((150, 200), 96, (96, 128)),
        ((300, 451), 336, (336, 505)),
        ((451, 300), 336, (505, 336)),
        ((375, 500), 336, (336, 448)),
        ((2, 3), 3, (3, 5)),
        ((7, 9), None, (7, 9)),
    ],
)
def test_resized_shape(
    shape: tuple[int, int], short_side: int | None, expected: tuple[int, int]
) -> None:
    assert resized_shape(*shape, short_side) == expected


UNIT = 2.0**-24
"""What rounding to float32 changes of a number at most, as a share of it."""


def sum_error(taps: int, values: Tensor) -> float:
    """Bound how far a weighted mean in float32 is off: a rounding a weight, a product, a sum."""
    return (2 + taps) * UNIT * float(values.abs().max())


def position_error(values: Tensor) -> float:
    """Bound how far interpolation is off whose positions are float32, as torch's are.

    Ratio, product and difference are rounded once each, and no position is beyond the number of
    values; the result goes with the position, by the step from value to value.
    """
    return 3 * UNIT * values.shape[-1] * float(values.diff(dim=-1).abs().max())


def interpolate(values: Tensor, size: int) -> Tensor:
    """Interpolate the last axis; positions have the dtype of the values."""
    return F.interpolate(values[None], size=size, mode="linear", align_corners=False)[0]


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 20), (20, 7), (5, 5), (2, 9), (150, 96)])
def test_bilinear_equals_torch(inputs: int, outputs: int) -> None:
    values = torch.randn(1, inputs, generator=torch.Generator().manual_seed(0))
    first, last, matrix = bilinear(inputs, outputs).dense(0, outputs)
    found = matrix @ values[0, first:last]
    rounding = sum_error(2, values)
    exact = interpolate(values.double(), outputs)[0]
    torch.testing.assert_close(found.double(), exact, atol=rounding, rtol=0)
    single, close = interpolate(values, outputs)[0], 2 * rounding + position_error(values)
    torch.testing.assert_close(found, single, atol=close, rtol=0)


def test_a_single_value_is_everywhere() -> None:
    _, _, matrix = bilinear(1, 9).dense(0, 9)
    assert matrix.tolist() == [[1.0]] * 9


@pytest.mark.parametrize(("inputs", "outputs"), [(3, 9), (7, 21), (64, 448), (500, 1500)])
def test_positions_are_exact(inputs: int, outputs: int) -> None:
    """Every output that lies on an input takes that one alone."""
    axis_map = bilinear(inputs, outputs)
    middle = np.arange(inputs) * (outputs // inputs) + outputs // inputs // 2
    np.testing.assert_array_equal(axis_map.indices[middle, 0], np.arange(inputs))
    np.testing.assert_array_equal(axis_map.weights[middle], [[1, 0]] * inputs)


@pytest.mark.parametrize("length", [50, 64, 97, 130])
def test_windows_to_image_equals_averaged_windows(length: int) -> None:
    placed = place_windows(length, 64, 32, 8)
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(len(placed.starts), placed.patches, generator=generator)

    def averaged(dtype: torch.dtype) -> Tensor:
        total, count = torch.zeros(1, length, dtype=dtype), torch.zeros(1, length, dtype=dtype)
        for row, start in zip(values.to(dtype), placed.starts, strict=True):
            place = slice(start, start + placed.window)
            total[:, place] += interpolate(row[None], placed.window)
            count[:, place] += 1
        return total / count

    axis_map = windows_to_image(placed, 171)
    flat = values.flatten()
    pieces = [axis_map.dense(a, min(a + 40, 171)) for a in range(0, 171, 40)]
    found = torch.cat([matrix @ flat[first:last] for first, last, matrix in pieces])
    rounding = sum_error(axis_map.weights.shape[1], values)
    pixels = averaged(torch.float64)
    exact = interpolate(pixels, 171)[0]
    torch.testing.assert_close(found.double(), exact, atol=rounding, rtol=0)
    single = interpolate(averaged(torch.float32), 171)[0]
    close = 2 * rounding + position_error(values) + position_error(pixels)
    torch.testing.assert_close(found, single, atol=close, rtol=0)
    np.testing.assert_allclose(axis_map.weights.sum(1), 1, atol=1e-15 * len(flat), rtol=0)

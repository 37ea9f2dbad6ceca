"""Windows stand where the paper's pipeline puts them, and the maps equal interpolation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

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


@pytest.mark.parametrize(("inputs", "outputs"), [(7, 20), (20, 7), (5, 5), (1, 9), (150, 96)])
def test_bilinear_equals_torch(inputs: int, outputs: int) -> None:
    values = torch.randn(1, 1, inputs, generator=torch.Generator().manual_seed(0))
    expected = F.interpolate(values, size=outputs, mode="linear", align_corners=False)[0, 0]
    first, last, matrix = bilinear(inputs, outputs).dense(0, outputs)
    torch.testing.assert_close(matrix @ values[0, 0, first:last], expected)


@pytest.mark.parametrize("length", [50, 64, 97, 130])
def test_windows_to_image_equals_averaged_windows(length: int) -> None:
    placed = place_windows(length, 64, 32, 8)
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(len(placed.starts), placed.patches, generator=generator)
    total, count = torch.zeros(1, 1, length), torch.zeros(1, 1, length)
    for row, start in zip(values, placed.starts, strict=True):
        place = slice(start, start + placed.window)
        total[..., place] += F.interpolate(
            row[None, None], size=placed.window, mode="linear", align_corners=False
        )
        count[..., place] += 1
    expected = F.interpolate(total / count, size=171, mode="linear", align_corners=False)[0, 0]
    axis_map = windows_to_image(placed, 171)
    flat = values.flatten()
    pieces = [axis_map.dense(a, min(a + 40, 171)) for a in range(0, 171, 40)]
    found = torch.cat([matrix @ flat[first:last] for first, last, matrix in pieces])
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    np.testing.assert_allclose(axis_map.weights.sum(1), 1, atol=1e-6)

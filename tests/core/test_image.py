"""Images of every kind are read as RGB in 0..1, or refused with the reason."""

from __future__ import annotations

import re
from typing import Any

import dask.array as da
import numpy as np
import pytest

from napari_sclip.core.image import little_range_used, read_image
from napari_sclip.core.strips import WindowReader
from napari_sclip.core.windows import place_windows
from napari_sclip.errors import ImageError


def read_all(image: Any, nonfinite: str = "error") -> np.ndarray:  # noqa: ANN401
    plane = read_image(image, nonfinite=nonfinite)
    return plane.read(np.arange(plane.height), np.arange(plane.width))


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        ("uint8", 51, 0.2),
        ("uint16", 13107, 0.2),
        ("uint32", 2**32 - 1, 1.0),
        ("int16", -32768, 0.0),
        ("int16", 0, 32768 / 65535),
        ("int64", 2**63 - 1, 1.0),
        ("bool", True, 1.0),
        ("float16", 0.5, 0.5),
        ("float32", 0.25, 0.25),
        ("float64", 1.0, 1.0),
    ],
)
def test_values_are_read_by_the_range_of_their_dtype(
    dtype: str, value: float, expected: float
) -> None:
    rgb = read_all(np.full((3, 4), value, dtype=dtype))
    assert rgb.shape == (3, 4, 3)
    assert rgb.dtype == np.float32
    np.testing.assert_allclose(rgb, expected, atol=1e-6)


def test_colour_keeps_its_channels_and_leaves_alpha_out() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 4), dtype=np.uint8)
    np.testing.assert_allclose(read_all(image), image[..., :3] / 255, atol=1e-6)


def test_dask_is_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_sclip.core.image.BAND_ROWS", 7)
    image = np.random.default_rng(0).random((40, 30), dtype=np.float32)
    lazy = da.from_array(image, chunks=(9, 11))
    np.testing.assert_allclose(read_all(lazy)[..., 1], image)
    plane = read_image(lazy)
    rows, columns = np.array([0, 3, 20, 39]), np.array([2, 5, 29])
    np.testing.assert_allclose(plane.read(rows, columns)[..., 0], image[np.ix_(rows, columns)])


def test_other_sequences_are_taken_as_arrays() -> None:
    assert read_all([[0.0, 1.0], [0.5, 0.25]])[0, 1, 0] == 1.0


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 1)), "at least 2 x 2 pixels; got 1 x 1"),
        (np.zeros((0, 5)), "got 0 x 5"),
        (np.zeros((4, 4, 5)), r"got shape \(4, 4, 5\).*Choose one channel"),
        (np.zeros((3, 40, 50)), "Move the channels to the last axis"),
        (np.zeros((2, 3, 4, 5)), "Choose one plane"),
        (np.zeros(7), r"got shape \(7,\)"),
        (np.zeros((4, 4), complex), "got dtype complex128"),
        (np.zeros((4, 4), "U3"), "got dtype <U3"),
        (np.full((4, 4), 2.0), "floats in 0..1; got values from 2 to 2"),
        (np.array([[0.0, -0.5], [0, 0]]), "from -0.5 to 0"),
        (object(), r"Expected an image|got shape \(\)"),
    ],
)
def test_what_cannot_be_read_is_refused(image: object, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(image)


def test_nonfinite_values_are_counted() -> None:
    image = np.full((40, 50), 0.5)
    image[3, 4], image[30, 2], image[0, 0] = np.nan, np.inf, -np.inf
    with pytest.raises(ImageError, match="got 3 NaN or infinite") as caught:
        read_image(image)
    assert "nonfinite='minimum'" in str(caught.value)


def test_nonfinite_values_become_the_minimum_when_asked() -> None:
    image = np.linspace(0.25, 1, 12).reshape(3, 4)
    image[1, 1], image[2, 2] = np.nan, np.inf
    rgb = read_all(image, nonfinite="minimum")
    assert rgb[1, 1, 0] == rgb[2, 2, 0] == np.float32(0.25)
    assert rgb[2, 3, 0] == 1.0


def test_an_image_of_nothing_but_nan_is_refused() -> None:
    with pytest.raises(ImageError, match="got all NaN"):
        read_image(np.full((4, 4), np.nan), nonfinite="minimum")


def test_messages_name_what_to_do() -> None:
    with pytest.raises(ImageError) as caught:
        read_image(np.full((4, 4), 300.0))
    assert re.search("Rescale them", str(caught.value))


def test_windows_are_cut_from_the_resized_image() -> None:
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(0).integers(0, 256, (60, 83, 3), dtype=np.uint8)
    rows, columns = place_windows(96, 64, 32, 8), place_windows(133, 64, 32, 8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.4)
    reader = WindowReader(read_image(image), rows, columns, mean, std)
    # In double precision: torch rounds positions to the precision of the pixels.
    pixels = torch.from_numpy(image).double().permute(2, 0, 1)[None] / 255
    resized = torch.nn.functional.interpolate(pixels, size=(96, 133), mode="bilinear")[0]
    resized = (resized - torch.tensor(mean).view(3, 1, 1)) / torch.tensor(std).view(3, 1, 1)
    windows = list(reader.windows())
    assert len(windows) == reader.count == 2 * 4
    expected = [resized[:, y : y + 64, x : x + 64] for y in rows.starts for x in columns.starts]
    found = torch.stack(windows).double()
    torch.testing.assert_close(found, torch.stack(expected), atol=1e-5, rtol=0)
    later = list(reader.windows(first=5))
    torch.testing.assert_close(torch.stack(later), torch.stack(windows[5:]))


def gradient(low: int, high: int, dtype: str, shape: tuple[int, int] = (60, 80)) -> np.ndarray:
    return np.linspace(low, high, shape[0] * shape[1]).reshape(shape).astype(dtype)


@pytest.mark.parametrize(
    ("image", "share"),
    [
        (gradient(0, 4095, "uint16"), "6.2 %"),
        (gradient(0, 8191, "uint16"), "12 %"),
        (gradient(0, 31, "uint8"), "12 %"),
        (gradient(-1000, 3000, "int16"), "6.1 %"),
        (gradient(0, 65535, "uint32"), "less than 0.1 %"),
        (gradient(0, 255, "int64"), "less than 0.1 %"),
        (np.dstack([gradient(0, 4095, "uint16")] * 3 + [gradient(65535, 65535, "uint16")]), "6.2"),
    ],
)
def test_integers_that_use_little_of_their_range_are_told(image: np.ndarray, share: str) -> None:
    message = little_range_used(image)
    assert message is not None
    assert f"uses {share}" in message
    assert str(image.dtype) in message
    assert "--rescale" in message
    colours = image[..., :3] if image.ndim == 3 else image
    assert f"({colours.min()} to {colours.max()} of" in message


@pytest.mark.parametrize(
    "image",
    [
        gradient(0, 255, "uint8"),
        gradient(0, 32, "uint8"),
        gradient(0, 8192, "uint16"),
        gradient(-32768, 0, "int16"),
        gradient(60000, 65535, "uint16"),
        gradient(0, 1, "float32") / 100,
        gradient(0, 1, "float32") > 0.5,
        np.zeros((50, 50), np.uint16),
        np.full((50, 50), 7, np.uint8),
    ],
)
def test_images_of_which_nothing_is_to_be_said(image: np.ndarray) -> None:
    assert little_range_used(image) is None


def test_a_sample_of_the_pixels_is_enough() -> None:
    large = np.zeros((3000, 5000), np.uint16)
    large[1000:2000, 2000:3000] = 4000
    assert "uses 6.1 %" in str(little_range_used(large))
    large[1000:2000, 2000:3000] = 40000
    assert little_range_used(large) is None


def test_of_a_lazy_image_a_few_blocks_are_read() -> None:
    read: list[int] = []

    def loaded(block: np.ndarray) -> np.ndarray:
        read.append(block.size)
        return np.full_like(block, 4095 if len(read) > 1 else 0)

    lazy = da.zeros((10_000, 10_000), chunks=(256, 256), dtype=np.uint16)
    lazy = lazy.map_blocks(loaded, dtype=np.uint16, meta=np.empty((0, 0), np.uint16))
    assert "uses 6.2 %" in str(little_range_used(lazy))
    assert sum(read) < 1e8 / 20
    small = da.from_array(gradient(0, 60000, "uint16"), chunks=(7, 80))
    assert little_range_used(small) is None
    assert little_range_used(small // 100) is not None


def test_what_is_no_image_is_refused_here_too() -> None:
    with pytest.raises(ImageError, match="Expected an image"):
        little_range_used(np.zeros((3, 4, 5, 6), np.uint8))

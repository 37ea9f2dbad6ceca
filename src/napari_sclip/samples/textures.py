"""Muted textured backgrounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_sclip.samples.colors import draw_muted_color

FloatArray = NDArray[np.float32]


def _interpolation(length: int, knots: int) -> FloatArray:
    position = np.linspace(0.0, knots - 1.0, length)
    low = np.minimum(position.astype(int), knots - 2)
    share = (position - low).astype(np.float32)
    matrix = np.zeros((length, knots), dtype=np.float32)
    rows = np.arange(length)
    matrix[rows, low] = 1.0 - share
    matrix[rows, low + 1] = share
    return matrix


def smooth_noise(rng: np.random.Generator, size: tuple[int, int], spacing: float) -> FloatArray:
    """Random values on a coarse grid, bilinearly interpolated.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (int, int)
        Height and width.
    spacing : float
        Distance of the grid's points in pixels: the size of the bumps.

    Returns
    -------
    (H, W) float32 in -1..1
    """
    height, width = size
    knots = (max(2, round(height / spacing) + 1), max(2, round(width / spacing) + 1))
    grid = rng.uniform(-1.0, 1.0, knots).astype(np.float32)
    bumps = _interpolation(height, knots[0]) @ grid @ _interpolation(width, knots[1]).T
    return np.asarray(bumps, dtype=np.float32)


def _plain(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    return np.zeros(size, dtype=np.float32)


def _projected(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    angle = rng.uniform(0.0, 2.0 * np.pi)
    rows = np.arange(size[0], dtype=np.float32)[:, None]
    cols = np.arange(size[1], dtype=np.float32)[None, :]
    return rows * np.float32(np.sin(angle)) + cols * np.float32(np.cos(angle))


def _gradient(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    ramp = _projected(rng, size)
    ramp -= ramp.min()
    return 2.0 * ramp / max(float(ramp.max()), 1.0) - 1.0


def _stripes(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    period = rng.uniform(10.0, 40.0)
    wave = np.sin(_projected(rng, size) * np.float32(2.0 * np.pi / period))
    return np.asarray(
        np.clip(wave * np.float32(rng.uniform(1.0, 4.0)), -1.0, 1.0), dtype=np.float32
    )


def _checker(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    side = int(rng.integers(8, 29))
    rows = (np.arange(size[0]) + int(rng.integers(side))) // side
    cols = (np.arange(size[1]) + int(rng.integers(side))) // side
    return ((rows[:, None] + cols[None, :]) % 2 * 2 - 1).astype(np.float32)


def _clouds(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    spacing = rng.uniform(20.0, 64.0)
    layers = [smooth_noise(rng, size, spacing / 2**octave) / 1.6**octave for octave in range(3)]
    return np.clip(sum(layers, np.zeros(size, dtype=np.float32)), -1.0, 1.0)


def _speckle(rng: np.random.Generator, size: tuple[int, int]) -> FloatArray:
    dots = smooth_noise(rng, size, rng.uniform(3.0, 6.0))
    sparse = (dots - np.float32(rng.uniform(0.3, 0.5))) * 5.0
    return np.asarray(np.clip(sparse, -0.2, 1.0), dtype=np.float32)


TEXTURES: dict[str, Callable[[np.random.Generator, tuple[int, int]], FloatArray]] = {
    "plain": _plain,
    "gradient": _gradient,
    "striped": _stripes,
    "checkered": _checker,
    "cloudy": _clouds,
    "speckled": _speckle,
}

TEXTURE_NAMES: tuple[str, ...] = tuple(TEXTURES)


def paint_background(rng: np.random.Generator, size: tuple[int, int], texture: str) -> FloatArray:
    """Mix two muted colours by a texture.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (int, int)
        Height and width.
    texture : str
        One of `TEXTURE_NAMES`.

    Returns
    -------
    (H, W, 3) float32, about 0..1
    """
    first, second = draw_muted_color(rng), draw_muted_color(rng)
    contrast = np.float32(rng.uniform(0.35, 1.0))
    # Two near-equal colours would make every texture plain.
    if np.abs(first - second).max() < 0.15:
        second = first + (0.25 if first.mean() < 0.5 else -0.25)
    share = 0.5 + 0.5 * contrast * TEXTURES[texture](rng, size)
    return (first + share[..., None] * (second - first)).astype(np.float32)

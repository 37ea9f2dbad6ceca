"""Parts of synthetic objects: outlines as signed distances on a unit disc, colours, textures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Distances = NDArray[np.floating]

Outline = Callable[[FloatArray, FloatArray, np.random.Generator], Distances]


def _circle(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    return 0.92 - np.hypot(u, v)


def _square(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    return 0.78 - np.maximum(np.abs(u), np.abs(v))


def _triangle(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    slant = 0.5 * 3.0**0.5
    sides: Distances = np.maximum(slant * u - 0.5 * v, -slant * u - 0.5 * v)
    return np.asarray(0.52 - np.maximum(v, sides))


def _star(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    sector = np.float32(2.0 * np.pi / 5.0)
    angle = np.arctan2(v, u)
    folded = np.abs(angle - sector * np.round(angle / sector))
    radius = np.hypot(u, v)
    x, y = radius * np.cos(folded), radius * np.sin(folded)
    tip, notch = 1.05, 0.5
    notch_x, notch_y = notch * np.cos(sector / 2), notch * np.sin(sector / 2)
    edge_x, edge_y = notch_x - tip, notch_y
    return np.asarray((edge_x * y - edge_y * (x - tip)) / np.hypot(edge_x, edge_y))


def _ring(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    return 0.25 - np.abs(np.hypot(u, v) - 0.73)


def _cross(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    x, y = np.abs(u), np.abs(v)
    return np.maximum(np.minimum(0.97 - x, 0.31 - y), np.minimum(0.31 - x, 0.97 - y))


def _wavy(
    u: FloatArray, v: FloatArray, rng: np.random.Generator, mean: float, depth: float
) -> Distances:
    angle = np.arctan2(v, u)
    edge = np.full_like(u, mean)
    for order in (2, 3, 4, 5):
        amplitude = depth * rng.uniform(0.4, 1.0) / (order - 1)
        edge += amplitude * np.cos(order * angle + rng.uniform(0.0, 2.0 * np.pi))
    return edge - np.hypot(u, v)


def _blob(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    return _wavy(u, v, rng, 0.70, 0.20)


def _cell(u: FloatArray, v: FloatArray, rng: np.random.Generator) -> Distances:
    return _wavy(u, v, rng, 0.86, 0.07)


OUTLINES: dict[str, Outline] = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "ring": _ring,
    "cross": _cross,
    "blob": _blob,
    "cell": _cell,
}

SHAPES: tuple[str, ...] = tuple(OUTLINES)


def signed_distance(
    shape: str,
    rows: FloatArray,
    cols: FloatArray,
    *,
    center: tuple[float, float],
    radius: float,
    angle: float,
    rng: np.random.Generator,
) -> FloatArray:
    """Distance to an object's outline, in pixels, positive inside.

    Parameters
    ----------
    shape : str
        One of `SHAPES`.
    rows, cols : (h, w) float32
        Pixel coordinates.
    center : (float, float)
        Row and column of the object's centre.
    radius : float
        Radius of the disc that holds the object, in pixels.
    angle : float
        Rotation in radians.
    rng : numpy.random.Generator
        Source of the irregular outlines ("blob", "cell").

    Returns
    -------
    (h, w) float32
    """
    dy, dx = (rows - center[0]) / radius, (cols - center[1]) / radius
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    distance = OUTLINES[shape](cos * dx + sin * dy, cos * dy - sin * dx, rng)
    return np.asarray(distance * radius, dtype=np.float32)


@dataclass(frozen=True)
class ColorRange:
    """Hue in degrees, saturation and value in 0..1, each as (low, high)."""

    hue: tuple[float, float]
    saturation: tuple[float, float] = (0.7, 1.0)
    value: tuple[float, float] = (0.65, 1.0)


COLOR_RANGES: dict[str, ColorRange] = {
    "red": ColorRange((-8.0, 6.0)),
    "orange": ColorRange((24.0, 33.0), (0.8, 1.0), (0.88, 1.0)),
    "yellow": ColorRange((52.0, 61.0), (0.65, 1.0), (0.85, 1.0)),
    "green": ColorRange((100.0, 140.0), (0.6, 1.0), (0.5, 0.9)),
    "cyan": ColorRange((174.0, 188.0), (0.6, 1.0), (0.75, 1.0)),
    "blue": ColorRange((214.0, 238.0), (0.7, 1.0), (0.65, 1.0)),
    "purple": ColorRange((274.0, 296.0), (0.6, 0.95), (0.55, 0.9)),
}

COLORS: tuple[str, ...] = tuple(COLOR_RANGES)


def hsv_to_rgb(hue: float, saturation: float, value: float) -> NDArray[np.float32]:
    """One colour, hue in degrees and the rest in 0..1, as (3,) float32 RGB in 0..1."""
    phase = (np.array([5.0, 3.0, 1.0]) + hue / 60.0) % 6.0
    ramp = np.clip(np.minimum(phase, 4.0 - phase), 0.0, 1.0)
    return (value * (1.0 - saturation * ramp)).astype(np.float32)


def draw_color(name: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw one shade of the named colour, (3,) float32 RGB in 0..1."""
    ranges = COLOR_RANGES[name]
    return hsv_to_rgb(
        rng.uniform(*ranges.hue), rng.uniform(*ranges.saturation), rng.uniform(*ranges.value)
    )


def draw_muted_color(rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a background colour: any hue, hardly any saturation; (3,) float32 RGB in 0..1."""
    return hsv_to_rgb(rng.uniform(0.0, 360.0), rng.uniform(0.0, 0.22), rng.uniform(0.15, 0.9))


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

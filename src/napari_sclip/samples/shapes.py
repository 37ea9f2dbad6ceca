"""Outlines of the synthetic objects, as signed distances on a unit disc."""

from __future__ import annotations

from collections.abc import Callable

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

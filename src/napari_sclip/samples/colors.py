"""Colours of the synthetic objects: a name stands for a range of hues."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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

"""Paints a scene: where objects go, how they look, which pixels are theirs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_sclip.samples.shapes import (
    COLORS,
    SHAPES,
    TEXTURE_NAMES,
    draw_color,
    paint_background,
    signed_distance,
    smooth_noise,
)

FloatArray = NDArray[np.float32]

MIN_VISIBLE_SHARE = 0.5
"""An object of which less than this share is left after overlaps makes the scene invalid."""


@dataclass(frozen=True)
class PaintedObject:
    """One object: its words, and where it lies in pixels."""

    color: str
    shape: str
    center: tuple[float, float]
    radius: float

    @property
    def phrase(self) -> str:
        """Colour and shape, for instance "red circle"."""
        return f"{self.color} {self.shape}"


@dataclass(frozen=True)
class Painting:
    """An image with the object that owns each pixel.

    Attributes
    ----------
    image : (H, W, 3) uint8
    owners : (H, W) uint8
        0 for background, else 1 + index into `objects`.
    objects : tuple of PaintedObject
        In the order in which they were painted: later ones lie on top.
    texture : str
        The kind of background.
    """

    image: NDArray[np.uint8]
    owners: NDArray[np.uint8]
    objects: tuple[PaintedObject, ...]
    texture: str


def paint_scene(
    rng: np.random.Generator,
    size: tuple[int, int],
    count: int,
    radius: tuple[float, float],
) -> Painting:
    """Paint `count` objects, each of its own colour and shape pair, on a textured background.

    Parameters
    ----------
    rng : numpy.random.Generator
    size : (int, int)
        Height and width in pixels.
    count : int
        Number of objects.
    radius : (float, float)
        Smallest and largest radius of an object, as a share of the short side.

    Returns
    -------
    Painting
    """
    while True:
        texture = TEXTURE_NAMES[rng.integers(len(TEXTURE_NAMES))]
        canvas = paint_background(rng, size, texture)
        owners = np.zeros(size, dtype=np.uint8)
        areas = []
        objects = _place_objects(rng, size, count, radius)
        for index, item in enumerate(objects, start=1):
            areas.append(_paint_object(rng, canvas, owners, item, index))
        left = np.bincount(owners.ravel(), minlength=count + 1)[1:]
        if np.all(left >= MIN_VISIBLE_SHARE * np.array(areas)) and np.all(left > 0):
            return Painting(_finish(rng, canvas), owners, objects, texture)
        # Too crowded: smaller objects always end this loop.
        radius = (radius[0] * 0.9, radius[1] * 0.9)


def _place_objects(
    rng: np.random.Generator, size: tuple[int, int], count: int, radius: tuple[float, float]
) -> tuple[PaintedObject, ...]:
    pairs = rng.choice(len(COLORS) * len(SHAPES), size=count, replace=False)
    placed: list[PaintedObject] = []
    for pair in pairs:
        extent = rng.uniform(*radius) * min(size)
        center = (0.0, 0.0)
        for _ in range(40):
            margin = 0.6 * extent
            center = (
                float(rng.uniform(margin, max(margin + 1.0, size[0] - margin))),
                float(rng.uniform(margin, max(margin + 1.0, size[1] - margin))),
            )
            if all(_gap(center, extent, other) >= 0.8 for other in placed):
                break
        color, shape = divmod(int(pair), len(SHAPES))
        placed.append(PaintedObject(COLORS[color], SHAPES[shape], center, extent))
    return tuple(placed)


def _gap(center: tuple[float, float], extent: float, other: PaintedObject) -> float:
    distance = np.hypot(center[0] - other.center[0], center[1] - other.center[1])
    return float(distance) / (extent + other.radius)


def _paint_object(
    rng: np.random.Generator,
    canvas: FloatArray,
    owners: NDArray[np.uint8],
    item: PaintedObject,
    index: int,
) -> int:
    """Paint one object in place; return the number of pixels it has inside the image."""
    reach = int(np.ceil(1.15 * item.radius)) + 2
    row, col = round(item.center[0]), round(item.center[1])
    top, left = max(0, row - reach), max(0, col - reach)
    region = (slice(top, row + reach + 1), slice(left, col + reach + 1))
    part = canvas[region]
    rows, cols = np.meshgrid(
        np.arange(top, top + part.shape[0], dtype=np.float32),
        np.arange(left, left + part.shape[1], dtype=np.float32),
        indexing="ij",
    )
    distance = signed_distance(
        item.shape,
        rows,
        cols,
        center=item.center,
        radius=item.radius,
        angle=float(rng.uniform(0.0, 2.0 * np.pi)),
        rng=rng,
    )
    cover = np.clip(distance + 0.5, 0.0, 1.0)
    inside = cover > 0.5
    surface = _surface(rng, item, rows, cols, distance)
    part += cover[..., None] * (surface - part)
    owners[region][inside] = index
    return int(inside.sum())


def _surface(
    rng: np.random.Generator,
    item: PaintedObject,
    rows: FloatArray,
    cols: FloatArray,
    distance: FloatArray,
) -> FloatArray:
    color = draw_color(item.color, rng)
    angle = rng.uniform(0.0, 2.0 * np.pi)
    slope = (rows - item.center[0]) * np.sin(angle) + (cols - item.center[1]) * np.cos(angle)
    size = (rows.shape[0], rows.shape[1])
    light = 1.0 + rng.uniform(0.0, 0.14) * slope / item.radius
    light += rng.uniform(0.0, 0.12) * smooth_noise(rng, size, rng.uniform(4.0, 20.0))
    surface = color * light[..., None]
    if item.shape == "cell":
        surface = _cell_surface(rng, item, rows, cols, distance, color, surface)
    return np.asarray(surface, dtype=np.float32)


def _cell_surface(
    rng: np.random.Generator,
    item: PaintedObject,
    rows: FloatArray,
    cols: FloatArray,
    distance: FloatArray,
    color: FloatArray,
    surface: FloatArray,
) -> FloatArray:
    """Pale inside, strong membrane, dark nucleus off the centre."""
    pale = surface + rng.uniform(0.3, 0.5) * (1.0 - surface)
    membrane = max(2.0, rng.uniform(0.08, 0.14) * item.radius)
    wall = np.clip(membrane - distance + 0.5, 0.0, 1.0)[..., None]
    shift = rng.uniform(-0.2, 0.2, 2) * item.radius
    stretch = rng.uniform(0.8, 1.25)
    nucleus = rng.uniform(0.28, 0.38) * item.radius
    away = np.hypot(
        (rows - item.center[0] - shift[0]) * stretch, (cols - item.center[1] - shift[1]) / stretch
    )
    core = np.clip(nucleus - away + 0.5, 0.0, 1.0)[..., None]
    pale = pale + wall * (surface - pale)
    return np.asarray(pale + core * (color * rng.uniform(0.5, 0.65) - pale), dtype=np.float32)


def _finish(rng: np.random.Generator, canvas: FloatArray) -> NDArray[np.uint8]:
    """Blur a little, change brightness, add noise, quantise."""
    weight = np.float32(rng.uniform(0.0, 0.3))
    for axis in (0, 1):
        last = canvas.shape[axis] - 1
        places = np.arange(last + 1)
        ahead = np.take(canvas, np.maximum(places - 1, 0), axis)
        behind = np.take(canvas, np.minimum(places + 1, last), axis)
        canvas = (1.0 - 2.0 * weight) * canvas + weight * (ahead + behind)
    canvas = canvas * np.float32(rng.uniform(0.85, 1.08))
    noise = rng.standard_normal(canvas.shape, dtype=np.float32)
    canvas = canvas + np.float32(rng.uniform(0.0, 0.04)) * noise
    return np.asarray(np.clip(canvas * 255.0 + 0.5, 0.0, 255.0), dtype=np.uint8)

"""Synthetic scenes whose every pixel is known: samples, tests, benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import ConfigError
from napari_sclip.prompts import ClassPrompt
from napari_sclip.samples.captions import BACKGROUND_PROMPTS, write_caption
from napari_sclip.samples.painter import paint_scene

MIN_SIDE = 64
MAX_OBJECTS = 12

BACKGROUND = ClassPrompt("background", prompts=BACKGROUND_PROMPTS, background=True)


@dataclass(frozen=True)
class Scene:
    """An image with ground truth.

    Attributes
    ----------
    image : (H, W, 3) uint8
    labels : (H, W) uint8
        0 for background; k for class k of `classes`, counted from 1.
    classes : tuple of ClassPrompt
        One class an object ("red circle"), and the background as the last.
    caption : str
        One sentence about the whole scene.
    seed : int
        The seed that makes this scene again.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    classes: tuple[ClassPrompt, ...]
    caption: str
    seed: int


def make_scene(
    seed: int,
    *,
    size: tuple[int, int] = (336, 448),
    objects: int | tuple[int, int] = (2, 4),
    radius: tuple[float, float] = (0.10, 0.19),
) -> Scene:
    """Make a scene of coloured shapes, blobs and cells on a muted textured background.

    The same arguments always give the same scene. No two objects share both colour and shape,
    so every object is a class of its own; at least half of each stays visible.

    Parameters
    ----------
    seed : int
        0 or more.
    size : (int, int)
        Height and width in pixels, 64 or more each. At the default a `SegmentationConfig` with
        its own defaults leaves the image at its native size.
    objects : int or (int, int)
        Number of objects, or the smallest and largest number, 1 to 12.
    radius : (float, float)
        Smallest and largest radius of the disc that holds an object, as a share of the short
        side, in 0.03..0.5.

    Returns
    -------
    Scene

    Raises
    ------
    ConfigError
        If an argument is out of its range.
    """
    _check_seed(seed)
    height, width = _check_size(size)
    fewest, most = _check_objects(objects)
    smallest, largest = _check_radius(radius)
    rng = np.random.default_rng(int(seed))
    count = int(rng.integers(fewest, most + 1))
    painting = paint_scene(rng, (height, width), count, (smallest, largest))
    phrases = [item.phrase for item in painting.objects]
    return Scene(
        image=painting.image,
        labels=painting.owners,
        classes=(*(ClassPrompt(phrase) for phrase in phrases), BACKGROUND),
        caption=write_caption(phrases, painting.texture),
        seed=int(seed),
    )


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _check_seed(seed: object) -> None:
    if not isinstance(seed, Integral) or not _is_integer(seed) or int(seed) < 0:
        raise ConfigError(
            f"The seed of a scene must be an integer of 0 or more; got {seed!r}. "
            "Give, for example, seed=0."
        )


def _check_size(size: object) -> tuple[int, int]:
    if (
        not isinstance(size, tuple | list)
        or len(size) != 2
        or not all(_is_integer(side) and side >= MIN_SIDE for side in size)
    ):
        raise ConfigError(
            f"The size of a scene must be (height, width), integers of {MIN_SIDE} or more; "
            f"got {size!r}. Give, for example, size=(336, 448)."
        )
    return int(size[0]), int(size[1])


def _check_objects(objects: object) -> tuple[int, int]:
    ends = (objects, objects) if _is_integer(objects) else objects
    if (
        not isinstance(ends, tuple | list)
        or len(ends) != 2
        or not all(_is_integer(end) and 1 <= end <= MAX_OBJECTS for end in ends)
        or ends[0] > ends[1]
    ):
        raise ConfigError(
            f"The number of objects must be an integer or (fewest, most) within "
            f"1..{MAX_OBJECTS}; got {objects!r}. Give, for example, objects=(2, 4)."
        )
    return int(ends[0]), int(ends[1])


def _check_radius(radius: object) -> tuple[float, float]:
    if (
        not isinstance(radius, tuple | list)
        or len(radius) != 2
        or not all(isinstance(end, Real) and 0.03 <= float(end) <= 0.5 for end in radius)
        or radius[0] > radius[1]
    ):
        raise ConfigError(
            "The radius of objects must be (smallest, largest), shares of the short side within "
            f"0.03..0.5; got {radius!r}. Give, for example, radius=(0.1, 0.19)."
        )
    return float(radius[0]), float(radius[1])

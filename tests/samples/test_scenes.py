"""The synthetic scenes: the same seed gives the same scene, and labels mean what classes say."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest

from napari_sclip.errors import ConfigError, SclipError
from napari_sclip.samples.painter import paint_scene
from napari_sclip.samples.scenes import Scene, make_scene
from napari_sclip.samples.shapes import (
    COLORS,
    SHAPES,
    TEXTURE_NAMES,
    paint_background,
    signed_distance,
)

HUES = {
    "red": 0.0,
    "orange": 28.0,
    "yellow": 56.0,
    "green": 120.0,
    "cyan": 181.0,
    "blue": 226.0,
    "purple": 285.0,
}


def _hue_of(scene: Scene, label: int) -> float:
    red, green, blue = np.median(scene.image[scene.labels == label], axis=0) / 255.0
    return 360.0 * colorsys.rgb_to_hsv(red, green, blue)[0]


def test_same_seed_gives_the_same_scene() -> None:
    first, second = make_scene(7), make_scene(7)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.labels, second.labels)
    assert first.classes == second.classes
    assert first.caption == second.caption
    assert first.seed == 7


def test_another_seed_gives_another_scene() -> None:
    assert not np.array_equal(make_scene(7).image, make_scene(8).image)


def test_global_random_state_is_neither_read_nor_changed() -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    make_scene(3)
    after = np.random.get_state()[1]  # type: ignore[index]
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("size", [(336, 448), (64, 64), (130, 97)])
def test_arrays_have_the_size_and_types_asked_for(size: tuple[int, int]) -> None:
    scene = make_scene(1, size=size)
    assert scene.image.shape == (*size, 3)
    assert scene.image.dtype == np.uint8
    assert scene.labels.shape == size
    assert scene.labels.dtype == np.uint8


@pytest.mark.parametrize("seed", range(12))
def test_labels_are_the_classes_counted_from_one(seed: int) -> None:
    scene = make_scene(seed)
    names = [c.name for c in scene.classes if not c.background]
    assert np.unique(scene.labels).tolist() == list(range(len(names) + 1))
    assert len(set(names)) == len(names)
    assert 2 <= len(names) <= 4


@pytest.mark.parametrize("seed", range(12))
def test_pixels_of_a_label_have_the_colour_of_its_class(seed: int) -> None:
    scene = make_scene(seed, objects=4)
    for label, item in enumerate(scene.classes[:-1], start=1):
        color, _ = item.name.split()
        away = abs(_hue_of(scene, label) - HUES[color])
        assert min(away, 360.0 - away) < 26.0, item.name


def test_background_is_the_last_class_and_names_every_texture() -> None:
    background = make_scene(2).classes[-1]
    assert background.background
    assert background.name == "background"
    assert {f"{texture} background" for texture in TEXTURE_NAMES} < set(background.prompts)


@pytest.mark.parametrize("count", [1, 3, 12])
def test_number_of_objects_is_the_one_asked_for(count: int) -> None:
    scene = make_scene(5, objects=count)
    assert len(scene.classes) == count + 1
    assert int(scene.labels.max()) == count


def test_range_of_objects_is_used_to_both_ends() -> None:
    counts = {len(make_scene(s, size=(64, 64), objects=(1, 3)).classes) - 1 for s in range(40)}
    assert counts == {1, 2, 3}


def test_all_words_occur() -> None:
    scenes = [make_scene(s, size=(96, 96), objects=4) for s in range(60)]
    words = {word for scene in scenes for c in scene.classes[:-1] for word in c.name.split()}
    assert words == {*COLORS, *SHAPES}
    assert all(any(texture in s.caption for s in scenes) for texture in TEXTURE_NAMES)


def test_caption_names_every_object() -> None:
    scene = make_scene(11, objects=3)
    for item in scene.classes[:-1]:
        assert item.name in scene.caption
    assert scene.caption.count(" on a") == 1


def test_larger_radius_gives_larger_objects() -> None:
    small = make_scene(4, objects=1, radius=(0.05, 0.05))
    large = make_scene(4, objects=1, radius=(0.2, 0.2))
    assert (large.labels > 0).sum() > 4 * (small.labels > 0).sum()


def test_half_of_every_object_stays_visible_in_a_crowd() -> None:
    rng = np.random.default_rng(0)
    painting = paint_scene(rng, (96, 96), 12, (0.2, 0.3))
    left = np.bincount(painting.owners.ravel(), minlength=13)[1:]
    smallest = min(item.radius for item in painting.objects)
    assert left.min() > 0.1 * smallest**2


@pytest.mark.parametrize("shape", SHAPES)
def test_outlines_stay_inside_their_disc(shape: str) -> None:
    rows, cols = np.mgrid[-60:61, -60:61].astype(np.float32)
    distance = signed_distance(
        shape,
        rows,
        cols,
        center=(0.0, 0.0),
        radius=40.0,
        angle=0.3,
        rng=np.random.default_rng(1),
    )
    inside = distance > 0
    assert 0.15 < inside.sum() / (np.pi * 40.0**2) < 1.0
    assert np.hypot(rows, cols)[inside].max() < 1.15 * 40.0


def test_ring_has_a_hole_and_circle_none() -> None:
    rows, cols = np.mgrid[-20:21, -20:21].astype(np.float32)
    middle = {
        shape: signed_distance(
            shape,
            rows,
            cols,
            center=(0.0, 0.0),
            radius=18.0,
            angle=0.0,
            rng=np.random.default_rng(1),
        )[20, 20]
        for shape in ("ring", "circle", "star")
    }
    assert middle["ring"] < 0 < min(middle["circle"], middle["star"])


@pytest.mark.parametrize("texture", TEXTURE_NAMES)
def test_backgrounds_are_muted(texture: str) -> None:
    painted = paint_background(np.random.default_rng(3), (64, 80), texture)
    assert painted.shape == (64, 80, 3)
    assert float(np.ptp(painted, axis=2).max()) < 0.3
    assert (float(painted.std()) > 0.01) or texture == "plain"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": 0, "size": (63, 448)}, "size"),
        ({"seed": 0, "size": 336}, "size"),
        ({"seed": 0, "size": (336.0, 448)}, "size"),
        ({"seed": 0, "objects": 0}, "objects"),
        ({"seed": 0, "objects": 13}, "objects"),
        ({"seed": 0, "objects": (4, 2)}, "objects"),
        ({"seed": 0, "objects": "two"}, "objects"),
        ({"seed": 0, "radius": (0.3, 0.1)}, "radius"),
        ({"seed": 0, "radius": (0.0, 0.1)}, "radius"),
        ({"seed": 0, "radius": 0.1}, "radius"),
    ],
)
def test_bad_arguments_are_told(arguments: dict[str, object], word: str) -> None:
    with pytest.raises(ConfigError, match=f"{word}.*got") as caught:
        make_scene(**arguments)  # type: ignore[arg-type]
    assert isinstance(caught.value, SclipError)


def test_integers_of_numpy_are_integers() -> None:
    scene = make_scene(np.int64(3), objects=np.int32(2))  # type: ignore[arg-type]
    assert scene.seed == 3
    assert len(scene.classes) == 3

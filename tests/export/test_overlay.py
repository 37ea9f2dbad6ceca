from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sclip.export import ExportItem
from napari_sclip.export.overlay import OPACITY, draw_legend, draw_overlay
from napari_sclip.palette import class_colors
from napari_sclip.prompts import parse_classes

CLASSES = parse_classes("cat, background, tree")
COLORS = class_colors(CLASSES)


def grey(height: int, width: int, value: int = 90) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, dtype=np.uint8)


def test_classes_are_tinted_outlined_and_named_below() -> None:
    labels = np.zeros((600, 600), dtype=np.uint8)
    labels[100:300, 100:300] = 1
    labels[300:500, 300:500] = 2
    picture = draw_overlay(grey(600, 600), labels, CLASSES)
    assert picture.dtype == np.uint8
    for place, color in (((200, 200), COLORS[0]), ((400, 400), COLORS[2])):
        np.testing.assert_allclose(
            picture[place], (1 - OPACITY) * 90 + OPACITY * np.array(color), atol=1
        )
    assert tuple(picture[100, 200]) == COLORS[0]
    assert tuple(picture[50, 50]) == (90, 90, 90)
    assert tuple(picture[99, 200]) == (90, 90, 90)
    legend = picture[600:]
    assert 20 < len(legend) < 200
    for color in (COLORS[0], COLORS[2]):
        assert (legend == color).all(axis=2).sum() > 100
    assert not (legend == COLORS[1]).all(axis=2).any()


@pytest.mark.parametrize(
    ("shape", "shown"), [((64, 48), (512, 384)), ((5000, 300), (1667, 100)), ((600, 700), None)]
)
def test_small_pictures_are_enlarged_and_large_ones_reduced(
    shape: tuple[int, int], shown: tuple[int, int] | None
) -> None:
    labels = np.zeros(shape, dtype=np.uint8)
    labels[: shape[0] // 2] = 1
    picture = draw_overlay(grey(*shape), labels, CLASSES)
    height, width = shown or shape
    assert picture.shape[1] == max(width, 240)
    assert tuple(picture[height - 1, 3]) == (90, 90, 90)
    assert tuple(picture[height + 1, 3]) == (255, 255, 255)


@pytest.mark.parametrize(
    "image",
    [
        np.linspace(100, 300, 600 * 600).reshape(600, 600).astype(np.uint16),
        np.linspace(0.2, 0.4, 600 * 600).reshape(600, 600),
        np.linspace(-50, 1000, 600 * 600).reshape(600, 600).astype(np.int32),
    ],
    ids=["uint16", "float64", "int32"],
)
def test_other_types_are_shown_from_their_least_to_their_greatest(image: NDArray[Any]) -> None:
    picture = draw_overlay(image, np.zeros((600, 600), dtype=np.uint8), CLASSES)[:600]
    assert (picture.min(), picture.max()) == (0, 255)
    assert abs(int(picture[300, 0, 0]) - 127) <= 1


def test_nan_infinity_alpha_and_booleans_are_shown() -> None:
    nothing = np.zeros((512, 512), dtype=np.uint8)
    image = np.linspace(0, 1, 512 * 512).reshape(512, 512)
    image[0, 0], image[0, 1] = np.nan, np.inf
    assert tuple(draw_overlay(image, nothing, CLASSES)[0, 0]) == (0, 0, 0)
    assert draw_overlay(image * np.nan, nothing, CLASSES)[:512].max() == 0
    rgba = np.full((512, 512, 4), 40, dtype=np.uint8)
    assert tuple(draw_overlay(rgba, nothing, CLASSES)[9, 9]) == (40, 40, 40)
    assert tuple(draw_overlay(nothing == 0, nothing, CLASSES)[9, 9]) == (255, 255, 255)


def test_a_long_list_of_classes_wraps_and_long_names_are_cut() -> None:
    names = [f"a class with a rather long name, number {k}".replace(",", "") for k in range(12)]
    classes = parse_classes([*names, "x" * 200])
    colors = class_colors(classes)
    one = draw_legend(classes[:1], colors[:1], {1}, 300)
    all_of_them = draw_legend(classes, colors, set(range(1, 14)), 300)
    assert all_of_them.shape[1] == 300
    assert len(all_of_them) > 12 * 0.6 * len(one)
    # Nothing is written up to the edge: the last columns are paper.
    assert (all_of_them[:, -4:] == 255).all()


def test_classes_that_were_not_found_are_faint() -> None:
    found = draw_legend(CLASSES, COLORS, {0, 1, 2}, 600)
    missing = draw_legend(CLASSES, COLORS, {0}, 600)
    assert found.min() == 0 or (found <= 25).all(axis=2).sum() > 100
    assert (found <= 25).all(axis=2).sum() > 1.5 * (missing <= 25).all(axis=2).sum()


def test_of_many_classes_only_those_found_are_named() -> None:
    classes = parse_classes([f"class {k}" for k in range(200)])
    few = draw_legend(classes, class_colors(classes), {3, 5}, 600)
    all_of_them = draw_legend(classes, class_colors(classes), set(range(1, 201)), 600)
    assert len(few) < 60 < len(all_of_them)


def test_names_outside_ascii_are_drawn(make_item: Callable[..., ExportItem]) -> None:
    item = make_item("Катя = cat, 木 = tree")
    assert item.image is not None
    picture = draw_overlay(item.image, item.labels, item.classes)
    assert (picture[-12:] != 255).any()

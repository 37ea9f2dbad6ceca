"""Colours can be told apart, and a class keeps its own from day to day."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pytest
import skimage.color
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.colors import parse_color
from napari_sclip.errors import ClassesError
from napari_sclip.palette import COLORBLIND_PALETTE, class_colors, shades
from napari_sclip.prompts import ClassPrompt, parse_classes

NAMES = st.lists(st.sampled_from([f"class {k}" for k in range(60)]), max_size=36, unique=True)

# Linear RGB as seen without red, green or blue cones (Machado, Oliveira, Fernandes, 2009).
DICHROMACIES = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}


def named(*names: str) -> list[ClassPrompt]:
    return [ClassPrompt(name) for name in names]


@pytest.mark.parametrize(
    ("color", "expected"),
    [
        ("#e69f00", (230, 159, 0)),
        ("#E69F00", (230, 159, 0)),
        ("#f00", (255, 0, 0)),
        ("orange", (255, 165, 0)),
        ("Orange", (255, 165, 0)),
        (" orange ", (255, 165, 0)),
        ("rgb(1, 2, 3)", (1, 2, 3)),
        ("#10203040", (16, 32, 48)),
    ],
)
def test_parse(color: str, expected: tuple[int, int, int]) -> None:
    assert parse_color(color) == expected


@pytest.mark.parametrize(
    "color",
    ["", "e69f00", "#e69f0", "oranje", "rgb(256, 0, 0)", "hsl(0, 500%, 50%)", None, 255, (1, 2, 3)],
)
def test_what_is_no_colour(color: object) -> None:
    with pytest.raises(ClassesError, match="Expected a colour name such as 'orange'") as caught:
        parse_color(color)  # type: ignore[arg-type]
    assert repr(color) in str(caught.value)


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_every_colour_in_hexadecimal(color: tuple[int, int, int]) -> None:
    assert parse_color("#{:02x}{:02x}{:02x}".format(*color)) == color


@given(NAMES)
def test_each_class_has_a_colour_of_its_own(names: list[str]) -> None:
    colors = class_colors(named(*names))
    assert len(colors) == len(names)
    assert len(set(colors)) == len(names)
    assert all(0 <= part <= 255 for part in itertools.chain(*colors))


def test_the_palette_comes_before_its_shades() -> None:
    twelve = class_colors(named(*map(str, range(12))))
    assert set(twelve) == {parse_color(c) for c in COLORBLIND_PALETTE}


def test_more_classes_than_colours() -> None:
    many = class_colors(named(*map(str, range(100))))
    assert len(many) == 100
    assert len(set(many)) == 36


@given(NAMES.filter(bool), st.integers(1, 5))
def test_a_name_alone_has_one_colour_for_ever(names: list[str], more: int) -> None:
    first = class_colors(named(names[0]))
    assert class_colors([ClassPrompt(names[0], tuple(map(str, range(more))))]) == first


@given(NAMES, st.data())
def test_the_order_of_the_classes_means_nothing(names: list[str], data: st.DataObject) -> None:
    order = data.draw(st.permutations(names))
    colors = dict(zip(names, class_colors(named(*names)), strict=True))
    assert dict(zip(order, class_colors(named(*order)), strict=True)) == colors


@given(NAMES)
def test_an_entry_goes_to_a_class_that_wants_it_most(names: list[str]) -> None:
    colors = dict(zip(names, class_colors(named(*names)), strict=True))
    for entry in {class_colors(named(name))[0] for name in names}:
        wanting = [name for name in names if class_colors(named(name))[0] == entry]
        assert colors[min(wanting)] == entry


@given(NAMES, st.sampled_from(["background", "Background", "wall"]), st.integers(0, 36))
def test_the_background_takes_no_colour_from_the_others(
    names: list[str], name: str, position: int
) -> None:
    classes = named(*names)
    found = list(class_colors(classes))
    classes.insert(position, ClassPrompt(name, background=True))
    colors = list(class_colors(classes))
    own = colors.pop(min(position, len(names)))
    assert colors == found
    # Pictures show it, so it has one of its own as long as there are any.
    assert own not in found or len(names) == 36


def test_kept_colours_come_before_those_of_the_names() -> None:
    leaf, soil = class_colors(named("leaf"))[0], class_colors(named("soil"))[0]
    first, second = class_colors(named("leaf", "soil"), {"leaf": soil, "sky": leaf})
    assert first == soil
    assert second != soil
    # What a person chose comes first.
    own = ClassPrompt("sky", color="#e69f00")
    assert class_colors([ClassPrompt("leaf"), own], {"leaf": (230, 159, 0)})[0] != (230, 159, 0)
    assert class_colors([own], {"sky": leaf}) == ((230, 159, 0),)


@given(NAMES.filter(bool), st.integers(0, 36))
def test_taken_colours_are_not_given_while_others_are_free(names: list[str], count: int) -> None:
    taken = list(itertools.chain(*shades()))[:count]
    colors = class_colors(named(*names), taken=taken)
    assert len(set(colors)) == len(names)
    assert len(set(taken) & set(colors)) == max(0, len(names) + count - 36)
    kept = {names[0]: taken[0]} if taken else {}
    assert class_colors(named(*names), kept, taken)[: len(kept)] == tuple(kept.values())


def test_colours_do_not_change_from_release_to_release() -> None:
    classes = parse_classes("cat, grass, sky, background")
    found = ["#{:02x}{:02x}{:02x}".format(*color) for color in class_colors(classes)]
    assert found == ["#f0e442", "#e69f00", "#332288", "#56b4e9"]


def test_own_colours_are_kept_and_not_given_to_others() -> None:
    taken = class_colors(named("leaf"))[0]
    own = ClassPrompt("soil", color="#{:02x}{:02x}{:02x}".format(*taken))
    leaf, soil = class_colors([ClassPrompt("leaf"), own])
    assert soil == taken
    assert leaf != taken
    # Two classes may ask for the same colour.
    same = [ClassPrompt("a", color="red"), ClassPrompt("b", color="#ff0000")]
    assert class_colors(same) == ((255, 0, 0), (255, 0, 0))


def test_no_classes() -> None:
    assert class_colors([]) == ()


def seen(color: tuple[int, int, int], matrix: npt.ArrayLike) -> np.ndarray:
    """Colour in CIE Lab, after the loss of one kind of cones."""
    values = np.array(color) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    linear = np.clip(np.asarray(matrix) @ linear, 0, 1)
    back = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(skimage.color.rgb2lab(back[None, None])[0, 0])


def closest(colors: Iterable[tuple[int, int, int]], matrix: npt.ArrayLike) -> float:
    lab = [seen(color, matrix) for color in colors]
    return min(
        float(skimage.color.deltaE_ciede2000(a, b)) for a, b in itertools.combinations(lab, 2)
    )


@pytest.mark.parametrize("kind", DICHROMACIES)
def test_the_colour_blind_tell_the_colours_apart(kind: str) -> None:
    palette = [parse_color(c) for c in COLORBLIND_PALETTE]
    # A difference (CIEDE2000) of 1 to 2 is just seen.
    assert closest(palette[:7], DICHROMACIES[kind]) > 10
    assert closest(palette, DICHROMACIES[kind]) > 3
    # Red and green as bright as each other show that the measure can fail.
    assert closest([(190, 80, 80), (110, 115, 80)], DICHROMACIES["deuteranopia"]) < 10


def test_everybody_else_tells_all_shades_apart() -> None:
    assert [len(palette) for palette in shades()] == [12, 12, 12]
    assert closest(itertools.chain(*shades()), np.eye(3)) > 5

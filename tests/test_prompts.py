"""Classes in every form that users write them, and what is wrong with the others."""

from __future__ import annotations

import dataclasses
import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.errors import ClassesError
from napari_sclip.prompts import (
    ClassPrompt,
    fits_text,
    format_classes,
    is_background_name,
    label_ids,
    name_fits_text,
    parse_classes,
    split_classes,
    split_prompts,
)

PHRASES = (
    st.text(st.characters(exclude_characters=",=|", exclude_categories=["Cs"]), max_size=12)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


NAMES = PHRASES.filter(name_fits_text)


@st.composite
def class_lists(draw: st.DrawFn) -> tuple[ClassPrompt, ...]:
    """Classes as they come from text, none of them the background except by its name."""
    names = draw(st.lists(NAMES, min_size=1, max_size=5, unique=True))
    names = [name for name in names if not is_background_name(name)]
    names.insert(draw(st.integers(0, len(names))), draw(st.just("background") | NAMES))
    names = list(dict.fromkeys(names))
    if all(is_background_name(name) for name in names):
        names.append("leaf")
    prompts = st.lists(PHRASES, max_size=3).map(tuple)
    return tuple(ClassPrompt(name, draw(prompts)) for name in names)


def test_the_readmes_line() -> None:
    assert parse_classes("cat, grass = lawn | meadow, background = wall | floor") == (
        ClassPrompt("cat", ("cat",)),
        ClassPrompt("grass", ("lawn", "meadow")),
        ClassPrompt("background", ("wall", "floor"), background=True),
    )


@pytest.mark.parametrize(
    "text",
    [
        "leaf,soil",
        " leaf ,\tsoil ",
        "leaf\nsoil\n",
        "leaf\r\nsoil\r\n",
        "leaf\rsoil",
        ",leaf,,soil,",
        "leaf,\nsoil",
        "leaf = leaf, soil=soil|soil",
    ],
)
def test_separators_and_spaces(text: str) -> None:
    assert parse_classes(text) == (ClassPrompt("leaf"), ClassPrompt("soil"))


def test_spaces_within_are_one() -> None:
    (parsed,) = parse_classes("red \u00a0 circle =  a  red\tcircle | | red  disc ")
    assert parsed.name == "red circle"
    assert parsed.prompts == ("a red circle", "red disc")


def test_case_and_letters_are_kept() -> None:
    assert [c.name for c in parse_classes("DAPI, dapi, Käfer, 細胞")] == [
        "DAPI", "dapi", "Käfer", "細胞",
    ]  # fmt: skip


def test_sequences() -> None:
    own = ClassPrompt("soil", ("earth",), color="#102030")
    assert parse_classes(["leaf = green leaf | foliage", own]) == (
        ClassPrompt("leaf", ("green leaf", "foliage")),
        own,
    )
    assert parse_classes(("leaf",)) == parse_classes("leaf") == parse_classes(ClassPrompt("leaf"))  # type: ignore[arg-type]


def test_a_string_of_a_sequence_is_one_class() -> None:
    assert [c.name for c in parse_classes(["salt, pepper", "soil"])] == ["salt, pepper", "soil"]


@pytest.mark.parametrize("classes", ["", "  ", ",", "\n,\n", [], ()])
def test_no_class(classes: object) -> None:
    with pytest.raises(ClassesError, match="Expected at least one class; got none"):
        parse_classes(classes)  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [["leaf", ""], [" "], ["", "leaf"]])
def test_an_empty_string_would_shift_the_ids_of_a_sequence(classes: list[str]) -> None:
    with pytest.raises(ClassesError, match="A class needs a name"):
        parse_classes(classes)


@pytest.mark.parametrize("text", ["background", "Background = wall | floor", ["BACKGROUND"]])
def test_only_the_background(text: object) -> None:
    with pytest.raises(ClassesError, match="at least one class besides the background"):
        parse_classes(text)  # type: ignore[arg-type]


def test_only_a_background_of_another_name() -> None:
    with pytest.raises(ClassesError, match="got only 'wall'"):
        parse_classes([ClassPrompt("wall", background=True)])


@pytest.mark.parametrize(
    "classes",
    [
        "leaf, soil, leaf",
        "leaf = a, leaf = b",
        "red  leaf, red leaf",
        ["leaf", ClassPrompt("leaf")],
    ],
)
def test_a_name_twice(classes: object) -> None:
    with pytest.raises(ClassesError, match=r"given more than once: (red )?leaf"):
        parse_classes(classes)  # type: ignore[arg-type]


def test_two_backgrounds() -> None:
    with pytest.raises(ClassesError, match="At most one class can be the background"):
        parse_classes(["leaf", "background", ClassPrompt("wall", background=True)])
    with pytest.raises(ClassesError, match="got background, Background"):
        parse_classes("leaf, background, Background")


@pytest.mark.parametrize("text", ["= leaf", "leaf =", "leaf = | ", "leaf = a = b", "=", " = "])
def test_half_a_definition(text: str) -> None:
    with pytest.raises(ClassesError, match=r"Expected 'name = prompt \| prompt'; got"):
        parse_classes(f"soil, {text}")


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("leaf;soil;insect", "leaf, soil, insect"),
        ("leaf ; soil", "leaf, soil"),
        ("leaf;", "leaf"),
        ("leaf = lawn; soil = earth", "leaf = lawn, soil = earth"),
        ("leaf; soil = earth | ground", "leaf, soil = earth | ground"),
    ],
)
def test_semicolons_between_classes(text: str, instead: str) -> None:
    hint = f"Separate classes by commas, not by semicolons: '{instead}'."
    for classes in (text, [text], f"cat, {text}"):
        with pytest.raises(ClassesError, match=re.escape(hint)):
            parse_classes(classes)
    (part,) = split_classes(text)
    assert (part.fault_in, part.fault) == ("name", hint)


def test_semicolons_within_a_phrase() -> None:
    assert parse_classes("leaf = green; wet")[0].prompts == ("green; wet",)
    assert parse_classes([ClassPrompt("salt; pepper")])[0].name == "salt; pepper"


def test_phrases_without_a_name() -> None:
    with pytest.raises(ClassesError, match=r"got 'lawn \| meadow'. Write a name and '='"):
        parse_classes("cat, lawn | meadow")


@pytest.mark.parametrize("classes", [None, 7, {"leaf"}, {"leaf": 1}, iter(["leaf"]), object()])
def test_no_classes_at_all(classes: object) -> None:
    with pytest.raises(ClassesError, match=f"got {type(classes).__name__}"):
        parse_classes(classes)  # type: ignore[arg-type]


@pytest.mark.parametrize("item", [None, 7, b"leaf", ["leaf"]])
def test_an_item_that_is_no_class(item: object) -> None:
    with pytest.raises(ClassesError, match="A class must be a string or a ClassPrompt; got"):
        parse_classes(["soil", item])  # type: ignore[list-item]


def test_class_prompt_fills_in_the_prompts() -> None:
    assert ClassPrompt(" red   circle ").prompts == ("red circle",)
    assert ClassPrompt("leaf", ["b", "a", "b"]).prompts == ("b", "a")  # type: ignore[arg-type]
    assert ClassPrompt("leaf", "one phrase").prompts == ("one phrase",)  # type: ignore[arg-type]


def test_class_prompt_is_frozen_and_hashable() -> None:
    item = ClassPrompt("leaf", ["a"])  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        item.name = "soil"  # type: ignore[misc]
    assert {item: 1}[ClassPrompt("leaf", ("a",))] == 1


@pytest.mark.parametrize("name", ["", "  ", "\n", None, 7, b"leaf"])
def test_class_prompt_without_a_name(name: object) -> None:
    with pytest.raises(ClassesError, match="A class needs a name of at least one character; got"):
        ClassPrompt(name)  # type: ignore[arg-type]


@pytest.mark.parametrize("prompts", [7, None, {"a"}, ("a", 7), [b"a"], ("a", None)])
def test_prompts_that_are_no_strings(prompts: object) -> None:
    with pytest.raises(ClassesError, match="The prompts of class 'leaf' must be strings; got"):
        ClassPrompt("leaf", prompts)  # type: ignore[arg-type]


@pytest.mark.parametrize("prompts", ["", ("",), ("a", " "), ["\n"]])
def test_empty_prompts(prompts: object) -> None:
    with pytest.raises(ClassesError, match="The prompts of class 'leaf' must not be empty"):
        ClassPrompt("leaf", prompts)  # type: ignore[arg-type]


@pytest.mark.parametrize("background", ["no", "", None, 2, [True]])
def test_background_is_yes_or_no(background: object) -> None:
    with pytest.raises(ClassesError, match="background of class 'leaf' must be True or False; got"):
        ClassPrompt("leaf", background=background)  # type: ignore[arg-type]


@pytest.mark.parametrize("color", ["", "no-colour", "#12", "#gg0000", 7, (1, 2, 3), "rgb(300,0,0)"])
def test_a_colour_that_cannot_be_read(color: object) -> None:
    with pytest.raises(ClassesError, match="Expected a colour name such as 'orange'"):
        ClassPrompt("leaf", color=color)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["background", " Background ", "BACKGROUND"])
def test_the_background_by_its_name(name: str) -> None:
    assert ClassPrompt(name).background
    assert ClassPrompt(name, background=False).background


@pytest.mark.parametrize("name", ["back ground", "backgrounds", "the background", "bg"])
def test_other_names_are_not_the_background(name: str) -> None:
    assert not ClassPrompt(name).background
    assert ClassPrompt(name, background=True).background


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("a, b, c", (1, 2, 3)),
        ("a, background, c", (1, 0, 2)),
        ("background, b, c", (0, 1, 2)),
        ("a, b, background", (1, 2, 0)),
    ],
)
def test_label_ids(text: str, ids: tuple[int, ...]) -> None:
    assert label_ids(parse_classes(text)) == ids


@given(class_lists())
def test_ids_count_from_one_over_what_is_not_background(classes: tuple[ClassPrompt, ...]) -> None:
    ids = label_ids(classes)
    named = [i for i, item in zip(ids, classes, strict=True) if not item.background]
    assert named == list(range(1, len(named) + 1))
    assert all(i == 0 for i, item in zip(ids, classes, strict=True) if item.background)


@given(class_lists())
def test_what_is_written_is_read_again(classes: tuple[ClassPrompt, ...]) -> None:
    assert parse_classes(format_classes(classes)) == classes


@given(class_lists(), st.randoms(use_true_random=False))
def test_new_lines_and_spaces_do_not_matter(
    classes: tuple[ClassPrompt, ...], random: Random
) -> None:
    text = format_classes(classes)
    loose = "".join(
        {",": random.choice([",", "\n", ",\n", "\r\n"]), "=": " = ", "|": "  |\t"}.get(c, c)
        for c in text
    )
    assert parse_classes(loose) == classes


@given(st.text(st.sampled_from("ab =|,\n\rB"), max_size=20) | st.text(max_size=20))
def test_any_text_is_classes_or_an_error_that_says_so(text: str) -> None:
    try:
        classes = parse_classes(text)
    except ClassesError:
        return
    names = [c.name for c in classes]
    assert len(set(names)) == len(names) > 0
    assert sum(c.background for c in classes) <= 1
    assert all(c.prompts for c in classes)


def test_format() -> None:
    text = "cat, grass = lawn | meadow, background = wall | floor"
    assert format_classes(parse_classes(text)) == text
    assert format_classes([ClassPrompt("cat", color="red")]) == "cat"


@pytest.mark.parametrize(
    "item",
    [
        ClassPrompt("salt, pepper"),
        ClassPrompt("a = b"),
        ClassPrompt("a; b"),
        ClassPrompt("a | b"),
        ClassPrompt("leaf", ("red, or green",)),
        ClassPrompt("leaf", ("x = y",)),
        ClassPrompt("leaf", ("x | y",)),
        ClassPrompt("wall", background=True),
    ],
)
def test_what_text_cannot_hold_is_not_written(item: ClassPrompt) -> None:
    with pytest.raises(ClassesError):
        format_classes([item, ClassPrompt("soil")])


@pytest.mark.parametrize("arguments", [("caf\udce9",), ("cafe", ("caf\udce9",))])
def test_text_that_is_no_unicode_is_refused(arguments: tuple[str | tuple[str, ...], ...]) -> None:
    with pytest.raises(ClassesError, match="no Unicode text"):
        ClassPrompt(*arguments)  # type: ignore[arg-type]  # a mix


@given(st.text(st.sampled_from("ab =|,;\n\rB"), max_size=20) | st.text(max_size=20))
def test_a_text_is_split_as_it_is_parsed(text: str) -> None:
    parts = split_classes(text)
    assert all(part.text and part.text in text for part in parts)
    try:
        classes = parse_classes(text)
    except ClassesError:
        return
    assert [(c.name, c.prompts) for c in classes] == [
        (part.name, part.prompts or (part.name,)) for part in parts
    ]
    assert not any(part.fault for part in parts)


def test_a_text_that_is_being_typed() -> None:
    parts = split_classes("cat, , grass = lawn |,, = x, sky =, a = b = c, l | m,")
    assert [(part.name, part.prompts, part.fault_in) for part in parts] == [
        ("cat", (), ""),
        ("grass", ("lawn",), ""),
        ("", ("x",), "name"),
        ("sky", (), "prompts"),
        ("a", ("b = c",), "prompts"),
        ("", ("l", "m"), "name"),
    ]
    assert split_classes(" ,\n") == ()


@given(st.text(st.sampled_from("ab =|,;B"), max_size=20))
def test_every_fault_is_one_that_parsing_refuses(text: str) -> None:
    for part in split_classes(text):
        if part.fault:
            with pytest.raises(ClassesError, match=re.escape(part.fault)):
                parse_classes([part.text])


def test_split_prompts() -> None:
    assert split_prompts(" lawn |a  meadow||lawn| ") == ("lawn", "a meadow")
    assert split_prompts(" | ") == ()


def test_what_fits_the_text() -> None:
    assert fits_text("a red (round) leaf; wet")
    assert not any(fits_text(f"a{c}b") for c in ",=|\r\n")
    assert name_fits_text("a red (round) leaf")
    assert not any(name_fits_text(f"a{c}b") for c in ",;=|\r\n")

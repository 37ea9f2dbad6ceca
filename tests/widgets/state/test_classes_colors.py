"""A class keeps the colour that it was shown in, and no other class takes it."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.colors import hex_color
from napari_sclip.palette import class_colors, shades
from napari_sclip.prompts import ClassPrompt, is_background_name
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.state.classes_rows import MAX_KEPT, MAX_NAME
from napari_sclip.widgets.state.store import recall, remember
from napari_sclip.widgets.state.widget import WidgetState


def by_name(*names: str) -> tuple[str, ...]:
    return tuple(map(hex_color, class_colors([ClassPrompt(name) for name in names])))


ONE, TWO, THREE = list(
    itertools.islice(
        (n for n in (f"thing {k}" for k in range(1000)) if by_name(n) == by_name("thing 0")), 3
    )
)
"""Names that want the same entry of the palette."""
WANTED = by_name(ONE)[0]


def colors(table: ClassTable) -> dict[str, str]:
    shown = table.colors()
    return {row.name: shown[row.key] for row in table.rows}


def key(table: ClassTable, name: str) -> int:
    return next(row.key for row in table.rows if row.name == name)


def table_of(*names: str) -> ClassTable:
    table = ClassTable()
    table.set_text(", ".join(names))
    return table


def type_into(table: ClassTable, text: str) -> None:
    for letter in text:
        table.set_text(table.text + letter)


def test_the_names_of_these_tests_want_one_colour() -> None:
    assert {by_name(name) for name in (ONE, TWO, THREE)} == {(WANTED,)}


# --- rows that come, go and move ---------------------------------------------------------------


def test_moving_rows_changes_no_colour() -> None:
    table = table_of(ONE, TWO, THREE)
    before = colors(table)
    table.shift({key(table, THREE)}, -1)
    assert colors(table) == before
    table.move(key(table, TWO), 0)
    assert colors(table) == before
    table.set_text(f"{THREE}, {ONE}, {TWO}")
    assert colors(table) == before


@pytest.mark.parametrize("by_line", [True, False])
def test_who_stays_takes_nothing_from_who_goes(by_line: bool) -> None:
    table = table_of(ONE, TWO)
    before = colors(table)
    if by_line:
        table.set_text(TWO)
    else:
        table.remove([key(table, ONE)])
    assert colors(table) == {TWO: before[TWO]}
    table.add(ONE)
    assert colors(table) == before


def test_a_newcomer_takes_nothing_from_who_is_there() -> None:
    table = table_of(TWO)
    assert colors(table) == {TWO: WANTED}
    # By name alone the first would have it.
    table.set_text(f"{ONE}, {TWO}")
    assert colors(table)[TWO] == WANTED
    assert colors(table)[ONE] != WANTED
    # Nor what another had while it was away, when that one is back first.
    table.set_text(THREE)
    table.set_text(f"{THREE}, {TWO}")
    assert colors(table)[THREE] == WANTED
    assert colors(table)[TWO] != WANTED


def test_what_was_shown_last_is_kept() -> None:
    table = table_of(TWO)
    table.set_text(f"{ONE}, {TWO}")
    other = colors(table)[ONE]
    table.set_text("")
    table.set_text(ONE)
    assert colors(table) == {ONE: other}


def test_typing_a_name_letter_by_letter() -> None:
    table = ClassTable()
    type_into(table, f"{TWO}, ")
    before = colors(table)
    type_into(table, f"{ONE}, {THREE}")
    found = colors(table)
    assert found[TWO] == before[TWO] == WANTED
    assert len(set(found.values())) == 3
    # What was passed through while it was typed is not kept.
    assert set(table.kept_colors()) == {ONE, TWO, THREE}
    table.keep_colors()
    table.set_text(table.text + "x")
    assert set(table.kept_colors()) == {ONE, TWO, THREE, f"{THREE}x"}


def test_the_same_name_twice_is_one_colour() -> None:
    table = table_of(ONE, "grass")
    before = colors(table)
    table.set_text(f"{ONE}, grass, {ONE}")
    assert set(table.colors().values()) == set(before.values())
    table.set_text(f"{ONE}, grass, {ONE}x")
    assert {name: colors(table)[name] for name in before} == before


def test_a_row_without_a_name_stands_in_nobodys_way() -> None:
    table = ClassTable()
    for _ in range(12):
        table.add()
    table.set(table.rows[5].key, name=ONE)
    assert colors(table)[ONE] == WANTED
    assert set(table.kept_colors()) == {ONE}


# --- renaming ----------------------------------------------------------------------------------


def test_a_class_that_is_renamed_keeps_its_colour_and_so_do_the_others() -> None:
    table = table_of(ONE, TWO)
    before = colors(table)
    table.set(key(table, ONE), name="animal")
    assert colors(table) == {"animal": before[ONE], TWO: before[TWO]}
    table.set(key(table, TWO), name=ONE)
    assert colors(table)["animal"] == before[ONE]
    assert colors(table)[ONE] == before[TWO]


def test_a_name_that_was_shown_before_brings_its_colour() -> None:
    table = table_of("sky", ONE)
    table.remove([key(table, "sky")])
    table.set(key(table, ONE), name="sky")
    assert colors(table) == {"sky": by_name("sky")[0]}


def test_a_row_that_gets_its_first_name_has_the_colour_of_the_name() -> None:
    table = ClassTable()
    added = table.add()
    table.set(added, name=ONE)
    assert colors(table) == {ONE: WANTED}


# --- colours of one's own, and the background --------------------------------------------------


def test_a_colour_of_ones_own_wins_and_goes_again() -> None:
    table = table_of(ONE, TWO)
    before = colors(table)
    table.set(key(table, TWO), color=WANTED)
    assert colors(table)[TWO] == WANTED
    assert colors(table)[ONE] != WANTED
    table = table_of(ONE, TWO)
    table.set(key(table, TWO), color="#123456")
    assert colors(table) == {ONE: WANTED, TWO: "#123456"}
    table.adopt_colors(colors(table))
    table.set(key(table, TWO), color=None)
    assert colors(table) == before
    assert "#123456" not in table.kept_colors().values()


def test_the_background_takes_no_colour_and_a_class_that_was_it_has_its_own_again() -> None:
    table = table_of(ONE, TWO, "background")
    before = colors(table)
    assert before[ONE] == WANTED
    assert {name: before[name] for name in (ONE, TWO)} == colors(table_of(ONE, TWO))
    table.set(key(table, "background"), name="floor")
    table.set(key(table, ONE), background=True)
    assert ONE not in {row.name for row in table.rows if not row.background}
    table.set(key(table, ONE), background=False)
    assert colors(table)[ONE] == WANTED
    assert not any(is_background_name(name) for name in table.kept_colors())


# --- the labels layer --------------------------------------------------------------------------


def test_nobody_takes_the_colour_of_a_class_that_is_only_in_the_layer() -> None:
    table = table_of(ONE)
    table.adopt_colors(colors(table))
    table.set_text(TWO)  # ONE goes and TWO comes in one step
    assert colors(table)[TWO] != WANTED
    table.set_text(f"{TWO}, {ONE}, {THREE}")
    assert colors(table)[ONE] == WANTED
    assert len(set(colors(table).values())) == 3
    # Another layer does not know ONE, and what is shown stays.
    before = colors(table)
    table.adopt({})
    table.set_text(THREE)
    assert colors(table) == {THREE: before[THREE]}
    table.set_text("thing")
    assert colors(table)["thing"] == by_name("thing")[0]


def test_a_class_of_the_layer_comes_in_the_colour_that_it_has_there() -> None:
    table = table_of("grass")
    table.adopt_colors({ONE: "#123456", "grass": colors(table)["grass"]})
    table.add(ONE)
    assert colors(table)[ONE] == "#123456"


def test_twenty_classes_removed_one_by_one_stay_apart() -> None:
    table = ClassTable()
    layer: dict[str, str] = {}
    for k in range(20):
        table.set_text(f"class {k}, class {k + 1}")
        layer |= colors(table)
        table.adopt_colors(layer)
    assert len(set(layer.values())) == 21
    palette = [hex_color(c) for c in shades()[0]]
    assert set(palette) <= set(layer.values())


def test_a_layer_with_more_classes_than_there_are_colours() -> None:
    table = ClassTable()
    every = [hex_color(c) for c in itertools.chain(*shades())]
    table.adopt_colors({f"old {k}": color for k, color in enumerate(every)})
    table.set_text(f"{ONE}, {TWO}, {THREE}")
    assert len(set(colors(table).values())) == 3


# --- any order of steps ------------------------------------------------------------------------

NAMES = [f"class {k}" for k in range(30)]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "remove", "move", "line"]),
        st.integers(0, 29),
        st.integers(0, 29),
    ),
    max_size=25,
)


@given(STEPS)
def test_who_stays_keeps_and_all_differ(steps: list[tuple[str, int, int]]) -> None:
    table = ClassTable()
    for what, one, other in steps:
        before = colors(table)
        names = list(before)
        if what == "add" and NAMES[one] not in before:
            table.add(NAMES[one], at=other)
        elif what == "remove" and names:
            table.remove([key(table, names[one % len(names)])])
        elif what == "move" and names:
            table.move(key(table, names[one % len(names)]), other)
        elif what == "line":
            table.set_text(", ".join(NAMES[min(one, other) : max(one, other)]))
        after = colors(table)
        assert len(set(after.values())) == len(after)
        for name in before.keys() & after.keys():
            assert after[name] == before[name]


# --- the next start ----------------------------------------------------------------------------


def restarted(state: WidgetState, folder: Path) -> ClassTable:
    assert remember(state, folder) is None
    again = WidgetState()
    recall(again, folder)
    return again.classes


def state_of(*names: str) -> WidgetState:
    state = WidgetState()
    state.classes.set_text(", ".join(names))
    return state


def test_colours_come_back_at_the_next_start(tmp_path: Path) -> None:
    state = state_of(TWO)
    state.classes.set_text(f"{ONE}, {TWO}, background")
    before = colors(state.classes)
    assert before[TWO] == WANTED
    table = restarted(state, tmp_path)
    assert colors(table) == before
    assert all(row.color is None for row in table.rows)


def test_the_colour_of_a_class_that_went_comes_back_at_the_next_start(tmp_path: Path) -> None:
    state = state_of(ONE)
    state.classes.set_text(f"{ONE}, {TWO}")
    before = colors(state.classes)
    state.classes.set_text("grass")
    table = restarted(state, tmp_path)
    table.set_text(f"{TWO}, grass")
    assert colors(table)[TWO] == before[TWO]
    # One that is kept for another class, but is shown by one that is there, is not given.
    table.set(key(table, "grass"), color=WANTED)
    table.add(ONE)
    assert colors(table)[ONE] != WANTED


def test_only_the_last_are_kept(tmp_path: Path) -> None:
    state = WidgetState()
    for k in range(MAX_KEPT + 20):
        state.classes.replace([ClassPrompt(f"class {k}")])
    state.classes.replace([ClassPrompt("class 400")])
    state.classes.replace([ClassPrompt("x" * (MAX_NAME + 1))])
    remember(state, tmp_path)
    kept = json.loads((tmp_path / "widget.json").read_text())["colors"]
    assert len(kept) == MAX_KEPT
    assert list(kept)[-1] == "class 400"
    assert list(kept)[:2] == ["class 20", "class 21"]
    assert list(restarted(state, tmp_path).kept_colors().items()) == list(kept.items())


def test_the_file_can_be_read_again_whatever_the_names_are(tmp_path: Path) -> None:
    state = WidgetState()
    for k in range(MAX_KEPT):
        state.classes.replace([ClassPrompt("\U0001f98a" * (MAX_NAME - 3) + f"{k:03}")])
    assert len(restarted(state, tmp_path).kept_colors()) == MAX_KEPT


@pytest.mark.parametrize(
    "damaged",
    [
        None, 7, "red", [], [["cat", "#112233"]],
        {"dog": "red", "cow": 3, "hen": None, "": "#112233", " ": "#112233", "owl": "#11223",
         "fox": ["#112233"], "\ud800": "#112233", "x" * 5000: "#112233"},
    ],
)  # fmt: skip
def test_a_damaged_file_loses_only_what_is_wrong(damaged: Any, tmp_path: Path) -> None:
    good = {"cat": "#112233"} if isinstance(damaged, dict) else {}
    content = {
        "classes": [{"name": "cat"}, {"name": "dog"}],
        "colors": {**good, **damaged} if good else damaged,
    }
    (tmp_path / "widget.json").write_text(json.dumps(content))
    state = WidgetState()
    recall(state, tmp_path)
    cat, dog = by_name("cat", "dog") if not good else ("#112233", *by_name("dog"))
    assert colors(state.classes) == {"cat": cat, "dog": dog}
    assert set(state.classes.kept_colors()) == {"cat", "dog"}


def test_two_that_keep_one_colour_differ(tmp_path: Path) -> None:
    content = {
        "classes": [{"name": "dog"}, {"name": "cat"}],
        "colors": {"cat": "#112233", "dog": "#112233"},
    }
    found: list[dict[str, str]] = []
    for classes in (content["classes"], content["classes"][::-1]):  # type: ignore[index]
        (tmp_path / "widget.json").write_text(json.dumps({**content, "classes": classes}))
        state = WidgetState()
        recall(state, tmp_path)
        found.append(colors(state.classes))
    assert found[0] == found[1]
    assert len(set(found[0].values())) == 2


@given(st.permutations(range(20)))
def test_a_table_alone_has_the_colours_of_the_names(order: Sequence[int]) -> None:
    names = [f"class {k}" for k in order]
    assert tuple(colors(table_of(*names)).values()) == by_name(*names)

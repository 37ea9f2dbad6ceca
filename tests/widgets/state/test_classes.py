"""The line and the table of classes in step, and ids that mean the same for ever."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sclip.colors import hex_color
from napari_sclip.errors import ClassesError
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, parse_classes
from napari_sclip.widgets.state.classes import ClassRow, ClassTable

LINE = "cat, grass = lawn | meadow, background"


def table_of(text: str) -> ClassTable:
    table = ClassTable()
    table.set_text(text)
    return table


def type_into(table: ClassTable, text: str) -> None:
    """Type at the end of the line, one letter after another."""
    for letter in text:
        table.set_text(table.text + letter)


def delete_from(table: ClassTable, count: int) -> None:
    for _ in range(count):
        table.set_text(table.text[:-1])


def names(table: ClassTable) -> list[str]:
    return [row.name for row in table.rows]


def ids(table: ClassTable) -> dict[str, int]:
    return {row.name: row.id for row in table.rows}


def row(table: ClassTable, name: str) -> ClassRow:
    (found,) = [row for row in table.rows if row.name == name]
    return found


def key(table: ClassTable, name: str) -> int:
    return row(table, name).key


class Listener:
    """Writes down what a table tells."""

    def __init__(self, table: ClassTable) -> None:
        self.heard: list[object] = []
        table.changed.connect(lambda: self.heard.append("changed"))
        table.look_changed.connect(lambda: self.heard.append("look"))
        table.renamed.connect(lambda old, new: self.heard.append((old, new)))

    def of(self, action: Callable[[], object]) -> list[object]:
        self.heard.clear()
        action()
        return list(self.heard)


def test_the_line_becomes_rows() -> None:
    table = table_of(LINE)
    assert [(r.name, r.prompts, r.background, r.visible, r.color, r.id) for r in table.rows] == [
        ("cat", (), False, True, None, 1),
        ("grass", ("lawn", "meadow"), False, True, None, 2),
        ("background", (), True, True, None, 0),
    ]
    assert table.classes() == parse_classes(LINE)
    assert table.ids() == (1, 2, 0)
    assert table.why_not() is None
    assert table.text == LINE


def test_typing_letter_by_letter_makes_the_same_table() -> None:
    table = ClassTable()
    type_into(table, LINE)
    assert table.classes() == parse_classes(LINE)
    assert table.ids() == (1, 2, 0)


def test_nothing_yet() -> None:
    table = ClassTable()
    assert table.rows == ()
    assert table.text == ""
    assert table.problems() == {}
    assert table.why_not() == "Type what you want to see labelled, for example 'cat, grass'."
    with pytest.raises(ClassesError, match="Expected at least one class"):
        table.classes()


@pytest.mark.parametrize("text", ["cat,", "cat, ", "cat,,dog", ",cat", "cat ,\n"])
def test_empty_parts_are_quiet(text: str) -> None:
    table = table_of(text)
    assert table.problems() == {}
    assert table.why_not() is None
    assert table.text == text


def test_only_the_background() -> None:
    table = table_of("background")
    assert table.problems() == {}
    assert table.why_not() == "Add a class besides the background."
    with pytest.raises(ClassesError, match="besides the background"):
        table.classes()


def test_a_double_is_a_problem_of_both() -> None:
    table = table_of("cat, dog, cat")
    first, _, last = table.rows
    reason = "'cat' is there twice. Give each class a name of its own."
    assert table.problems() == {first.key: {"name": reason}, last.key: {"name": reason}}
    assert table.why_not() == reason
    assert first.id != last.id
    table.set(last.key, name="cow")
    assert table.problems() == {}


@pytest.mark.parametrize(
    ("text", "field", "reason"),
    [
        ("cat, lawn | meadow", "name", "Write a name and '='"),
        ("cat, = lawn", "name", "Write a name and '='"),
        ("cat, grass =", "prompts", "at least one phrase"),
        ("cat, grass = a = b", "prompts", "only one '='"),
    ],
)
def test_half_a_definition_is_a_row_with_a_problem(text: str, field: str, reason: str) -> None:
    table = table_of(text)
    assert len(table.rows) == 2
    problems = table.problems()[table.rows[1].key]
    assert list(problems) == [field]
    assert reason in problems[field]
    with pytest.raises(ClassesError, match="Expected 'name = prompt"):
        table.classes()
    # What was typed is not lost when the table writes the line.
    table.move(table.rows[1].key, 0)
    assert table.text == ", ".join(reversed(text.split(", ")))
    assert table.why_not() is not None


def test_half_a_definition_is_mended_in_the_table() -> None:
    table = table_of("lawn | meadow")
    (grass,) = table.rows
    assert (grass.name, grass.prompts) == ("", ("lawn", "meadow"))
    table.set(grass.key, name="grass")
    assert table.why_not() is None
    assert table.text == "grass = lawn | meadow"


def test_a_new_row_wants_a_name() -> None:
    table = table_of("cat")
    added = table.add()
    assert table.rows[1] == ClassRow(added, "", (), None, False, True, 2)
    assert table.problems() == {added: {"name": "Give this class a name, or remove it."}}
    with pytest.raises(ClassesError, match="A class needs a name"):
        table.classes()
    table.set(added, name=" red   circle ")
    assert names(table) == ["cat", "red circle"]
    assert table.why_not() is None


def test_text_that_is_no_unicode() -> None:
    table = table_of("caf\udce9, tea")
    assert "no Unicode" in (table.why_not() or "")
    assert len(table.colors()) == 2
    with pytest.raises(ClassesError, match="no Unicode"):
        table.classes()


# --- ids -------------------------------------------------------------------------------------


def test_moving_changes_no_id() -> None:
    table = table_of("cat, dog, cow")
    before = {r.key: r.id for r in table.rows}
    table.move(key(table, "cow"), 0)
    assert names(table) == ["cow", "cat", "dog"]
    table.move(key(table, "cow"), 99)
    table.move(key(table, "dog"), -1)
    assert names(table) == ["dog", "cat", "cow"]
    assert {r.key: r.id for r in table.rows} == before
    assert table.text == "dog, cat, cow"


def test_several_rows_move_together() -> None:
    table = table_of("a, b, c, d")
    both = [key(table, "b"), key(table, "d")]
    listener = Listener(table)
    assert listener.of(lambda: table.shift(both, -1)) == ["changed"]
    assert names(table) == ["b", "a", "d", "c"]
    table.shift(both, -1)
    assert names(table) == ["b", "d", "a", "c"]
    assert listener.of(lambda: table.shift(both, -1)) == []
    table.shift(both, 1)
    assert names(table) == ["a", "b", "d", "c"]


def test_removing_renumbers_nothing() -> None:
    table = table_of("cat, dog, cow")
    table.remove([key(table, "cat")])
    assert ids(table) == {"dog": 2, "cow": 3}
    table.add("cat", at=0)
    assert ids(table) == {"cat": 4, "dog": 2, "cow": 3}


def test_a_cleared_table_counts_from_one() -> None:
    table = table_of("cat, dog")
    table.clear()
    assert table.rows == ()
    table.set_text("cow")
    assert ids(table) == {"cow": 1}


def test_the_background_gets_its_id_back() -> None:
    table = table_of("cat, wall, dog")
    wall = key(table, "wall")
    table.set(wall, background=True)
    assert table.ids() == (1, 0, 3)
    table.add("cow")
    assert ids(table)["cow"] == 4
    table.set(wall, background=False)
    assert table.ids() == (1, 2, 3, 4)


def test_there_is_one_background() -> None:
    table = table_of("cat, wall, dog")
    table.set(key(table, "wall"), background=True)
    table.set(key(table, "cat"), background=True)
    assert table.ids() == (0, 2, 3)
    assert [c.background for c in table.classes()] == [True, False, False]
    table.set(key(table, "dog"), name="background")
    assert table.ids() == (1, 2, 0)


def test_a_class_named_background_is_the_background() -> None:
    table = table_of("cat, Background")
    background = key(table, "Background")
    table.set(background, background=False)
    assert table.ids() == (1, 0)
    # Another one beside it is a contradiction, which is told and not decided.
    table.set(key(table, "cat"), background=True)
    assert set(table.problems()) == {r.key for r in table.rows}
    assert table.why_not() == "Only one class can be the background: 'cat' or 'Background'."
    table.set(background, name="wall")
    assert names(table) == ["cat", "wall"]
    assert table.ids() == (1, 0)


def test_a_background_is_still_one_when_it_is_renamed_in_the_table() -> None:
    table = table_of("cat, background")
    table.set(key(table, "background"), name="wall")
    assert table.ids() == (1, 0)
    table.set(key(table, "wall"), background=False)
    assert table.ids() == (1, 2)


def test_typing_past_background_leaves_the_other_background_alone() -> None:
    table = table_of("cat, wall")
    table.set(key(table, "wall"), background=True)
    type_into(table, ", background")
    assert "Only one class" in (table.why_not() or "")
    type_into(table, " tissue")
    assert table.why_not() is None
    assert ids(table) == {"cat": 1, "wall": 0, "background tissue": 3}


# --- the line is edited ----------------------------------------------------------------------


def test_typing_a_name_is_one_row() -> None:
    table = ClassTable()
    type_into(table, "c")
    (first,) = table.rows
    type_into(table, "at, dog")
    delete_from(table, 3)
    type_into(table, "cow")
    assert names(table) == ["cat", "cow"]
    assert table.rows[0].key == first.key
    assert table.ids() == (1, 2)


def test_rows_are_known_by_name_and_keep_what_is_theirs() -> None:
    table = table_of("cat, grass = lawn, sky")
    table.set(key(table, "grass"), color="red")
    table.set(key(table, "grass"), visible=False)
    before = row(table, "grass")
    table.set_text("sky, grass = lawn, tree, cat")
    assert row(table, "grass") == before
    assert ids(table) == {"sky": 3, "grass": 2, "tree": 4, "cat": 1}
    table.set_text("grass = meadow")
    assert row(table, "grass").prompts == ("meadow",)
    assert row(table, "grass").color == "#ff0000"
    table.set_text("grass")
    assert row(table, "grass").prompts == ()


def test_typing_in_front_of_a_class_does_not_take_its_colour() -> None:
    table = table_of("cat, dog")
    table.set(key(table, "cat"), color="red")
    before = row(table, "cat")
    for k in range(1, 7):
        table.set_text("tree, "[:k] + "cat, dog")
    assert row(table, "cat") == before
    assert row(table, "tree").color is None
    assert names(table) == ["tree", "cat", "dog"]


def test_another_class_in_the_place_of_one_does_not_take_its_look() -> None:
    table = table_of("wall, dog")
    table.set(key(table, "wall"), background=True)
    table.set(key(table, "wall"), visible=False, color="red")
    table.set_text("t, dog")
    assert table.rows[0] == ClassRow(table.rows[0].key, "t", (), None, False, True, 1)


def test_a_row_whose_name_is_edited_keeps_its_look() -> None:
    table = table_of("dog, cat")
    table.set(key(table, "cat"), color="red")
    cat = row(table, "cat")
    type_into(table, "s")
    assert row(table, "cats") == ClassRow(cat.key, "cats", (), "#ff0000", False, True, 2)
    table.set_text("dog, a = cats")
    table.set_text("dog, ca = cats")
    assert row(table, "ca").key == cat.key


def test_the_first_of_two_doubles_is_edited() -> None:
    table = table_of("cat, cat")
    keys = [r.key for r in table.rows]
    table.set_text("cats, cat")
    assert [r.key for r in table.rows] == keys


def test_an_equal_line_changes_nothing() -> None:
    table = table_of("cat, dog")
    listener = Listener(table)
    assert listener.of(lambda: table.set_text("cat, dog")) == []
    assert listener.of(lambda: table.set_text("cat, dog,")) == ["changed"]


# --- what the line cannot hold ---------------------------------------------------------------


def test_a_name_with_a_comma_makes_the_line_a_summary() -> None:
    table = table_of("salt, cat = kitten")
    assert not table.text_is_summary
    table.set(key(table, "salt"), name="salt, pepper")
    assert table.text_is_summary
    assert table.text == "salt, pepper · cat"
    assert table.classes() == (ClassPrompt("salt, pepper"), ClassPrompt("cat", ("kitten",)))
    table.set_text(table.text)  # as it stands: nothing is read from it
    assert names(table) == ["salt, pepper", "cat"]
    table.set(key(table, "salt, pepper"), name="salt and pepper")
    assert not table.text_is_summary
    assert table.text == "salt and pepper, cat = kitten"


def test_a_name_with_a_semicolon_is_edited_in_the_table() -> None:
    table = table_of("salt, cat")
    table.set(key(table, "salt"), name="salt; pepper")
    assert table.why_not() is None
    assert table.text_is_summary
    assert table.classes()[0] == ClassPrompt("salt; pepper")


def test_prompts_with_a_comma_stay_though_the_line_does_not_show_them() -> None:
    table = table_of("cat, dog")
    table.set(key(table, "cat"), prompts=["a cat, asleep"])
    assert not table.text_is_summary
    assert table.text == "cat, dog"
    type_into(table, "s")
    assert row(table, "cat").prompts == ("a cat, asleep",)
    table.set_text("cat = kitten, dogs")
    assert row(table, "cat").prompts == ("kitten",)


def test_a_background_of_another_name_stays_one() -> None:
    table = table_of("cat, wall")
    table.set(key(table, "wall"), background=True)
    assert table.text == "cat, wall"
    table.set_text("cat, wall, dog")
    assert ids(table) == {"cat": 1, "wall": 0, "dog": 3}


def test_phrases_alone_that_the_line_cannot_hold() -> None:
    table = ClassTable()
    added = table.add()
    table.set(added, prompts=["a, b"])
    assert table.text_is_summary
    assert table.text == "a, b"


# --- looks -----------------------------------------------------------------------------------


def test_colours_are_those_of_the_labels() -> None:
    table = table_of("cat, grass, cat, background")
    table.remove([table.rows[2].key])
    table.set(key(table, "cat"), color=" Red ")
    colors = table.colors()
    assert row(table, "cat").color == "#ff0000"
    expected = [hex_color(c) for c in class_colors(table.classes())]
    assert [colors[r.key] for r in table.rows] == expected
    table.set(key(table, "cat"), color=None)
    assert row(table, "cat").color is None


def test_a_row_without_a_name_takes_no_colour_from_the_others() -> None:
    table = table_of("cat, grass, sky, tree")
    before = table.colors()
    added = table.add(at=0)
    after = table.colors()
    assert {k: after[k] for k in before} == before
    assert after[added] not in before.values()


def test_doubles_have_colours() -> None:
    table = table_of("cat, cat, , lawn | meadow")
    assert set(table.colors()) == {r.key for r in table.rows}


def test_no_colour() -> None:
    table = table_of("cat")
    with pytest.raises(ClassesError, match="Expected a colour name"):
        table.set(key(table, "cat"), color="reddish")
    assert row(table, "cat").color is None


def test_hidden() -> None:
    table = table_of("cat, dog")
    assert table.hidden() == frozenset()
    table.set(key(table, "dog"), visible=False)
    assert table.hidden() == {"dog"}
    assert table.why_not() is None


# --- signals ---------------------------------------------------------------------------------


def test_what_is_told() -> None:
    table = table_of("cat, dog")
    cat = key(table, "cat")
    listener = Listener(table)
    assert listener.of(lambda: table.set(cat, color="red")) == ["look", "changed"]
    assert listener.of(lambda: table.set(cat, color="#ff0000")) == []
    assert listener.of(lambda: table.set(cat, visible=False)) == ["look", "changed"]
    assert listener.of(lambda: table.set(cat, background=True)) == ["changed"]
    assert listener.of(lambda: table.set(cat, prompts=["kitten", "kitten", " "])) == ["changed"]
    assert listener.of(lambda: table.set(cat, prompts=["kitten"])) == []
    assert listener.of(lambda: table.set(cat, name="feline")) == [("cat", "feline"), "changed"]
    assert listener.of(lambda: table.set(cat, name="feline")) == []
    assert listener.of(lambda: table.set_text("feline, dogs")) == ["changed"]
    assert listener.of(lambda: table.move(cat, 1)) == ["changed"]
    assert listener.of(table.add) == ["changed"]
    assert listener.of(lambda: table.remove([])) == []
    assert listener.of(table.clear) == ["changed"]
    assert listener.of(table.clear) == []


def test_listeners_see_the_new_state() -> None:
    table = table_of("cat")
    seen = []
    table.renamed.connect(lambda old, new: seen.append((new, names(table), table.text)))
    table.set(key(table, "cat"), name="dog")
    assert seen == [("dog", ["dog"], "dog")]


def test_no_name_that_is_empty_or_there_twice_is_told() -> None:
    table = table_of("cat, dog")
    cat, dog = (r.key for r in table.rows)
    listener = Listener(table)
    assert listener.of(lambda: table.set(cat, name="dog")) == ["changed"]
    assert listener.of(lambda: table.set(cat, name="cow")) == ["changed"]
    assert listener.of(lambda: table.set(dog, name="")) == ["changed"]
    assert listener.of(lambda: table.set(dog, name="hen")) == ["changed"]


# --- ids that a Labels layer knows -----------------------------------------------------------


def test_adopting_the_ids_of_a_layer() -> None:
    table = table_of("cat, dog, tree, background")
    table.adopt({"dog": 7, "sky": 9, "background": 0})
    assert ids(table) == {"cat": 10, "dog": 7, "tree": 11, "background": 0}
    listener = Listener(table)
    assert listener.of(lambda: table.adopt({"dog": 7, "sky": 9})) == []
    assert listener.of(lambda: table.adopt({})) == ["changed"]
    assert ids(table) == {"cat": 1, "dog": 2, "tree": 3, "background": 0}


def test_new_rows_get_no_id_that_may_be_painted() -> None:
    table = table_of("cat, dog")
    table.adopt({"cat": 1, "dog": 2})
    table.reserve([7])
    key = table.add("tree")
    assert ids(table)["tree"] == 8
    table.adopt({"cat": 1, "dog": 2}, again=True)
    assert ids(table) == {"cat": 1, "dog": 2, "tree": 8}
    table.set(key, name="bush")
    assert ids(table)["bush"] == 8
    table.adopt({"cat": 1, "dog": 2, "bird": 8}, again=True)
    assert ids(table) == {"cat": 1, "dog": 2, "bush": 9}
    table.adopt({"cat": 1})
    assert ids(table) == {"cat": 1, "dog": 2, "bush": 3}
    table.reserve([1, 4, 255])  # a layer of bytes could not hold 256
    table.add("moss")
    table.add("fern")
    assert ids(table) == {"cat": 1, "dog": 2, "bush": 3, "moss": 5, "fern": 6}


def test_a_known_id_belongs_to_its_name_while_typing() -> None:
    table = table_of("cat, dog")
    table.adopt({"cat": 1, "dog": 2})
    type_into(table, "s")
    assert ids(table) == {"cat": 1, "dogs": 3}
    type_into(table, "led")
    assert ids(table) == {"cat": 1, "dogsled": 3}
    delete_from(table, 4)
    assert ids(table) == {"cat": 1, "dog": 2}
    table.set_text("cat")
    table.set_text("cat, tree, dog")
    assert ids(table) == {"cat": 1, "tree": 3, "dog": 2}


def test_a_row_that_is_removed_leaves_its_known_id_to_its_name() -> None:
    table = table_of("cat, dog")
    table.adopt({"cat": 1, "dog": 2})
    table.remove([key(table, "dog")])
    table.add("tree")
    table.add("dog")
    assert ids(table) == {"cat": 1, "tree": 3, "dog": 2}


def test_renaming_in_the_table_takes_the_known_id_along() -> None:
    table = table_of("cat, dog")
    table.adopt({"cat": 1, "dog": 2})
    listener = Listener(table)
    rename = listener.of(lambda: table.set(key(table, "cat"), name="feline"))
    assert rename == [("cat", "feline"), "changed"]
    assert ids(table) == {"feline": 1, "dog": 2}
    table.set_text("feline, dog, cat")
    assert ids(table) == {"feline": 1, "dog": 2, "cat": 3}
    table.set_text("f, dog, cat")
    assert ids(table)["f"] == 4
    table.set_text("feline, dog, cat")
    assert ids(table)["feline"] == 1


def test_a_known_class_renamed_to_a_double_is_told_when_that_is_gone() -> None:
    table = table_of("cat, dog")
    cat, dog = (r.key for r in table.rows)
    table.adopt({"cat": 1, "dog": 2})
    listener = Listener(table)
    assert listener.of(lambda: table.set(cat, name="dog")) == ["changed"]
    assert table.ids() == (1, 2)
    resolved = listener.of(lambda: table.set(dog, name="hen"))
    assert resolved == [("dog", "hen"), ("cat", "dog"), "changed"]
    assert ids(table) == {"dog": 1, "hen": 2}


def test_names_swapped_are_rows_swapped() -> None:
    table = table_of("cat, dog")
    cat, dog = (r.key for r in table.rows)
    table.adopt({"cat": 1, "dog": 2})
    listener = Listener(table)
    table.set(cat, name="dog")
    assert listener.of(lambda: table.set(dog, name="cat")) == ["changed"]
    assert ids(table) == {"dog": 2, "cat": 1}


def test_renaming_to_a_class_that_the_layer_has_means_that_class() -> None:
    table = table_of("cat")
    table.adopt({"cat": 1, "dog": 2})
    listener = Listener(table)
    assert listener.of(lambda: table.set(key(table, "cat"), name="dog")) == ["changed"]
    assert ids(table) == {"dog": 2}


def test_the_second_of_two_doubles_does_not_speak_for_the_layer() -> None:
    table = table_of("cat, cat")
    table.adopt({"cat": 1})
    listener = Listener(table)
    assert listener.of(lambda: table.set(table.rows[1].key, name="dog")) == ["changed"]
    assert ids(table) == {"cat": 1, "dog": 2}


def test_the_first_of_two_doubles_goes_and_the_other_is_the_class_of_the_layer() -> None:
    table = table_of("cat, cat")
    table.adopt({"cat": 1})
    table.remove([table.rows[0].key])
    assert ids(table) == {"cat": 1}


# --- other classes ---------------------------------------------------------------------------


def test_replace() -> None:
    table = table_of("sun, moon, stars")
    own = ClassPrompt("wall", ("brick", "stone"), background=True, color="red")
    listener = Listener(table)
    assert listener.of(lambda: table.replace([ClassPrompt("cat"), own], {"cat"})) == ["changed"]
    assert table.classes() == (
        ClassPrompt("cat"),
        ClassPrompt("wall", ("brick", "stone"), background=True, color="#ff0000"),
    )
    assert table.rows[0].prompts == ()
    assert table.ids() == (1, 0)
    assert table.hidden() == {"cat"}
    assert table.text == "cat, wall = brick | stone"


def test_replace_keeps_to_known_ids() -> None:
    table = table_of("cat, dog")
    table.adopt({"cat": 1, "dog": 2})
    table.replace([ClassPrompt("hen"), ClassPrompt("dog")])
    assert ids(table) == {"hen": 3, "dog": 2}


# --- whatever a person does ------------------------------------------------------------------

NAMES = st.sampled_from(
    ["cat", "dog", "background", "a, b", "", "Background", "x = y", "ca", "a; b"]
)
TEXTS = st.text(st.sampled_from("ab,;=| c"), max_size=12) | st.sampled_from(
    ["cat, dog", "dog, cat", "cat, cat", "background, cat", "cat = a | b, dog", "ca, dog", ""]
)
ACTIONS = st.one_of(
    st.tuples(st.just("type"), TEXTS),
    st.tuples(st.just("add"), NAMES, st.none() | st.integers(0, 5)),
    st.tuples(st.just("remove"), st.integers(0, 5)),
    st.tuples(st.just("move"), st.integers(0, 5), st.integers(-1, 6)),
    st.tuples(st.just("shift"), st.sets(st.integers(0, 5)), st.sampled_from([-1, 1])),
    st.tuples(st.just("rename"), st.integers(0, 5), NAMES),
    st.tuples(st.just("prompts"), st.integers(0, 5), st.lists(NAMES, max_size=2)),
    st.tuples(st.just("background"), st.integers(0, 5), st.booleans()),
    st.tuples(st.just("replace"), st.lists(NAMES.filter(bool), max_size=3)),
    st.tuples(
        st.just("adopt"),
        st.dictionaries(NAMES.filter(bool), st.integers(1, 9), max_size=4).filter(
            lambda ids: len(set(ids.values())) == len(ids)
        ),
    ),
    st.tuples(st.just("clear")),
)


def act(table: ClassTable, action: tuple) -> None:  # type: ignore[type-arg]  # a mix
    """Do what a person may do; positions that are not there mean nothing."""
    kind, *values = action
    keys = [row.key for row in table.rows]
    here = [keys[k] for k in values[:1] if isinstance(k, int) and k < len(keys)]
    of_the_table: dict[str, Callable[[], object]] = {
        "type": lambda: table.set_text(values[0]),
        "add": lambda: table.add(values[0], at=values[1]),
        "replace": lambda: table.replace([ClassPrompt(name) for name in values[0]]),
        "adopt": lambda: table.adopt(values[0]),
        "clear": table.clear,
        "shift": lambda: table.shift([keys[k] for k in values[0] if k < len(keys)], values[1]),
        "remove": lambda: table.remove(here),
    }
    of_a_row: dict[str, Callable[[int], object]] = {
        "move": lambda k: table.move(k, values[1]),
        "rename": lambda k: table.set(k, name=values[1]),
        "prompts": lambda k: table.set(k, prompts=values[1]),
        "background": lambda k: table.set(k, background=values[1]),
    }
    if kind in of_the_table:
        of_the_table[kind]()
    else:
        for k in here:
            of_a_row[kind](k)


@settings(max_examples=300)
@given(st.lists(ACTIONS, max_size=12))
def test_whatever_is_done_ids_mean_one_class(actions: list[tuple[object, ...]]) -> None:
    table = ClassTable()
    layer: dict[str, int] = {}
    table.renamed.connect(
        lambda old, new: layer.update({new: layer.pop(old)} if old in layer else {})
    )
    for action in actions:
        before = {r.key: (r.name, r.id) for r in table.rows}
        act(table, action)
        if action[0] == "adopt":
            layer = dict(action[1])  # type: ignore[call-overload]  # a mix
        rows = table.rows
        assert len({r.key for r in rows}) == len(rows)
        labels = [r.id for r in rows if not r.background]
        assert len(set(labels)) == len(labels)
        assert all((r.id == 0) == r.background for r in rows)
        if action[0] in ("move", "shift"):
            assert {r.key: (r.name, r.id) for r in rows} == before
        try:
            classes = table.classes()
        except ClassesError:
            assert table.why_not() is not None
        else:
            assert table.why_not() is None
            assert [c.name for c in classes] == [r.name for r in rows]
            assert table.ids() == tuple(r.id for r in rows)
            # The layer that was adopted, renamed as it was told, agrees with the table.
            known = [r for r in rows if r.name in layer and not r.background]
            assert [r.id for r in known] == [layer[r.name] for r in known]
            assert not {r.id for r in rows if r.name not in layer} & set(layer.values())
        assert set(table.colors()) == {r.key for r in rows}


@given(TEXTS)
def test_a_line_is_as_good_as_parse_classes_finds_it(text: str) -> None:
    table = table_of(text)
    try:
        expected = parse_classes(text)
    except ClassesError:
        with pytest.raises(ClassesError):
            table.classes()
        assert table.why_not() is not None
    else:
        assert table.classes() == expected
        assert table.why_not() is None


@given(TEXTS, st.lists(NAMES, max_size=3))
def test_the_line_that_the_table_writes_is_read_as_the_same_table(
    text: str, added: list[str]
) -> None:
    table = table_of(text)
    for name in added:
        table.add(name)
    table.add("last")
    if table.text_is_summary or any(not r.name for r in table.rows):
        return
    again = table_of(table.text)
    assert [(r.name, r.prompts) for r in again.rows] == [(r.name, r.prompts) for r in table.rows]

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.models.registry import MODELS
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.store import FIELDS, recall, remember
from napari_sclip.widgets.state.widget import WidgetState

CHOSEN: dict[str, dict[str, Any]] = {
    "model": {
        "name": "own-file", "weights": "/models/mine é.pt", "architecture": "ViT-L-14",
        "device": "cuda:1", "precision": "fp16", "attention": "sclip-reduced:full",
    },
    "detail": {
        "level": "custom", "short_side": None, "window": 64, "stride": 32, "threshold": 0.25,
        "min_area_fraction": 0.125, "templates": "plain", "average_on": "patches",
        "refine": "guided-filter", "min_region_pixels": 64, "max_hole_pixels": 16,
    },
    "image": {"contrast": "percentiles", "percentile_low": 2.5, "percentile_high": 97.0},
    "run": {"partial": False, "live": True},
}  # fmt: skip
"""Something else than the default in every field."""
CLASSES = [
    {"name": "Wände, alt", "prompts": ["wall", "a|b"], "color": "#123456", "background": True,
     "visible": True},
    {"name": "leaf", "prompts": [], "color": None, "background": False, "visible": False},
]  # fmt: skip


def kept(state: WidgetState) -> dict[str, Any]:
    """All of a state that is to be remembered."""
    values: dict[str, Any] = {
        section: {name: getattr(getattr(state, section), name) for name in fields}
        for section, fields in CHOSEN.items()
    }
    values["classes"] = [
        (row.name, row.prompts, row.color, row.background, row.visible)
        for row in state.classes.rows
    ]
    return values


def recalled(content: object, folder: Path) -> WidgetState:
    """A new state after a file was recalled."""
    (folder / "widget.json").write_text(json.dumps(content))
    state = WidgetState()
    recall(state, folder)
    return state


def chosen_state() -> WidgetState:
    state = WidgetState()
    for section, values in CHOSEN.items():
        for name, value in values.items():
            assert getattr(getattr(state, section), name) != value
            setattr(getattr(state, section), name, value)
    state.classes.replace(
        [ClassPrompt("Wände, alt", ("wall", "a|b"), True, "#123456"), ClassPrompt("leaf")],
        hidden=["leaf"],
    )
    return state


def test_every_choice_comes_back(tmp_path: Path) -> None:
    before = chosen_state()
    assert remember(before, tmp_path / "new" / "folder") is None
    after = WidgetState()
    recall(after, tmp_path / "new" / "folder")
    assert kept(after) == kept(before)
    assert after.classes.ids() == (0, 1)
    assert kept(recalled({**CHOSEN, "classes": CLASSES}, tmp_path)) == kept(before)


def test_the_fields_of_these_tests_are_all_there_are() -> None:
    assert {s: set(fields) for s, fields in FIELDS.items()} == {
        s: set(fields) for s, fields in CHOSEN.items()
    }


def test_what_belongs_to_one_image_is_forgotten(tmp_path: Path) -> None:
    before = chosen_state()
    before.image.channel, before.image.region, before.image.planes = 2, "view", "all"
    before.image.shapes, before.image.channels = "roi", "displayed"
    before.run.target, before.run.notice = "new", "done"
    remember(before, tmp_path)
    after = WidgetState()
    recall(after, tmp_path)
    assert (after.image.channel, after.image.region, after.image.planes) == (
        None, "plane", "current",
    )  # fmt: skip
    assert (after.image.shapes, after.image.channels) == (None, "layer")
    assert (after.run.target, after.run.notice) == ("auto", "")


PIXELS = st.none() | st.integers(1, 100_000)
SHARE = st.floats(0, 1)
VALUES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "model": {
        "name": st.sampled_from([*(m.name for m in MODELS), "own-file"]),
        "weights": st.text(st.characters(exclude_characters="\0")),
        "architecture": st.text(st.characters(exclude_characters="\0")),
        "device": st.sampled_from(["auto", "cpu", "mps", "cuda", "cuda:3"]),
        "precision": st.sampled_from(["auto", "fp32", "fp16", "bf16"]),
        "attention": st.sampled_from(["auto", "sclip", "sclip-reduced", "naclip:full"]),
    },
    "detail": {
        "level": st.sampled_from(["coarse", "medium", "fine", "custom"]),
        "short_side": PIXELS, "window": PIXELS, "stride": PIXELS,
        "threshold": SHARE, "min_area_fraction": SHARE,
        "templates": st.sampled_from(["imagenet", "plain"]),
        "average_on": st.sampled_from(["pixels", "patches"]),
        "refine": st.sampled_from(["", "pamr", "guided-filter"]),
        "min_region_pixels": st.integers(0, 10**6), "max_hole_pixels": st.integers(0, 10**6),
    },
    "image": {
        "contrast": st.sampled_from(["limits", "percentiles", "full"]),
        "percentile_low": st.floats(0, 100), "percentile_high": st.floats(0, 100),
    },
    "run": {"partial": st.booleans(), "live": st.booleans()},
}  # fmt: skip
PHRASE = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
COLOR = st.none() | st.from_regex(r"#[0-9a-f]{6}", fullmatch=True)


@given(
    values=st.fixed_dictionaries({s: st.fixed_dictionaries(f) for s, f in VALUES.items()}),
    classes=st.lists(
        st.tuples(PHRASE, st.lists(PHRASE, max_size=3), st.booleans(), COLOR, st.booleans()),
        max_size=4,
    ),
)
def test_recalling_gives_what_was_remembered(
    values: dict[str, dict[str, Any]], classes: list[tuple[str, list[str], bool, str, bool]]
) -> None:
    before, after = WidgetState(), WidgetState()
    for section, fields in values.items():
        for name, value in fields.items():
            setattr(getattr(before, section), name, value)
    before.classes.replace([ClassPrompt(c[0], tuple(c[1]), c[2], c[3]) for c in classes])
    for row, item in zip(before.classes.rows, classes, strict=True):
        before.classes.set(row.key, visible=item[4])
    with TemporaryDirectory() as folder:
        assert remember(before, Path(folder)) is None
        recall(after, Path(folder))
    assert kept(after) == kept(before)


WRONG: list[tuple[str, str, list[Any]]] = [
    ("model", "name", ["", "no/such-model", None, 3, ["own-file"]]),
    ("model", "weights", [None, 3, "a\0b", "x" * 5000, {}]),
    ("model", "architecture", [None, True, "\0"]),
    ("model", "device", ["tpu", "cuda:", "cuda:x", "cpu\n", None, 0]),
    ("model", "precision", ["fp8", None, 16]),
    ("model", "attention", ["", "two words", None, "x" * 100]),
    ("detail", "level", ["finest", None, [], {}]),
    ("detail", "short_side", [0, -3, 2.5, "336", True, 10**6, 10**400]),
    ("detail", "window", [0, 224.0, False, []]),
    ("detail", "stride", [0, "112", {}, 100_001]),
    ("detail", "threshold", [-0.1, 1.1, float("nan"), float("inf"), None, "0", True, 10**400]),
    ("detail", "min_area_fraction", [2, None, False, "1"]),
    ("detail", "templates", [["a {}"], "mine", None]),
    ("detail", "average_on", ["windows", None, ["pixels"]]),
    ("detail", "refine", ["crf", None, ["pamr"]]),
    ("detail", "min_region_pixels", [-1, 2.5, "64", True, 10**7]),
    ("detail", "max_hole_pixels", [-1, None, [], False]),
    ("image", "contrast", ["auto", None, 1]),
    ("image", "percentile_low", [-1, 101, float("nan"), None, "1", True, 10**400]),
    ("image", "percentile_high", [-1, 101, float("-inf"), [], False]),
    ("run", "partial", [1, 0, None, "yes"]),
    ("run", "live", [1, 0, None, "yes"]),
]


@pytest.mark.parametrize(
    ("section", "name", "wrong"),
    [(section, name, wrong) for section, name, values in WRONG for wrong in values],
)
def test_a_wrong_field_is_lost_and_nothing_else(
    section: str, name: str, wrong: object, tmp_path: Path
) -> None:
    content = {**CHOSEN, "classes": CLASSES, section: CHOSEN[section] | {name: wrong}}
    expected = kept(chosen_state())
    expected[section][name] = getattr(getattr(WidgetState(), section), name)
    assert kept(recalled(content, tmp_path)) == expected


def test_fields_and_sections_may_be_missing_or_unknown(tmp_path: Path) -> None:
    state = recalled(
        {"run": {"live": True, "speed": 9}, "model": ["cpu"], "detail": None, "colour": "blue"},
        tmp_path,
    )
    expected = kept(WidgetState())
    expected["run"]["live"] = True
    assert kept(state) == expected
    assert not hasattr(state.run, "speed")


def test_without_classes_in_the_file_those_of_the_state_stay(tmp_path: Path) -> None:
    state = WidgetState()
    state.classes.set_text("cat, grass")
    for content in ("{}", '{"classes": null}', '{"classes": "leaf"}'):
        (tmp_path / "widget.json").write_text(content)
        recall(state, tmp_path)
        assert state.classes.text == "cat, grass"
    (tmp_path / "widget.json").write_text('{"classes": []}')
    recall(state, tmp_path)
    assert state.classes.rows == ()


@pytest.mark.parametrize(
    "entry", [None, 5, "leaf", [], {}, {"name": ""}, {"name": " "}, {"name": 3}, {"name": "\ud800"}]
)
def test_a_class_without_a_name_is_lost_and_its_neighbours_stay(
    entry: object, tmp_path: Path
) -> None:
    state = recalled({"classes": [CLASSES[0], entry, CLASSES[1]]}, tmp_path)
    assert kept(state)["classes"] == kept(chosen_state())["classes"]


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"color": "no-colour"}, ("soil", ("mud", "earth"), None, False, True)),
        ({"color": 7}, ("soil", ("mud", "earth"), None, False, True)),
        ({"prompts": "mud"}, ("soil", (), "#ff0000", False, True)),
        ({"prompts": ["mud", 3, " ", "\ud800", "clay"]},
         ("soil", ("mud", "clay"), "#ff0000", False, True)),
        ({"background": "no"}, ("soil", ("mud", "earth"), "#ff0000", False, True)),
        ({"visible": 0}, ("soil", ("mud", "earth"), "#ff0000", False, True)),
        ({"visible": False, "background": True},
         ("soil", ("mud", "earth"), "#ff0000", True, False)),
    ],
)  # fmt: skip
def test_a_class_loses_only_what_is_wrong(
    wrong: dict[str, Any], expected: tuple[Any, ...], tmp_path: Path
) -> None:
    entry = {"name": "soil", "prompts": ["mud", "earth"], "color": "red"}
    assert kept(recalled({"classes": [entry | wrong]}, tmp_path))["classes"] == [expected]


def test_classes_of_one_name_both_come_back(tmp_path: Path) -> None:
    before, after = WidgetState(), WidgetState()
    before.classes.replace([ClassPrompt("leaf"), ClassPrompt("leaf", ("green leaf",))])
    before.classes.set(before.classes.rows[1].key, visible=False)
    remember(before, tmp_path)
    recall(after, tmp_path)
    assert kept(after)["classes"] == kept(before)["classes"]


FOREIGN: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "no text": lambda: b"\xff\xfe\x00",
    "half": lambda: json.dumps(CHOSEN).encode()[:-9],
    "list": lambda: b"[1, 2]",
    "number": lambda: b"7",
    "deep": lambda: b"[" * 200_000,
    "long number": lambda: b'{"detail": {"window": ' + b"9" * 5000 + b"}}",
    "huge": lambda: b'{"run": {"live": true}}' + b" " * 2**21,
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_a_foreign_file_changes_nothing(kind: str, tmp_path: Path) -> None:
    (tmp_path / "widget.json").write_bytes(FOREIGN[kind]())
    state = WidgetState()
    recall(state, tmp_path)
    assert kept(state) == kept(WidgetState())


def test_no_file_and_a_folder_in_its_place_change_nothing(tmp_path: Path) -> None:
    state = WidgetState()
    recall(state, tmp_path / "nowhere")
    (tmp_path / "widget.json").mkdir()
    recall(state, tmp_path)
    assert kept(state) == kept(WidgetState())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)


@given(
    content=st.fixed_dictionaries(
        {},
        optional={
            "classes": st.lists(
                JSON
                | st.fixed_dictionaries(
                    {"name": st.text(max_size=4) | JSON},
                    optional=dict.fromkeys(("prompts", "color", "background", "visible"), JSON),
                ),
                max_size=3,
            ),
            **{
                section: JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(fields, JSON))
                for section, fields in CHOSEN.items()
            },
        },
    )
)
def test_no_file_raises_and_what_it_leaves_can_be_kept(content: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        state, again = recalled(content, Path(folder)), WidgetState()
        remember(state, Path(folder))
        recall(again, Path(folder))
    assert kept(again) == kept(state)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    reason = remember(WidgetState(), tmp_path / "file" / "folder")
    assert reason is not None
    assert "widget.json could not be written" in reason


def test_the_file_in_place_survives_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(chosen_state(), tmp_path)

    def full_disk(self: Path, *args: Any, **kwargs: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    reason = remember(WidgetState(), tmp_path)
    assert reason is not None
    assert "No space left on device" in reason
    monkeypatch.undo()
    state = WidgetState()
    recall(state, tmp_path)
    assert kept(state) == kept(chosen_state())
    assert len(list(tmp_path.iterdir())) == 1

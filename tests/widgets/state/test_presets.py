"""Classes in files: what is written is read again, and what people write by hand is read too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_sclip import class_files as presets
from napari_sclip.class_files import Preset, read_preset, write_preset
from napari_sclip.engine import classifier
from napari_sclip.errors import ClassesError, OutputError
from napari_sclip.export import classes_json
from napari_sclip.prompts import ClassPrompt, is_background_name, parse_classes

PHRASES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


@st.composite
def written_presets(draw: st.DrawFn) -> Preset:
    """Classes of any names, also those that no line of text can hold."""
    names = draw(
        st.lists(
            PHRASES.filter(lambda n: not is_background_name(n)), min_size=1, max_size=4, unique=True
        )
    )
    classes = tuple(
        ClassPrompt(
            name,
            tuple(draw(st.lists(PHRASES, max_size=2))),
            background=k == 1,
            color=draw(st.sampled_from([None, "#102030", "red"])),
        )
        for k, name in enumerate(names)
    )
    return Preset(classes, frozenset(draw(st.sets(st.sampled_from(names)))))


def file_of(folder: Path, content: str | bytes, name: str = "classes.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written_presets())
def test_what_is_written_is_read_again(tmp_path: Path, preset: Preset) -> None:
    path = tmp_path / "mine.json"
    write_preset(path, preset)
    assert read_preset(path) == preset
    assert classes_json.read_classes_json(path) == preset.classes
    assert [file.name for file in tmp_path.iterdir()] == ["mine.json"]


def test_the_mark_is_that_of_exported_classes() -> None:
    assert presets.MARK == classes_json.MARK


def test_classes_that_an_export_wrote(tmp_path: Path) -> None:
    rows = [
        {
            "id": k,
            "name": name,
            "prompts": [name],
            "color": color,
            "background": not k,
            "pixel_count": 7,
            "dropped": False,
        }
        for k, name, color in [(1, "cat", "#e69f00"), (0, "wall", "#000000")]
    ]
    text = json.dumps({"format": classes_json.MARK, "format_version": 1, "classes": rows})
    path = file_of(tmp_path, text, "image_classes.json")
    assert read_preset(path) == Preset(classes_json.read_classes_json(path))
    assert read_preset(path).classes == (
        ClassPrompt("cat", color="#e69f00"),
        ClassPrompt("wall", background=True),
    )
    # Its content tells what it is, whatever it is called.
    assert read_preset(file_of(tmp_path, "\ufeff " + text)) == read_preset(path)


def test_json_written_by_hand(tmp_path: Path) -> None:
    text = """{"format": "napari-sclip classes",
               "classes": [{"name": "cat"}, {"name": "sky", "prompts": null, "visible": false}]}"""
    expected = Preset((ClassPrompt("cat"), ClassPrompt("sky")), frozenset({"sky"}))
    assert read_preset(file_of(tmp_path, text, "a.json")) == expected


@pytest.mark.parametrize(
    "content",
    [
        "cat\ngrass = lawn | meadow\nbackground",
        "cat, grass = lawn | meadow, background",
        "# what we look for\n\ncat,\r\n  # a note\r\ngrass = lawn|meadow, background\r\n",
        b"\xef\xbb\xbfcat\ngrass=lawn|meadow\nbackground\n",
    ],
)
def test_plain_text(tmp_path: Path, content: str | bytes) -> None:
    classes = read_preset(file_of(tmp_path, content)).classes
    assert classes == parse_classes("cat, grass = lawn | meadow, background")


CSV_CLASSES = (
    ClassPrompt("cat", color="#e69f00"),
    ClassPrompt("salt, pepper", ("salt", "pepper; ground")),
    ClassPrompt("wall", background=True),
)


@pytest.mark.parametrize(
    "content",
    [
        "name,prompts,color,background\n"
        'cat,,#e69f00,\n"salt, pepper",salt|pepper; ground,,no\nwall,,,YES\n',
        "Colour,Background,id,Name,Prompts\r\n"
        '#e69f00,0,1,cat\r\n\r\n,0,2,"salt, pepper",salt | pepper; ground\r\n,1,,wall,\r\n',
        "\ufeffname;background;color;prompts\n"
        'cat; ;#e69f00;cat\nsalt, pepper;;;"salt|pepper; ground"\nwall;x;;\n',
        "\nname\tcolor\tprompts\tbackground\n"
        "cat\t#e69f00\nsalt, pepper\t\tsalt|pepper; ground\nwall\t\t\ttrue",
    ],
)
def test_csv(tmp_path: Path, content: str) -> None:
    assert read_preset(file_of(tmp_path, content, "a.CSV")) == Preset(CSV_CLASSES)


def test_csv_of_names_alone(tmp_path: Path) -> None:
    preset = read_preset(file_of(tmp_path, "name\ncat\ndog\n", "a.csv"))
    assert preset.classes == parse_classes("cat, dog")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "", "Expected at least one class"),
        ("a.txt", "# only a note", "Expected at least one class"),
        ("a.txt", "background", "besides the background"),
        ("a.txt", "cat\n\ndog, cat\n", "line 3: Every class needs a name of its own; 'cat'"),
        ("a.txt", "cat\ngrass =", "line 2: Expected 'name = prompt"),
        ("a.txt", b"cat\nK\xe4fer", r"a\.txt, line 2 holds something else. Save the file as UTF-8"),
        ("a.txt", b"\xff\xfec\0a\0t\0", "Expected text in UTF-8"),
        ("a.json", "", "line 1: Expected a JSON of classes"),
        ("a.json", '{"format":\n nope}', "line 2: .* this is no JSON"),
        ("a.json", "[1]", "this is something else"),
        ("a.json", "[" * 100_000, "Expected a JSON of classes"),
        ("a.json", '{"classes": [{"name": "cat"}]}', 'with "format": "napari-sclip classes"'),
        ("a.json", {}, "this is something else"),
        ("a.json", {"classes": {"name": "cat"}}, "this is something else"),
        ("a.json", {"classes": []}, "Expected at least one class"),
        ("a.json", {"classes": ["cat"]}, "class 1: Expected an object with a name; got 'cat'"),
        ("a.json", {"classes": [{"name": "a"}, {"name": 7}]}, "class 2: A class needs a name"),
        ("a.json", {"classes": [{"name": "a", "prompts": 7}]}, "class 1: The prompts of class 'a'"),
        ("a.json", {"classes": [{"name": "a", "color": "reddish"}]}, "class 1: Expected a colour"),
        ("a.json", {"classes": [{"name": "a", "background": "no"}]}, "class 1: background of"),
        ("a.json", {"classes": [{"name": "a"}, {"name": "a"}]}, "class 2: Every class needs"),
        ("a.csv", "", "Expected at least one class"),
        ("a.csv", "cat,dog\n", "line 1: Expected a header with the column 'name'"),
        ("a.csv", "name,color\n\ncat,reddish\n", "line 3: Expected a colour name"),
        ("a.csv", "name,color\n,red\n", "line 2: A class needs a name"),
        ("a.csv", "name,background\ncat,perhaps\n", "line 2: Expected 'yes' or 'no'"),
        ("a.csv", "name,color\nsalt, pepper, red\n", "line 2: Expected 2 fields"),
        ("a.csv", 'name,color\ncat,"red\n', r"line 2: Expected a table \(CSV\)"),
        ("a.csv", "\n\nname\ncat\ncat\n", "line 5: Every class needs a name of its own"),
    ],
)
def test_what_is_wrong_and_where(
    tmp_path: Path, name: str, content: str | bytes | dict[str, object], message: str
) -> None:
    if isinstance(content, dict):
        content = json.dumps({"format": presets.MARK, **content})
    path = file_of(tmp_path, content, name)
    with pytest.raises(ClassesError, match=message) as caught:
        read_preset(path)
    assert str(path) in str(caught.value)


def test_what_was_learned_is_kept_and_need_not_be_understood(tmp_path: Path) -> None:
    path = tmp_path / "my leaf.json"
    large = {"version": 1, "rows": "A" * 3_000_000}
    preset = Preset(parse_classes("cat, dog"), frozenset({"dog"}), large)
    write_preset(path, preset)
    assert read_preset(path) == preset
    assert classes_json.read_classes_json(path) == preset.classes
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values[classifier.LEARNED] == large
    path.write_text(json.dumps({**values, "learned": "something"}), encoding="utf-8")
    assert read_preset(path) == Preset(preset.classes, preset.hidden)
    write_preset(path, Preset(preset.classes))
    assert "learned" not in json.loads(path.read_text(encoding="utf-8"))


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    with pytest.raises(ClassesError, match=r"Cannot read .*nowhere.json: No such file"):
        read_preset(tmp_path / "nowhere.json")
    with pytest.raises(ClassesError, match=r"Cannot read"):
        read_preset(tmp_path)
    with pytest.raises(ClassesError, match="at most 1 MB"):
        read_preset(file_of(tmp_path, b"cat\n" * 300_000))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    preset = Preset((ClassPrompt("cat"),))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Cannot write .*Choose another folder"):
        write_preset(tmp_path / "file" / "a.json", preset)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_preset(path, Preset(parse_classes("cat, dog")))
    write_preset(path, Preset(parse_classes("hen")))
    assert read_preset(path) == Preset(parse_classes("hen"))

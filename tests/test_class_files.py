"""Classes in files: what is written is read again, and what people write by hand is read too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_sclip.class_files import (
    LEARNED,
    MARK,
    ClassList,
    read_class_ids,
    read_class_list,
    read_image_name,
    write_class_list,
)
from napari_sclip.errors import ClassesError, OutputError
from napari_sclip.prompts import ClassPrompt, is_background_name, parse_classes

PHRASES = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
    .map(lambda text: " ".join(text.split()))
    .filter(bool)
)


@st.composite
def written_lists(draw: st.DrawFn) -> ClassList:
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
    return ClassList(classes, frozenset(draw(st.sets(st.sampled_from(names)))))


def file_of(folder: Path, content: str | bytes, name: str = "classes.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written_lists())
def test_what_is_written_is_read_again(tmp_path: Path, preset: ClassList) -> None:
    path = tmp_path / "mine.json"
    write_class_list(path, preset)
    assert read_class_list(path) == preset
    assert [file.name for file in tmp_path.iterdir()] == ["mine.json"]


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
    text = json.dumps({"format": MARK, "format_version": 1, "classes": rows})
    path = file_of(tmp_path, text, "image_classes.json")
    assert read_class_list(path).ids == (1, 0)
    assert read_class_ids(path) == read_class_list(path).with_ids()
    assert read_class_list(path).classes == (
        ClassPrompt("cat", color="#e69f00"),
        ClassPrompt("wall", background=True),
    )
    # Its content tells what it is, whatever it is called.
    assert read_class_list(file_of(tmp_path, "\ufeff " + text)) == read_class_list(path)


def test_json_written_by_hand(tmp_path: Path) -> None:
    text = """{"format": "napari-sclip classes",
               "classes": [{"name": "cat"}, {"name": "sky", "prompts": null, "visible": false}]}"""
    expected = ClassList((ClassPrompt("cat"), ClassPrompt("sky")), frozenset({"sky"}))
    assert read_class_list(file_of(tmp_path, text, "a.json")) == expected


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
    classes = read_class_list(file_of(tmp_path, content)).classes
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
    ids = (1, 2, 0) if "id" in content.partition("\n")[0] else ()
    assert read_class_list(file_of(tmp_path, content, "a.CSV")) == ClassList(CSV_CLASSES, ids=ids)


def test_csv_of_names_alone(tmp_path: Path) -> None:
    preset = read_class_list(file_of(tmp_path, "name\ncat\ndog\n", "a.csv"))
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
        ("a.csv", "name,id\ncat,one\n", "line 2: Expected a whole number as the id of 'cat'"),
        ("a.csv", f"name,id\ncat,{'9' * 5000}\n", "line 2: Expected a whole number as the id"),
        ("a.csv", "name,id\ncat,3\ndog,3\n", "line 3: Every class needs an id .* has 3, as an"),
        ("a.csv", "name,id\ncat,3\ndog,\n", "line 3: Every class needs an id .* has none"),
        ("a.json", {"classes": [{"name": "a", "id": -1}]}, "class 1: Expected a whole number"),
        ("a.json", {"classes": [{"name": "a", "id": True}]}, "class 1: Expected a whole number"),
    ],
)
def test_what_is_wrong_and_where(
    tmp_path: Path, name: str, content: str | bytes | dict[str, object], message: str
) -> None:
    if isinstance(content, dict):
        content = json.dumps({"format": MARK, **content})
    path = file_of(tmp_path, content, name)
    with pytest.raises(ClassesError, match=message) as caught:
        read_class_list(path)
    assert str(path) in str(caught.value)


def test_what_was_learned_is_kept_and_need_not_be_understood(tmp_path: Path) -> None:
    path = tmp_path / "my leaf.json"
    large = {"version": 1, "rows": "A" * 3_000_000}
    preset = ClassList(parse_classes("cat, dog"), frozenset({"dog"}), large)
    write_class_list(path, preset)
    assert read_class_list(path) == preset
    values = json.loads(path.read_text(encoding="utf-8"))
    assert values[LEARNED] == large
    path.write_text(json.dumps({**values, "learned": "something"}), encoding="utf-8")
    assert read_class_list(path) == ClassList(preset.classes, preset.hidden)
    write_class_list(path, ClassList(preset.classes))
    assert "learned" not in json.loads(path.read_text(encoding="utf-8"))


def test_files_that_are_no_lists(tmp_path: Path) -> None:
    with pytest.raises(ClassesError, match=r"Cannot read .*nowhere.json: No such file"):
        read_class_list(tmp_path / "nowhere.json")
    with pytest.raises(ClassesError, match=r"Cannot read"):
        read_class_list(tmp_path)
    with pytest.raises(ClassesError, match="at most 1 MB"):
        read_class_list(file_of(tmp_path, b"cat\n" * 300_000))


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    preset = ClassList((ClassPrompt("cat"),))
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Cannot write .*Choose another folder"):
        write_class_list(tmp_path / "file" / "a.json", preset)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_class_list(path, ClassList(parse_classes("cat, dog")))
    write_class_list(path, ClassList(parse_classes("hen")))
    assert read_class_list(path) == ClassList(parse_classes("hen"))


def test_ids_are_those_of_the_file_or_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    known = ClassList(parse_classes("cat, background, dog"), ids=(7, 0, 3))
    write_class_list(path, known)
    assert read_class_list(path) == known
    assert [(k, item.name) for k, item in read_class_ids(path)] == [
        (7, "cat"),
        (0, "background"),
        (3, "dog"),
    ]
    assert [k for k, _ in ClassList(known.classes).with_ids()] == [1, 0, 2]


def test_what_ids_of_labels_mean(tmp_path: Path) -> None:
    path = tmp_path / "a_classes.json"
    row = {"id": 0, "name": "wall", "background": True}
    # No run can use the background alone, but labels may hold nothing else.
    path.write_text(json.dumps({"format": MARK, "image": {"file": "a.png"}, "classes": [row]}))
    assert read_class_ids(path) == ((0, ClassPrompt("wall", background=True)),)
    assert read_image_name(path) == "a.png"
    write_class_list(path, ClassList(parse_classes("cat, dog")))
    with pytest.raises(ClassesError, match=r"a_classes.json: Expected an id for each class"):
        read_class_ids(path)
    with pytest.raises(ClassesError, match="this is no JSON"):
        read_class_ids(file_of(tmp_path, "cat\n"))
    assert read_image_name(path) == read_image_name(tmp_path / "none.json") == ""

"""Images of other classes in one folder: the list that they share grows, and no number changes."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml
from filelock import SoftFileLock
from numpy.typing import NDArray
from PIL import Image

from napari_sclip.errors import OutputError
from napari_sclip.export import (
    ExportItem,
    find_export_format,
    shared,
    write_item,
    write_results,
)
from napari_sclip.export.voc import voc_palette
from napari_sclip.prompts import ClassPrompt
from tests.export.test_read_back import READERS

SHARED = {"yolo": "data.yaml", "voc": "labelmap.txt"}
ENDINGS = {"yolo": ".txt", "voc": "_voc.png"}
WORDS = ("leaf", "soil", 'an "insect"', "a: b", "müll # 3", "7", "no", "* x", "[y]", "è, {z}")


def item_of(names: Sequence[str], ids: Sequence[int] = (), seed: int = 0) -> ExportItem:
    """Make an item with pixels of each class."""
    ids = tuple(ids) or tuple(range(1, len(names) + 1))
    labels = np.random.default_rng(seed).choice([0, *ids], (12, 15)).astype(np.uint16)
    return ExportItem(None, labels, tuple(ClassPrompt(name) for name in names), ids=ids)


def masks_by_name(item: ExportItem) -> dict[str, NDArray[np.bool_]]:
    return {row.name: item.labels == row.id for row in item.objects}


def check(folder: Path, kind: str, items: dict[str, ExportItem]) -> None:
    """Each image of a folder reads back equal, class by class."""
    for stem, item in items.items():
        path = folder / f"{stem}{ENDINGS[kind]}"
        found = READERS[kind](path, item.labels.shape)
        expected = masks_by_name(item)
        assert set(expected) <= set(found)
        for name, mask in found.items():
            none = np.zeros(mask.shape, dtype=bool)
            np.testing.assert_array_equal(mask, expected.get(name, none), err_msg=name)


def state_of(path: Path) -> tuple[bytes, int, int]:
    return path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino


def yolo_names(folder: Path) -> list[str]:
    names = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))["names"]
    if isinstance(names, dict):
        assert list(names) == list(range(len(names)))
        return list(names.values())
    return list(names)


@pytest.mark.parametrize("kind", SHARED)
def test_lists_that_are_not_equal_are_joined_by_name(tmp_path: Path, kind: str) -> None:
    items = {
        "one": item_of(["leaf", "soil"]),
        "two": item_of(["soil", "insect", "leaf"], ids=(4, 9, 2)),
        "three": item_of(["insect"]),
    }
    before: dict[Path, bytes] = {}
    for stem, item in items.items():
        files = write_results(tmp_path, stem, item, [kind])
        assert files == (tmp_path / f"{stem}{ENDINGS[kind]}", tmp_path / SHARED[kind])
        assert all(path.read_bytes() == content for path, content in before.items())
        before[files[0]] = files[0].read_bytes()
    check(tmp_path, kind, items)
    if kind == "yolo":
        assert yolo_names(tmp_path) == ["leaf", "soil", "insect"]
        assert {x.split()[0] for x in (tmp_path / "three.txt").read_text().splitlines()} == {"2"}
    else:
        lines = (tmp_path / "labelmap.txt").read_text(encoding="utf-8").splitlines()[1:]
        assert lines == [
            "background:0,0,0::", "leaf:128,0,0::", "soil:0,128,0::", "insect:128,128,0::"
        ]  # fmt: skip
        with Image.open(tmp_path / "three_voc.png") as picture:
            assert set(np.unique(np.asarray(picture))) == {0, 3}


@pytest.mark.parametrize("kind", SHARED)
@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_any_names_reads_back_equal(tmp_path: Path, kind: str, seed: int) -> None:
    rng = random.Random(seed)
    items = {}
    for number in range(5):
        names = rng.sample(WORDS, rng.randint(1, len(WORDS)))
        ids = rng.sample(range(1, 40), len(names))
        items[f"image{number}"] = item_of(names, ids, seed=number)
        write_results(tmp_path, f"image{number}", items[f"image{number}"], [kind])
    check(tmp_path, kind, items)


@pytest.mark.parametrize("kind", SHARED)
def test_numbers_stay_also_where_a_file_is_replaced(tmp_path: Path, kind: str) -> None:
    items = {"one": item_of(["leaf", "soil"]), "two": item_of(["soil"])}
    for stem, item in items.items():
        write_results(tmp_path, stem, item, [kind])
    items["two"] = item_of(["insect", "soil"], seed=1)
    write_results(tmp_path, "two", items["two"], [kind], overwrite=True)
    check(tmp_path, kind, items)


@pytest.mark.parametrize("kind", SHARED)
def test_a_list_that_knows_all_names_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    write_results(tmp_path, "one", item_of(["leaf", "soil"]), [kind])
    file_of_names = tmp_path / SHARED[kind]
    with file_of_names.open("a", encoding="utf-8", newline="") as file:
        file.write("# mine\r\n")
    before = state_of(file_of_names)
    write_results(tmp_path, "two", item_of(["soil"]), [kind])
    assert state_of(file_of_names) == before


@pytest.mark.parametrize("kind", SHARED)
def test_planes_of_a_stack_share_the_list_too(tmp_path: Path, kind: str) -> None:
    write_results(tmp_path, "one", item_of(["leaf", "soil"]), [kind])
    plane = item_of(["insect", "soil"], seed=3)
    stack = np.stack([plane.labels, plane.labels[::-1]])
    item = ExportItem(None, stack, plane.classes, ids=plane.ids)
    files = write_item(find_export_format(kind), tmp_path / f"two{ENDINGS[kind]}", item)
    assert len(files) == 3
    for path, labels in zip(files, stack, strict=False):
        found = READERS[kind](path, labels.shape)
        for name, k in (("insect", 1), ("soil", 2)):
            np.testing.assert_array_equal(found[name], labels == k)


YAML_BEFORE = {
    "of other paths": "path: ../data\ntrain: images\nnames:\n  0: leaf\n  1: 'so''il'\nval: x\n",
    "with a count": 'nc: 2  # classes\nnames:\n    0: "leaf"\n    1: so\'il\n',
    "with comments": 'names: # all\n  # first\n  0: leaf # a\n\n  1: "so\'il"  # b\n# end\n',
    "as a list": "names:\n- leaf\n- so'il\nnc: 2\n",
    "as an indented list": "names:\n  - leaf\n  - so'il",
    "in a line": "nc: 2\nnames: ['leaf', \"so'il\"]  # two\nval: .\n",
    "in braces": "names: {0: leaf, 1: so'il}\nval: .\n",
    "in several lines": "names: [leaf,\n  so'il, # two\n]\nval: .\n",
    "with a line that goes on": "names:\n  0: leaf\n  1:\n    so'il # b\nval: .\n",
    "with an anchor": "names:\n  0: &x leaf\n  1: so'il\nother: *x\n",
    "with a count after braces": "names: {0: leaf, 1: so'il} # a\nnc: 2 # b\n",
    "with windows' lines": "names:\r\n  0: leaf\r\n  1: so'il\r\nval: .\r\n",
}


@pytest.mark.parametrize("text", YAML_BEFORE.values(), ids=YAML_BEFORE)
def test_names_that_others_wrote_are_gone_on_with(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_bytes(text.encode())
    before = yaml.safe_load(text)
    write_results(tmp_path, "one", item_of(["new: 1", "so'il", "# 2"]), ["yolo"])
    after = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert yolo_names(tmp_path) == ["leaf", "so'il", "new: 1", "# 2"]
    assert "nc" not in after or after.pop("nc") == 4
    before.pop("nc", None)
    assert {**before, "names": 0} == {**after, "names": 0}
    kept = text.replace("\r\n", "\n").splitlines()
    assert [x for x in kept if x.startswith("#")] == [
        x for x in path.read_text().splitlines() if x.startswith("#")
    ]
    numbers = {x.split()[0] for x in (tmp_path / "one.txt").read_text().splitlines()}
    assert numbers == {"1", "2", "3"}


def test_an_empty_list_of_names_grows(tmp_path: Path) -> None:
    empty = ExportItem(None, np.zeros((5, 6), np.uint8), ())
    write_results(tmp_path, "none", empty, ["yolo", "voc"])
    items = {"one": item_of(["leaf"])}
    write_results(tmp_path, "one", items["one"], ["yolo", "voc"])
    check(tmp_path, "yolo", items)
    check(tmp_path, "voc", items)


DAMAGED = {
    "no names": "mine",
    "names that are empty": "names:\nval: .\n",
    "numbers with a gap": "names:\n  0: leaf\n  2: soil\n",
    "a number twice": "names:\n  0: leaf\n  0: soil\n",
    "names twice": "names: [a]\nnames: [b]\n",
    "a name that is cut off": 'names:\n  0: "leaf\n',
    "a name of several lines": "names:\n  0: |\n    leaf\n    and more\n",
    "names that are others": "names: other.txt\n",
    "a name that is no text": "names:\n  0: 17\n",
    "a tab": "names:\n  0:\tleaf\n",
    "a name that is missing": "names:\n- leaf\n-\n",
    "another count": "nc: 5\nnames: [leaf]\n",
    "something else between": "names:\n  0: leaf\n  soil: 1\n",
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_names_that_cannot_be_read_are_left_as_they_are(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    with pytest.raises(OutputError, match=r"lists other classes.*Correct it.*choose another fold"):
        write_results(tmp_path, "one", item_of(["leaf"]), ["yolo"])
    assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["data.yaml"]
    write_results(tmp_path, "one", item_of(["leaf"]), ["yolo"], overwrite=True)
    assert yolo_names(tmp_path) == ["leaf"]


@pytest.mark.parametrize(
    "text",
    [
        "names: &x [leaf]\nothers: *x\n",
        "others: &x [leaf]\nnames: *x\n",
        "names:\n  0: &x leaf\n  1: *x\nval: .\n",
    ],
)
def test_names_that_stand_for_others_too_are_not_added_to(tmp_path: Path, text: str) -> None:
    path = tmp_path / "data.yaml"
    path.write_text(text)
    write_results(tmp_path, "one", item_of(["leaf"]), ["yolo"])
    with pytest.raises(OutputError, match=r"lists other classes.*references to others.*Correct"):
        write_results(tmp_path, "two", item_of(["new"]), ["yolo"])
    assert path.read_text() == text
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data.yaml", "one.txt"]
    write_results(tmp_path, "two", item_of(["new"]), ["yolo"], overwrite=True)
    assert yolo_names(tmp_path) == ["new"]


DAMAGED_MAPS = {
    "no map": "mine\n",
    "no background": "# label\nleaf:128,0,0::\n",
    "colours of another palette": "background:0,0,0::\nleaf:10,200,10::\n",
    "another order": "background:0,0,0::\nsoil:0,128,0::\nleaf:128,0,0::\n",
    "a colour twice": "background:0,0,0::\nleaf:128,0,0::\nsoil:128,0,0::\n",
    "a line that is cut off": "background:0,0,0::\nleaf:128,0",
    "nothing": "",
}


@pytest.mark.parametrize("text", DAMAGED_MAPS.values(), ids=DAMAGED_MAPS)
def test_a_map_of_other_colours_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labelmap.txt"
    path.write_text(text)
    with pytest.raises(OutputError, match=r"lists other classes.*Correct it.*choose another fold"):
        write_results(tmp_path, "one", item_of(["leaf"]), ["voc"])
    assert path.read_text() == text
    assert [p.name for p in tmp_path.iterdir()] == ["labelmap.txt"]


@pytest.mark.parametrize("content", [b"\xff\xfe\x00names", None])
@pytest.mark.parametrize("kind", SHARED)
def test_a_list_that_is_no_text_is_named(tmp_path: Path, kind: str, content: bytes | None) -> None:
    path = tmp_path / SHARED[kind]
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(OutputError, match=SHARED[kind]):
        write_results(tmp_path, "one", item_of(["leaf"]), [kind])
    assert list(tmp_path.iterdir()) == [path]


def test_a_palette_that_is_full_takes_no_more_names(tmp_path: Path) -> None:
    names = [f"class {k}" for k in range(253)]
    items = {"one": item_of(names[:200]), "two": item_of(names[150:])}
    for stem, item in items.items():
        write_results(tmp_path, stem, item, ["voc"])
    check(tmp_path, "voc", items)
    before = (tmp_path / "labelmap.txt").read_bytes()
    for overwrite in (False, True):
        with pytest.raises(OutputError, match=r"up to 254 classes.*255: 253 .* and 2 new"):
            write_results(tmp_path, "x", item_of(["new", "newer"]), ["voc"], overwrite=overwrite)
    assert (tmp_path / "labelmap.txt").read_bytes() == before
    items["three"] = item_of(["last"])
    write_results(tmp_path, "three", items["three"], ["voc"])
    check(tmp_path, "voc", items)
    with Image.open(tmp_path / "three_voc.png") as picture:
        assert set(np.unique(np.asarray(picture))) == {0, 254}
        palette = picture.getpalette()
    assert palette is not None
    assert tuple(palette[3 * 254 : 3 * 255]) == voc_palette()[254]


def test_names_that_a_map_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"'a:b' and 'a-b'.*Rename one"):
        write_results(tmp_path, "one", item_of(["a:b", "leaf", "a-b"]), ["voc"])
    assert list(tmp_path.iterdir()) == []


WRITER = """
import sys
from pathlib import Path
import numpy as np
from napari_sclip.export import ExportItem, write_results
from napari_sclip.prompts import parse_classes

labels = np.zeros((20, 20), np.uint8)
labels[2:9, 2:9] = 1
print("ready", flush=True)
sys.stdin.readline()
for k in range(15):
    item = ExportItem(None, labels, parse_classes(f"{sys.argv[2]}{k}"))
    write_results(Path(sys.argv[1]), f"{sys.argv[2]}{k}", item, ["yolo", "voc"])
"""


def test_two_programs_that_write_at_once_agree_about_the_numbers(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), who],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for who in ("leaf", "soil")
    ]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=120)
        assert writer.returncode == 0
    names = yolo_names(tmp_path)
    rows = (tmp_path / "labelmap.txt").read_text(encoding="utf-8").splitlines()[1:]
    for stem in [f"{who}{k}" for who in ("leaf", "soil") for k in range(15)]:
        number = int((tmp_path / f"{stem}.txt").read_text().split()[0])
        with Image.open(tmp_path / f"{stem}_voc.png") as picture:
            row = int(np.asarray(picture).max())
        assert (names[number], rows[row].partition(":")[0]) == (stem, stem)
    # Of the lock nothing stays.
    assert len(list(tmp_path.iterdir())) == 2 * 30 + 2


def test_a_lock_that_another_program_holds_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "LONGEST_WAIT", 0.1)
    with SoftFileLock(tmp_path / ".data.yaml.lock"):
        with pytest.raises(OutputError, match=r"another program.*data\.yaml\.lock"):
            write_results(tmp_path, "one", item_of(["leaf"]), ["yolo"])
        assert [p.name for p in tmp_path.iterdir()] == [".data.yaml.lock"]
    write_results(tmp_path, "one", item_of(["leaf"]), ["yolo"])

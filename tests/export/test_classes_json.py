from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from napari_sclip import __version__
from napari_sclip.class_files import read_class_list
from napari_sclip.colors import parse_color
from napari_sclip.export import ExportItem
from napari_sclip.export.classes_json import version_of, write_classes_json
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt


def test_everything_needed_to_read_the_labels_is_there(
    tmp_path: Path, make_item: Callable[..., ExportItem]
) -> None:
    item = make_item(dropped=("tree",))
    path = tmp_path / "photo_classes.json"
    write_classes_json(path, item)
    values = json.loads(path.read_text(encoding="utf-8"))
    cat, wall, tree = values["classes"]
    assert (cat["id"], wall["id"], tree["id"]) == (1, 0, 2)
    assert (cat["name"], cat["prompts"], cat["background"]) == ("cat", ["cat"], False)
    assert (wall["prompts"], wall["background"]) == (["wall", "floor"], True)
    assert (cat["pixel_count"], tree["pixel_count"]) == (20 * 15, 20 * 25)
    assert wall["pixel_count"] == values["pixel_count_of_id_0"] == 40 * 60 - 800
    assert (cat["dropped"], tree["dropped"]) == (False, True)
    assert parse_color(cat["color"]) == class_colors(item.classes)[0]
    assert values["image"] == {"file": "photo.jpg", "shape": [40, 60, 3], "dtype": "uint8"}
    assert values["model"] == dict(item.model)
    assert values["configuration"] == {"window": 224}
    assert values["versions"]["napari-sclip"] == __version__
    assert values["versions"]["torch"] == version_of("torch")


def test_classes_are_read_back_with_their_colours(
    tmp_path: Path, make_item: Callable[..., ExportItem]
) -> None:
    item = make_item("Катя = cat, background = wall | floor, tree")
    path = tmp_path / "photo_classes.json"
    write_classes_json(path, item)
    read = read_class_list(path).classes
    assert [(c.name, c.prompts, c.background) for c in read] == [
        (c.name, c.prompts, c.background) for c in item.classes
    ]
    first, _, third = class_colors(item.classes)
    assert (class_colors(read)[0], class_colors(read)[2]) == (first, third)
    assert read[1].color is None


def test_a_background_colour_is_read_back(
    tmp_path: Path, make_item: Callable[..., ExportItem]
) -> None:
    classes = (ClassPrompt("cat"), ClassPrompt("wall", background=True, color="#102030"))
    path = tmp_path / "photo_classes.json"
    write_classes_json(path, make_item(classes=classes))
    assert read_class_list(path).classes[1].color == "#102030"

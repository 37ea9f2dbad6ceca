from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sclip.errors import OutputError
from napari_sclip.export.png import labels_ending, write_labels
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, parse_classes


def many_classes(number: int) -> tuple[ClassPrompt, ...]:
    return parse_classes([f"class {k}" for k in range(1, number + 1)])


def test_values_are_ids_and_colours_are_those_of_the_classes(tmp_path: Path) -> None:
    classes = parse_classes("cat, background, tree")
    labels = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    path = tmp_path / "a_labels.png"
    write_labels(path, labels, classes)
    with Image.open(path) as picture:
        assert picture.mode == "P"
        assert np.asarray(picture).dtype == np.uint8
        np.testing.assert_array_equal(np.asarray(picture), labels)
        shown = np.asarray(picture.convert("RGB"))
    cat, _, tree = class_colors(classes)
    assert tuple(shown[0, 1]) == cat
    assert tuple(shown[0, 2]) == tree
    assert tuple(shown[0, 0]) == (0, 0, 0)


def test_a_colour_given_for_the_background_is_shown(tmp_path: Path) -> None:
    classes = (ClassPrompt("cat"), ClassPrompt("wall", background=True, color="#102030"))
    write_labels(tmp_path / "a.png", np.zeros((2, 2), dtype=np.uint8), classes)
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.convert("RGB").getpixel((0, 0)) == (0x10, 0x20, 0x30)


@pytest.mark.parametrize(("number", "ending"), [(255, "_labels.png"), (256, "_labels.tif")])
def test_up_to_256_ids_fit_a_png(tmp_path: Path, number: int, ending: str) -> None:
    classes = many_classes(number)
    assert labels_ending(classes) == ending
    labels = np.array([[0, number], [1, 2]], dtype=np.uint16)
    path = tmp_path / f"a{ending}"
    write_labels(path, labels, classes)
    if path.suffix == ".png":
        with Image.open(path) as picture:
            read = np.asarray(picture)
    else:
        read = tifffile.imread(path)
        assert read.dtype == np.uint16
    np.testing.assert_array_equal(read, labels)


def test_ids_that_no_format_holds_are_refused(tmp_path: Path) -> None:
    labels = np.array([[0, 70_000]], dtype=np.uint32)
    with pytest.raises(OutputError, match="expected ids up to 65535; got 70000"):
        write_labels(tmp_path / "a_labels.tif", labels, many_classes(3))
    assert list(tmp_path.iterdir()) == []

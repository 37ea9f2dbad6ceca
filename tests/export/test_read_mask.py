from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sclip.errors import ImageError
from napari_sclip.export import find_export_format, write_item
from napari_sclip.export.classes_json import write_classes_json
from napari_sclip.export.read_mask import classes_file_of, mask_file_of, read_mask
from tests.export.masks import HARD, NAMES, item_of

LABELS = np.array([[0, 2, 2, 0], [3, 3, 0, 9], [3, 0, 3, 9], [3, 3, 3, 9]], dtype=np.uint8)


def names_of(path: Path) -> dict[int, str]:
    return {k: c.name for k, c in read_mask(path).classes}


@pytest.mark.parametrize("name", ["labels", "tiff", "ome-zarr", "ome-zarr-0.5", "coco"])
@pytest.mark.parametrize("labels", [LABELS, *HARD])
def test_what_was_written_is_read(tmp_path: Path, name: str, labels: np.ndarray) -> None:
    item = item_of(labels)
    known = find_export_format(name)
    path = tmp_path / f"photo{known.ending(item.classes)}"
    write_item(known, path, item)
    mask = read_mask(path)
    np.testing.assert_array_equal(mask.labels, labels)
    if name in ("ome-zarr", "ome-zarr-0.5", "coco"):
        rows = {row.id: row.name for row in item.objects}
        assert {k: c.name for k, c in mask.classes if k} == rows


def test_names_colours_and_prompts_come_from_the_json_beside(tmp_path: Path) -> None:
    item = item_of(LABELS)
    path = tmp_path / "photo_labels.png"
    write_item(find_export_format("labels"), path, item)
    assert names_of(path) == {2: "label 2", 3: "label 3", 9: "label 9"}
    assert dict(read_mask(path).classes)[2].color == "#102030"  # of the palette
    write_classes_json(tmp_path / "photo_classes.json", item)
    classes = dict(read_mask(path).classes)
    assert {k: c.name for k, c in classes.items()} == {0: "wall", **NAMES}
    assert classes[2].prompts == ("oak", "beech")
    assert mask_file_of(tmp_path / "photo_classes.json") == path
    np.testing.assert_array_equal(read_mask(tmp_path / "photo_classes.json").labels, LABELS)
    plane = tmp_path / "photo_z003.png"
    assert classes_file_of(plane) == tmp_path / "photo_classes.json"


def test_names_of_voc_are_read_by_colour_also_from_rgb(tmp_path: Path) -> None:
    path = write_item(find_export_format("voc"), tmp_path / "photo.png", item_of(LABELS))[0]
    expected = {1: "tree- old", 2: '"leaf"', 3: "label 9"}
    assert names_of(path) == expected
    with Image.open(path) as picture:
        picture.convert("RGB").save(tmp_path / "shown.png")
    mask = read_mask(tmp_path / "shown.png")
    assert {k: c.name for k, c in mask.classes} == expected
    np.testing.assert_array_equal(mask.labels, read_mask(path).labels)


def test_numpy_and_stacks(tmp_path: Path) -> None:
    stack = np.stack([LABELS, LABELS.T]).astype(np.int64)
    np.save(tmp_path / "a.npy", stack)
    np.testing.assert_array_equal(read_mask(tmp_path / "a.npy").labels, stack)
    item = item_of(stack, pixel_size=(2.0, 0.5, 0.25), units=("micrometer",) * 3)
    path = write_item(find_export_format("tiff"), tmp_path / "a.ome.tif", item)[0]
    mask = read_mask(path)
    np.testing.assert_array_equal(mask.labels, stack)
    assert (mask.axes, mask.pixel_size) == ("zyx", (2.0, 0.5, 0.25))
    assert mask.units == ("micrometer",) * 3


def test_what_is_no_mask_is_refused(tmp_path: Path) -> None:
    Image.new("RGB", (3, 2), (9, 8, 7)).save(tmp_path / "photo.png")
    tifffile.imwrite(tmp_path / "photo.tif", np.zeros((4, 4, 3), np.uint8), photometric="rgb")
    tifffile.imwrite(tmp_path / "floats.tif", np.zeros((4, 4), np.float32))
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "other.json").write_text("[]")
    (tmp_path / "folder").mkdir()
    for name, said in {
        "photo.png": "shows colours",
        "photo.tif": "shows colours",
        "floats.tif": "whole numbers",
        "text.png": "is damaged, or no mask",
        "other.json": "holds something else",
        "folder": "is something else",
        "none.png": "Cannot read",
        "none_classes.json": "There is no mask beside",
    }.items():
        with pytest.raises(ImageError, match=said):
            read_mask(tmp_path / name)

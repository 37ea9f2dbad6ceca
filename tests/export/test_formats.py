from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from napari_sclip import export
from napari_sclip.errors import ConfigError, OutputError
from napari_sclip.export import (
    DEFAULT_FORMATS,
    EXPORT_FORMATS,
    ExportItem,
    export_files,
    find_export_format,
    write_item,
    write_results,
)

MakeItem = Callable[..., ExportItem]

FILES = [known.name for known in EXPORT_FORMATS if not known.is_folder]
SHARED = ("data.yaml", "labelmap.txt")


def test_a_module_in_the_folder_is_a_format(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "brand_new.py").write_text(
        "from napari_sclip.export.formats import ExportFormat\n"
        "FORMAT = ExportFormat('new', 'a new one', False, lambda c: '.new', print)\n"
    )
    monkeypatch.setattr(export, "__path__", [*export.__path__, str(tmp_path)])
    found = export.find_formats()
    monkeypatch.delitem(sys.modules, "napari_sclip.export.brand_new")
    monkeypatch.delattr(export, "brand_new")
    assert [known.name for known in found] == [*(known.name for known in EXPORT_FORMATS), "new"]


def test_the_order_of_formats() -> None:
    assert [known.name for known in EXPORT_FORMATS] == [
        "labels", "classes", "overlay", "scores", "margin", "tiff", "ome-zarr",
        "ome-zarr-0.5", "coco", "voc", "yolo", "geojson",
    ]  # fmt: skip
    assert DEFAULT_FORMATS == ("labels", "classes", "overlay")


def test_each_format_writes_the_file_that_it_names(tmp_path: Path, make_item: MakeItem) -> None:
    item = make_item()
    names = [known.name for known in EXPORT_FORMATS]
    files = write_results(tmp_path / "new" / "folder", "photo", item, names)
    own = export_files(tmp_path / "new" / "folder", "photo", item.classes, names)
    assert [path for path in files if path.name not in SHARED] == list(own)
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == [
        "data.yaml",
        "labelmap.txt",
        "photo.geojson",
        "photo.ome.zarr",
        "photo.txt",
        "photo_0.5.ome.zarr",
        "photo_classes.json",
        "photo_coco.json",
        "photo_labels.ome.tif",
        "photo_labels.png",
        "photo_margin.tif",
        "photo_overlay.png",
        "photo_scores.tif",
        "photo_voc.png",
    ]


def test_scores_are_made_only_where_they_are_written(tmp_path: Path, make_item: MakeItem) -> None:
    def never() -> NDArray[np.float32]:
        raise AssertionError("scores were made")

    item = make_item(scores=never, margin=never)
    assert len(write_results(tmp_path, "photo", item)) == len(DEFAULT_FORMATS) == 3
    with pytest.raises(AssertionError, match="scores were made"):
        write_results(tmp_path, "photo", item, ["scores"])


def test_scores_have_one_named_page_a_class(tmp_path: Path, make_item: MakeItem) -> None:
    planes = np.random.default_rng(0).random((3, 40, 60)).astype(np.float32)
    scores, margin = write_results(
        tmp_path, "a", make_item(scores=lambda: planes), ["scores", "margin"]
    )
    with tifffile.TiffFile(scores) as file:
        assert len(file.pages) == 3
        assert file.series[0].axes == "CYX"
        assert file.shaped_metadata is not None
        assert list(file.shaped_metadata[0]["names"]) == ["cat", "background", "tree"]
        np.testing.assert_array_equal(file.asarray(), planes)
    read = tifffile.imread(margin)
    assert read.dtype == np.float32
    assert read.shape == (40, 60)
    assert (read == 0.5).all()


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"Unknown format 'svg'.*labels, classes, overlay"):
        find_export_format("svg")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_exists_is_replaced_only_when_asked(
    tmp_path: Path, make_item: MakeItem, name: str
) -> None:
    (path,) = export_files(tmp_path, "photo", make_item().classes, [name])
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists already and was left as it is"):
        write_results(tmp_path, "photo", make_item(), [name])
    assert path.read_bytes() == b"mine"
    write_results(tmp_path, "photo", make_item(), [name], overwrite=True)
    assert path.read_bytes() != b"mine"
    assert [p for p in tmp_path.iterdir() if p.name not in SHARED] == [path]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, make_item: MakeItem, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = export_files(tmp_path, "photo", make_item().classes, [name])
    path.write_bytes(b"before")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match=r"No space left on device\. Free some space"):
        write_results(tmp_path, "photo", make_item(), [name], overwrite=True)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_in_the_way_are_named(tmp_path: Path, make_item: MakeItem) -> None:
    (tmp_path / "photo_labels.png").mkdir()
    with pytest.raises(OutputError, match="there is a folder of that name"):
        write_results(tmp_path, "photo", make_item(), ["labels"], overwrite=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="A file is in the place of a folder"):
        write_results(tmp_path / "file", "photo", make_item(), ["classes"])


def test_a_folder_of_zarr_is_replaced_only_when_asked_and_only_if_it_is_one(
    tmp_path: Path, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path,) = write_results(tmp_path, "photo", make_item(), ["ome-zarr"])
    (path / "mine").write_text("")
    with pytest.raises(OutputError, match="exists already and was left as it is"):
        write_results(tmp_path, "photo", make_item(), ["ome-zarr"])
    assert (path / "mine").exists()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", full)
        with pytest.raises(OutputError, match=r"No space left on device\. Free some space"):
            write_results(tmp_path, "photo", make_item(), ["ome-zarr"], overwrite=True)
    assert (path / "mine").exists()
    assert list(tmp_path.iterdir()) == [path]
    write_results(tmp_path, "photo", make_item(), ["ome-zarr"], overwrite=True)
    assert not (path / "mine").exists()
    assert list(tmp_path.iterdir()) == [path]
    (tmp_path / "other.ome.zarr").mkdir()
    (tmp_path / "other.ome.zarr" / "thesis.txt").write_text("")
    with pytest.raises(OutputError, match="is no Zarr, so it was left as it is"):
        write_results(tmp_path, "other", make_item(), ["ome-zarr"], overwrite=True)
    assert (tmp_path / "other.ome.zarr" / "thesis.txt").exists()


def test_what_a_mask_does_not_have_is_said(tmp_path: Path, make_item: MakeItem) -> None:
    item = make_item(image=None, scores=None, margin=None)
    for name in ("scores", "margin"):
        with pytest.raises(OutputError, match="a mask has no scores"):
            write_results(tmp_path, "photo", item, [name])
    with pytest.raises(OutputError, match="an overlay needs the image"):
        write_results(tmp_path, "photo", item, ["overlay"])
    assert list(tmp_path.iterdir()) == []


def test_more_classes_than_a_palette_holds_are_refused_or_grey(tmp_path: Path) -> None:
    labels = np.arange(300, dtype=np.uint16).reshape(20, 15)
    item = ExportItem(None, labels, ())
    with pytest.raises(OutputError, match="expected up to 254 classes; got 299"):
        write_results(tmp_path, "photo", item, ["voc"])
    path = write_item(find_export_format("labels"), tmp_path / "photo.png", item)[0]
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), labels)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": np.zeros((2, 2))}, "hold whole numbers; got float64"),
        ({"labels": np.zeros(4, dtype=int)}, r"two or more axes .*shape \(4,\)"),
        ({"labels": np.full((2, 2), -3)}, "Expected ids of 0 or more; got -3"),
        ({"ids": (1, 1, 2)}, "an id of its own for each of 3 classes"),
        ({"ids": (1, 3, 2)}, "0 for the background and no other"),
    ],
)
def test_what_no_file_can_hold_is_refused(
    make_item: MakeItem, changes: dict[str, object], said: str
) -> None:
    with pytest.raises(OutputError, match=said):
        make_item(**changes)

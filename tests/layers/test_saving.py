"""Labels layers saved through napari's own calls, as its dialog and scripts make them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Image, Labels
from napari.plugins._npe2 import file_extensions_string_for_layers
from npe2 import PluginManager, PluginManifest
from PIL import Image as Picture

import napari_sclip
from napari_sclip.errors import OutputError
from napari_sclip.export import find_export_format
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.io import save as saving
from napari_sclip.layers.io.save import LAYER_FORMATS, export_item, save_labels
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.write import make_labels_layer

PLUGIN = "napari-sclip"
MANIFEST = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")
TITLES = {
    "labels": "PNG mask and names",
    "tiff": "OME-TIFF and names",
    "ome-zarr": "OME-Zarr labels",
    "coco": "COCO annotations",
    "voc": "Pascal VOC mask",
    "yolo": "YOLO segmentation",
    "geojson": "GeoJSON for QuPath",
}

BESIDE = {
    "labels": ("leaf_classes.json", "leaf.png_prediction.npz"),
    "tiff": ("leaf_classes.json", "leaf.ome.tif_prediction.npz"),
    "ome-zarr": ("leaf.ome.zarr_prediction.npz",),
    "coco": (),
    "voc": ("labelmap.txt",),
    "yolo": ("data.yaml",),
    "geojson": (),
}
"""Files that are written with the one that was named."""


@pytest.fixture(autouse=True)
def plugins(npe2pm: Any) -> Iterator[Any]:  # noqa: ANN401 - npe2's own fixture
    """Know napari's own plugins and this one, as a real napari does."""
    import napari_builtins

    builtins = PluginManifest.from_file(Path(napari_builtins.__file__).parent / "builtins.yaml")
    with npe2pm.tmp_plugin(manifest=builtins), npe2pm.tmp_plugin(manifest=MANIFEST):
        yield npe2pm


@pytest.fixture
def image(viewer: ViewerModel) -> Image:
    return viewer.add_image(
        np.arange(48, dtype=np.uint8).reshape(6, 8), name="photo", scale=(0.5, 0.25), units="um"
    )


@pytest.fixture
def labels(viewer: ViewerModel, image: Image, make_result: Callable[..., Any]) -> Labels:
    """Make a layer of ids 5 and 7, with pixels of 9, which the person made."""
    plane = np.zeros((6, 8), dtype=np.uint8)
    plane[1:3, 1:4], plane[4:, 5:] = 1, 2
    request = read_request(viewer, image)
    layer = make_labels_layer(request, make_result(plane), ids=(5, 7))
    layer.data[0, 7] = 9
    viewer.add_layer(layer)
    return layer


def writer_of(name: str, layers: list[Any]) -> Any:  # noqa: ANN401 - a writer of npe2
    """Choose a writer as the dialog does: by the entry that the person chose."""
    entries, writers = file_extensions_string_for_layers(layers)
    assert entries is not None
    chosen = f"SCLIP {TITLES[name]} ("
    return dict(zip(entries.split(";;"), writers, strict=True))[
        next(entry for entry in entries.split(";;") if entry.startswith(chosen))
    ]


def test_every_format_is_an_entry_of_its_own_in_the_dialog(labels: Labels, image: Image) -> None:
    for layers in ([labels], [image, labels]):
        entries, _ = file_extensions_string_for_layers(layers)
        assert entries is not None
        own = [entry for entry in entries.split(";;") if entry.startswith("SCLIP ")]
        assert [entry.partition(" (")[0] for entry in own] == [
            f"SCLIP {TITLES[known.name]}" for known in LAYER_FORMATS
        ]
        for known, entry in zip(LAYER_FORMATS, own, strict=True):
            assert entry.partition(" (")[2] == f"{' '.join(f'*{s}' for s in known.suffixes)})"
    assert "SCLIP" not in (file_extensions_string_for_layers([image])[0] or "")


def test_a_new_format_needs_no_change_here(
    tmp_path: Path, labels: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = find_export_format("labels")
    new = dataclasses.replace(known, name="new-one", suffixes=(".new",))
    monkeypatch.setattr(saving, "LAYER_FORMATS", (*LAYER_FORMATS, new))
    monkeypatch.setattr(saving, "find_export_format", {"new-one": new}.__getitem__)
    layers = [labels.as_layer_data_tuple()]
    assert saving.write_new_one(str(tmp_path / "a"), layers) == [str(tmp_path / "a.new")]
    assert (tmp_path / "a.new").stat().st_size > 0
    with pytest.raises(AttributeError, match="no attribute 'write_other'"):
        _ = saving.write_other


@pytest.mark.parametrize("name", TITLES)
def test_the_entry_chosen_decides_and_the_ending_is_added(
    tmp_path: Path, viewer: ViewerModel, labels: Labels, name: str
) -> None:
    viewer.layers.selection = {labels}
    writer = writer_of(name, [labels])
    saved = viewer.layers.save(str(tmp_path / "leaf"), selected=True, _writer=writer)
    suffix = next(known.suffixes[0] for known in LAYER_FORMATS if known.name == name)
    # The oldest napari names only the first file of a writer.
    assert saved[0] == str(tmp_path / f"leaf{suffix}")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({f"leaf{suffix}", *BESIDE[name]})


def test_a_png_brings_its_names_along(tmp_path: Path, labels: Labels) -> None:
    saved = labels.save(str(tmp_path / "leaf.png"), plugin=PLUGIN)
    names = ("leaf.png", "leaf_classes.json", "leaf.png_prediction.npz")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(names)
    assert saved[0] == str(tmp_path / names[0])
    with Picture.open(saved[0]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), labels.data)
    values = json.loads((tmp_path / names[1]).read_text(encoding="utf-8"))
    colors = {row.id: row.color for row in read_legend(labels)}
    assert [(c["id"], c["name"]) for c in values["classes"]] == [
        (5, "leaf"), (7, "soil"), (9, "label 9")
    ]  # fmt: skip
    assert [c["color"] for c in values["classes"]][:2] == [colors[5], colors[7]]
    assert values["model"]["name"] == "a-model"
    assert values["image"]["file"] == "photo"


def test_napari_s_own_writers_stay_the_first(tmp_path: Path, labels: Labels) -> None:
    writer, _ = PluginManager.instance().get_writer(str(tmp_path / "leaf.tif"), ["labels"])
    assert writer is not None
    assert writer.command == "napari.write_labels"
    writer, _ = PluginManager.instance().get_writer(str(tmp_path / "leaf"), ["labels"])
    assert writer is not None
    assert writer.command == "napari.write_labels"


def test_saving_again_replaces_what_was_asked_about_and_nothing_else(
    tmp_path: Path, labels: Labels
) -> None:
    path = tmp_path / "leaf.png"
    labels.save(str(path), plugin=PLUGIN)
    labels.data[0, 0] = 12
    labels.save(str(path), plugin=PLUGIN)
    assert "label 12" in (tmp_path / "leaf_classes.json").read_text(encoding="utf-8")
    (tmp_path / "other_classes.json").write_text("mine")
    with pytest.raises(OutputError, match="is in the way"):
        labels.save(str(tmp_path / "other.png"), plugin=PLUGIN)
    assert not (tmp_path / "other.png").exists()
    (tmp_path / "data.yaml").write_text("mine")
    with pytest.raises(OutputError, match="lists other classes"):
        labels.save(str(tmp_path / "leaf.txt"), plugin=PLUGIN)
    assert (tmp_path / "data.yaml").read_text() == "mine"
    with pytest.raises(OutputError, match="exists already"):
        save_labels(labels, path, "labels")


def test_tiff_and_zarr_know_the_size_of_a_pixel(
    tmp_path: Path, viewer: ViewerModel, labels: Labels, image: Image
) -> None:
    labels.save(str(tmp_path / "leaf.ome.tif"), plugin=PLUGIN)
    with tifffile.TiffFile(tmp_path / "leaf.ome.tif") as file:
        assert file.asarray().dtype == labels.data.dtype
        pixels = tifffile.xml2dict(file.ome_metadata or "")["OME"]["Image"]["Pixels"]
        assert (pixels["PhysicalSizeY"], pixels["PhysicalSizeX"]) == (0.5, 0.25)
        assert pixels["PhysicalSizeXUnit"] == "µm"
        page: Any = file.pages[0]
        assert page.tags["XResolution"].value == (40000, 1)
    viewer.layers.save(str(tmp_path / "leaf.ome.zarr"), plugin=PLUGIN)
    import zarr

    root = zarr.open_group(str(tmp_path / "leaf.ome.zarr"), mode="r")
    np.testing.assert_array_equal(np.asarray(root["0"]), image.data)
    for group in (root, root["labels/classes"]):
        scales: Any = dict(group.attrs)["multiscales"]
        assert [a["unit"] for a in scales[0]["axes"]] == ["micrometer", "micrometer"]
        assert scales[0]["datasets"][0]["coordinateTransformations"][0]["scale"] == [0.5, 0.25]


def test_coco_names_the_image_that_is_saved_with_the_labels(
    tmp_path: Path, viewer: ViewerModel, labels: Labels
) -> None:
    viewer.layers.save(str(tmp_path / "leaf.json"), plugin=PLUGIN)
    values = json.loads((tmp_path / "leaf.json").read_text(encoding="utf-8"))
    assert values["images"] == [{"id": 1, "file_name": "photo", "height": 6, "width": 8}]
    assert [c["id"] for c in values["categories"]] == [5, 7, 9]


def test_a_stack_becomes_a_file_a_plane_where_the_format_knows_none(
    tmp_path: Path, viewer: ViewerModel
) -> None:
    data = np.zeros((12, 6, 8), dtype=np.uint16)
    data[3, 2:4, 2:4], data[11, 0, 0] = 300, 4
    layer = viewer.add_labels(data)
    saved = save_labels(layer, tmp_path / "leaf", "labels")
    assert saved[3].name == "leaf_z03.png"
    assert len(saved) == 13
    with Picture.open(saved[3]) as picture:
        np.testing.assert_array_equal(np.asarray(picture), data[3])
    (coco,) = save_labels(layer, tmp_path / "leaf", "coco")
    values = json.loads(coco.read_text(encoding="utf-8"))
    assert [(a["image_id"], a["category_id"]) for a in values["annotations"]] == [(4, 300), (12, 4)]
    (geo,) = save_labels(layer, tmp_path / "leaf", "geojson")
    features = json.loads(geo.read_text(encoding="utf-8"))["features"]
    assert [f["geometry"]["plane"]["z"] for f in features] == [3, 11]
    tiff, _ = save_labels(layer, tmp_path / "whole", "tiff")
    np.testing.assert_array_equal(tifffile.imread(tiff), data)


def test_planes_are_written_as_they_are_shown(
    viewer: ViewerModel, make_result: Callable[..., Any]
) -> None:
    image = viewer.add_image(np.zeros((6, 8), dtype=np.uint8), name="photo")
    viewer.dims.order = (1, 0)
    plane = np.zeros((8, 6), dtype=np.uint8)
    plane[7, 0] = 1
    layer = make_labels_layer(read_request(viewer, image), make_result(plane))
    (shown,) = export_item(layer.as_layer_data_tuple()).planes()
    np.testing.assert_array_equal(shown.item.labels, plane)
    assert layer.data.shape == (6, 8)
    labels = export_item(layer.as_layer_data_tuple(), image.as_layer_data_tuple())
    (with_image,) = labels.planes()
    assert with_image.item.image is not None
    assert with_image.item.image.shape == (8, 6)


def test_names_of_other_plugins_and_the_colours_shown_are_taken() -> None:
    data = np.array([[0, 1, 2, 3, 4]])
    table = {"index": [0, 1, 2, 3], "name": ["none", "cell", "cell", "Background"]}
    layer = Labels(data, features=table)
    rows = export_item(layer.as_layer_data_tuple()).rows
    assert [(r.id, r.name) for r in rows] == [
        (1, "cell"), (2, "cell (2)"), (3, "Background (3)"), (4, "label 4")
    ]  # fmt: skip
    shown = layer.colormap.map(np.array([r.id for r in rows]))
    np.testing.assert_array_equal([r.color for r in rows], np.rint(255 * shown[:, :3]))


@pytest.mark.parametrize("name", ["voc", "coco"])
def test_the_save_dialog_of_a_real_window(
    tmp_path: Path,
    make_napari_viewer: Callable[[], Any],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    from qtpy.QtWidgets import QFileDialog

    viewer = make_napari_viewer()
    layer = viewer.add_labels(np.array([[0, 4], [4, 0]], dtype=np.uint8), name="leaf")
    viewer.layers.selection = {layer}

    def choose(*_: object, filter: str, **__: object) -> tuple[str, str]:
        chosen = next(e for e in filter.split(";;") if TITLES[name] in e)
        return str(tmp_path / "leaf"), chosen

    monkeypatch.setattr(QFileDialog, "getSaveFileName", choose)
    viewer.window._qt_viewer._save_layers_dialog(selected=True)
    suffix = {"voc": ".png", "coco": ".json"}[name]
    assert (tmp_path / f"leaf{suffix}").stat().st_size > 50

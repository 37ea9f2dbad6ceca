"""Labels from elsewhere, as a starting point."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from npe2 import PluginManifest

import napari_sclip
from napari_sclip.errors import ImageError
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.io.open import adopt_labels, get_reader, labels_layer_from_mask
from napari_sclip.layers.io.save import LAYER_FORMATS, save_labels
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.targets import LabelsMismatchError
from napari_sclip.layers.labels.write import update_labels, why_not_updating
from napari_sclip.prompts import ClassPrompt, parse_classes

MANIFEST = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")


@pytest.fixture(autouse=True)
def plugins(npe2pm: Any) -> Iterator[Any]:  # noqa: ANN401 - npe2's own fixture
    """Know napari's own plugins and this one, as a real napari does."""
    import napari_builtins

    builtins = PluginManifest.from_file(Path(napari_builtins.__file__).parent / "builtins.yaml")
    with npe2pm.tmp_plugin(manifest=builtins), npe2pm.tmp_plugin(manifest=MANIFEST):
        yield npe2pm


def painted() -> np.ndarray:
    data = np.zeros((6, 8), dtype=np.int32)
    data[1:3, 1:4], data[4:, 5:], data[0, 0] = 5, 7, 9
    return data


def named(layer: Labels) -> dict[int, str]:
    return {row.id: row.name for row in read_legend(layer)}


def test_a_strange_layer_is_updated_and_its_pixels_are_kept(
    viewer: ViewerModel, make_result: Callable[..., Any]
) -> None:
    image = viewer.add_image(np.zeros((6, 8), dtype=np.uint8), name="photo")
    layer = viewer.add_labels(painted(), features={"index": [0, 5], "class": ["none", "leaf"]})
    shown = layer.colormap.map(np.array([5, 7]))
    legend = adopt_labels(layer, image=image)
    assert named(layer) == {5: "leaf", 7: "label 7", 9: "label 9"}
    np.testing.assert_allclose(layer.colormap.map(np.array([5, 7])), shown, atol=1 / 255)
    assert list(layer.features["class"]) == ["undecided", "leaf", "label 7", "label 9"]
    assert legend == read_legend(layer)
    assert layer.metadata["napari_sclip"]["source"]["image"] == "photo"
    request = read_request(viewer, image)
    assert why_not_updating(layer, request, parse_classes("leaf, soil")) is None
    np.testing.assert_array_equal(hand_edits(layer, request), painted() != 0)
    update_labels(layer, request, make_result(np.full((6, 8), 2)))
    np.testing.assert_array_equal(layer.data, np.where(painted() == 0, 10, painted()))
    assert named(layer)[10] == "soil"


def test_an_empty_layer_is_updated_and_what_is_painted_in_it_is_kept(
    viewer: ViewerModel, make_result: Callable[..., Any]
) -> None:
    image = viewer.add_image(np.zeros((6, 8), dtype=np.uint8), name="photo")
    layer = viewer.add_labels(np.zeros((6, 8), np.uint8))
    assert adopt_labels(layer, image=image) == ()
    layer.brush_size = 1
    layer.paint((2, 3), 2)
    request = read_request(viewer, image)
    assert why_not_updating(layer, request, parse_classes("leaf, soil")) is None
    update_labels(layer, request, make_result(np.full((6, 8), 1)))
    assert layer.data[2, 3] == 2
    assert np.count_nonzero(layer.data == 1) == 47


def test_ids_that_napari_cannot_show_are_refused_and_nothing_is_changed(
    viewer: ViewerModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)  # without numba
    data = painted()
    data[0, 0] = 2**16 + 1
    layer = viewer.add_labels(data)
    with pytest.raises(LabelsMismatchError, match="numba"):
        adopt_labels(layer)
    assert not read_legend(layer)
    layer.refresh()
    (mask, *_) = save_labels(layer, tmp_path / "mask", "tiff")
    with pytest.raises(LabelsMismatchError, match="65,537"):
        labels_layer_from_mask(mask)
    data[0, 0] = 2**16
    layer.data = data
    adopt_labels(layer)
    layer.refresh()


def test_classes_can_be_given(viewer: ViewerModel) -> None:
    layer = viewer.add_labels(painted())
    adopt_labels(layer, {5: ClassPrompt("leaf", color="#102030"), 0: ClassPrompt("background")})
    assert named(layer) == {0: "background", 5: "leaf", 7: "label 7", 9: "label 9"}
    other = Labels(np.array([[0, 1, 2, 3]]))
    adopt_labels(other, parse_classes("cat, background, dog"))
    assert named(other) == {0: "background", 1: "cat", 2: "dog", 3: "label 3"}


def test_adopting_twice_keeps_the_legend_and_names_what_was_painted_since() -> None:
    layer = Labels(painted())
    adopt_labels(layer, {5: ClassPrompt("leaf", ("a leaf",))})
    layer.data[5, 0] = 11
    adopt_labels(layer)
    assert named(layer) == {5: "leaf", 7: "label 7", 9: "label 9", 11: "label 11"}
    assert read_legend(layer)[0].prompts == ("a leaf",)


def test_lazy_labels_are_brought_into_memory_and_bad_ones_refused() -> None:
    import dask.array as da

    layer = Labels(da.from_array(painted()))
    adopt_labels(layer)
    assert isinstance(layer.data, np.ndarray)
    np.testing.assert_array_equal(layer.data, painted())
    with pytest.raises(LabelsMismatchError, match="has -1"):
        adopt_labels(Labels(np.array([[-1, 0]])))
    with pytest.raises(LabelsMismatchError, match="is a pyramid"):
        adopt_labels(Labels([np.zeros((8, 8), int), np.zeros((4, 4), int)], multiscale=True))


@pytest.mark.parametrize("name", ["labels", "tiff", "ome-zarr", "coco", "voc"])
def test_what_was_saved_comes_back(tmp_path: Path, name: str) -> None:
    layer = Labels(painted())
    adopt_labels(layer, {5: ClassPrompt("leaf"), 7: ClassPrompt("soil", ("earth", "mud"))})
    path = save_labels(layer, tmp_path / "leaf", name)[0]
    again = labels_layer_from_mask(path)
    before = {row.name: layer.data == row.id for row in read_legend(layer)}
    after = {row.name: again.data == row.id for row in read_legend(again)}
    assert set(before) == set(after)
    for class_name, mask in before.items():
        np.testing.assert_array_equal(after[class_name], mask)
    if name in ("labels", "tiff", "ome-zarr"):
        np.testing.assert_array_equal(again.data, layer.data)
        assert [r.prompts for r in read_legend(again)] == [r.prompts for r in read_legend(layer)]
    if name != "voc":
        assert [r.color for r in read_legend(again)] == [r.color for r in read_legend(layer)]


def test_what_napari_saved_itself_loses_no_label(tmp_path: Path) -> None:
    layer = Labels(painted())
    (saved,) = layer.save(str(tmp_path / "leaf.tif"), plugin="napari")
    again = labels_layer_from_mask(Path(saved))
    np.testing.assert_array_equal(again.data, layer.data)
    assert named(again) == {5: "label 5", 7: "label 7", 9: "label 9"}


def test_the_place_of_the_mask_comes_back_or_is_the_image_s(
    tmp_path: Path, viewer: ViewerModel
) -> None:
    layer = Labels(painted(), scale=(0.5, 0.25), translate=(3, 4), units="um")
    again = labels_layer_from_mask(save_labels(layer, tmp_path / "leaf", "ome-zarr")[0])
    np.testing.assert_allclose(again.scale, layer.scale)
    np.testing.assert_allclose(again.translate, layer.translate)
    assert again.units == layer.units
    path = save_labels(layer, tmp_path / "leaf", "labels")[0]
    image = viewer.add_image(np.zeros((6, 8, 3), np.uint8), name="photo", scale=(2, 3), rgb=True)
    placed = labels_layer_from_mask(path, image)
    assert placed.name == "photo labels"
    assert why_not_updating(placed, read_request(viewer, image), parse_classes("leaf")) is None
    with pytest.raises(ImageError, match=r"Expected a mask of \(6, 9\) pixels.*has \(6, 8\)"):
        labels_layer_from_mask(path, viewer.add_image(np.zeros((6, 9), np.uint8)))


def test_napari_opens_the_json_of_classes_and_is_asked_nothing(
    tmp_path: Path, viewer: ViewerModel
) -> None:
    layer = Labels(painted())
    adopt_labels(layer, {5: ClassPrompt("leaf")})
    path, beside = save_labels(layer, tmp_path / "leaf", "labels")
    (opened,) = viewer.open(str(beside), plugin=None)  # as File > Open does
    assert isinstance(opened, Labels)
    assert opened.name == "leaf"
    np.testing.assert_array_equal(opened.data, layer.data)
    assert named(opened) == named(layer)
    # Pictures are napari's own, also those that we wrote.
    (picture,) = viewer.open(str(path), plugin=None)
    assert not isinstance(picture, Labels)


def test_all_else_is_refused(tmp_path: Path) -> None:
    layer = Labels(painted())
    path, beside = save_labels(layer, tmp_path / "leaf", "labels")
    assert get_reader(str(beside)) is not None
    assert get_reader(str(path)) is None
    assert get_reader([str(beside)]) is None
    assert get_reader(str(tmp_path / "none_classes.json")) is None
    path.unlink()
    assert get_reader(str(beside)) is None
    (tmp_path / "x_classes.json").write_text("{}")
    (tmp_path / "x.png").write_bytes(b"")
    assert get_reader(str(tmp_path / "x_classes.json")) is None


def test_all_formats_of_layers_are_known() -> None:
    assert [known.name for known in LAYER_FORMATS] == [
        "labels", "tiff", "ome-zarr", "coco", "voc", "yolo", "geojson"
    ]  # fmt: skip

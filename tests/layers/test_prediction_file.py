"""What a person did to labels is known again when they are opened again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.io.open import labels_layer_from_mask
from napari_sclip.layers.io.save import WITH_PREDICTION, save_labels
from napari_sclip.layers.labels.annotations import checked_pixels, mark_checked, prediction_log
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.snapshot import prediction_path
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.layers.labels.write import make_labels_layer
from napari_sclip.prompts import ClassPrompt

CHECKED = np.zeros((6, 8), dtype=bool)
CHECKED[0:3, 0:5] = True


@pytest.fixture
def labels(viewer: ViewerModel, make_result: Callable[..., Any]) -> Labels:
    """Painted over with the same class at one pixel, and with another at the next; half checked."""
    image = viewer.add_image(np.zeros((6, 8), np.uint8), name="photo")
    plane = np.zeros((6, 8), dtype=np.uint8)
    plane[1:3, 1:4], plane[4:, 5:] = 1, 2
    layer = viewer.add_layer(make_labels_layer(read_request(viewer, image), make_result(plane)))
    assert isinstance(layer, Labels)
    layer.brush_size = 1
    layer.paint((0, 7), 2)
    mark_checked(layer, shown_plane(viewer, layer), CHECKED)
    return layer


def work(viewer: ViewerModel, layer: Labels) -> tuple[np.ndarray, np.ndarray]:
    """Return what is known as painted and as checked."""
    plane = shown_plane(viewer, layer)
    return prediction_log(layer).edited_everywhere(layer.data), checked_pixels(layer, plane)


@pytest.mark.parametrize("name", WITH_PREDICTION)
def test_strokes_and_checks_come_back_with_the_mask(
    viewer: ViewerModel, labels: Labels, tmp_path: Path, name: str
) -> None:
    painted, checked = work(viewer, labels)
    assert np.argwhere(painted).tolist() == [[0, 7]]
    np.testing.assert_array_equal(checked, CHECKED)
    (mask, *_, beside) = save_labels(labels, tmp_path / "leaf", name)
    assert beside == prediction_path(mask) == tmp_path / f"{mask.name}_prediction.npz"
    back = labels_layer_from_mask(mask)
    # Saved again before anybody asked what is known of it.
    again = labels_layer_from_mask(save_labels(back, tmp_path / "again", name)[0])
    for layer in (back, again):
        viewer.add_layer(layer)
        np.testing.assert_array_equal(layer.data, labels.data)
        found = work(viewer, layer)
        np.testing.assert_array_equal(found[0], painted)
        np.testing.assert_array_equal(found[1], checked)


def test_partial_results_are_not_saved(viewer: ViewerModel, labels: Labels, tmp_path: Path) -> None:
    before, painted = labels.data.copy(), work(viewer, labels)[0]
    image = viewer.layers["photo"]
    draft = Draft(labels, read_request(viewer, image), 0)
    draft.show(np.full((6, 8), 2, np.uint8))
    assert (labels.data != before).any()
    mask = save_labels(labels, tmp_path / "leaf", "labels")[0]
    draft.withdraw()
    back = labels_layer_from_mask(mask)
    viewer.add_layer(back)
    np.testing.assert_array_equal(back.data, before)
    np.testing.assert_array_equal(work(viewer, back)[0], painted)


def test_names_with_dots_are_told_apart(
    viewer: ViewerModel, labels: Labels, tmp_path: Path
) -> None:
    first, *_, beside = save_labels(labels, tmp_path / "photo.001.png", "labels")
    painted = work(viewer, labels)[0]
    labels.paint((5, 0), 2)
    _, *_, other = save_labels(labels, tmp_path / "photo.002.png", "labels")
    assert beside != other
    back = labels_layer_from_mask(first)
    assert back.name == "photo.001"
    viewer.add_layer(back)
    np.testing.assert_array_equal(work(viewer, back)[0], painted)


def test_without_the_file_or_with_that_of_others_all_counts_as_painted(
    viewer: ViewerModel, labels: Labels, tmp_path: Path
) -> None:
    mask, *_, beside = save_labels(labels, tmp_path / "leaf", "labels")
    other = viewer.add_labels(np.ones((5, 5), np.uint8))
    for damaged in (b"nonsense", None):
        beside.write_bytes(damaged) if damaged else beside.unlink()
        back = labels_layer_from_mask(mask)
        viewer.add_layer(back)
        painted, checked = work(viewer, back)
        np.testing.assert_array_equal(painted, labels.data != 0)
        assert not checked.any()
    prediction_log(other)
    save_labels(other, tmp_path / "other", "labels")
    (tmp_path / "other.png_prediction.npz").rename(beside)
    back = labels_layer_from_mask(mask)
    np.testing.assert_array_equal(
        prediction_log(back).edited_everywhere(back.data), labels.data != 0
    )


def test_labels_without_a_prediction_leave_none_of_others_behind(
    viewer: ViewerModel, labels: Labels, tmp_path: Path
) -> None:
    mask, *_, beside = save_labels(labels, tmp_path / "leaf", "labels")
    strange = viewer.add_labels(np.ones((6, 8), np.uint8))
    save_labels(strange, mask, "labels", overwrite=True)
    assert mask.exists()
    assert not beside.exists()


def test_masks_of_two_formats_keep_what_is_known_of_each(
    viewer: ViewerModel, labels: Labels, tmp_path: Path
) -> None:
    first = save_labels(labels, tmp_path / "leaf.png", "labels")[0]
    painted = work(viewer, labels)[0]
    labels.paint((5, 0), 2)
    save_labels(labels, tmp_path / "leaf.ome.tif", "tiff")
    back = labels_layer_from_mask(first)
    viewer.add_layer(back)
    np.testing.assert_array_equal(work(viewer, back)[0], painted)


def test_a_mask_that_was_changed_elsewhere_counts_as_painted(
    viewer: ViewerModel, labels: Labels, tmp_path: Path
) -> None:
    mask = save_labels(labels, tmp_path / "leaf.ome.tif", "tiff")[0]
    data = labels.data.copy()
    data[5, 0] = 2
    tifffile.imwrite(mask, data)
    back = labels_layer_from_mask(mask)
    viewer.add_layer(back)
    np.testing.assert_array_equal(back.data, data)
    np.testing.assert_array_equal(work(viewer, back)[0], data != 0)


@pytest.mark.parametrize("name", ["tiff", "ome-zarr"])
@pytest.mark.parametrize("shape", [(1, 6, 8), (5, 1, 6, 8), (1, 2, 1, 6, 8)])
def test_axes_of_one_plane_come_back(
    viewer: ViewerModel, tmp_path: Path, name: str, shape: tuple[int, ...]
) -> None:
    scale = (1.0, 3.0, 4.0, 0.5, 0.5)[-len(shape) :]
    image = viewer.add_image(np.zeros(shape, np.uint8), name="photo", scale=scale)
    image.units = ("pixel",) * (len(shape) - 2) + ("micrometer",) * 2
    request = read_request(viewer, image)
    layer = viewer.add_layer(new_labels_layer(request, (ClassPrompt("leaf"),)))
    assert isinstance(layer, Labels)
    prediction_log(layer)
    layer.data[..., 0, :3] = 1
    mask = save_labels(layer, tmp_path / "leaf", name)[0]
    prediction_log(layer).predicted[...] = layer.data
    known = save_labels(layer, tmp_path / "known", name)[0]
    for file, painted in ((mask, layer.data != 0), (known, np.zeros(shape, bool))):
        back = labels_layer_from_mask(file)
        np.testing.assert_array_equal(back.data, layer.data)
        np.testing.assert_array_equal(prediction_log(back).edited_everywhere(back.data), painted)
        np.testing.assert_allclose(back.scale[-2:], layer.scale[-2:])
        assert labels_layer_from_mask(file, image).data.shape == shape

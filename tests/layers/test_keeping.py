"""A Labels layer as a file, and back, with what is known of a hand's work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels import chunks as slabs
from napari_sclip.layers.labels import snapshot as keeping
from napari_sclip.layers.labels.annotations import (
    checked_pixels,
    hand_edits,
    mark_checked,
    unmark_checked,
)
from napari_sclip.layers.labels.layer import hidden_classes, set_class_colors
from napari_sclip.layers.labels.objects import (
    make_instances_layer,
    source_labels,
    write_instances_back,
)
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.schema import KEY, read_legend
from napari_sclip.layers.labels.snapshot import (
    KeptLabels,
    KeptLabelsError,
    make_layer,
    read_kept,
    take_down,
    take_down_in_steps,
    write_kept,
)
from napari_sclip.layers.labels.targets import whole_plane_of
from napari_sclip.layers.labels.write import make_labels_layer, update_labels
from napari_sclip.prompts import parse_classes
from tests.layers.conftest import MakeResult


def test_all_of_a_layer_comes_back(
    viewer: ViewerModel, make_result: MakeResult, tmp_path: Path
) -> None:
    image = viewer.add_image(
        np.zeros((3, 40, 50), np.uint8),
        scale=(2, 0.5, 0.5),
        translate=(1, 2, 3),
        rotate=30,
        units=("um", "um", "um"),
        axis_labels=("z", "y", "x"),
    )
    request = read_request(viewer, image, ReadOptions(planes="all"))
    ones = np.ones((40, 50), np.uint8)
    layer = make_labels_layer(request, make_result(ones), dict.fromkeys(range(3), ones))
    set_class_colors(layer, parse_classes("leaf, soil"), hidden={"soil"})
    layer.brush_size = 1
    layer.paint((1, 5, 5), 2)
    update_labels(layer, request, make_result(ones), dict.fromkeys(range(3), 2 * ones))
    layer.paint((1, 5, 5), 1)
    layer.paint((2, 6, 6), 0)
    whole = whole_plane_of(request, 1)
    mark_checked(layer, whole, ones > 0)
    write_kept(tmp_path / "kept.npz", take_down(layer))
    back = make_layer(read_kept(tmp_path / "kept.npz"))
    np.testing.assert_array_equal(back.data, layer.data)
    assert back.data.dtype == layer.data.dtype
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    for corner in corners:
        np.testing.assert_allclose(back.data_to_world(corner), layer.data_to_world(corner))
    assert back.units == layer.units
    assert back.axis_labels == layer.axis_labels
    assert read_legend(back) == read_legend(layer)
    assert hidden_classes(back) == {"soil"}
    assert back.metadata[KEY] == layer.metadata[KEY]
    for number in range(3):
        np.testing.assert_array_equal(
            hand_edits(back, request, number), hand_edits(layer, request, number)
        )
    assert hand_edits(back, request, 1)[5, 5]
    assert checked_pixels(back, whole).all()
    assert not checked_pixels(back, whole_plane_of(request, 0)).any()


def test_what_was_only_checked_is_work_too(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    request = read_request(viewer, image)
    layer = make_labels_layer(request, make_result(np.ones((40, 50))))
    assert not take_down(layer).has_work()
    mark_checked(layer, whole_plane_of(request))
    kept = take_down(layer)
    assert kept.has_work()
    unmark_checked(layer, whole_plane_of(request))
    assert kept.has_work()
    assert not take_down(layer).has_work()


def test_objects_come_back_and_can_be_written_back(
    viewer: ViewerModel, make_result: MakeResult, tmp_path: Path
) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    plane = np.zeros((40, 50), np.uint8)
    plane[5:10, 5:10] = plane[20:30, 20:30] = 1
    labels = make_labels_layer(read_request(viewer, image), make_result(plane))
    viewer.add_layer(labels)
    objects = make_instances_layer(labels, 1)
    assert not take_down(objects).has_work()
    objects.brush_size = 1
    objects.paint((0, 0), 1)
    assert take_down(objects).has_work()
    objects.undo()
    assert not take_down(objects).has_work()
    objects.redo()
    labels.brush_size = 1
    labels.paint((35, 45), 1)
    write_kept(tmp_path / "kept.npz", take_down(objects))
    back = make_layer(read_kept(tmp_path / "kept.npz"))
    np.testing.assert_array_equal(back.data, objects.data)
    assert take_down(back).has_work()
    objects.undo()
    objects.data = objects.data.copy()
    assert take_down(objects).has_work()
    assert list(back.features["class"]) == ["no object", "leaf 1", "leaf 2"]
    source = source_labels(back, viewer.layers)
    assert source is not None
    assert source is labels
    written = write_instances_back(back, labels)
    assert (written.added, written.removed) == (1, 0)
    assert labels.data[0, 0] == labels.data[35, 45] == 1


def test_partial_results_are_not_kept(
    viewer: ViewerModel, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    request = read_request(viewer, image)
    layer = make_labels_layer(request, make_result(np.ones((40, 50))))
    layer.brush_size = 1
    monkeypatch.setattr(slabs, "SLAB_PIXELS", 200)
    for copied in (keeping.COPIED_BYTES, 0):
        monkeypatch.setattr(keeping, "COPIED_BYTES", copied)
        draft = Draft(layer, request, 0)
        draft.show(np.full((40, 50), 2, np.uint8))
        layer.paint((5, 5), 0)
        kept = take_down(layer)
        assert np.argwhere(kept.data != 1).tolist() == [[5, 5]]
        assert kept.has_work()
        draft.withdraw()
        layer.undo()
        assert not take_down(layer).has_work()


def test_what_changes_between_the_steps_is_taken_down_without_partial_results(
    viewer: ViewerModel, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    request = read_request(viewer, image)
    layer = make_labels_layer(request, make_result(np.ones((40, 50))))
    layer.brush_size = 1
    monkeypatch.setattr(slabs, "SLAB_PIXELS", 200)
    monkeypatch.setattr(keeping, "COPIED_BYTES", 0)
    first = Draft(layer, request, 0)
    first.show(np.full((40, 50), 2, np.uint8))
    steps = take_down_in_steps(layer)
    taken: list[KeptLabels | None] = []
    for number, kept in enumerate(steps):
        taken.append(kept)
        if number == 2:
            layer.paint((39, 5), 0)
        elif number == 12:  # the rows at the top are being cleaned
            first.show(np.full((40, 50), 0, np.uint8))
            first.show(np.full((40, 50), 2, np.uint8))
            layer.paint((38, 6), 0)
        elif number == 15:  # one run ends, and another one begins
            first.withdraw()
            second = Draft(layer, request, 0)
            second.show(np.full((40, 50), 2, np.uint8))
    *before, last = taken
    assert before == [None] * 40  # all is copied and cleaned twice
    assert last is not None
    assert np.argwhere(last.data != 1).tolist() == [[38, 6], [39, 5]]
    second.withdraw()
    np.testing.assert_array_equal(layer.data, last.data)


def test_files_of_other_kinds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.npz"
    path.write_bytes(b"nonsense")
    with pytest.raises(KeptLabelsError, match=r"kept\.npz does not hold labels"):
        read_kept(path)
    np.savez(path, data=np.zeros(3))
    with pytest.raises(KeptLabelsError):
        read_kept(path)
    with pytest.raises(KeptLabelsError):
        read_kept(tmp_path / "missing.npz")

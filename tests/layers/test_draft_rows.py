"""Partial results of some rows, with memory that a worker has made ready."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels import chunks as slabs
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.targets import ROOM_ARRAYS, PlacedPlane, Placer
from napari_sclip.layers.labels.write import make_labels_layer, update_labels
from tests.layers.conftest import MakeResult


@pytest.fixture(autouse=True)
def small_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slabs, "SLAB_PIXELS", 150)


@pytest.fixture
def request_2d(viewer: ViewerModel) -> ImageRequest:
    return read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8)))


@pytest.fixture
def layer(request_2d: ImageRequest, make_result: MakeResult) -> Labels:
    layer = make_labels_layer(request_2d, make_result(np.ones((40, 50))))
    layer.brush_size = 1
    return layer


def placed(layer: Labels, value: int) -> PlacedPlane:
    result = np.full((40, 50), value, np.uint8)
    return PlacedPlane(result, np.arange(3, dtype=layer.data.dtype)).with_room()


def test_only_the_rows_that_are_told_are_drawn_and_taken_back(
    layer: Labels, request_2d: ImageRequest
) -> None:
    twos = placed(layer, 2)
    draft = Draft(layer, request_2d, 0, room=twos.room)
    for rows in (range(30, 33), range(5, 7), range(0)):
        draft.show_placed(twos, rows)
    drawn = [5, 6, 30, 31, 32]
    assert np.flatnonzero((layer.data == 2).all(axis=1)).tolist() == drawn
    assert (np.delete(layer.data, drawn, axis=0) == 1).all()
    assert not draft.withdraw().any()
    assert not draft.was_painted_in
    assert (layer.data == 1).all()


def test_a_stroke_in_rows_that_are_drawn_later_stays(
    layer: Labels, request_2d: ImageRequest
) -> None:
    twos = placed(layer, 2)
    draft = Draft(layer, request_2d, 0, room=twos.room)
    draft.show_placed(twos, range(3))
    layer.paint((20, 20), 0)
    with layer.block_history():  # a stroke that goes on while rows are drawn
        layer.paint((30, 30), 0)
        draft.show_placed(twos, range(15, 40))
        assert layer.data[30, 30] == 0
    draft.show_placed(twos)
    assert np.argwhere(layer.data == 0).tolist() == [[20, 20], [30, 30]]
    assert np.argwhere(draft.withdraw()).tolist() == [[20, 20], [30, 30]]
    assert draft.was_painted_in
    layer.undo()
    layer.undo()
    assert (layer.data == 1).all()


@pytest.mark.parametrize("painted", [False, True])
def test_runs_with_room_are_written_and_undone_as_those_without(
    request_2d: ImageRequest, make_result: MakeResult, painted: bool
) -> None:
    random = np.random.default_rng(0)
    planes = random.integers(0, 3, (4, 40, 50))
    seen = []
    for with_room in (True, False):
        layer = make_labels_layer(request_2d, make_result(planes[0]))
        layer.brush_size = 3
        placer = Placer(layer, request_2d, make_result(planes[0]).classes)
        states = []
        for plane in planes[1:]:
            if painted:
                layer.paint((11, 12), 2)
            result = make_result(plane)
            ready = placer.place(0, result.labels)
            update_labels(
                layer, request_2d, result, placed={0: ready.with_room() if with_room else ready}
            )
            states.append((layer.data.copy(), hand_edits(layer, request_2d)))
        for move in [layer.undo] * 7 + [layer.redo] * 7 + [layer.undo] * 2:
            move()
            states.append((layer.data.copy(), hand_edits(layer, request_2d)))
        seen.append(np.array(states))
    np.testing.assert_array_equal(seen[0], seen[1])
    assert seen[0][:, 1].any() == painted


def test_what_lies_beyond_a_region_as_large_as_the_layer_stays_predicted(
    viewer: ViewerModel, layer: Labels, make_result: MakeResult
) -> None:
    half = np.array([[-0.5, -0.5], [39.5, -0.5], [39.5, 49.5]])
    shapes = viewer.add_shapes([half], shape_type="polygon")
    shapes.selected_data = {0}
    options = ReadOptions(region="shape", shapes=shapes)
    request = read_request(viewer, viewer.layers[0], options)
    layer.paint((30, 5), 0)
    done = update_labels(
        layer, request, make_result(np.full((40, 50), 2)), placed={0: placed(layer, 2)}
    )
    assert 900 < done.changed == np.count_nonzero(layer.data == 2) < 1100
    whole = read_request(viewer, viewer.layers[0])
    assert np.argwhere(hand_edits(layer, whole)).tolist() == [[30, 5]]
    layer.undo()
    assert np.argwhere(hand_edits(layer, whole)).tolist() == [[30, 5]]
    layer.undo()
    assert (layer.data == 1).all()


def test_many_planes_get_no_room_that_would_fill_the_memory(
    layer: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.labels.targets.ROOM_BYTES", ROOM_ARRAYS * 2000 * 3)
    plane = placed(layer, 2)
    for planes, ready in ((3, True), (4, False)):
        array = plane.with_room(planes).room.take((40, 50), np.uint8)
        assert (array.base is not None) == ready

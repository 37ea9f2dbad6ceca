"""What a person painted stays, and partial results leave no trace."""

from __future__ import annotations

import gc
from collections.abc import Callable

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels import annotations as edits
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.write import make_labels_layer, update_labels
from tests.layers.conftest import MakeResult


@pytest.fixture
def request_2d(viewer: ViewerModel) -> ImageRequest:
    return read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8)))


@pytest.fixture
def layer(request_2d: ImageRequest, make_result: MakeResult) -> Labels:
    layer = make_labels_layer(request_2d, make_result(np.ones((40, 50))))
    layer.brush_size = 1
    return layer


def test_a_second_run_keeps_what_was_painted(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    layer.paint((5, 5), 2)
    layer.paint((6, 6), 0)
    assert np.argwhere(hand_edits(layer, request_2d)).tolist() == [[5, 5], [6, 6]]
    done = update_labels(layer, request_2d, make_result(np.full((40, 50), 2)))
    assert (done.changed, done.kept) == (1998, 1)
    assert (layer.data[5, 5], layer.data[6, 6], layer.data[7, 7]) == (2, 0, 2)
    again = update_labels(layer, request_2d, make_result(np.ones((40, 50))))
    assert (layer.data[5, 5], layer.data[6, 6], layer.data[7, 7]) == (2, 0, 1)
    assert again.kept == 2


def test_a_second_run_may_replace_all_and_be_undone(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    layer.paint((5, 5), 2)
    painted = layer.data.copy()
    done = update_labels(layer, request_2d, make_result(np.zeros((40, 50))), keep_edits=False)
    assert (done.changed, done.kept) == (2000, 0)
    assert not layer.data.any()
    layer.undo()
    np.testing.assert_array_equal(layer.data, painted)
    assert np.argwhere(hand_edits(layer, request_2d)).tolist() == [[5, 5]]


def test_an_undone_run_is_not_taken_for_painting(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    for k in (2, 0, 2):
        update_labels(layer, request_2d, make_result(np.full((40, 50), k)))
    layer.undo()
    layer.undo()
    assert (layer.data == 2).all()
    assert not hand_edits(layer, request_2d).any()
    layer.undo()
    assert not hand_edits(layer, request_2d).any()
    assert update_labels(layer, request_2d, make_result(np.full((40, 50), 2))).changed == 2000


def test_a_layer_from_elsewhere_is_all_of_the_persons(
    request_2d: ImageRequest, make_result: MakeResult
) -> None:
    data = np.zeros((40, 50), np.uint8)
    data[3:5, 3:5] = 1
    layer = Labels(data)
    assert hand_edits(layer, request_2d).sum() == 4
    update_labels(layer, request_2d, make_result(np.full((40, 50), 2)))
    assert np.count_nonzero(layer.data == 1) == 4


def test_painting_in_another_plane_is_kept(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((3, 40, 50), np.uint8))
    every = read_request(viewer, image, ReadOptions(planes="all"))
    ones = np.ones((40, 50), np.uint8)
    layer = make_labels_layer(every, make_result(ones), dict.fromkeys(range(3), ones))
    layer.brush_size = 1
    viewer.add_layer(layer)
    viewer.dims.set_current_step(0, 2)
    layer.paint((2, 7, 7), 2)
    assert [hand_edits(layer, every, k).sum() for k in range(3)] == [0, 0, 1]
    twos = dict.fromkeys(range(3), 0 * ones)
    done = update_labels(layer, every, make_result(ones), twos)
    assert done.kept == 1
    assert np.argwhere(layer.data).tolist() == [[2, 7, 7]]


def test_data_that_a_script_sets_are_the_persons_where_they_differ(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    data = np.ones((40, 50), np.uint16)
    data[5, 5] = 300
    layer.data = data
    assert np.argwhere(hand_edits(layer, request_2d)).tolist() == [[5, 5]]
    update_labels(layer, request_2d, make_result(np.full((40, 50), 2)))
    assert np.argwhere(layer.data != 2).tolist() == [[5, 5]]


@pytest.mark.parametrize("in_place", [True, False])
def test_undoing_a_run_leaves_alone_what_a_script_has_set_since(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult, in_place: bool
) -> None:
    plane = np.ones((40, 50))
    plane[5, 5] = plane[30, 40] = 2
    update_labels(layer, request_2d, make_result(plane))
    data = layer.data if in_place else layer.data.copy()
    data[10:20, 10:20] = 2
    if not in_place:
        layer.data = data
    layer.undo()
    expected = np.ones((40, 50))
    expected[10:20, 10:20] = 2
    np.testing.assert_array_equal(layer.data, expected)
    np.testing.assert_array_equal(hand_edits(layer, request_2d), expected == 2)
    layer.redo()
    expected[5, 5] = expected[30, 40] = 2
    np.testing.assert_array_equal(layer.data, expected)


def test_what_is_erased_after_a_run_that_changed_nothing_stays_erased(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    layer.brush_size = 1
    layer.paint((3, 4), 2)
    assert update_labels(layer, request_2d, make_result(np.ones((40, 50)))).changed == 0
    layer.paint((3, 4), 1)
    np.testing.assert_array_equal(np.argwhere(hand_edits(layer, request_2d)), [[3, 4]])
    update_labels(layer, request_2d, make_result(np.full((40, 50), 2)))
    assert layer.data[3, 4] == 1
    layer.undo()
    layer.undo()
    assert hand_edits(layer, request_2d)[3, 4]
    layer.undo()
    assert not hand_edits(layer, request_2d).any()
    layer.redo()
    layer.redo()
    assert hand_edits(layer, request_2d)[3, 4]


def test_data_of_another_shape_are_all_the_persons(
    viewer: ViewerModel, make_result: MakeResult
) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    layer = make_labels_layer(read_request(viewer, image), make_result(np.ones((40, 50))))
    image.data = np.zeros((20, 30), np.uint8)
    layer.data = np.ones((20, 30), np.uint8)
    assert hand_edits(layer, read_request(viewer, image)).all()


def test_the_log_goes_with_its_layer(request_2d: ImageRequest, make_result: MakeResult) -> None:
    gc.collect()
    before = len(edits._LOGS)
    layer = make_labels_layer(request_2d, make_result(np.ones((40, 50))))
    assert len(edits._LOGS) == before + 1
    del layer
    gc.collect()
    assert len(edits._LOGS) <= before


def test_a_draft_is_drawn_and_withdrawn_without_a_trace(
    layer: Labels, request_2d: ImageRequest
) -> None:
    layer.paint((5, 5), 2)
    before = layer.data.copy()
    steps = len(layer._undo_history)
    draft = Draft(layer, request_2d, 0)
    part = np.zeros((40, 50), np.uint8)
    part[:20] = 2
    draft.show(part)
    assert (layer.data[:20] == 2).all()
    assert (layer.data[20:] == 1).all()
    part[:20] = 1
    draft.show(part)
    assert np.argwhere(layer.data == 2).tolist() == [[5, 5]]
    draft.withdraw()
    np.testing.assert_array_equal(layer.data, before)
    assert len(layer._undo_history) == steps


def test_what_is_painted_during_a_draft_stays(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    draft = Draft(layer, request_2d, 0)
    draft.show(np.full((40, 50), 2, np.uint8))
    layer.paint((5, 5), 0)
    draft.show(np.full((40, 50), 2, np.uint8))
    assert layer.data[5, 5] == 0
    draft.withdraw()
    expected = np.ones((40, 50))
    expected[5, 5] = 0
    np.testing.assert_array_equal(layer.data, expected)
    assert update_labels(layer, request_2d, make_result(np.full((40, 50), 2))).kept == 1
    assert np.argwhere(layer.data != 2).tolist() == [[5, 5]]


def dab(layer: Labels, label: int) -> None:
    layer.paint(coord=(5, 5), new_label=label)


def polygon(layer: Labels, label: int) -> None:
    layer.paint_polygon([[4, 4], [4, 9], [9, 9], [9, 4]], label)


def drag(layer: Labels, label: int) -> None:
    with layer.block_history():
        for column in range(5, 12):
            layer.paint((5, column), label)


def by_script(layer: Labels, label: int) -> None:
    rows, columns = np.mgrid[3:7, 3:9]
    layer.data_setitem((rows.ravel(), columns.ravel()), label)


@pytest.mark.parametrize("stroke", [dab, polygon, drag, by_script])
@pytest.mark.parametrize("label", [0, 1, 2])
@pytest.mark.parametrize("drawn", [1, 2])
def test_a_stroke_over_a_partial_result_of_its_own_label_stays_whole(
    layer: Labels, request_2d: ImageRequest, make_result: MakeResult,
    stroke: Callable[[Labels, int], None], label: int, drawn: int,
) -> None:  # fmt: skip
    layer.brush_size = 5
    elsewhere = Labels(np.full((40, 50), 9))
    elsewhere.brush_size = 5
    stroke(elsewhere, 8)
    over = elsewhere.data == 8
    half = np.zeros((40, 50), np.uint8)
    half[:, :7] = drawn
    before = layer.data.copy()
    draft = Draft(layer, request_2d, 0)
    draft.show(half)
    stroke(layer, label)
    draft.show(np.full((40, 50), 3 - drawn, np.uint8))
    assert (layer.data[over] == label).all()
    assert (layer.data[~over] == 3 - drawn).all()
    painted = draft.withdraw()
    np.testing.assert_array_equal(painted, over)
    np.testing.assert_array_equal(layer.data, np.where(over, label, before))
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    layer.redo()
    all_of = make_result(np.full((40, 50), 2))
    update_labels(layer, request_2d, all_of, painted={0: painted})
    np.testing.assert_array_equal(layer.data, np.where(over, label, 2))
    assert not {"paint", "paint_polygon", "data_setitem"} & set(vars(layer))


def test_a_stroke_after_an_undo_touches_no_older_step(
    layer: Labels, request_2d: ImageRequest
) -> None:
    layer.paint((20, 20), 2)
    layer.paint((20, 20), 1)  # back to what was predicted
    layer.paint((5, 5), 2)
    before = layer.data.copy()
    draft = Draft(layer, request_2d, 0)
    layer.undo()
    draft.show(np.full((40, 50), 2, np.uint8))
    with layer.block_history():
        layer.paint((30, 30), 1)
        layer.refresh()
    draft.withdraw()
    before[5, 5] = 1
    np.testing.assert_array_equal(layer.data, before)


def test_preserved_labels_are_preserved_during_a_draft(
    layer: Labels, request_2d: ImageRequest
) -> None:
    draft = Draft(layer, request_2d, 0)
    half = np.zeros((40, 50), np.uint8)
    half[:, :7] = 2
    draft.show(half)
    layer.brush_size = 5
    layer.preserve_labels = True
    layer.selected_label = 2
    layer.paint((5, 6), 0)
    changed = np.argwhere(layer.data == 0)
    assert len(changed) > 5
    assert changed[:, 1].max() == 6
    draft.withdraw()

"""What is checked stays so until another label is written there."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip.core.uncertain import find_uncertain, find_unchecked, uncertain_mask
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels import annotations as review
from napari_sclip.layers.labels.annotations import (
    checked_pixels,
    known_review,
    mark_checked,
    pack_review,
    review_of,
    set_review,
    share_checked,
    unmark_checked,
    unpack_review,
)
from napari_sclip.layers.labels.targets import (
    Target,
    shown_plane,
    spread_over_plane,
    whole_plane_of,
)
from napari_sclip.layers.labels.write import make_labels_layer, update_labels
from tests.layers.conftest import MakeResult

PLANE = np.zeros((40, 50), np.uint8)
PLANE[5:15, 5:15] = 1
PLANE[20:30, 10:40] = 2


@pytest.fixture
def request_2d(viewer: ViewerModel) -> ImageRequest:
    return read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8)))


@pytest.fixture
def layer(viewer: ViewerModel, request_2d: ImageRequest, make_result: MakeResult) -> Labels:
    layer = viewer.add_layer(make_labels_layer(request_2d, make_result(PLANE)))
    assert isinstance(layer, Labels)
    layer.brush_size = 1
    return layer


@pytest.fixture
def plane(viewer: ViewerModel, layer: Labels) -> Target:
    return shown_plane(viewer, layer)


def test_spots_are_checked_one_after_the_other(layer: Labels, plane: Target) -> None:
    shares = [share_checked(layer, plane)]
    areas = []
    while spots := find_unchecked(PLANE, checked=checked_pixels(layer, plane)):
        mark_checked(layer, plane, spots[0])
        areas.append(spots[0].area)
        shares.append(share_checked(layer, plane))
    assert areas == [300, 100]
    assert shares == [0, 0.75, 1]
    unmark_checked(layer, plane, find_unchecked(PLANE)[1])
    assert share_checked(layer, plane) == 0.75
    np.testing.assert_array_equal(checked_pixels(layer, plane), PLANE == 2)


def test_uncertain_background_counts_too(layer: Labels, plane: Target) -> None:
    margin = np.ones((40, 50), np.float32)
    margin[32:40, 0:50] = 0.1
    uncertain = uncertain_mask(margin)
    mark_checked(layer, plane, PLANE > 0)
    assert share_checked(layer, plane) == 1
    assert share_checked(layer, plane, uncertain) == 0.5
    (spot,) = find_uncertain(margin, checked=checked_pixels(layer, plane))
    mark_checked(layer, plane, spot)
    assert share_checked(layer, plane, uncertain) == 1


def test_where_nothing_is_to_be_checked_there_is_no_share(viewer: ViewerModel) -> None:
    layer = viewer.add_labels(np.zeros((4, 5), np.uint8))
    assert share_checked(layer, shown_plane(viewer, layer)) is None


def test_a_run_that_changes_a_label_asks_for_another_look(
    layer: Labels, plane: Target, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    mark_checked(layer, plane)
    other = PLANE.copy()
    other[5:10, 5:15] = 2
    update_labels(layer, request_2d, make_result(other))
    np.testing.assert_array_equal(~checked_pixels(layer, plane), other != PLANE)
    layer.undo()
    assert checked_pixels(layer, plane).all()
    layer.redo()
    np.testing.assert_array_equal(~checked_pixels(layer, plane), other != PLANE)
    update_labels(layer, request_2d, make_result(PLANE))
    assert checked_pixels(layer, plane).all()


def test_what_was_painted_and_kept_stays_checked(
    layer: Labels, plane: Target, request_2d: ImageRequest, make_result: MakeResult
) -> None:
    layer.paint((7, 7), 2)
    mark_checked(layer, plane)
    layer.paint((8, 8), 2)  # after it was checked: the person has seen that, too
    assert checked_pixels(layer, plane).all()
    update_labels(layer, request_2d, make_result(np.full((40, 50), 1)))
    checked = checked_pixels(layer, plane)
    assert checked[7, 7]
    assert checked[8, 8]
    assert not checked[20, 20]
    update_labels(layer, request_2d, make_result(np.full((40, 50), 1)), keep_edits=False)
    checked = checked_pixels(layer, plane)
    assert not checked[7, 7]
    assert not checked[20, 20]


def test_through_a_file(layer: Labels, plane: Target) -> None:
    mark_checked(layer, plane, PLANE == 1)
    known = known_review(layer.data)
    assert known is review_of(layer)
    packed = pack_review(known.copy())
    again = unpack_review(packed, PLANE.shape)
    assert again is not None
    np.testing.assert_array_equal(again.marked, PLANE == 1)
    np.testing.assert_array_equal(again.seen, np.where(PLANE == 1, PLANE, 0))
    unmark_checked(layer, plane)
    assert known_review(layer.data) is None
    set_review(layer, again)
    np.testing.assert_array_equal(checked_pixels(layer, plane), PLANE == 1)
    for wrong in ((40, 51), (20, 100)):
        with pytest.raises(ValueError, match=r"."):
            unpack_review(packed, wrong)
    assert unpack_review({}, PLANE.shape) is None


def test_each_plane_of_a_stack_on_its_own(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((3, 40, 50), np.uint8), scale=(4, 1, 1))
    request = read_request(viewer, image, ReadOptions(planes="all"))
    labels = make_labels_layer(request, make_result(PLANE), dict.fromkeys(range(3), PLANE))
    viewer.add_layer(labels)
    viewer.dims.set_point(0, 8)
    shown = shown_plane(viewer, labels)
    assert shown.index == (2, slice(0, 40), slice(0, 50))
    assert shown.same_plane(whole_plane_of(request, 2))
    mark_checked(labels, shown)
    assert [checked_pixels(labels, whole_plane_of(request, n)).all() for n in range(3)] == [
        False, False, True,
    ]  # fmt: skip
    viewer.dims.order = (0, 2, 1)
    swapped = shown_plane(viewer, labels)
    unmark_checked(labels, swapped, find_unchecked(PLANE.T)[0])
    np.testing.assert_array_equal(~checked_pixels(labels, shown), PLANE == 2)


def test_a_margin_of_a_region_lies_where_it_was_read(viewer: ViewerModel) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    shapes = viewer.add_shapes([[[10, 5], [10, 24], [29, 24], [29, 5]]], shape_type="rectangle")
    request = read_request(viewer, image, ReadOptions(region="shape", shapes=shapes))
    height, width = request.read_shape
    margin = np.arange(height * width, dtype=np.float32).reshape(height, width)
    spread = spread_over_plane(request, margin)
    np.testing.assert_array_equal(spread[10:30, 5:25], margin)
    assert np.isfinite(spread).sum() == margin.size


def test_a_review_goes_with_its_layer(viewer: ViewerModel, layer: Labels) -> None:
    mark_checked(layer, shown_plane(viewer, layer))
    gone = weakref.ref(review_of(layer))
    other = Labels(np.zeros((4, 5), np.uint8))
    review_of(other)
    before = len(review._REVIEWS)
    del other
    gc.collect()
    assert len(review._REVIEWS) < before
    assert gone() is review_of(layer)
    layer.data = np.zeros((6, 7), np.uint8)
    assert review_of(layer).marked.shape == (6, 7)

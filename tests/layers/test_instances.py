"""A class as single objects, corrected, and back into the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip.errors import ClassesError
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.layer import rename_class
from napari_sclip.layers.labels.objects import (
    find_instances,
    make_instances_layer,
    source_labels,
    take_class,
    write_instances_back,
)
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.schema import KEY
from napari_sclip.layers.labels.targets import LabelsMismatchError
from napari_sclip.layers.labels.write import make_labels_layer
from tests.layers.conftest import MakeResult

PLANE = np.full((40, 50), 2, np.uint8)
PLANE[5:15, 5:15] = 1
PLANE[20:32, 10:40] = 1
PLACE: Mapping[str, Any] = {
    "scale": (0.5, 2.0),
    "translate": (3, 4),
    "rotate": 30,
    "units": ("um", "um"),
    "axis_labels": ("y", "x"),
}


@pytest.fixture
def request_2d(viewer: ViewerModel) -> ImageRequest:
    return read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8), **PLACE))


@pytest.fixture
def layer(viewer: ViewerModel, request_2d: ImageRequest, make_result: MakeResult) -> Labels:
    layer = viewer.add_layer(make_labels_layer(request_2d, make_result(PLANE)))
    assert isinstance(layer, Labels)
    return layer


def test_every_object_has_an_id_a_colour_and_a_name(viewer: ViewerModel, layer: Labels) -> None:
    made = viewer.add_layer(make_instances_layer(layer, 1))
    assert (made.name, made.data.dtype) == ("leaf instances", np.int32)
    assert (made.data[10, 10], made.data[25, 25]) == (1, 2)
    np.testing.assert_array_equal(made.data > 0, PLANE == 1)
    assert list(made.features["class"]) == ["no object", "leaf 1", "leaf 2"]
    assert not np.array_equal(made.get_color(1), made.get_color(2))
    status = made.get_status(made.data_to_world((25, 25)), world=True)
    assert "leaf 2" in str(status)
    for point in ((0, 0), (7, 3)):
        np.testing.assert_allclose(made.data_to_world(point), layer.data_to_world(point))
    assert (made.units, made.axis_labels) == (layer.units, layer.axis_labels)
    assert made.metadata[KEY]["class"] == {"id": 1, "name": "leaf"}
    assert source_labels(made, viewer.layers) is layer


def test_back_into_the_labels_as_one_step_of_the_persons(
    layer: Labels, request_2d: ImageRequest
) -> None:
    made = make_instances_layer(layer, 1)
    made.data[5:15, 5:15] = 0  # one object goes
    made.data[35:38, 40:48] = 7  # another one comes
    before = layer.data.copy()
    done = write_instances_back(made, layer)
    assert (done.added, done.removed, done.undoable) == (24, 100, True)
    assert not layer.data[5:15, 5:15].any()
    assert (layer.data[35:38, 40:48] == 1).all()
    changed = layer.data != before
    np.testing.assert_array_equal(hand_edits(layer, request_2d), changed)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    assert not hand_edits(layer, request_2d).any()
    layer.redo()
    np.testing.assert_array_equal(layer.data != before, changed)


def test_what_was_painted_in_the_labels_meanwhile_stays(layer: Labels) -> None:
    made = make_instances_layer(layer, 1)
    layer.brush_size = 3
    layer.paint((37, 45), 1)  # more of the class
    layer.paint((25, 25), 2)  # another one, where there is an object
    expected = layer.data.copy()
    made.data[5:8, 5:15] = 0
    made.data[35:38, 3:6] = 7
    expected[5:8, 5:15] = 0
    expected[35:38, 3:6] = 1
    write_instances_back(made, layer)
    np.testing.assert_array_equal(layer.data, expected)
    layer.undo()
    write_instances_back(made, layer)
    np.testing.assert_array_equal(layer.data, expected)
    # Of a layer from a file it is not known what was changed.
    again = Labels(made.data, metadata=made.metadata)
    write_instances_back(again, layer)
    np.testing.assert_array_equal(layer.data == 1, made.data > 0)


def test_what_was_written_back_can_be_taken_back_and_written_again(layer: Labels) -> None:
    made = make_instances_layer(layer, 1)
    made.brush_size = layer.brush_size = 4
    layer.paint((37, 45), 0)
    before = layer.data.copy()
    made.paint((36, 45), 7)  # half on what is soil, half on nothing
    added = write_instances_back(made, layer).added
    with_object = layer.data.copy()
    assert (with_object != before).sum() == added > 4
    made.undo()
    assert write_instances_back(made, layer).removed == added
    np.testing.assert_array_equal(layer.data, before)
    made.redo()
    assert write_instances_back(made, layer).added == added
    np.testing.assert_array_equal(layer.data, with_object)
    made.fill((7, 7), 0)
    assert write_instances_back(made, layer).removed == 100
    made.undo()
    assert write_instances_back(made, layer).added == 100
    np.testing.assert_array_equal(layer.data, with_object)
    for _ in range(5):
        layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_written_back_while_a_run_is_drawn(layer: Labels, request_2d: ImageRequest) -> None:
    made = make_instances_layer(layer, 1)
    made.data[35:38, 40:48] = 7
    before = layer.data.copy()
    draft = Draft(layer, request_2d, 0)
    draft.show(np.full((40, 50), 1, np.uint8))
    draft.show(np.full((40, 50), 2, np.uint8))
    made.data[5:15, 5:15] = 0
    write_instances_back(made, layer)
    painted = draft.withdraw()
    expected = before.copy()
    expected[5:15, 5:15], expected[35:38, 40:48] = 0, 1
    np.testing.assert_array_equal(layer.data[painted], expected[painted])
    np.testing.assert_array_equal(layer.data[~painted], before[~painted])
    assert painted[35:38, 40:48].all()
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_nothing_changed_is_no_step(layer: Labels) -> None:
    before = layer.data.copy()
    layer.brush_size = 1
    layer.paint((39, 49), 1)
    done = write_instances_back(make_instances_layer(layer, 1), layer)
    assert (done.added, done.removed) == (0, 0)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)


def test_planes_of_a_stack(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((3, 40, 50), np.uint8), scale=(4, 1, 1))
    request = read_request(viewer, image, ReadOptions(planes="all"))
    result = make_result(PLANE)
    layer = make_labels_layer(request, result, {0: PLANE, 2: PLANE})
    apart = make_instances_layer(layer, 1)
    assert [set(np.unique(plane)) for plane in apart.data] == [{0, 1, 2}, {0}, {0, 3, 4}]
    layer.data[1] = layer.data[0]
    taken = take_class(layer, 1)
    assert taken.spacing == (4, 1, 1)
    volume = find_instances(taken, connect_planes=True)
    assert [set(np.unique(plane)) for plane in volume] == [{0, 1, 2}] * 3
    made = make_instances_layer(layer, 1, volume)
    made.data[made.data == 1] = 0
    done = write_instances_back(made, layer)
    assert (done.added, done.removed) == (0, 300)
    layer.undo()
    assert (layer.data == 1).sum() == 3 * (PLANE == 1).sum()


def test_found_by_name_in_another_session(viewer: ViewerModel, layer: Labels) -> None:
    made = make_instances_layer(layer, 1)
    again = Labels(made.data, metadata=made.metadata)
    found = source_labels(again, viewer.layers)
    assert found is not None
    assert found is layer
    layer.name = "renamed"
    assert source_labels(again, viewer.layers) is None
    assert source_labels(made, viewer.layers) is layer
    viewer.layers.remove(layer)
    assert source_labels(made, viewer.layers) is None


def test_a_class_that_was_renamed_takes_its_objects_back(layer: Labels) -> None:
    made = make_instances_layer(layer, 1)
    made.data[0, 0] = 1
    rename_class(layer, "leaf", "blade")
    assert write_instances_back(made, layer).added == 1
    assert layer.data[0, 0] == 1


def test_what_does_not_fit_is_said(layer: Labels) -> None:
    for class_id in (0, 3):
        with pytest.raises(ClassesError, match="has none"):
            take_class(layer, class_id)
    made = make_instances_layer(layer, 1)
    with pytest.raises(LabelsMismatchError, match="single objects"):
        write_instances_back(layer, layer)
    with pytest.raises(LabelsMismatchError, match="shape"):
        write_instances_back(made, Labels(np.zeros((4, 5), np.uint8)))
    frozen = np.zeros((40, 50), np.uint8)
    frozen.flags.writeable = False
    with pytest.raises(LabelsMismatchError, match="in memory"):
        write_instances_back(made, Labels(frozen))
    first, second = layer.metadata[KEY]["classes"]
    swapped = [{**first, "name": "soil"}, {**second, "name": "leaf"}]
    layer.metadata = {KEY: {**layer.metadata[KEY], "classes": swapped}}
    with pytest.raises(LabelsMismatchError, match="another class"):
        write_instances_back(Labels(made.data, metadata=made.metadata), layer)

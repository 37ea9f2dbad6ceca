"""Ids of classes that come and go, and the digits that paint with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot

from napari_sclip.layers.labels.annotations import mark_checked
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.snapshot import make_layer, take_down
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.widgets.control.controller import Controller

Press = Callable[[], None]
WORDINGS = ("cat, grass", "dog, soil", "cow, hay", "hen, sand", "pig, mud")


def labels_in(viewer: Any) -> Labels:
    (layer,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    return layer


def named(layer: Labels) -> dict[int, str]:
    return {row.id: row.name for row in read_legend(layer)}


def ids(controller: Controller) -> dict[str, int]:
    return {row.name: row.id for row in controller.state.classes.rows}


def press(layer: Labels, key: str) -> None:
    (act,) = [act for known, act in layer.keymap.items() if str(known) == key]
    act(layer)


@pytest.fixture
def word(controller: Controller, run: Press) -> Callable[[str], None]:
    """Type other classes over those that are there, and segment."""

    def act(text: str) -> None:
        controller.corrections.tally.count()
        controller.state.classes.set_text(text)
        run()
        controller.corrections.tally.count()

    return act


def test_ids_without_a_pixel_are_given_again(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    for text in WORDINGS:
        word(text)
    labels = labels_in(viewer)
    assert sorted(ids(controller).values()) == [1, 2]
    assert sorted(np.unique(labels.data)) == [1, 2]
    assert {k: name for k, name in named(labels).items() if k in (1, 2)} == {1: "pig", 2: "mud"}


def test_digits_follow_the_rows_of_the_table(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    word("cat, grass")
    word("background, dog, soil")
    labels = labels_in(viewer)
    assert ids(controller) == {"background": 0, "dog": 3, "soil": 4}
    press(labels, "1")
    assert labels.selected_label == 3
    assert "dog" in viewer.status
    rows = controller.state.classes.rows
    controller.state.classes.move(rows[2].key, 0)
    press(labels, "1")
    assert labels.selected_label == 4
    press(labels, "3")
    assert labels.selected_label == 4, "the background is no class to paint with by a digit"
    assert "number 3" in viewer.status
    controller.state.classes.add("moss")
    press(labels, "3")
    assert named(labels)[labels.selected_label] == "moss"


def test_an_id_that_was_painted_keeps_its_meaning(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    word("cat, grass")
    labels = labels_in(viewer)
    labels.data_setitem((np.array([0]), np.array([59])), 1)
    word("dog, soil")
    word("cow, hay")
    assert named(labels)[1] == "cat"
    assert labels.data[0, 59] == 1
    assert 1 not in ids(controller).values()
    assert 2 not in ids(controller).values(), "the last prediction under the stroke is grass"


def test_scribbles_keep_their_meaning(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    word("cat, grass")
    labels = labels_in(viewer)
    controller.add_scribbles()
    (scribbles,) = [x for x in viewer.layers if isinstance(x, Labels) and x is not labels]
    scribbles.data_setitem((np.array([0]), np.array([0])), 2)
    word("dog, soil")
    controller.state.classes.set_text("cow, hay")
    assert ids(controller) == {"cow": 1, "hay": 5}


def test_labels_that_were_there_before_their_image_lie_over_it(
    viewer: Any, image: Any, controller: Controller, run: Press
) -> None:
    run()
    kept = take_down(labels_in(viewer))
    viewer.layers.clear()
    back = viewer.add_layer(make_layer(kept))
    photo = viewer.add_image(np.zeros((40, 60, 3), np.uint8), name="photo")
    over = viewer.add_image(np.zeros((40, 60, 3), np.uint8), name="over it")
    viewer.layers.selection = {photo}
    controller._follower.refresh()
    assert controller._link.current is back
    assert [layer.name for layer in viewer.layers] == ["photo", "photo labels", "over it"]
    run()
    assert labels_in(viewer) is back
    viewer.layers.move(1, 0)
    viewer.layers.selection = {over}
    viewer.layers.selection = {photo}
    run()
    assert viewer.layers[0] is back, "where the person has put it"


@pytest.fixture
def objects(viewer: Any, image: Any, controller: Controller) -> Labels:
    """A mask of 1,200 objects that is used as the labels of the image."""
    layer = viewer.add_labels(np.arange(2400, dtype=np.int32).reshape(40, 60) // 2, name="cells")
    viewer.layers.selection = {layer}
    controller.start_from_layer()
    return layer


def test_a_mask_of_many_objects_fills_neither_table_nor_panel(
    objects: Labels, controller: Controller
) -> None:
    assert "has the labels of" in controller.state.run.notice
    assert [row.name for row in controller.state.classes.rows] == ["cat", "grass"]
    assert len(controller.state.correct.orphans) == 1199
    controller.state.classes.clear()
    controller.start_from_layer()
    assert len(controller.state.classes.rows) == 0


def test_many_objects_become_one_class(objects: Labels, controller: Controller, run: Press) -> None:
    before = objects.data.copy()
    controller.join_removed_classes()
    number = ids(controller)["object"]
    np.testing.assert_array_equal(objects.data, np.where(before == 0, 0, number))
    assert controller.state.correct.orphans == ()
    objects.undo()
    np.testing.assert_array_equal(objects.data, before)
    objects.redo()
    run()
    assert (objects.data[before != 0] == number).all()


def test_many_objects_are_let_go(objects: Labels, controller: Controller, run: Press) -> None:
    controller.release_removed_classes()
    assert controller.state.correct.orphans == ()
    run()
    assert set(np.unique(objects.data)) == set(ids(controller).values())


@pytest.mark.parametrize(
    ("shape", "scale"), [((50, 60), (1, 1)), ((3, 40, 60), (1, 1, 1)), ((20, 30), (2, 2))]
)
def test_labels_of_another_shape_are_refused(
    viewer: Any, image: Any, controller: Controller, shape: tuple[int, ...], scale: tuple[int, ...]
) -> None:
    layer = viewer.add_labels(np.ones(shape, np.uint8), name="mine", scale=scale)
    viewer.layers.selection = {layer}
    controller.start_from_layer()
    told = controller.state.run.notice
    assert "(40, 60)" in told
    assert str(shape) in told
    assert "napari_sclip" not in layer.metadata


def test_labels_in_another_place_are_refused(
    viewer: Any, image: Any, controller: Controller
) -> None:
    layer = viewer.add_labels(np.ones((40, 60), np.uint8), name="mine", translate=(5, 0))
    viewer.layers.selection = {layer}
    controller.start_from_layer()
    assert "lies in another place" in controller.state.run.notice
    assert "napari_sclip" not in layer.metadata


def test_undoing_brings_back_no_pixel_under_another_name(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    word("cat, grass")
    labels = labels_in(viewer)
    word("dog, soil")
    controller.state.classes.set_text("cow, hay")
    assert ids(controller) == {"cow": 1, "hay": 2}
    labels.undo()
    controller.corrections.tally.count()
    assert sorted(np.unique(labels.data)) == [1, 2]
    assert named(labels)[1] == "cat"
    assert not {1, 2} & set(ids(controller).values()), "pixels have these ids again"
    labels.redo()
    controller.corrections.tally.count()
    word("cow, hay")
    assert ids(controller) == {"cow": 1, "hay": 2}
    for _ in range(5):
        labels.undo()
        assert named(labels)[int(labels.data[0, 0])] == "dog", "what is older would say cow for cat"


def test_what_was_checked_is_not_checked_for_another_class(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None]
) -> None:
    word("cat, grass")
    labels = labels_in(viewer)
    mark_checked(labels, shown_plane(viewer, labels))
    word("dog, soil")
    word("cow, hay")
    assert controller.state.correct.checked == 0


def test_a_row_that_is_renamed_leaves_other_images_alone(
    viewer: Any, image: Any, controller: Controller, word: Callable[[str], None], qtbot: QtBot
) -> None:
    word("cat, grass")
    first = labels_in(viewer)
    other = viewer.add_image(np.zeros((40, 60, 3), np.uint8), name="other")
    viewer.layers.selection = {other}
    controller._follower.refresh()
    word("cat, grass")
    word("dog, soil")
    word("cow, hay")
    key = controller.state.classes.rows[0].key
    controller.state.classes.set(key, name="calf")
    assert named(first) == {1: "cat", 2: "grass"}

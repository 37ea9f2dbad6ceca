"""Runs in a real viewer: what becomes of layers, results and threads, whatever happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from napari.utils import progress
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_sclip.layers.labels.schema import KEY, read_legend
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.run import IDLE, RUNNING
from tests.widgets.conftest import FakeSegmenter

Press = Callable[[], None]


def labels_in(viewer: Any) -> list[Any]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def test_a_run_makes_labels_that_carry_names_and_colours(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (labels,) = labels_in(viewer)
    assert labels.name == "photo labels"
    assert labels.data.shape == (40, 60)
    assert set(np.unique(labels.data)) == {1, 2}
    assert list(labels.features["class"]) == ["undecided", "cat", "grass"]
    assert labels.metadata[KEY]["model"] == "fake"
    assert viewer.layers.selection.active is labels
    assert controller.state.run.failure is None
    assert "photo labels" in controller.state.run.notice


def test_a_second_run_updates_the_layer_in_one_undoable_step(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (labels,) = labels_in(viewer)
    labels.data_setitem((np.array([0, 0]), np.array([0, 1])), 2)
    before = labels.data.copy()
    controller.state.classes.set_text("grass, cat")
    run()
    assert labels_in(viewer) == [labels]
    assert labels.data[5, 0] == 2  # grass keeps its id, and stands on the left now
    np.testing.assert_array_equal(labels.data[0, :2], 2)
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


def test_the_image_is_not_looked_at_twice(
    controller: Controller, fake: FakeSegmenter, image: Any, run: Press
) -> None:
    run()
    assert controller.state.run.embedded
    controller.state.classes.set_text("dog, sky")
    run()
    assert fake.embedded == 1
    assert "without a vision pass" in controller.state.run.notice
    image.data = image.data[::-1].copy()
    controller._follower.refresh()
    assert not controller.state.run.embedded
    run()
    assert fake.embedded == 2


def test_live_shows_changes_without_a_press(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, run: Press, qtbot: QtBot
) -> None:
    run()
    controller.state.run.live = True
    (labels,) = labels_in(viewer)
    controller.state.classes.set_text("cat, grass, sky")
    qtbot.waitUntil(lambda: 3 in labels.data, timeout=5000)
    assert fake.embedded == 1


def test_drafts_are_drawn_while_windows_finish(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press, qtbot: QtBot,
) -> None:  # fmt: skip
    start_held()
    (labels,) = labels_in(viewer)
    assert not labels.data.any()
    fake.gate.set()
    qtbot.waitUntil(lambda: bool(labels.data[0].any()), timeout=5000)
    wait_idle()
    assert labels.data.all()
    labels.undo()
    assert not labels.data.any()


def test_the_activity_dock_shows_the_run(
    controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press, wait_idle: Press,
    qtbot: QtBot,
) -> None:  # fmt: skip
    start_held()
    qtbot.waitUntil(lambda: [bar.desc for bar in progress._all_instances] != [], timeout=5000)
    (bar,) = progress._all_instances
    qtbot.waitUntil(lambda: "Looking at windows" in bar.desc, timeout=5000)
    assert bar.total == fake.windows
    fake.gate.set()
    wait_idle()
    assert len(progress._all_instances) == 0


def test_cancel_takes_everything_back(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    assert controller.state.run.status == RUNNING
    controller.cancel()
    wait_idle()
    assert labels_in(viewer) == []
    assert "Cancelled" in controller.state.run.notice
    assert fake.embedded == 0


def test_escape_cancels_from_the_canvas_while_something_runs(
    viewer: Any, controller: Controller, image: Any, start_held: Press, wait_idle: Press
) -> None:
    def bound() -> list[Any]:
        return [act for key, act in viewer.keymap.items() if str(key) == "Escape"]

    assert bound() == []
    start_held()
    (cancel,) = bound()
    cancel(viewer)
    wait_idle()
    assert "Cancelled" in controller.state.run.notice
    assert bound() == []
    viewer.bind_key("Escape", print)
    start_held()
    assert bound() == [print]
    controller.cancel()
    wait_idle()
    assert bound() == [print]


@pytest.mark.canvas
@pytest.mark.parametrize("mode", ["pan_zoom", "paint", "polygon"])
def test_escape_cancels_while_the_labels_are_active(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    run: Press, wait_idle: Press, qtbot: QtBot, mode: str,
) -> None:  # fmt: skip
    run()
    (labels,) = labels_in(viewer)
    viewer.layers.selection = {labels}
    labels.mode = mode
    controller.session.unload()
    canvas = viewer.window._qt_viewer.canvas.native
    start_held()
    if mode == "polygon":
        labels._overlays["polygon"].points = [(1, 1), (5, 5)]
        qtbot.keyClick(canvas, Qt.Key.Key_Escape)
        assert labels._overlays["polygon"].points == []
        assert controller.state.run.status == RUNNING
    qtbot.keyClick(canvas, Qt.Key.Key_Escape)
    wait_idle()
    assert "Cancelled" in controller.state.run.notice
    assert "Escape" not in {str(key) for key in labels.keymap}


def test_what_is_drawn_of_a_run_is_not_counted_as_painted(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press, qtbot: QtBot,
) -> None:  # fmt: skip
    counted: list[int] = []
    controller.state.correct.events.painted.connect(counted.append)
    start_held()
    (labels,) = labels_in(viewer)
    fake.seconds = 0.05
    fake.gate.set()
    qtbot.waitUntil(lambda: bool(labels.data[0].any()), timeout=5000)
    controller.corrections.tally.count()
    wait_idle()
    qtbot.waitUntil(lambda: not controller.corrections.tally.is_behind, timeout=5000)
    assert counted == []
    labels.brush_size = 1
    labels.paint((3, 4), 9)
    qtbot.waitUntil(lambda: counted == [1], timeout=5000)


def test_large_labels_are_counted_by_a_worker(
    viewer: Any, controller: Controller, image: Any, run: Press, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("napari_sclip.widgets.control.review.AT_ONCE", 0)
    run()
    (labels,) = labels_in(viewer)
    labels.brush_size = 1
    labels.paint((3, 4), 9)
    correct, tally = controller.state.correct, controller.corrections.tally
    tally.count()
    assert tally.is_behind
    qtbot.waitUntil(lambda: correct.painted == 1, timeout=5000)
    qtbot.waitUntil(lambda: not tally.is_behind, timeout=5000)
    labels.undo()
    qtbot.waitUntil(lambda: correct.painted == 0, timeout=5000)


def test_cancel_keeps_what_was_painted_into_a_draft(
    viewer: Any, controller: Controller, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    (labels,) = labels_in(viewer)
    labels.data_setitem((np.array([3]), np.array([4])), 1)
    controller.cancel()
    wait_idle()
    assert labels_in(viewer) == [labels]
    assert np.argwhere(labels.data).tolist() == [[3, 4]]


def test_pressing_twice_gives_one_result_the_newer(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    controller.state.classes.set_text("moss, stone, water")
    controller.segment()
    fake.gate.set()
    wait_idle()
    (labels,) = labels_in(viewer)
    assert [row.name for row in read_legend(labels)] == ["moss", "stone", "water"]
    assert set(np.unique(labels.data)) == {1, 2, 3}


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (RuntimeError("shape '[2, 3]' is invalid"), "shape"),
        (RuntimeError("[enforce fail] not enough memory: you tried to allocate"), "memory"),
        (MemoryError(), "memory"),
        (KeyError("blocks"), "KeyError"),
        (StopIteration(), "StopIteration"),
        (OSError("disk full"), "disk full"),
    ],
)
def test_any_error_ends_in_a_message_and_an_enabled_button(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, run: Press,
    error: Exception, word: str,
) -> None:  # fmt: skip
    fake.error = error
    run()
    failure = controller.state.run.failure
    assert failure is not None
    assert word.lower() in failure.message.lower()
    assert type(error).__name__ in failure.details
    assert "photo" in failure.details
    assert controller.state.run.status == IDLE
    assert controller.state.why_not() == ""
    assert labels_in(viewer) == []
    fake.error = None
    run()
    assert controller.state.run.failure is None
    assert len(labels_in(viewer)) == 1


def test_the_image_is_deleted(
    viewer: Any, controller: Controller, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    viewer.layers.remove(image)
    wait_idle()
    assert labels_in(viewer) == []
    assert "removed" in controller.state.run.notice


def test_the_image_is_renamed(
    viewer: Any, fake: FakeSegmenter, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    image.name = "leaf"
    fake.gate.set()
    wait_idle()
    assert [layer.name for layer in labels_in(viewer)] == ["leaf labels"]


def test_the_image_is_replaced(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    image.data = np.zeros((10, 12, 3), dtype=np.uint8)
    fake.gate.set()
    wait_idle()
    assert labels_in(viewer) == []
    assert "other pixels" in controller.state.run.notice


def test_the_image_is_moved(
    viewer: Any, fake: FakeSegmenter, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    image.scale = (2, 3)
    image.translate = (5, 7)
    fake.gate.set()
    wait_idle()
    (labels,) = labels_in(viewer)
    np.testing.assert_allclose(labels.scale, (2, 3))
    np.testing.assert_allclose(labels.translate, (5, 7))
    assert labels.data.all()


def test_the_image_is_made_invisible(
    viewer: Any, fake: FakeSegmenter, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    image.visible = False
    fake.gate.set()
    wait_idle()
    assert len(labels_in(viewer)) == 1


def test_the_labels_are_deleted(
    viewer: Any, controller: Controller, image: Any, start_held: Press, wait_idle: Press
) -> None:
    start_held()
    viewer.layers.remove(labels_in(viewer)[0])
    wait_idle()
    assert labels_in(viewer) == []
    assert "removed" in controller.state.run.notice


def test_the_labels_are_replaced_by_others_of_another_shape(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, run: Press
) -> None:
    run()
    (labels,) = labels_in(viewer)
    labels.data = np.ones((5, 5), dtype=np.uint8)
    run()
    old, new = labels_in(viewer)
    assert old is labels
    np.testing.assert_array_equal(old.data, 1)
    assert new.data.shape == (40, 60)


def test_the_controller_is_closed_in_mid_run(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press
) -> None:
    start_held()
    controller.close()
    fake.gate.set()
    assert labels_in(viewer) == []


@pytest.mark.canvas
def test_the_viewer_is_closed_in_mid_run(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    viewer.close()
    fake.gate.set()
    wait_idle()
    controller.close()


def test_labels_are_found_again_by_another_widget_though_the_image_was_renamed(
    viewer: Any, controller: Controller, image: Any, run: Press, fake_session: Any,
    make_controller: Callable[[Any], Controller],
) -> None:  # fmt: skip
    run()
    (labels,) = labels_in(viewer)
    controller.close()
    image.name, labels.name = "leaf", "mine"
    again = make_controller(fake_session)
    again._follower.refresh()
    assert again._link.labels_of(image) is labels


def test_what_was_said_of_too_large_labels_holds_for_that_image(
    viewer: Any, controller: Controller, image: Any, run: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.image.request.LARGE_LABELS_BYTES", 1)
    controller.segment()
    assert controller.state.run.question is not None
    monkeypatch.undo()
    controller.answer("region")
    assert controller.state.image.labels_size == "region"
    viewer.add_image(np.zeros((30, 30, 3), dtype=np.uint8), name="other")
    controller._follower.refresh()
    assert controller.state.image.labels_size == "image"


def test_another_image_has_labels_of_its_own(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    other = viewer.add_image(np.zeros((30, 30, 3), dtype=np.uint8), name="other")
    controller._follower.refresh()
    assert controller.state.image.facts is not None
    assert controller.state.image.facts.name == "other"
    run()
    assert [layer.name for layer in labels_in(viewer)] == ["photo labels", "other labels"]
    viewer.layers.selection.active = image
    controller._follower.refresh()
    run()
    assert len(labels_in(viewer)) == 2
    assert other in viewer.layers


def test_a_new_layer_on_request(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    controller.state.run.target = "new"
    run()
    assert len(labels_in(viewer)) == 2
    assert controller.state.run.target == "auto"


def test_colours_names_and_visibility_follow_the_table(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (labels,) = labels_in(viewer)
    table = controller.state.classes
    cat, grass = (row.key for row in table.rows)
    table.set(cat, color="#ff0000")
    np.testing.assert_allclose(labels.colormap.color_dict[1], (1, 0, 0, 1), atol=1e-6)
    table.set(grass, visible=False)
    assert labels.colormap.color_dict[2][3] == 0
    table.set(cat, name="tiger")
    assert list(labels.features["class"]) == ["undecided", "tiger", "grass"]
    run()
    assert labels_in(viewer) == [labels]
    assert [row.name for row in read_legend(labels)] == ["tiger", "grass"]


def test_a_class_is_renamed_in_mid_run(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, run: Press,
    start_held: Press, wait_idle: Press,
) -> None:  # fmt: skip
    run()
    (labels,) = labels_in(viewer)
    controller.state.detail.level = "fine"
    start_held()
    row = controller.state.classes.rows[0]
    controller.state.classes.set(row.key, name="lynx")
    fake.gate.set()
    wait_idle()
    assert {(row.id, row.name) for row in read_legend(labels)} == {(1, "lynx"), (2, "grass")}
    assert set(np.unique(labels.data)) == {1, 2}
    assert controller.state.run.failure is None


def test_labels_get_data_of_another_size_in_mid_run(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    (labels,) = labels_in(viewer)
    labels.data = np.ones((7, 9), np.uint8)
    wait_idle()
    fake.gate.set()
    np.testing.assert_array_equal(labels.data, 1)
    assert "other data" in controller.state.run.notice


def test_an_image_of_the_same_name_does_not_get_the_labels_of_another(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (first,) = labels_in(viewer)
    kept = first.data.copy()
    image.name = "older"
    viewer.layers.selection = {viewer.add_image(image.data[::-1].copy(), name="photo")}
    run()
    assert len(labels_in(viewer)) == 2
    np.testing.assert_array_equal(first.data, kept)


def test_an_image_that_takes_the_place_of_a_removed_one_gets_labels_of_its_own(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (first,) = labels_in(viewer)
    kept = first.data.copy()
    viewer.layers.remove(image)
    viewer.layers.selection = {viewer.add_image(image.data[::-1].copy(), name="photo")}
    run()
    assert len(labels_in(viewer)) == 2
    np.testing.assert_array_equal(first.data, kept)


def test_what_is_erased_in_a_draft_stays_erased_and_leaves_no_trace_when_undone(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press, qtbot: QtBot,
) -> None:  # fmt: skip
    start_held()
    (labels,) = labels_in(viewer)
    fake.gate.set()
    qtbot.waitUntil(lambda: bool(labels.data[0].any()), timeout=5000)
    labels.brush_size = 3
    labels.paint((1, 1), 0)
    wait_idle()
    assert not labels.data[:2, :2].any()
    assert labels.data[5:].all()
    labels.undo()
    labels.undo()
    assert not labels.data.any()


def test_everything_is_replaced_only_after_a_question_and_can_be_undone(
    viewer: Any, controller: Controller, image: Any, run: Press
) -> None:
    run()
    (labels,) = labels_in(viewer)
    clean = labels.data.copy()
    labels.data_setitem((np.array([0, 0]), np.array([0, 1])), 0)
    before = labels.data.copy()
    controller.state.run.target = "replace"
    run()
    question = controller.state.run.question
    assert question is not None
    assert "2 pixels" in question.text
    np.testing.assert_array_equal(labels.data, before)
    controller.answer("no")
    np.testing.assert_array_equal(labels.data, before)
    run()
    controller.answer("yes")
    run_ends(controller)
    np.testing.assert_array_equal(labels.data, clean)
    assert controller.state.run.target == "auto"
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)
    run()
    np.testing.assert_array_equal(labels.data, before)


def run_ends(controller: Controller) -> None:
    deadline = time.monotonic() + 20
    while controller.state.run.status != IDLE and time.monotonic() < deadline:
        QApplication.processEvents()


def test_measuring_does_not_end_a_run(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    controller.measure()
    assert "timed anyway" in controller.state.run.notice
    fake.gate.set()
    wait_idle()
    assert labels_in(viewer)[0].data.all()

"""One press of Segment is one request: what was granted, asked and cancelled is of it alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot

from napari_sclip.layers.labels.annotations import count_hand_edits
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.run import IDLE
from tests.widgets.conftest import FakeSegmenter

Press = Callable[[], None]
LARGE = "napari_sclip.layers.image.request.LARGE_LABELS_BYTES"


def labels_named(viewer: Any, name: str) -> Any:
    (found,) = [x for x in viewer.layers if isinstance(x, Labels) and x.name == name]
    return found


def paint(labels: Any, *columns: int, label: int = 2) -> np.ndarray:
    """Paint pixels of the first row by hand; returns the labels as they are then."""
    labels.data_setitem((np.zeros(len(columns), int), np.array(columns)), label)
    after: np.ndarray = labels.data.copy()
    return after


def add_photo(viewer: Any, name: str, seed: int) -> Any:
    pixels = np.random.default_rng(seed).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    layer = viewer.add_image(pixels, name=name)
    viewer.layers.selection = {layer}
    return layer


def choose_image(viewer: Any, controller: Controller, image: Any) -> None:
    viewer.layers.selection = {image}
    controller._follower.refresh()


@pytest.fixture
def two_painted(viewer: Any, controller: Controller, image: Any, run: Press) -> tuple[Any, Any]:
    """Two images, each with labels of which a hand has painted pixels; the first one is chosen."""
    run()
    other = add_photo(viewer, "other", 1)
    run()
    paint(labels_named(viewer, "photo labels"), 0, 1)
    paint(labels_named(viewer, "other labels"), 0, 1, 2)
    choose_image(viewer, controller, image)
    return image, other


# What was granted


def test_a_live_run_never_replaces_what_was_painted(
    viewer: Any, controller: Controller, image: Any, run: Press, wait_idle: Press, qtbot: QtBot
) -> None:
    run()
    labels = labels_named(viewer, "photo labels")
    before = paint(labels, 0, 1)
    controller.state.run.target = "replace"
    run()
    controller.answer("yes")
    controller.cancel()
    wait_idle()
    np.testing.assert_array_equal(labels.data, before)
    assert controller.state.run.embedded
    controller.state.run.live = True
    controller.state.classes.set_text("cat, grass, sky")
    qtbot.waitUntil(lambda: 3 in labels.data, timeout=5000)
    wait_idle()
    np.testing.assert_array_equal(labels.data[0, :2], 2)
    assert controller.state.run.question is None
    assert controller.state.run.target == "replace"  # for the next press, which asks again
    run()
    question = controller.state.run.question
    assert question is not None
    assert question.key == "replace"
    assert "2 pixels" in question.text


@pytest.mark.parametrize("target", ["auto", "new"])
def test_a_live_run_takes_the_place_of_one_that_makes_a_layer(
    viewer: Any, controller: Controller, fake: FakeSegmenter, image: Any, run: Press,
    start_held: Press, wait_idle: Press, qtbot: QtBot, target: str,
) -> None:  # fmt: skip
    run()
    if target == "auto":
        viewer.layers.remove(labels_named(viewer, "photo labels"))
    while fake.arrived.acquire(blocking=False):
        pass
    controller.session._embeddings.clear()
    controller.state.run.target = target
    start_held()
    assert controller.state.run.embedded
    begun = controller._runner.generation
    controller.state.run.live = True
    controller.state.classes.set_text("cat, grass, sky")
    qtbot.waitUntil(lambda: controller._runner.generation > begun, timeout=5000)
    fake.gate.set()
    wait_idle()
    assert 3 in labels_named(viewer, "photo labels").data
    assert len([x for x in viewer.layers if isinstance(x, Labels)]) == 1


def test_pixels_painted_after_the_question_are_asked_about_too(
    viewer: Any, controller: Controller, image: Any, run: Press, wait_idle: Press
) -> None:
    run()
    labels = labels_named(viewer, "photo labels")
    clean = labels.data.copy()
    paint(labels, 0, 1)
    controller.state.run.target = "replace"
    run()
    before = paint(labels, 4, 5, 6)
    controller.answer("yes")
    wait_idle()
    np.testing.assert_array_equal(labels.data, before)
    question = controller.state.run.question
    assert question is not None
    assert "5 pixels" in question.text
    controller.answer("yes")
    wait_idle()
    np.testing.assert_array_equal(labels.data, clean)


def test_full_size_once_made_is_not_asked_about_again(
    viewer: Any, controller: Controller, image: Any, run: Press, wait_idle: Press, qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(LARGE, 1)
    controller.segment()
    controller.answer("image")
    wait_idle()
    labels = labels_named(viewer, "photo labels")
    run()
    assert controller.state.run.question is None
    controller.state.run.live = True
    controller.state.classes.set_text("cat, grass, sky")
    qtbot.waitUntil(lambda: 3 in labels.data, timeout=5000)
    viewer.layers.remove(labels)
    run()
    assert controller.state.run.question is not None


# Questions


def test_an_answer_acts_on_the_image_that_was_asked_about(
    viewer: Any, controller: Controller, two_painted: tuple[Any, Any], run: Press, wait_idle: Press
) -> None:
    _, other = two_painted
    first, second = (labels_named(viewer, f"{name} labels") for name in ("photo", "other"))
    before = second.data.copy()
    controller.state.run.target = "replace"
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert "photo labels" in question.text
    viewer.layers.selection = {other}  # and an answer before the widget has followed
    controller.answer("yes")
    wait_idle()
    np.testing.assert_array_equal(second.data, before)
    assert count_hand_edits(first, controller._follower.make_request()) == 0
    assert first.data[0, 0] == 1


def test_a_question_goes_when_another_image_is_chosen(
    viewer: Any, controller: Controller, two_painted: tuple[Any, Any], wait_idle: Press
) -> None:
    _, other = two_painted
    first, second = (labels_named(viewer, f"{name} labels") for name in ("photo", "other"))
    before = first.data.copy(), second.data.copy()
    controller.state.run.target = "replace"
    controller.segment()
    assert controller.state.run.question is not None
    viewer.layers.selection = {first}
    controller._follower.refresh()
    assert controller.state.run.question is not None  # it is the same image still
    choose_image(viewer, controller, other)
    assert controller.state.run.question is None
    controller.answer("yes")
    wait_idle()
    np.testing.assert_array_equal(first.data, before[0])
    np.testing.assert_array_equal(second.data, before[1])


@pytest.mark.parametrize("gone", ["image", "labels", "pixels"])
def test_a_question_goes_with_what_it_is_about(
    viewer: Any, controller: Controller, two_painted: tuple[Any, Any], gone: str, wait_idle: Press
) -> None:
    image, _ = two_painted
    first, second = (labels_named(viewer, f"{name} labels") for name in ("photo", "other"))
    before = first.data.copy(), second.data.copy()
    controller.state.run.target = "replace"
    controller.segment()
    assert controller.state.run.question is not None
    if gone == "pixels":
        image.data = image.data[::-1].copy()
    else:
        viewer.layers.remove(image if gone == "image" else first)
    controller.answer("yes")
    wait_idle()
    assert controller.state.run.question is None
    np.testing.assert_array_equal(first.data, before[0])
    np.testing.assert_array_equal(second.data, before[1])


def test_a_question_about_large_labels_goes_with_its_image(
    viewer: Any, controller: Controller, image: Any, wait_idle: Press,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    add_photo(viewer, "other", 1)
    choose_image(viewer, controller, image)
    monkeypatch.setattr(LARGE, 1)
    controller.segment()
    assert controller.state.run.question is not None
    viewer.layers.remove(image)
    assert controller.state.run.question is None
    controller.answer("image")
    wait_idle()
    assert not [x for x in viewer.layers if isinstance(x, Labels)]


@pytest.mark.parametrize("by", ["segment", "download"])
def test_a_question_about_a_download_goes_when_another_model_is_chosen(
    controller: Controller, image: Any, by: str
) -> None:
    controller.state.model.name = "ViT-B-16/openai"
    assert controller.state.model.needs_download
    getattr(controller, by)()
    assert controller.state.run.question is not None
    controller.state.model.name = "shapes-demo"
    assert controller.state.run.question is None
    controller.answer("yes")
    assert controller.state.run.status == IDLE


def test_another_press_takes_the_place_of_a_question(
    viewer: Any, controller: Controller, two_painted: tuple[Any, Any], wait_idle: Press
) -> None:
    controller.state.run.target = "replace"
    controller.segment()
    controller.state.run.target = "auto"
    controller.segment()
    assert controller.state.run.question is None
    wait_idle()
    np.testing.assert_array_equal(labels_named(viewer, "photo labels").data[0, :2], 2)


def test_a_press_before_all_is_ready_is_of_its_image(
    viewer: Any, controller: Controller, image: Any, wait_idle: Press
) -> None:
    other = add_photo(viewer, "other", 1)
    choose_image(viewer, controller, image)
    controller._scout.is_ready = False
    controller.segment()
    assert controller.state.run.status != IDLE
    choose_image(viewer, controller, other)
    controller._scout._on_finished()
    wait_idle()
    assert [x.name for x in viewer.layers if isinstance(x, Labels)] == ["photo labels"]
    choose_image(viewer, controller, image)
    controller._scout.is_ready = False
    controller.segment()
    viewer.layers.remove(image)
    assert controller.state.run.status == IDLE
    assert "removed" in controller.state.run.notice
    controller._scout._on_finished()
    wait_idle()
    assert len([x for x in viewer.layers if isinstance(x, Labels)]) == 1


# The size of labels


def test_labels_of_the_region_are_offered_only_where_they_are_smaller(
    viewer: Any, controller: Controller, image: Any, wait_idle: Press,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(LARGE, 1)
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert [key for key, _ in question.answers] == ["image", "no"]
    assert "region only" not in question.text
    assert "region" in question.text  # how to have smaller ones
    viewer.add_shapes([[[10, 20], [10, 40], [30, 40], [30, 20]]], shape_type="rectangle")
    viewer.layers.selection.active = image
    controller.state.image.region = "shape"
    controller._follower.refresh()
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert [key for key, _ in question.answers] == ["region", "image", "no"]
    controller.answer("region")
    wait_idle()
    assert labels_named(viewer, "photo labels").data.shape == (21, 21)


def test_a_coarser_level_comes_first_where_all_of_the_plane_is_read(
    viewer: Any, controller: Controller, wait_idle: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    levels = [np.zeros((n, n), np.uint8) for n in (1600, 800, 400)]
    viewer.add_image(levels, multiscale=True, contrast_limits=(0, 1), name="slide")
    controller._follower.refresh()
    monkeypatch.setattr(LARGE, 1)
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert [key for key, _ in question.answers] == ["read", "image", "no"]
    controller.answer("read")
    wait_idle()
    assert labels_named(viewer, "slide labels").data.shape == (400, 400)


def test_a_plane_of_a_large_stack_can_have_labels_of_its_own(
    viewer: Any, controller: Controller, wait_idle: Press, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.add_image(np.zeros((5, 40, 60), np.uint8), contrast_limits=(0, 1), name="stack")
    controller._follower.refresh()
    monkeypatch.setattr(LARGE, 1)
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert question.answers[0] == ("region", "Labels of this plane only")
    controller.answer("region")
    wait_idle()
    assert labels_named(viewer, "stack labels").data.shape == (1, 40, 60)


# Finished planes


@pytest.fixture
def stack(viewer: Any, controller: Controller) -> Any:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 40, 60), dtype=np.uint8)
    layer = viewer.add_image(pixels, name="stack")
    controller.state.image.planes = "all"
    controller._follower.refresh()
    return layer


@pytest.fixture
def hold_in_third(controller: Controller, fake: FakeSegmenter, qtbot: QtBot) -> Press:
    """Press Segment, and wait until two planes are finished and the third is begun."""

    def press() -> None:
        controller.session.unload()
        fake.hold_at = fake.embedded + 2
        controller.segment()
        qtbot.waitUntil(lambda: not fake.gate.is_set(), timeout=20_000)
        fake.hold_at = None

    return press


def test_planes_that_are_finished_stay_after_cancel(
    viewer: Any, controller: Controller, fake: FakeSegmenter, stack: Any, hold_in_third: Press,
    run: Press, wait_idle: Press,
) -> None:  # fmt: skip
    hold_in_third()
    controller.cancel()
    fake.gate.set()
    wait_idle()
    labels = labels_named(viewer, "stack labels")
    assert [bool(plane.all()) for plane in labels.data] == [True, True, False, False]
    assert not labels.data[2:].any()
    notice = controller.state.run.notice
    assert "Cancelled" in notice
    assert "2 of 4 planes" in notice
    assert not controller.state.run.embedded
    labels.undo()
    assert not labels.data.any()
    labels.redo()
    run()
    assert labels.data.all()
    assert "Segmented 4 planes" in controller.state.run.notice


def test_planes_that_are_finished_stay_after_a_failure(
    viewer: Any, controller: Controller, fake: FakeSegmenter, stack: Any, hold_in_third: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    hold_in_third()
    fake.error = RuntimeError("not enough memory: you tried to allocate")
    fake.gate.set()
    wait_idle()
    labels = labels_named(viewer, "stack labels")
    assert [bool(plane.all()) for plane in labels.data] == [True, True, False, False]
    assert controller.state.run.failure is not None
    assert "2 of 4 planes" in controller.state.run.notice


def test_a_cancelled_run_replaces_nothing_that_was_painted(
    viewer: Any, controller: Controller, fake: FakeSegmenter, stack: Any, run: Press,
    wait_idle: Press, qtbot: QtBot,
) -> None:  # fmt: skip
    run()
    labels = labels_named(viewer, "stack labels")
    labels.data_setitem((np.array([0, 3]), np.array([1, 1]), np.array([0, 0])), 2)
    before = labels.data.copy()
    controller.state.classes.set_text("grass, cat")
    controller.state.run.target = "replace"
    controller.session.unload()
    fake.hold_at = fake.embedded + 2
    controller.segment()
    controller.answer("yes")
    qtbot.waitUntil(lambda: not fake.gate.is_set(), timeout=20_000)
    fake.hold_at = None
    controller.cancel()
    fake.gate.set()
    wait_idle()
    assert labels.data[0, 1, 0] == labels.data[3, 1, 0] == 2
    assert labels.data[0, 5, 0] == 2  # grass stands on the left now
    np.testing.assert_array_equal(labels.data[2:], before[2:])
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


def test_nothing_is_kept_where_no_plane_is_finished(
    viewer: Any, controller: Controller, fake: FakeSegmenter, stack: Any, start_held: Press,
    wait_idle: Press,
) -> None:  # fmt: skip
    start_held()
    controller.cancel()
    wait_idle()
    assert not [x for x in viewer.layers if isinstance(x, Labels)]
    assert controller.state.run.notice == "Cancelled. Nothing was changed."

"""What the sections Model and Detail ask of the controller."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
from pytestqt.qtbot import QtBot

from napari_sclip import make_scene
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.work.session import Session


def test_windows_are_counted_before_the_model_is_loaded(
    viewer: Any, controller: Controller
) -> None:
    viewer.add_image(np.zeros((336, 448, 3), np.uint8))
    controller._follower.refresh()
    assert controller.state.detail.windows == 54
    controller.state.model.name = "ViT-B-16/openai"
    assert controller.state.detail.windows == 6
    controller.state.detail.level = "coarse"
    controller._follower.refresh()
    assert controller.state.detail.windows == 2


def test_a_window_that_does_not_fit_the_model_is_a_reason(
    controller: Controller, image: Any
) -> None:
    controller.state.detail.level = "custom"
    controller.state.detail.window = 225
    controller._follower.refresh()
    assert "multiple" in controller.state.why_not()


def test_an_estimate_comes_with_the_first_run_and_is_kept(
    viewer: Any, make_controller: Callable[[Session], Controller], qtbot: QtBot,
    wait_idle_of: Callable[[Controller], None],
) -> None:  # fmt: skip
    controller = make_controller(Session())
    viewer.add_image(make_scene(seed=2).image)
    controller._follower.refresh()
    assert controller.state.detail.estimate == ""
    controller.segment()
    wait_idle_of(controller)
    assert "MB" in controller.state.detail.estimate
    controller.close()
    again = make_controller(Session())
    assert again.state.detail.estimate == controller.state.detail.estimate


def test_one_window_can_be_measured(
    viewer: Any, make_controller: Callable[[Session], Controller],
    wait_idle_of: Callable[[Controller], None],
) -> None:  # fmt: skip
    controller = make_controller(Session())
    viewer.add_image(make_scene(seed=2).image)
    controller._follower.refresh()
    controller.measure()
    wait_idle_of(controller)
    assert controller.state.run.failure is None
    assert controller.state.detail.estimate.startswith("about ")


def test_unloading_gives_the_model_and_the_embeddings_back(
    viewer: Any, make_controller: Callable[[Session], Controller],
    wait_idle_of: Callable[[Controller], None],
) -> None:  # fmt: skip
    session = Session()
    controller = make_controller(session)
    viewer.add_image(make_scene(seed=2).image)
    controller._follower.refresh()
    controller.segment()
    wait_idle_of(controller)
    assert controller.state.model.loaded.startswith("shapes-demo on cpu")
    kept = weakref.ref(session._segmenter)
    assert session.embeddings_bytes > 0
    controller.unload()
    assert controller.state.run.notice == "Model unloaded, embeddings cleared."
    assert controller.state.model.loaded == ""
    assert not controller.state.run.embedded
    assert session.embeddings_bytes == 0
    assert kept() is None


def test_an_embedding_goes_with_its_image_and_all_go_with_the_widget(
    viewer: Any, make_controller: Callable[[Session], Controller], qtbot: QtBot,
    wait_idle_of: Callable[[Controller], None],
) -> None:  # fmt: skip
    session = Session()
    controller = make_controller(session)
    model = controller.state.model
    for seed in (2, 3):
        image = viewer.add_image(make_scene(seed=seed).image)
        viewer.layers.selection = {image}
        controller._follower.refresh()
        controller.segment()
        wait_idle_of(controller)
    both = session.embeddings_bytes
    assert model.embeddings == f"{both / 1e6:.0f} MB of at most 512 MB"
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: session.embeddings_bytes == both // 2, timeout=5000)
    assert session.last is None
    kept = weakref.ref(session._segmenter)
    controller.close()
    qtbot.waitUntil(lambda: kept() is None, timeout=5000)
    assert session.embeddings_bytes == 0


def test_cancel_stops_the_real_model_within_a_window(
    viewer: Any, make_controller: Callable[[Session], Controller], qtbot: QtBot,
    wait_idle_of: Callable[[Controller], None],
) -> None:  # fmt: skip
    session = Session()
    controller = make_controller(session)
    viewer.add_image(make_scene(seed=2, size=(1344, 1344)).image)
    controller.state.detail.level = "custom"
    controller.state.detail.short_side = None
    controller._follower.refresh()
    controller.segment()
    looking = "Looking at windows"
    qtbot.waitUntil(
        lambda: controller.state.run.message.startswith(looking) and controller.state.run.done > 0,
        timeout=60_000,
    )
    controller.cancel()
    seen = session._segmenter.vision.windows_computed
    wait_idle_of(controller)
    # A batch that was nearly done may still end.
    batch = session._segmenter.vision.first_batch(144)
    assert session._segmenter.vision.windows_computed - seen <= batch
    assert seen < (controller.state.detail.windows or 0)


def test_fitting_classes_are_taken_over(viewer: Any, controller: Controller) -> None:
    viewer.open_sample("napari-sclip", "scene_2")
    controller.state.model.name = "ViT-B-16/openai"
    controller._follower.refresh()
    facts = controller.state.image.facts
    assert facts is not None
    assert "cyan star" in facts.suggestion
    controller.take_suggestion()
    assert "cyan star" in [row.name for row in controller.state.classes.rows]
    assert controller.state.model.name == "shapes-demo"
    assert controller.state.why_not() == ""


def test_a_gpu_that_is_not_used_is_explained(controller: Controller) -> None:
    assert controller.state.model.devices[-1][0] == "cpu"
    assert controller.state.model.gpu_report.endswith(".")
    names = [name for name, _ in controller.state.model.attentions]
    assert {"sclip", "vanilla"} <= set(names)


def test_settings_are_there_at_the_next_start(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session
) -> None:
    first = make_controller(fake_session)
    first.state.classes.set_text("moss, stone")
    first.state.detail.threshold = 0.3
    first.close()
    second = Controller(viewer, session=fake_session)
    assert second.state.classes.text == "moss, stone"
    assert second.state.detail.threshold == 0.3
    second.close()


def test_a_picture_that_is_almost_black_is_told_of(
    viewer: Any, controller: Controller, qtbot: QtBot
) -> None:
    rgb = np.linspace(0, 4095, 7200).reshape(40, 60, 3).astype(np.uint16)
    viewer.add_image(rgb, rgb=True)
    controller._follower.refresh()
    state = controller.state.image
    qtbot.waitUntil(lambda: state.facts is not None and "black" in state.facts.warning)
    state.contrast = "full"
    qtbot.waitUntil(lambda: state.facts is not None and state.facts.warning == "", timeout=5000)

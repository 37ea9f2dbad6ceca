"""A controller in a real viewer, without the widget's views."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QApplication

from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.run import IDLE
from napari_sclip.widgets.work.session import Session
from tests.widgets.conftest import FakeSegmenter, make_viewer_model

Press = Callable[[], None]


@pytest.fixture
def viewer(request: pytest.FixtureRequest, qapp: QApplication) -> Any:
    """Make a viewer without a window, unless the test is marked to need a canvas."""
    if request.node.get_closest_marker("canvas"):
        return request.getfixturevalue("make_napari_viewer")()
    return make_viewer_model()


@pytest.fixture
def make_controller(viewer: Any, qtbot: QtBot) -> Iterator[Callable[[Session], Controller]]:
    """Make controllers that have looked around and are ready to run the bundled model."""
    opened = []

    def make(session: Session) -> Controller:
        made = Controller(viewer, session=session)
        opened.append(made)
        made.state.model.name = "shapes-demo"
        made.state.classes.set_text("cat, grass")
        qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
        return made

    yield make
    for made in opened:
        made.close()


@pytest.fixture
def controller(
    make_controller: Callable[[Session], Controller], fake_session: Session
) -> Controller:
    return make_controller(fake_session)


@pytest.fixture
def image(viewer: Any, controller: Controller) -> Any:
    rng = np.random.default_rng(0)
    layer = viewer.add_image(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8), name="photo")
    controller._follower.refresh()
    return layer


@pytest.fixture
def wait_idle_of(qtbot: QtBot) -> Callable[[Controller], None]:
    def wait(controller: Controller) -> None:
        qtbot.waitUntil(lambda: controller.state.run.status == IDLE, timeout=20_000)

    return wait


@pytest.fixture
def wait_idle(controller: Controller, qtbot: QtBot) -> Press:
    def wait() -> None:
        qtbot.waitUntil(lambda: controller.state.run.status == IDLE, timeout=20_000)

    return wait


@pytest.fixture
def run(controller: Controller, wait_idle: Press) -> Press:
    """Press Segment and wait for the end."""

    def press() -> None:
        controller.segment()
        wait_idle()

    return press


@pytest.fixture
def start_held(controller: Controller, fake: FakeSegmenter, qtbot: QtBot) -> Callable[[], None]:
    """Press Segment and wait until the engine is held in its first window."""

    def press() -> None:
        fake.gate.clear()
        controller.segment()
        qtbot.waitUntil(lambda: fake.arrived.acquire(blocking=False), timeout=20_000)

    return press

"""The section "Detail": how finely an image is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QAbstractSpinBox, QWidget

from napari_sclip.widgets.state.detail import DetailState
from napari_sclip.widgets.views.detail_view import DetailView
from tests.widgets.views.hands import Asked, show_changes

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def state() -> DetailState:
    return DetailState()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def view(state: DetailState, asked: Asked, qtbot: QtBot) -> DetailView:
    view = DetailView(state, asked)
    qtbot.addWidget(view)
    show_changes(view)
    view.show()
    qtbot.mouseClick(control(view, "more"), LEFT)
    return view


def control(view: QWidget, name: str) -> Any:
    found = view.findChild(QObject, f"sclip_detail_{name}")
    assert found is not None, name
    return found


def type_number(box: QAbstractSpinBox, text: str, qtbot: QtBot) -> None:
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, text)
    qtbot.keyClick(box, Qt.Key.Key_Tab)


@pytest.mark.parametrize(("level", "pixels"), [("coarse", 224), ("medium", 336), ("fine", 560)])
def test_a_level_is_a_length_in_pixels(
    view: DetailView, state: DetailState, qtbot: QtBot, level: str, pixels: int
) -> None:
    qtbot.mouseClick(control(view, level), LEFT)
    assert state.level == level
    assert state.config().short_side == pixels
    assert not control(view, "window").isVisible()


def test_numbers_are_typed(view: DetailView, state: DetailState, qtbot: QtBot) -> None:
    qtbot.mouseClick(control(view, "custom"), LEFT)
    type_number(control(view, "short_side"), "448", qtbot)
    type_number(control(view, "window"), "160", qtbot)
    type_number(control(view, "stride"), "80", qtbot)
    config = state.config()
    assert (config.short_side, config.window, config.stride) == (448, 160, 80)


def test_left_alone_window_and_stride_are_the_models_own(
    view: DetailView, state: DetailState, qtbot: QtBot
) -> None:
    qtbot.mouseClick(control(view, "custom"), LEFT)
    assert state.config().for_input_size(96).window == 96
    assert "model" in control(view, "window").text()


def test_scores_go_into_the_settings(view: DetailView, state: DetailState, qtbot: QtBot) -> None:
    type_number(control(view, "threshold"), "0.25", qtbot)
    type_number(control(view, "min_area"), "5", qtbot)
    assert state.config().threshold == 0.25
    assert state.config().min_area_fraction == pytest.approx(0.05)


def test_windows_estimate_and_problem_are_shown(
    view: DetailView, state: DetailState, asked: Asked, qtbot: QtBot
) -> None:
    state.windows, state.estimate = 12, "about 4 s, 180 MB"
    assert control(view, "estimate").text() == "12 windows · about 4 s, 180 MB"
    qtbot.mouseClick(control(view, "measure"), LEFT)
    assert asked == ["measure"]
    state.problem = "window must be a multiple of 16."
    assert control(view, "problem").text() == state.problem

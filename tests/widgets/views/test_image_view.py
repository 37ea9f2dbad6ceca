"""The section "Image": what is offered for an image, and what a hand chooses."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject, Qt
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QWidget

from napari_sclip.widgets.state.image import AxisChoice, ImageFacts, ImageState, Preview
from napari_sclip.widgets.views.image_view import ImageView
from tests.widgets.views.hands import Asked, show_changes

FACTS = ImageFacts(name="photo", described="RGB, 40 x 60", rgb=True, shape=(40, 60))
STACK = ImageFacts(
    name="stack",
    described="5 x 3 x 40 x 60, uint8",
    rgb=False,
    shape=(40, 60),
    axes=(AxisChoice(0, "t", 5), AxisChoice(1, "c", 3)),
    channel_axis=1,
    channels=3,
    displayed=2,
    planes=5,
    shapes=("cells",),
)


@pytest.fixture
def state() -> ImageState:
    return ImageState(facts=FACTS)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def view(state: ImageState, asked: Asked, qtbot: QtBot) -> ImageView:
    view = ImageView(state, asked)
    qtbot.addWidget(view)
    show_changes(view)
    view.show()
    unfold = view.findChild(QWidget, "sclip_image_more")
    assert unfold is not None
    qtbot.mouseClick(unfold, Qt.MouseButton.LeftButton)
    return view


def control(view: QWidget, name: str) -> Any:
    found = view.findChild(QObject, f"sclip_image_{name}")
    assert found is not None, name
    return found


def choose(box: QComboBox, text: str, qtbot: QtBot) -> None:
    """Choose an entry with the keys, as a hand does."""
    box.setFocus()
    index = next(k for k in range(box.count()) if text in box.itemText(k))
    qtbot.keyClick(box, Qt.Key.Key_Home)
    for _ in range(index):
        qtbot.keyClick(box, Qt.Key.Key_Down)
    assert text in box.currentText()


def test_name_and_kind_are_shown(view: ImageView, state: ImageState) -> None:
    assert control(view, "name").text() == "photo"
    assert control(view, "described").text() == "RGB, 40 x 60"
    state.facts = None
    assert "photo" not in control(view, "name").text()


def test_only_what_means_something_is_offered(view: ImageView, state: ImageState) -> None:
    for name in ("channel_axis", "channel", "planes", "shapes"):
        assert not control(view, name).isVisible(), name
    state.facts = STACK
    for name in ("channel_axis", "channel", "planes"):
        assert control(view, name).isVisible(), name


def test_choices_go_into_the_state(view: ImageView, state: ImageState, qtbot: QtBot) -> None:
    state.facts = STACK
    choose(control(view, "channels"), "displayed", qtbot)
    assert state.channels == "displayed"
    choose(control(view, "channels"), "grey", qtbot)
    choose(control(view, "channel"), "2", qtbot)
    assert (state.channels, state.channel) == ("layer", 2)
    choose(control(view, "planes"), "All", qtbot)
    assert state.planes == "all"
    choose(control(view, "region"), "view", qtbot)
    assert state.region == "view"
    choose(control(view, "region"), "hape", qtbot)
    assert state.region == "shape"
    assert control(view, "shapes").isVisible()
    choose(control(view, "labels_size"), "region", qtbot)
    assert state.labels_size == "region"


def test_percentiles_are_asked_for_only_when_they_count(
    view: ImageView, state: ImageState, qtbot: QtBot
) -> None:
    low: QDoubleSpinBox = control(view, "percentile_low")
    assert not (low.isEnabled() and low.isVisible())
    choose(control(view, "contrast"), "Percentiles", qtbot)
    assert state.contrast == "percentiles"
    assert low.isEnabled()
    low.setFocus()
    low.selectAll()
    qtbot.keyClicks(low, "2")
    qtbot.keyClick(low, Qt.Key.Key_Tab)
    assert state.percentile_low == 2


def test_the_pin_and_the_suggestion(
    view: ImageView, state: ImageState, asked: Asked, qtbot: QtBot
) -> None:
    qtbot.mouseClick(control(view, "pin"), Qt.MouseButton.LeftButton)
    assert state.pinned
    assert not control(view, "suggestion").isVisible()
    state.facts = dataclasses.replace(FACTS, suggestion="cat, wall")
    qtbot.mouseClick(control(view, "suggestion"), Qt.MouseButton.LeftButton)
    assert asked == ["take_suggestion"]


def test_problems_warnings_and_the_preview_are_shown(view: ImageView, state: ImageState) -> None:
    assert not control(view, "problem").isVisible()
    state.problem = "Expected at least 2 x 2 pixels."
    assert control(view, "problem").text() == "Expected at least 2 x 2 pixels."
    state.facts = dataclasses.replace(FACTS, warning="Almost black.")
    assert control(view, "warning").text() == "Almost black."
    state.preview = Preview(2, 1, bytes([255, 0, 0, 0, 0, 255]))
    picture = control(view, "preview").pixmap().toImage()
    assert picture.pixelColor(0, 0).red() == 255
    assert picture.pixelColor(picture.width() - 1, 0).blue() == 255

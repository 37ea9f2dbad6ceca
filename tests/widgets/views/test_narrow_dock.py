"""The dock widget at 320 pixels, docked in napari, with all that it can show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QWidget

from napari_sclip.widgets.dock import SegmentWidget
from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.image import AxisChoice, ImageFacts
from napari_sclip.widgets.state.model import OWN_FILE, ModelChoice
from napari_sclip.widgets.state.run import RUNNING, Failure, Question
from napari_sclip.widgets.views.choice_box import ChoiceBox
from napari_sclip.widgets.work.session import Session
from tests.widgets.views.hands import THEMES, control

WIDTH = 320
CONTROLS = QAbstractButton, QAbstractSpinBox, QComboBox
NAMES = ("background", "yellow circle", "a wall of red bricks in the sun")
FACTS = ImageFacts(
    name="a photograph with a long name, of the 12th of June",
    described="RGB, 3000 x 4510 pixels, level 1 of 4",
    rgb=False,
    shape=(300, 451),
    axes=(AxisChoice(0, "time of day", 12), AxisChoice(1, "wavelength", 31)),
    channels=31,
    planes=12,
    shapes=("a shape around what is wanted",),
    warning="The contrast limits are the same, so all of it is black.",
    suggestion="yellow circle\ngreen cell\norange triangle",
)
FORMATS = (("png", "indexed PNG, names in a JSON file beside it (.png)"),)


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(1400, 800)
    viewer.add_image(np.zeros((40, 60, 3), np.uint8))
    return viewer


@pytest.fixture
def widget(viewer: Any, fake_session: Session, qtbot: QtBot) -> Iterator[SegmentWidget]:
    """A docked widget whose state nothing changes but the test."""
    made = SegmentWidget(viewer, fake_session)
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    dock = viewer.window.add_dock_widget(made, name="SCLIP Segmentation", area="right")
    qtbot.waitUntil(made.isVisible)
    made.controller.close()
    show_much(made)
    unfold(made)
    window = viewer.window._qt_window
    window.resizeDocks([dock], [WIDTH], Qt.Orientation.Horizontal)
    qtbot.waitUntil(lambda: bool(dock.width() == WIDTH))
    yield made
    made.controller.close()


def show_much(widget: SegmentWidget) -> None:
    """Fill the state, so that every row that there can be is there."""
    state = widget.state
    state.image.facts = FACTS
    state.image.region = "shape"
    state.image.contrast = "percentiles"
    state.image.problem = "The region lies outside of the image that is shown."
    state.classes.set_text("background, yellow circle, a wall of red bricks in the sun")
    state.model.name = OWN_FILE
    state.model.weights = "/home/somebody/checkpoints/a-long-name-of-a-file.safetensors"
    state.model.architecture = "ViT-L-14-quickgelu"
    state.model.loaded = "ViT-L-14-quickgelu/laion2b_s32b_b82k on cuda:0, fp16"
    state.model.problem = "The file is not there."
    state.model.gpu_report = "No GPU is used, because this build of torch has none."
    state.detail.level = "custom"
    state.detail.estimate = "about 12 min on this computer, 1800 MB"
    state.detail.windows = 2054
    correct = state.correct
    correct.labels, correct.names, correct.painted = "a photograph labels", NAMES, 13_854
    correct.learned = "Learned from 13,854 pixels of 3 classes."
    correct.carried = "A preset has taught 3 classes."
    correct.learn = correct.attention = True
    correct.orphans = (Orphan(7, "cyan star with a long name", 138),)
    correct.unsure, correct.checked, correct.scribbled = 1204, 1.0, 12_345
    correct.heads = 12
    correct.instances = "The objects of the class “yellow circle” are in the active layer."
    correct.formats = FORMATS
    state.run.notice = "Segmented into “a photograph labels” from the embedding."
    state.run.failure = Failure("Not enough memory: 12 GB were asked for, 8 GB are there.", "...")
    state.run.embedded = True


def work(widget: SegmentWidget) -> None:
    """Show what is shown instead of something else: a download, a question, a run."""
    state = widget.state
    state.model.choices = (ModelChoice("ViT-B-16/laion2b_s34b_b88k", 571, False, "MIT", "Photos."),)
    state.model.name = state.model.choices[0].name
    state.model.download_progress = 123_000_000, 571_000_000
    state.model.download_message = "123 of 571 MB, 12.5 MB/s"
    state.run.question = Question(
        "labels-size",
        "The labels would have 4,000,000,000 pixels. How large shall they be?",
        (("region", "Labels of the region only"), ("all", "The whole image"), ("no", "Cancel")),
    )
    state.run.status, state.run.message = RUNNING, "Looking at window 123 of 2054"
    state.image.shapes, state.correct.labels = None, ""


def unfold(widget: SegmentWidget) -> None:
    """Open all sections and what is folded within them."""
    names = "image", "classes", "model", "detail", "correct", "explain", "export"
    more = "sclip_image_more", "sclip_model_more", "sclip_detail_more"
    for name in (*(f"sclip_section_{name}" for name in names), *more):
        control(widget, name).setChecked(True)


def cut_off(widget: SegmentWidget) -> list[str]:
    """Say what ends beyond the room that there is, or is smaller than it needs to be."""
    scroll = control(widget, "sclip_scroll")
    found = []
    for part in widget.findChildren(QWidget):
        name = part.objectName()
        if not (name.startswith("sclip_") or isinstance(part, QLabel)) or not part.isVisible():
            continue
        room = scroll.viewport() if scroll.widget().isAncestorOf(part) else widget
        right = part.mapTo(room, QPoint(part.width(), 0)).x()
        if right > room.width():
            found.append(f"{name or part} ends at {right} of {room.width()}")
        least = part.minimumSizeHint()
        if isinstance(part, CONTROLS) and (
            part.width() < least.width() or part.height() < least.height()
        ):
            found.append(f"{name} is {part.size()} and needs {least}")
    return found


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("moment", ["resting", "working"])
def test_nothing_is_cut_beside_the_scroll_bar(
    widget: SegmentWidget, viewer: Any, qtbot: QtBot, theme: str, moment: str
) -> None:
    viewer.theme = theme
    if moment == "working":
        work(widget)
    scroll = control(widget, "sclip_scroll")
    body, viewport = scroll.widget(), scroll.viewport()
    qtbot.wait(100)
    qtbot.waitUntil(lambda: cut_off(widget) == [])
    assert scroll.verticalScrollBar().isVisible()
    assert cut_off(widget) == []
    beside = WIDTH - viewport.width()  # the scroll bar and the margins
    assert body.minimumSizeHint().width() + beside <= WIDTH
    assert body.width() == viewport.width()
    assert widget.width() == WIDTH


@pytest.mark.parametrize("theme", THEMES)
def test_a_name_without_room_ends_in_an_ellipsis(
    widget: SegmentWidget, viewer: Any, qtbot: QtBot, theme: str
) -> None:
    viewer.theme = theme
    qtbot.wait(100)
    box: ChoiceBox = control(widget, "sclip_image_shapes")
    assert box.shown_text().startswith("a shape around")
    assert box.shown_text().endswith("…")
    assert box.currentText() == FACTS.shapes[0]
    assert control(widget, "sclip_image_region").shown_text() == "Selected shape"


def test_a_box_without_a_choice_shows_its_placeholder(widget: SegmentWidget) -> None:
    widget.state.model.name = ""
    assert control(widget, "sclip_model_name").shown_text() == "Choose a model"

"""Views show changes once an event-loop turn, and nothing that did not change."""

from __future__ import annotations

import gc
import importlib
import inspect
import pkgutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields as fields_of
from functools import partial
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QCoreApplication, QEvent, Qt
from qtpy.QtWidgets import QApplication, QLineEdit, QSpinBox, QWidget

import napari_sclip.widgets.views
from napari_sclip.widgets.dock import SegmentWidget
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.state.correct import CorrectState
from napari_sclip.widgets.state.detail import DetailState
from napari_sclip.widgets.state.image import ImageState
from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.state.run import IDLE, RUNNING, RunState
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.explain_view import ExplainView
from napari_sclip.widgets.views.form import NumberBox, Redraw, bind, fields, follow
from napari_sclip.widgets.views.run_view import PROGRESS_MS
from napari_sclip.widgets.work.session import Session
from tests.widgets.views.hands import Asked, control
from tests.widgets.views.test_narrow_dock import show_much

MOST_IN_A_RUN = 18
"""Besides the progress bar, which is looked at a few times a second."""
MOST_IN_A_LETTER = 3


class Shower(QWidget):
    """Writes down what it shows."""

    def __init__(self, state: RunState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self.shown: list[tuple[str, int]] = []
        follow(self.show_state, fields(state, "message", "done"))

    def show_state(self) -> None:
        self.shown.append((self.state.message, self.state.done))


def turn() -> None:
    QApplication.processEvents()


def test_many_changes_are_shown_once_with_the_last_state(qtbot: QtBot) -> None:
    state = RunState()
    view = Shower(state)
    qtbot.addWidget(view)
    assert view.shown == [("", 0)]
    for done in range(50):
        state.message, state.done = f"step {done}", done
    assert view.shown == [("", 0)]
    turn()
    assert view.shown == [("", 0), ("step 49", 49)]
    turn()
    assert len(view.shown) == 2


def test_a_change_that_was_taken_back_and_a_field_that_is_not_shown_redraw_nothing(
    qtbot: QtBot,
) -> None:
    state = RunState()
    view = Shower(state)
    qtbot.addWidget(view)
    state.message = "looking"
    state.message = ""
    state.notice = "not shown"
    turn()
    assert view.shown == [("", 0)]


def test_what_changes_while_it_is_shown_is_shown_too(qtbot: QtBot) -> None:
    class Changer(Shower):
        def show_state(self) -> None:
            super().show_state()
            self.state.done = min(self.state.done + 1, 3)

    state = RunState()
    view = Changer(state)
    qtbot.addWidget(view)
    qtbot.waitUntil(lambda: view.shown[-1] == ("", 3))


def test_a_view_that_is_deleted_is_asked_no_more(qtbot: QtBot) -> None:
    state = RunState()
    parent = QWidget()
    qtbot.addWidget(parent)
    view = Shower(state, parent)
    state.done = 1
    view.deleteLater()
    kind = QEvent.Type.DeferredDelete
    QCoreApplication.sendPostedEvents(view, int(getattr(kind, "value", kind)))
    turn()
    state.done = 2
    turn()
    assert view.shown == [("", 0)]
    del view
    gc.collect()
    state.done = 3
    turn()


# What is being typed


def test_a_redraw_leaves_a_number_that_is_being_typed(qtbot: QtBot) -> None:
    state = WidgetState()
    view = ExplainView(state, Asked())
    qtbot.addWidget(view)
    view.show()
    state.correct.labels, state.correct.attention, state.correct.heads = "labels", True, 16
    turn()
    head: QSpinBox = control(view, "sclip_explain_head")
    head.setFocus()
    head.selectAll()
    qtbot.keyClicks(head, "1")
    state.run.status = RUNNING
    turn()
    state.run.status = IDLE
    turn()
    assert head.text() == "1"
    qtbot.keyClicks(head, "2")
    qtbot.keyClick(head, Qt.Key.Key_Return)
    assert state.correct.head == 12


def test_a_bound_control_follows_and_is_not_overwritten(qtbot: QtBot) -> None:
    state = DetailState()
    box = NumberBox(0, 1, 0.05, decimals=2)
    qtbot.addWidget(box)
    box.show()
    bind(box, state, "threshold")
    box.selectAll()
    qtbot.keyClicks(box, "0.2")
    assert state.threshold == 0.2
    assert box.text() == "0.2"
    qtbot.keyClicks(box, "5")
    assert state.threshold == 0.25
    state.threshold = 0.5
    assert box.number == 0.5
    state.threshold = 0.2
    assert box.number == 0.2


def test_a_letter_in_the_middle_of_a_bound_line_leaves_the_cursor(qtbot: QtBot) -> None:
    state = ModelState(weights="/ab")
    line = QLineEdit()
    qtbot.addWidget(line)
    bind(line, state, "weights", to_value=str.strip)
    assert line.text() == "/ab"
    line.setCursorPosition(1)
    qtbot.keyClicks(line, " x")
    assert (state.weights, line.cursorPosition()) == ("/ xab", 3)
    line.end(False)
    qtbot.keyClicks(line, " ")
    assert (line.text(), state.weights) == ("/ xab ", "/ xab")


# The whole widget


def view_classes() -> Iterator[type]:
    for module in pkgutil.iter_modules(napari_sclip.widgets.views.__path__):
        loaded = importlib.import_module(f"{napari_sclip.widgets.views.__name__}.{module.name}")
        for _, found in inspect.getmembers(loaded, inspect.isclass):
            if found.__module__ == loaded.__name__:
                yield found


@pytest.fixture
def redraws(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each view was shown, by any of its methods that do."""
    counts: Counter[str] = Counter()

    def count(owner: type, name: str) -> None:
        method = getattr(owner, name)

        def counted(self: Any, *given: Any) -> Any:
            counts[f"{owner.__name__}.{name}"] += 1
            return method(self, *given)

        monkeypatch.setattr(owner, name, counted)

    for owner in view_classes():
        for name in ("_show", "_show_progress", "refresh"):
            if name in vars(owner) and len(inspect.signature(getattr(owner, name)).parameters) == 1:
                count(owner, name)
    count(SegmentWidget, "_summarise_model")
    return counts


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    rng = np.random.default_rng(0)
    viewer.add_image(rng.integers(0, 256, (160, 240, 3), dtype=np.uint8), name="photo")
    return viewer


@pytest.fixture
def widget(redraws: Counter[str], viewer: Any, qtbot: QtBot) -> Iterator[SegmentWidget]:
    made = SegmentWidget(viewer)
    viewer.window.add_dock_widget(made, name="SCLIP Segmentation")
    made.state.model.name = "shapes-demo"
    made.state.classes.set_text("red circle, blue square, background")
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    qtbot.waitUntil(made.isVisible)
    wait_quiet(made, qtbot)
    redraws.clear()
    yield made
    made.controller.close()


def wait_quiet(widget: SegmentWidget, qtbot: QtBot) -> None:
    """Wait until no timer runs any more that would show or find out something."""
    qtbot.wait(600)  # longer than any of the controller's own timers but that of the settings
    qtbot.waitUntil(lambda: not any(r.isActive() for r in widget.findChildren(Redraw)))


def test_a_run_redraws_little(widget: SegmentWidget, redraws: Counter[str], qtbot: QtBot) -> None:
    started = time.monotonic()
    control(widget, "sclip_segment").click()
    qtbot.waitUntil(lambda: widget.state.run.notice.startswith("Segmented"), timeout=60_000)
    qtbot.waitUntil(lambda: widget.state.run.status == IDLE)
    wait_quiet(widget, qtbot)
    assert control(widget, "sclip_notice").text().startswith("Segmented")
    assert "photo labels" in widget.state.correct.labels
    assert redraws["RunView._show"] >= 2  # the count counts
    looks_of_the_bar = redraws.pop("RunView._show_progress")
    assert looks_of_the_bar <= 1 + 1000 * (time.monotonic() - started) / PROGRESS_MS
    assert sum(redraws.values()) <= MOST_IN_A_RUN, redraws


def test_a_typed_letter_redraws_little(
    widget: SegmentWidget, redraws: Counter[str], qtbot: QtBot
) -> None:
    line: QLineEdit = control(widget, "sclip_classes_line")
    line.setFocus()
    line.end(False)
    qtbot.keyClicks(line, "s")
    wait_quiet(widget, qtbot)
    assert widget.state.classes.rows[-1].name == "backgrounds"
    assert redraws["ClassesView.refresh"] == 1
    assert sum(redraws.values()) <= MOST_IN_A_LETTER, redraws


PARTS = (ImageState, ModelState, DetailState, RunState, CorrectState)


def test_a_view_follows_every_field_that_it_shows(
    viewer: Any, fake_session: Session, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = SegmentWidget(viewer, fake_session)
    qtbot.addWidget(made)
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    made.controller.close()
    show_much(made)
    read: set[tuple[int, str]] = set()

    def record(self: Any, name: str) -> Any:
        if name in names[type(self)]:
            read.add((id(self), name))
        return object.__getattribute__(self, name)

    names = {part: {field.name for field in fields_of(part)} for part in PARTS}
    for part in PARTS:
        monkeypatch.setattr(part, "__getattribute__", record)
    for redraw in made.findChildren(Redraw):
        read.clear()
        show = redraw._show()
        assert show is not None
        show()
        values = [field.value for field in redraw.fields]
        assert all(isinstance(value, partial) for value in values)
        followed = {
            (id(value.args[0]), value.args[1])
            for value in values
            if isinstance(value, partial) and not isinstance(value.args[0], ClassTable)
        }
        missing = {name for part, name in read - followed}
        assert missing == set(), show

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QRegularExpression, Qt
from qtpy.QtGui import QKeySequence, QPalette, QShortcut
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDockWidget,
    QLabel,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.colors import contrast, parse_color
from napari_sclip.widgets.state.image import ImageFacts
from napari_sclip.widgets.state.run import BUSY, IDLE, RUNNING, STOPPING, Failure, Question
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.run_view import RunView
from tests.widgets.views.hands import (
    LEFT,
    THEMES,
    Asked,
    control,
    mnemonics,
    nameless,
    put_in_napari,
    put_on_screen,
)

Key = Qt.Key
FACTS = ImageFacts("photo", "RGB, 40 x 60 pixels", True, (40, 60))
DOWNLOAD = Question(
    "download", "Download 599 MB?", (("segment", "Download and segment"), ("no", "Not now"))
)
SIZES = Question(
    "labels-size",
    "The labels would take 2.4 GB.",
    (
        ("region", "Labels of the region only"),
        ("read", "Size of the level that is read"),
        ("image", "Full size"),
        ("no", "Do nothing & go on looking"),
    ),
)
PATH = "/home/somebody/" + "a_long_folder/" * 6 + "model" * 20
FAILURE = Failure(f"{PATH} holds no model. Choose another file.", "Traceback: line 7")


@pytest.fixture
def state() -> WidgetState:
    state = WidgetState()
    state.image.facts = FACTS
    state.classes.set_text("cat, grass")
    state.model.name = "shapes-demo"
    assert state.why_not() == ""
    return state


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def view(state: WidgetState, asked: Asked, qtbot: QtBot) -> RunView:
    made = RunView(state, asked)
    put_on_screen(made, qtbot)
    return made


def test_segment_starts_a_run_by_hand_and_by_keys(
    view: RunView, asked: Asked, qtbot: QtBot
) -> None:
    segment = control(view, "sclip_segment")
    qtbot.mouseClick(segment, LEFT)
    assert asked == ["segment"]
    for key in (Key.Key_Space, Key.Key_Return):
        qtbot.keyClick(segment, key)
    assert asked == ["segment"] * 3


REASONS: dict[str, tuple[Callable[[WidgetState], None], Callable[[WidgetState], None], str]] = {
    "image": (
        lambda s: setattr(s.image, "facts", None), lambda s: setattr(s.image, "facts", FACTS),
        "Open an image",
    ),
    "classes": (
        lambda s: s.classes.set_text(""), lambda s: s.classes.set_text("cat"), "Type what",
    ),
    "model": (
        lambda s: setattr(s.model, "name", "own-file"),
        lambda s: setattr(s.model, "name", "shapes-demo"), "checkpoint",
    ),
    "detail": (
        lambda s: setattr(s.detail, "threshold", 7.0),
        lambda s: setattr(s.detail, "threshold", 0.5), "threshold",
    ),
}  # fmt: skip


@pytest.mark.parametrize("section", REASONS)
def test_what_hinders_segment_is_said_until_it_is_mended(
    section: str, view: RunView, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    spoil, mend, words = REASONS[section]
    segment, reason = control(view, "sclip_segment"), control(view, "sclip_segment_reason")
    assert segment.isEnabled()
    assert not reason.isVisible()
    spoil(state)
    assert not segment.isEnabled()
    assert words in reason.text()
    assert segment.toolTip() == reason.text()
    assert reason.isVisible()
    qtbot.mouseClick(segment, LEFT)
    assert asked == []
    mend(state)
    assert segment.isEnabled()
    assert not reason.isVisible()
    assert segment.toolTip() not in ("", reason.text())


def test_a_run_can_be_cancelled_while_it_goes_on(
    view: RunView, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    segment, cancel = control(view, "sclip_segment"), control(view, "sclip_cancel")
    assert not cancel.isEnabled()
    qtbot.mouseClick(cancel, LEFT)
    assert asked == []
    segment.setFocus()
    state.run.status = RUNNING
    assert (segment.isEnabled(), cancel.isEnabled()) == (False, True)
    assert cancel.hasFocus()
    assert segment.toolTip() == BUSY == "A task is running. Wait for it, or cancel it."
    qtbot.keyClick(cancel, Key.Key_Space)
    assert asked == ["cancel"]
    state.run.status = STOPPING
    assert (segment.isEnabled(), cancel.isEnabled()) == (False, False)
    state.run.status = IDLE
    assert (segment.isEnabled(), cancel.isEnabled()) == (True, False)


def test_the_focus_comes_back_to_segment_after_a_run(view: RunView, state: WidgetState) -> None:
    control(view, "sclip_segment").setFocus()
    state.run.status = RUNNING
    state.run.status = IDLE
    assert control(view, "sclip_segment").hasFocus()


def test_progress_is_shown_while_something_runs(view: RunView, state: WidgetState) -> None:
    bar, message = control(view, "sclip_progress"), control(view, "sclip_message")
    assert not bar.isVisible()
    height = view.sizeHint().height()
    state.run.status, state.run.message = RUNNING, "Loading shapes-demo"
    assert bar.isVisible()
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    assert message.isVisible()
    assert message.text() == "Loading shapes-demo"
    state.run.total = 64
    state.run.done = 16
    assert bar.value() == bar.maximum() / 4
    assert view.sizeHint().height() == height
    state.run.status = IDLE
    assert not bar.isVisible()
    assert not message.isVisible()
    assert view.sizeHint().height() == height


@pytest.mark.parametrize(("done", "total"), [(9, 4), (-1, 4), (2**40, 2**41), (3, 0)])
def test_odd_numbers_of_progress_are_borne(
    done: int, total: int, view: RunView, state: WidgetState
) -> None:
    state.run.status, state.run.total = RUNNING, total
    state.run.done = done
    bar = control(view, "sclip_progress")
    shares = {(9, 4): 1.0, (-1, 4): 0.0, (2**40, 2**41): 0.5}
    if total:
        assert bar.value() / bar.maximum() == shares[done, total]
    else:
        assert bar.maximum() == 0


def test_a_long_message_is_cut_and_its_tooltip_is_not(view: RunView, state: WidgetState) -> None:
    message = control(view, "sclip_message")
    state.run.status, state.run.message = RUNNING, "Looking at windows " * 9
    QApplication.processEvents()
    assert QLabel.text(message).endswith("…")
    assert message.toolTip() == state.run.message
    view.setFixedWidth(2000)
    QApplication.processEvents()
    assert QLabel.text(message) == state.run.message
    assert message.toolTip() == ""
    view.setFixedWidth(320)
    state.run.message = "Short"
    assert QLabel.text(message) == "Short"
    assert message.toolTip() == ""


def test_a_notice_and_what_is_embedded_are_shown(view: RunView, state: WidgetState) -> None:
    notice, embedded = control(view, "sclip_notice"), control(view, "sclip_embedded")
    assert not notice.isVisible()
    assert not embedded.isVisible()
    state.run.notice, state.run.embedded = "Segmented in 3 s.", True
    assert notice.isVisible()
    assert notice.text() == "Segmented in 3 s."
    assert embedded.text() == "Image is embedded: the next run needs no vision pass."
    assert embedded.isVisible()


@pytest.mark.parametrize("name", ["partial", "live"])
def test_the_switches_write_the_state_and_follow_it(
    name: str, view: RunView, state: WidgetState, qtbot: QtBot
) -> None:
    box = control(view, f"sclip_{name}")
    before = getattr(state.run, name)
    assert box.isChecked() == before
    qtbot.keyClick(box, Key.Key_Space)
    assert getattr(state.run, name) == (not before)
    setattr(state.run, name, before)
    assert box.isChecked() == before


def test_the_result_can_go_into_a_new_layer(
    view: RunView, state: WidgetState, qtbot: QtBot
) -> None:
    target = control(view, "sclip_target")
    assert target.currentText() == "Update the labels"
    qtbot.keyClick(target, Key.Key_Down)
    assert state.run.target == "replace"
    qtbot.keyClick(target, Key.Key_Down)
    assert state.run.target == "new"
    state.run.target = "auto"
    assert target.currentIndex() == 0


def test_all_of_a_long_name_can_be_read_in_a_notice(
    view: RunView, state: WidgetState, qtbot: QtBot
) -> None:
    notice = control(view, "sclip_notice")
    state.run.notice = "Segmented into “labels”."
    assert notice.toolTip() == ""
    state.run.notice = text = f"Segmented into “{'a_long_name' * 20}”."
    assert (notice.text(), notice.toolTip()) == (text, text)
    metrics = notice.fontMetrics()
    view.resize(view.width(), 700)
    qtbot.waitUntil(lambda: notice.height() >= notice.heightForWidth(notice.width()))
    lines = metrics.horizontalAdvance(text) / notice.width()
    assert lines > 3
    assert notice.height() >= lines * metrics.lineSpacing()
    assert view.width() == 320


# Questions


def test_a_question_is_answered_by_a_click(
    view: RunView, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    bar = control(view, "sclip_question")
    assert not bar.isVisible()
    state.run.question = SIZES
    assert bar.isVisible()
    assert control(view, "sclip_question_text").text() == SIZES.text
    texts = [control(view, f"sclip_answer_{key}").text() for key, _ in SIZES.answers]
    assert texts[0] == "Labels of the region only"
    assert texts[3] == "Do nothing && go on looking"
    qtbot.mouseClick(control(view, "sclip_answer_read"), LEFT)
    assert asked == ["answer read"]
    state.run.question = None
    assert not bar.isVisible()


def test_the_first_answer_has_the_focus_and_return_takes_it(
    view: RunView, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    state.run.question = DOWNLOAD
    first = QApplication.focusWidget()
    assert first is control(view, "sclip_answer_segment")
    qtbot.keyClick(first, Key.Key_Return)
    assert asked == ["answer segment"]


def test_escape_takes_the_answer_that_changes_nothing(
    state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    host = QWidget()
    QVBoxLayout(host).addWidget(RunView(state, asked))
    around: list[str] = []
    escape = QShortcut(QKeySequence(Key.Key_Escape), host)
    escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    escape.activated.connect(lambda: around.append("escape"))
    put_on_screen(host, qtbot)
    state.run.question = DOWNLOAD
    qtbot.keyClick(control(host, "sclip_answer_segment"), Key.Key_Escape)
    assert (asked, around) == (["answer no"], [])
    state.run.question = None
    qtbot.keyClick(control(host, "sclip_segment"), Key.Key_Escape)
    assert (asked, around) == (["answer no"], ["escape"])


def test_the_focus_goes_on_from_an_answer(view: RunView, state: WidgetState, qtbot: QtBot) -> None:
    state.run.question = DOWNLOAD
    state.run.question = None
    assert control(view, "sclip_segment").hasFocus()
    state.run.question = DOWNLOAD
    state.run.status = RUNNING
    state.run.question = None
    assert control(view, "sclip_cancel").hasFocus()


def test_the_focus_stays_where_a_person_put_it(view: RunView, state: WidgetState) -> None:
    state.run.question = DOWNLOAD
    control(view, "sclip_live").setFocus()
    state.run.message = "something else changed"
    assert control(view, "sclip_live").hasFocus()
    state.run.question = None
    assert control(view, "sclip_live").hasFocus()


def test_one_question_takes_the_place_of_another(
    view: RunView, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    state.run.question = SIZES
    state.run.question = DOWNLOAD
    answers = view.findChildren(QWidget, QRegularExpression("^sclip_answer_"))
    assert [w.objectName() for w in answers] == ["sclip_answer_segment", "sclip_answer_no"]
    assert control(view, "sclip_question_text").text() == DOWNLOAD.text
    qtbot.mouseClick(control(view, "sclip_answer_no"), LEFT)
    assert asked == ["answer no"]
    bar = control(view, "sclip_question")
    qtbot.waitUntil(lambda: len(bar.findChildren(QAbstractButton)) == 2)


# Failures


def test_a_failure_is_copied_and_dismissed(view: RunView, state: WidgetState, qtbot: QtBot) -> None:
    panel = control(view, "sclip_failure")
    assert not panel.isVisible()
    state.run.failure = FAILURE
    assert panel.isVisible()
    assert control(view, "sclip_failure_message").toPlainText() == FAILURE.message
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText("before")
    copy = control(view, "sclip_failure_copy")
    qtbot.mouseClick(copy, LEFT)
    assert clipboard.text() == f"{FAILURE.message}\n\n{FAILURE.details}"
    assert copy.text() == "Copied"
    qtbot.mouseClick(control(view, "sclip_failure_dismiss"), LEFT)
    assert state.run.failure is None
    assert not panel.isVisible()
    state.run.failure = Failure("Again", "Again")
    assert copy.text() == "Copy details"
    qtbot.mouseClick(copy, LEFT)
    assert clipboard.text() == "Again"


def test_the_message_of_a_failure_can_be_selected_by_keys(
    view: RunView, state: WidgetState, qtbot: QtBot
) -> None:
    state.run.failure = FAILURE
    text = control(view, "sclip_failure_message")
    qtbot.keyClick(text, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(text, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == FAILURE.message
    qtbot.keyClick(text, Key.Key_X)
    assert text.toPlainText() == FAILURE.message
    text.setFocus()
    qtbot.keyClick(text, Key.Key_Tab)
    assert control(view, "sclip_failure_copy").hasFocus()


def test_all_of_a_long_path_can_be_read(view: RunView, state: WidgetState, qtbot: QtBot) -> None:
    state.run.failure = FAILURE
    text: Any = control(view, "sclip_failure_message")
    view.resize(view.width(), 700)
    qtbot.waitUntil(lambda: not text.verticalScrollBar().isVisible())
    assert text.height() > 3 * text.fontMetrics().lineSpacing()
    assert text.document().size().height() <= text.viewport().height()
    assert text.document().size().width() <= text.viewport().width()
    state.run.failure = Failure("Short.", "")
    qtbot.waitUntil(lambda: text.height() < 2 * text.fontMetrics().lineSpacing())


def test_a_long_failure_does_not_make_the_window_grow(
    state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    dock = QDockWidget(window)
    body = QWidget(dock)
    QVBoxLayout(body).addWidget(view := RunView(state, asked, body))
    dock.setWidget(body)
    window.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    window.resize(700, 500)
    window.show()
    qtbot.waitExposed(window)
    text: Any = control(view, "sclip_failure_message")
    state.run.failure = Failure("What happened, at length. " * 200, "")
    qtbot.waitUntil(text.isVisible)
    assert window.height() == 500
    assert text.verticalScrollBar().isVisible()
    state.run.failure = Failure("What happened. " * 10, "")
    qtbot.waitUntil(lambda: not text.verticalScrollBar().isVisible())
    assert text.document().size().height() <= text.viewport().height()


# Looks


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("question", [None, DOWNLOAD, SIZES])
def test_it_fits_a_narrow_dock(
    theme: str, question: Question | None, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    view = RunView(state, asked)
    host = put_in_napari(view, qtbot, theme)
    state.run.question, state.run.failure = question, FAILURE
    state.run.notice = state.run.message = PATH
    assert host.minimumSizeHint().width() <= 300


@pytest.mark.parametrize("theme", THEMES)
def test_the_focus_and_the_edge_of_a_failure_can_be_seen(
    theme: str, state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    view = RunView(state, asked)
    host = put_in_napari(view, qtbot, theme)
    state.run.failure = FAILURE
    panel = control(view, "sclip_failure")
    for another in (None, *THEMES):
        if another is not None:
            host.setStyleSheet(get_stylesheet(another))
        behind = host.palette().color(QPalette.ColorRole.Window).name()
        assert contrast(parse_color(panel.edge_color()), parse_color(behind)) > 4.5
        assert panel.edge_color() in panel.styleSheet()
        text = host.palette().color(QPalette.ColorRole.WindowText).name()
        assert f"solid {text}" in panel.styleSheet()


def test_letters_names_and_tooltips(view: RunView, state: WidgetState) -> None:
    state.run.question, state.run.failure = SIZES, FAILURE
    assert mnemonics(view) == ["S"]
    assert nameless(view) == []

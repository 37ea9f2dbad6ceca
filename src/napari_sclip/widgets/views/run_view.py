"""The section "Segment": starts a run, shows how it goes and what came of it."""

from __future__ import annotations

import math
from functools import partial

from qtpy.QtCore import QEvent, QSize, Qt, Signal
from qtpy.QtGui import QKeyEvent, QResizeEvent, QTextOption
from qtpy.QtWidgets import (
    QApplication,
    QBoxLayout,
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QStackedLayout,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.detail import SETTINGS
from napari_sclip.widgets.state.run import BUSY, IDLE, RUNNING, Failure, Question
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.form import (
    ElidedLabel,
    Panel,
    RowLabel,
    WrappedLabel,
    bind,
    fields,
    follow,
    red_on,
)

SHOWN_LINES = 6
"""Lines of a message that are seen however low the window is."""

ROOM = 260
"""Pixels: answers that are wider together stand below one another."""

EMBEDDED = "Image is embedded: the next run needs no vision pass."
STEPS = 1000
PROGRESS_MS = 200
"""Between two looks of the bar."""
TARGETS = (
    Choice(
        "auto",
        "Update the labels",
        tooltip="Into the labels that belong to the image; what was painted by hand stays",
    ),
    Choice(
        "replace",
        "Replace everything",
        tooltip="Into the same labels, and over what was painted by hand, once. Asks at each "
        "press, and can be undone",
    ),
    Choice("new", "New layer", tooltip="Into a labels layer of its own"),
)


class FailurePanel(Panel):
    """The message of a failure, with buttons that copy the details and dismiss it."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sclip_failure", parent)
        self._failure: Failure | None = None
        self._message = SelectableText(self)
        self._message.setObjectName("sclip_failure_message")
        self._message.setAccessibleName("What went wrong")
        self._message.setToolTip("Can be selected and copied")
        self._copy = QPushButton("Copy details", self)
        self._copy.setObjectName("sclip_failure_copy")
        self._copy.setToolTip("Copy this message, the traceback, settings and versions")
        self._copy.clicked.connect(self._on_copy)
        dismiss = QPushButton("Dismiss", self)
        dismiss.setObjectName("sclip_failure_dismiss")
        dismiss.setToolTip("Put this message away")
        dismiss.clicked.connect(self._on_dismiss)
        buttons = QHBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(dismiss)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self._message)
        layout.addLayout(buttons)

    def show_failure(self, failure: Failure | None) -> None:
        """Show a failure, or hide for want of one."""
        if failure is self._failure:
            return
        self._failure = failure
        self._copy.setText("Copy details")
        if failure is not None:
            self._message.setPlainText(failure.message)
            self.setAccessibleDescription(failure.message)
        self.setVisible(failure is not None)

    def edge_color(self) -> str:
        """Return the red of problems."""
        return red_on(self.parentWidget() or self)

    def _on_copy(self) -> None:
        clipboard = QApplication.clipboard()
        if self._failure is None or clipboard is None:
            return
        message, details = self._failure.message, self._failure.details
        clipboard.setText(details if message in details else f"{message}\n\n{details}")
        self._copy.setText("Copied")

    def _on_dismiss(self) -> None:
        self.dismissed.emit()


class SelectableText(QTextEdit):
    """Read-only text, as high as it needs to be where there is room; else it scrolls.

    It breaks long paths, which a label cannot. It must not ask for its whole height: the window
    would grow for it, beyond the screen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        # The page shines through; a style sheet of the window would make it a console.
        self.setStyleSheet("background: transparent; padding: 0px;")
        document = self.document()
        assert document is not None
        document.setDocumentMargin(0)
        document.contentsChanged.connect(self._fit)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the whole text, in the width that there is."""
        return QSize(super().sizeHint().width(), self._needed())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the first lines."""
        lines = SHOWN_LINES * self.fontMetrics().lineSpacing()
        return QSize(0, min(self._needed(), lines))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the height to the new width; scroll if that cannot be had."""
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        needed, policy = self._needed(), Qt.ScrollBarPolicy
        self.setMaximumHeight(needed)
        scrolls = self.height() < needed
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOn if scrolls else policy.ScrollBarAlwaysOff
        )
        self.updateGeometry()

    def _needed(self) -> int:
        """Return the height of the whole text if it is as wide as this, without a scroll bar."""
        document = self.document()
        whole = None if document is None else document.clone()
        if whole is None:
            return 0
        whole.setTextWidth(max(1, self.width()))
        height = math.ceil(whole.size().height())
        whole.deleteLater()
        return height


class QuestionBar(Panel):
    """A text and one button an answer; Esc takes the last one, which changes nothing."""

    answered = Signal(str)
    """The key of the answer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sclip_question", parent)
        self.setAccessibleName("Question")
        self._question: Question | None = None
        self._buttons: list[QPushButton] = []
        self._text = WrappedLabel(self)
        self._text.setObjectName("sclip_question_text")
        self._answers = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self._text)
        layout.addLayout(self._answers)

    def show_question(self, question: Question | None) -> None:
        """Show a question with the focus on its first answer, or hide for want of one."""
        if question == self._question:
            return
        self._question = question
        for button in self._buttons:
            self._answers.removeWidget(button)
            button.hide()
            button.setObjectName("")  # it lives on for a moment, and the name is given again
            button.deleteLater()
        self._buttons = []
        if question is None:
            self.hide()
            return
        self._text.setText(question.text)
        self.setAccessibleDescription(question.text)
        self._buttons = [self._make_button(key, label) for key, label in question.answers]
        width = sum(button.sizeHint().width() for button in self._buttons)
        horizontal = width <= ROOM
        self._answers.setDirection(
            QBoxLayout.Direction.LeftToRight if horizontal else QBoxLayout.Direction.TopToBottom
        )
        self.show()
        if self._buttons:
            self._buttons[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def event(self, event: QEvent | None) -> bool:
        """Keep Esc for this question where a shortcut around it would take it."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the last answer on Esc."""
        if event is not None and event.key() == Qt.Key.Key_Escape and self._question is not None:
            event.accept()
            self.answered.emit(self._question.answers[-1][0])
            return
        super().keyPressEvent(event)

    def _make_button(self, key: str, label: str) -> QPushButton:
        button = QPushButton(label.replace("&", "&&"), self)
        button.setObjectName(f"sclip_answer_{key}")
        button.setToolTip(label)
        button.setAutoDefault(True)  # Return presses it, as Space does
        button.clicked.connect(partial(self._on_click, key))
        self._answers.addWidget(button)
        return button

    def _on_click(self, key: str, checked: bool = False) -> None:
        self.answered.emit(key)


class RunView(QWidget):
    """Shows whether Segment can be pressed, and why not.

    Parameters
    ----------
    state : WidgetState
        All of it, because any section may be the reason.
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: WidgetState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._make_options()
        self._make_buttons()
        self._make_progress()
        self._notice = WrappedLabel(self)
        self._notice.setObjectName("sclip_notice")
        self._question = QuestionBar(self)
        self._question.answered.connect(self._actions.answer)
        self._failure = FailurePanel(self)
        self._failure.dismissed.connect(self._on_dismiss)
        self._arrange()
        follow(
            self._show,
            fields(state.run, "status", "embedded", "notice", "question", "failure"),
            # What decides whether Segment can be pressed.
            fields(state.image, "facts", "problem"),
            fields(state.classes, "rows", "text"),
            fields(state.model, "name", "weights", "architecture", "problem"),
            fields(state.detail, *SETTINGS, "problem"),
        )
        follow(
            self._show_progress,
            fields(state.run, "done", "total", "message"),
            every_ms=PROGRESS_MS,
        )

    def _make_options(self) -> None:
        self._target_label = RowLabel("Result", self)
        self._target = ChoiceBox(self)
        self._target.setObjectName("sclip_target")
        self._target.setToolTip("Which labels layer the result goes into")
        self._target_label.setBuddy(self._target)
        self._target.show_choices(TARGETS, "")
        bind(self._target, self._state.run, "target")
        self._partial = QCheckBox("Draw partial results", self)
        self._partial.setObjectName("sclip_partial")
        self._partial.setToolTip("Draw the labels while the run goes on, as far as they are known")
        bind(self._partial, self._state.run, "partial")
        self._live = QCheckBox("Live", self)
        self._live.setObjectName("sclip_live")
        self._live.setToolTip(
            "Show changes of classes and thresholds at once, where no vision pass is needed"
        )
        bind(self._live, self._state.run, "live")

    def _make_buttons(self) -> None:
        self._segment = QPushButton("&Segment", self)
        self._segment.setObjectName("sclip_segment")
        self._segment.setAutoDefault(True)  # Return presses it, as Space does
        font = self._segment.font()
        font.setBold(True)
        self._segment.setFont(font)
        self._segment.clicked.connect(self._actions.segment)
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setObjectName("sclip_cancel")
        self._cancel.setToolTip(
            "Stop what runs (Esc). Nothing is changed then; finished planes of a stack stay"
        )
        self._cancel.clicked.connect(self._actions.cancel)
        self._reason = WrappedLabel(self)
        self._reason.setObjectName("sclip_segment_reason")

    def _make_progress(self) -> None:
        self._embedded = WrappedLabel(self)
        self._embedded.setObjectName("sclip_embedded")
        self._embedded.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._progress = QProgressBar(self)
        self._progress.setObjectName("sclip_progress")
        self._progress.setAccessibleName("Progress")
        self._progress.setToolTip("How far the work is")
        self._message = ElidedLabel(self)
        self._message.setObjectName("sclip_message")
        working, resting = QWidget(self), QWidget(self)
        for page, widgets in (
            (resting, (self._embedded,)),
            (working, (self._progress, self._message)),
        ):
            layout = QVBoxLayout(page)
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(4)
            for widget in widgets:
                layout.addWidget(widget)
            layout.addStretch()
        # Both pages take the same room, so nothing moves when a run starts or ends.
        self._pages = QStackedLayout()
        self._pages.addWidget(resting)
        self._pages.addWidget(working)

    def _arrange(self) -> None:
        target = QHBoxLayout()
        target.addWidget(self._target_label)
        target.addWidget(self._target, 1)
        checks = QHBoxLayout()
        checks.addWidget(self._partial)
        checks.addStretch()
        checks.addWidget(self._live)
        buttons = QHBoxLayout()
        buttons.addWidget(self._segment, 2)
        buttons.addWidget(self._cancel, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for part in (target, checks, buttons):
            layout.addLayout(part)
        for panel in (self._reason, self._question, self._failure, self._notice):
            layout.addWidget(panel)
        layout.addLayout(self._pages)

    def _show(self) -> None:
        run = self._state.run
        was_asked = self._question.has_focus_inside()
        self._show_buttons()
        self._pages.setCurrentIndex(0 if run.status == IDLE else 1)
        self._embedded.setText(EMBEDDED if run.embedded else "")
        self._notice.setText(run.notice)
        self._question.show_question(run.question)
        self._failure.show_failure(run.failure)
        if was_asked and run.question is None:
            next_control = self._segment if self._segment.isEnabled() else self._cancel
            next_control.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_buttons(self) -> None:
        idle = self._state.run.status == IDLE
        reason = self._state.why_not() if idle else ""
        self._reason.setText(reason)
        ready = reason or "Segment the image into the classes"
        self._segment.setToolTip(ready if idle else BUSY)
        can_segment, can_cancel = idle and not reason, self._state.run.status == RUNNING
        cancel_had_focus = self._cancel.hasFocus()
        # First the one that is wanted next, so that the focus has a place to go to.
        for button, enabled in sorted(
            ((self._segment, can_segment), (self._cancel, can_cancel)), key=lambda pair: not pair[1]
        ):
            button.setEnabled(enabled)
        if cancel_had_focus and can_segment:
            self._segment.setFocus(Qt.FocusReason.OtherFocusReason)

    def _show_progress(self) -> None:
        run = self._state.run
        if run.total > 0:
            self._progress.setRange(0, STEPS)
            self._progress.setValue(STEPS * min(max(run.done, 0), run.total) // run.total)
        else:
            self._progress.setRange(0, 0)
        self._message.setText(run.message)

    def _on_dismiss(self) -> None:
        self._state.run.failure = None

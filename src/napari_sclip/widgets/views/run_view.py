"""The section "Segment": starts a run, shows how it goes and what came of it."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.run import IDLE, RUNNING
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.advanced_rows import LABEL_WIDTH
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.failure_panel import FailurePanel
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.question_bar import QuestionBar
from napari_sclip.widgets.views.text_labels import ElidedLabel, WrappedLabel

EMBEDDED = "Image is embedded: the next run needs no vision pass."
STEPS = 1000
TARGETS = (
    Choice(
        "auto",
        "Update the labels",
        tooltip="Into the labels that belong to the image; what was painted by hand stays",
    ),
    Choice(
        "replace",
        "Replace everything",
        tooltip="Into the same labels, and over what was painted by hand, this once. Asks before, "
        "and can be undone",
    ),
    Choice("new", "New layer", tooltip="Into a labels layer of its own"),
)


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
        self._question.answered.connect(self._on_answer)
        self._failure = FailurePanel(self)
        self._failure.dismissed.connect(self._on_dismiss)
        self._arrange()
        self._show()
        for signals in (state.image, state.model, state.detail, state.run):
            follow(signals.events, self._show)
        follow(state.classes.changed, self._show)

    def _make_options(self) -> None:
        self._target_label = QLabel("Result", self)
        self._target = ChoiceBox(self)
        self._target.setObjectName("sclip_target")
        self._target.setToolTip("Which labels layer the result goes into")
        self._target_label.setBuddy(self._target)
        self._target.picked.connect(self._on_target)
        self._partial = QCheckBox("Draw partial results", self)
        self._partial.setObjectName("sclip_partial")
        self._partial.setToolTip("Draw the labels while the run goes on, as far as they are known")
        self._partial.toggled.connect(self._on_partial)
        self._live = QCheckBox("Live", self)
        self._live.setObjectName("sclip_live")
        self._live.setToolTip(
            "Show changes of classes and thresholds at once, where no vision pass is needed"
        )
        self._live.toggled.connect(self._on_live)

    def _make_buttons(self) -> None:
        self._segment = QPushButton("&Segment", self)
        self._segment.setObjectName("sclip_segment")
        self._segment.setAutoDefault(True)  # Return presses it, as Space does
        font = self._segment.font()
        font.setBold(True)
        self._segment.setFont(font)
        self._segment.clicked.connect(self._on_segment)
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setObjectName("sclip_cancel")
        self._cancel.setToolTip("Stop what runs (Esc); nothing is changed then")
        self._cancel.clicked.connect(self._on_cancel)
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
        self._target_label.setMinimumWidth(LABEL_WIDTH)

    def _show(self) -> None:
        run = self._state.run
        was_asked = self._question.has_focus_inside()
        with QSignalBlocker(self._partial), QSignalBlocker(self._live):
            self._partial.setChecked(run.partial)
            self._live.setChecked(run.live)
        self._target.show_choices(TARGETS, run.target)
        self._show_buttons()
        self._show_progress()
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
        if idle:
            tooltip = reason or "Segment the image into the classes"
        else:
            tooltip = "Something runs; wait for it, or cancel it"
        self._segment.setToolTip(tooltip)
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
        self._pages.setCurrentIndex(0 if run.status == IDLE else 1)

    def _on_segment(self) -> None:
        self._actions.segment()

    def _on_cancel(self) -> None:
        self._actions.cancel()

    def _on_answer(self, key: str) -> None:
        self._actions.answer(key)

    def _on_dismiss(self) -> None:
        self._state.run.failure = None

    def _on_target(self, key: str) -> None:
        self._state.run.target = key

    def _on_partial(self, checked: bool) -> None:
        self._state.run.partial = checked

    def _on_live(self, checked: bool) -> None:
        self._state.run.live = checked

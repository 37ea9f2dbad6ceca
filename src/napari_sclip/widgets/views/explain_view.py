"""The section "Explain": scores, margin, and what a point attends to."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QSpinBox, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.run import BUSY, IDLE
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.correct_view import NO_LABELS
from napari_sclip.widgets.views.form import (
    Row,
    allow,
    bind,
    fields,
    follow,
    make_button,
)

MOST_HEADS = 64


class ExplainView(QWidget):
    """Asks for images that show why labels are as they are.

    Parameters
    ----------
    state : WidgetState
        Its parts `correct` and `run`.
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: WidgetState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state.correct
        self._run = state.run
        self._actions = actions
        self._chosen = ""
        self._class = ChoiceBox(self)
        self._class.setObjectName("sclip_explain_class")
        self._class.setAccessibleName("Class whose scores are shown")
        self._class.setToolTip("The class whose scores are shown")
        self._class.picked.connect(self._on_class)
        self._scores = make_button(
            "sclip_explain_scores",
            "Scores",
            "Show the scores of this class (0 to 1) as an image",
            self._on_scores,
            self,
        )
        self._margin = make_button(
            "sclip_explain_margin",
            "Margin",
            "Show best minus second best score (0 to 1) as an image: dark is unsure",
            self._on_margin,
            self,
        )
        self._attention = QCheckBox("Attention at a click", self)
        self._attention.setObjectName("sclip_explain_attention")
        self._attention.setToolTip(
            "A click in the image shows what that point attends to: in the mode that is used, and "
            "beside it as the unchanged model does (vanilla)"
        )
        bind(self._attention, state.correct, "attention")
        self._head = QSpinBox(self)
        self._head.setObjectName("sclip_explain_head")
        self._head.setSpecialValueText("mean")
        self._head.setToolTip("Which head of the attention is shown, counted from 1; or their mean")
        self._head.setKeyboardTracking(False)
        self._head.setRange(0, state.correct.heads or MOST_HEADS)
        bind(self._head, state.correct, "head")
        self._head_row = Row("Head", self._head, parent=self)
        self._arrange()
        follow(
            self._show,
            fields(state.correct, "labels", "names", "attention", "heads"),
            fields(state.run, "status"),
        )

    def _arrange(self) -> None:
        scores = QHBoxLayout()
        scores.addWidget(self._class, 1)
        scores.addWidget(self._scores)
        scores.addWidget(self._margin)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(scores)
        layout.addWidget(self._attention, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._head_row)

    def _show(self) -> None:
        state = self._state
        reason = NO_LABELS if not state.labels else "" if self._run.status == IDLE else BUSY
        if self._chosen not in state.names:
            self._chosen = state.names[0] if state.names else ""
        self._class.show_choices([Choice(name, name) for name in state.names], self._chosen)
        self._class.setEnabled(bool(state.names))
        allow(self._scores, reason)
        allow(self._margin, reason)
        most = state.heads or MOST_HEADS
        if most != self._head.maximum():
            self._head.setMaximum(most)
        self._head_row.setEnabled(state.attention)

    def _on_class(self, name: str) -> None:
        self._chosen = name

    def _on_scores(self) -> None:
        self._actions.show_scores(self._chosen)

    def _on_margin(self) -> None:
        self._actions.show_margin()

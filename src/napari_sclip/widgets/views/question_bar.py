"""Something that a person has to decide before the work goes on."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_sclip.widgets.state.run import Question
from napari_sclip.widgets.views.panel import Panel
from napari_sclip.widgets.views.text_labels import WrappedLabel

ROOM = 260
"""Pixels: answers that are wider together stand below one another."""


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

"""The line that classes are typed into."""

from __future__ import annotations

import re
from collections.abc import Callable

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_sclip.widgets.state.classes import ClassTable

EXAMPLE = "cat, grass = lawn | meadow, background"
ABOUT = (
    "What to label, separated by commas. 'name = phrase | phrase' gives a class phrases of its "
    "own. 'background' gets id 0. Shift+Enter segments."
)
ABOUT_SUMMARY = (
    "A name in the table has a comma, '=' or '|', which the line cannot hold. "
    "Edit the classes in the table."
)
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class ClassesLine(QLineEdit):
    """Writes to a `ClassTable` what is typed, and shows what the table says.

    Parameters
    ----------
    table : ClassTable
        Call `refresh` when it has changed.
    segment : callable
        Called on Shift+Enter.
    parent : QWidget, optional

    Attributes
    ----------
    typing : bool
        Whether the table changes because of what is being typed.
    """

    def __init__(
        self, table: ClassTable, segment: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._table = table
        self._segment = segment
        self.typing = False
        self.setObjectName("sclip_classes_line")
        self.setPlaceholderText(EXAMPLE)
        self.setAccessibleName("Classes")
        self.setMinimumWidth(0)
        self.textEdited.connect(self._on_edited)
        self.refresh()

    def refresh(self) -> None:
        """Show the table's text; what is being typed stays as it is."""
        summary = self._table.text_is_summary
        self.setReadOnly(summary)
        self.setToolTip(ABOUT_SUMMARY if summary else ABOUT)
        if self.text() != self._table.text:
            cursor = self.cursorPosition()
            self.setText(self._table.text)
            self.setCursorPosition(cursor if self.hasFocus() else 0)

    def event(self, event: QEvent | None) -> bool:
        """Keep Enter for the line where a shortcut around it would take it."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and event.key() in ENTER
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Segment on Shift+Enter; Enter alone goes nowhere else."""
        if event is not None and event.key() in ENTER:
            event.accept()
            if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self._segment()
            return
        super().keyPressEvent(event)

    def _on_edited(self, text: str) -> None:
        lines = [line.strip(" \t,") for line in re.split(r"[\r\n\u2028\u2029]+", text)]
        if len(lines) > 1:  # A list was pasted, one class a line.
            self.selectAll()
            self.insert(", ".join(line for line in lines if line))
        self.typing = True
        self._table.set_text(self.text())
        self.typing = False

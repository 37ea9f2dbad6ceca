"""The section "Classes": a line, the table behind it, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from qtpy.QtCore import QEvent, Qt, QTimer, Signal
from qtpy.QtGui import QKeyEvent, QPalette
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.class_files import ClassList, read_class_list, write_class_list
from napari_sclip.colors import error_color, hex_color
from napari_sclip.errors import SclipError
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.views.classes_table import ClassesTable
from napari_sclip.widgets.views.form import WrappedLabel, at_once, fields, follow
from napari_sclip.widgets.views.section import SectionBody

EXAMPLE = "cat, grass = lawn | meadow, background"
ABOUT = (
    "What to label, separated by commas. 'name = phrase | phrase' gives a class phrases of its "
    "own. 'background' gets id 0. Shift+Enter segments."
)
ABOUT_SUMMARY = (
    "A name in the table has a comma, ';', '=' or '|', which the line cannot hold. "
    "Edit the classes in the table."
)
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

READABLE = "Classes (*.json *.txt *.csv *.tsv);;All files (*)"
WRITABLE = "Classes (*.json)"

PATIENCE_MS = 500
"""A problem that goes away while a person types on is not told."""


class ClassesLine(QLineEdit):
    """Writes to a `ClassTable` what is typed, and shows what the table says.

    Parameters
    ----------
    table : ClassTable
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
        at_once(table.changed, self, ClassesLine._on_changed)
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

    def _on_changed(self) -> None:
        """Follow at once, lest a letter be typed to a text that the table has no more."""
        if not self.typing:
            self.refresh()

    def _on_edited(self, text: str) -> None:
        lines = [line.strip(" \t,") for line in re.split(r"[\r\n\u2028\u2029]+", text)]
        if len(lines) > 1:  # A list was pasted, one class a line.
            self.selectAll()
            self.insert(", ".join(line for line in lines if line))
        self.typing = True
        self._table.set_text(self.text())
        self.typing = False


class LearnedActions(Protocol):
    """What the controller does for presets."""

    def learned_values(self) -> Mapping[str, Any] | None:
        """Return what strokes have taught, as plain values, or None."""

    def why_not_learned(self) -> str:
        """Say why what strokes have taught is not of the classes in the table, if so."""

    def carry_over(self, values: Mapping[str, Any] | None, /) -> None:
        """Take over what a preset has learned, or nothing."""

    def tell(self, sentence: str, /) -> None:
        """Say something at the bottom of the widget."""


class PresetsMenu(QMenu):
    """Loads a file into a `ClassTable` and saves it into one.

    Parameters
    ----------
    table : ClassTable
    actions : LearnedActions
        Asked for what strokes have taught, which goes into the file and comes out of it.
    parent : QWidget, optional

    Attributes
    ----------
    ask_open, ask_save : callable
        Return the path that a person chose, or nothing.
    """

    told = Signal(str)
    """What went wrong, or nothing if all went well."""

    def __init__(
        self, table: ClassTable, actions: LearnedActions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._table = table
        self._actions = actions
        self.ask_open: Callable[[], str] = self._ask_open
        self.ask_save: Callable[[], str] = self._ask_save
        self.setToolTipsVisible(True)
        self._add(
            "load",
            "Load...",
            "Replace the classes, and what was learned of them, by those of a file",
            self._load,
        )
        self._add(
            "save",
            "Save...",
            "Keep these classes, and what was learned of them, in a file",
            self._save,
        )
        self.addSeparator()
        self._add("clear", "Clear", "Remove all classes", self._clear)

    def _add(self, name: str, text: str, about: str, act: Callable[[], str]) -> None:
        action = self.addAction(text)
        assert action is not None
        action.setObjectName(f"sclip_classes_{name}")
        action.setToolTip(about)
        action.triggered.connect(lambda _checked=False: self._tell(act))

    def _tell(self, act: Callable[[], str]) -> None:
        try:
            self.told.emit(act())
        except SclipError as error:
            self.told.emit(str(error))

    def _load(self) -> str:
        path = self.ask_open()
        if path:
            known = read_class_list(path)
            self._actions.carry_over(known.learned)
            self._table.replace(known.classes, known.hidden)
        return ""

    def _save(self) -> str:
        reason = self._table.why_not()
        if reason is not None:
            return f"Not saved. {reason}"
        path = self.ask_save()
        if path:
            learned = self._actions.learned_values()
            write_class_list(path, ClassList(self._table.classes(), self._table.hidden(), learned))
            what = "The classes" if learned is None else "The classes and what was learned"
            reason = self._actions.why_not_learned() if learned is None else ""
            self._actions.tell(f"{what} are in {path}. {reason}".rstrip())
        return ""

    def _clear(self) -> str:
        self._table.clear()
        return ""

    def _ask_open(self) -> str:
        return QFileDialog.getOpenFileName(self.parentWidget(), "Load classes", "", READABLE)[0]

    def _ask_save(self) -> str:
        # With the suffix known to the dialog, it asks before it replaces what will be replaced.
        dialog = QFileDialog(self.parentWidget(), "Save classes", "classes.json", WRITABLE)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("json")
        return dialog.selectedFiles()[0] if dialog.exec() else ""


class ClassActions(Protocol):
    """What the controller does for this section."""

    def segment(self) -> None:
        """Start a run."""

    def paint_with(self, label: int, /) -> None:
        """Pick the label to paint with."""

    def learned_values(self) -> Mapping[str, Any] | None:
        """Return what strokes have taught, as plain values, or None."""

    def why_not_learned(self) -> str:
        """Say why what strokes have taught is not of the classes in the table, if so."""

    def carry_over(self, values: Mapping[str, Any] | None, /) -> None:
        """Take over what a preset has learned, or nothing."""

    def tell(self, sentence: str, /) -> None:
        """Say something at the bottom of the widget."""


class ClassesView(SectionBody):
    """Lets a person say what is to be labelled.

    Parameters
    ----------
    table : ClassTable
    actions : ClassActions
    parent : QWidget, optional

    Attributes
    ----------
    line : ClassesLine
    table_view : ClassesTable
    presets : PresetsMenu
    problem : WrappedLabel
    """

    def __init__(
        self, table: ClassTable, actions: ClassActions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._table = table
        self._preset_problem = ""
        self._typed = False
        self.line = ClassesLine(table, actions.segment, self)
        self.table_view = ClassesTable(table, actions.paint_with, self)
        self.presets = PresetsMenu(table, actions, self)
        self.problem = WrappedLabel(self)
        self.problem.setObjectName("sclip_classes_problem")
        self._buttons = self._make_buttons()
        self._red = ""
        self._choose_red()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PATIENCE_MS)
        self._soon.timeout.connect(self._tell_problem)
        self._lay_out()
        self.presets.told.connect(self._on_preset)
        selection = self.table_view.selectionModel()
        assert selection is not None
        selection.selectionChanged.connect(self._enable_buttons)
        at_once(table.changed, self, ClassesView._on_changed)
        follow(self.refresh, fields(table, "rows", "text"))

    def refresh(self) -> None:
        """Show what follows from the classes; the line and the table follow by themselves."""
        self.summary = ", ".join(row.name for row in self._table.rows if row.name)
        self._enable_buttons()
        if self._reason() and self.problem.isHidden() and self._typed:
            self._soon.start()
        else:
            self._tell_problem()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the red for another theme."""
        super().changeEvent(event)
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)
        if event is not None and event.type() in kinds:
            self._choose_red()

    def _choose_red(self) -> None:
        # The colour of the window that the label is in: its own is not known to its palette.
        window = self.palette().color(QPalette.ColorRole.Window)
        red = hex_color(error_color((window.red(), window.green(), window.blue())))
        if red != self._red:
            self._red = red
            self.problem.setStyleSheet(f"color: {red};")

    def _on_changed(self) -> None:
        self._preset_problem = ""
        self._typed = self.line.typing

    def _reason(self) -> str:
        """Return the first problem; of an empty table the placeholder says enough."""
        return self._preset_problem or (self._table.rows and self._table.why_not()) or ""

    def _tell_problem(self) -> None:
        self._soon.stop()
        self.problem.setText(self._reason())

    def _on_preset(self, problem: str) -> None:
        self._preset_problem = problem
        self._tell_problem()

    def _make_buttons(self) -> dict[str, QToolButton]:
        table = self.table_view
        return {
            "add": self._button("add", "+", "Add a class (Insert)", table.add_row),
            "remove": self._button(
                "remove",
                "\N{MINUS SIGN}",
                "Remove the selected classes (Delete)",
                table.remove_rows,
            ),
            "up": self._button(
                "up", "\N{UPWARDS ARROW}", "Move up (Alt+Up)", lambda: table.move_rows(-1)
            ),
            "down": self._button(
                "down", "\N{DOWNWARDS ARROW}", "Move down (Alt+Down)", lambda: table.move_rows(1)
            ),
            "presets": self._presets_button(),
        }

    def _button(
        self, name: str, text: str, about: str, act: Callable[[], object] | None = None
    ) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(f"sclip_classes_{name}")
        button.setText(text)
        button.setToolTip(about)
        button.setAccessibleName(about)
        if act is not None:
            button.clicked.connect(lambda _checked=False: act())
        return button

    def _presets_button(self) -> QToolButton:
        button = self._button(
            "presets",
            "Presets \N{BLACK DOWN-POINTING SMALL TRIANGLE}",
            "Load and save classes, or remove all",
        )
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self.presets)
        # Some themes draw the mark of a menu over the text.
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        return button

    def _enable_buttons(self) -> None:
        order = [row.key for row in self._table.rows]
        keys = self.table_view.selected_keys()
        self._buttons["remove"].setEnabled(bool(keys))
        self._buttons["up"].setEnabled(bool(keys) and keys != order[: len(keys)])
        self._buttons["down"].setEnabled(bool(keys) and keys != order[-len(keys) :])

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(4)
        for name, button in self._buttons.items():
            if name == "presets":
                buttons.addStretch(1)
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.line)
        layout.addWidget(self.table_view)
        layout.addLayout(buttons)
        layout.addWidget(self.problem)

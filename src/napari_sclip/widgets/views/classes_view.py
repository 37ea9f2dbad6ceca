"""The section "Classes": a line, the table behind it, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtGui import QPalette
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_sclip.colors import error_color, hex_color
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.views.classes_line import ClassesLine
from napari_sclip.widgets.views.classes_presets import PresetsMenu
from napari_sclip.widgets.views.classes_table import ClassesTable
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.section import SectionBody
from napari_sclip.widgets.views.text_labels import WrappedLabel

PATIENCE_MS = 500
"""A problem that goes away while a person types on is not told."""


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
        follow(table.changed, self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the table holds now."""
        self._preset_problem = ""
        self.line.refresh()
        self.table_view.refresh()
        self.summary = ", ".join(row.name for row in self._table.rows if row.name)
        self._enable_buttons()
        if self._reason() and self.problem.isHidden() and self.line.typing:
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

"""The menu that loads and saves classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QMenu, QWidget

from napari_sclip.class_files import Preset, read_preset, write_preset
from napari_sclip.errors import SclipError
from napari_sclip.widgets.state.classes import ClassTable

READABLE = "Classes (*.json *.txt *.csv *.tsv);;All files (*)"
WRITABLE = "Classes (*.json)"


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
            preset = read_preset(path)
            self._actions.carry_over(preset.learned)
            self._table.replace(preset.classes, preset.hidden)
        return ""

    def _save(self) -> str:
        reason = self._table.why_not()
        if reason is not None:
            return f"Not saved. {reason}"
        path = self.ask_save()
        if path:
            learned = self._actions.learned_values()
            write_preset(path, Preset(self._table.classes(), self._table.hidden(), learned))
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

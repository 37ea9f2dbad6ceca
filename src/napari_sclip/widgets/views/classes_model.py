"""The table of classes as Qt's views read it."""

from __future__ import annotations

import enum
from typing import Any

from qtpy.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt

from napari_sclip.prompts import is_background_name, split_prompts
from napari_sclip.widgets.state.classes import ClassRow, ClassTable

REASON_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Why a cell is wrong, or nothing."""

COLOR_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""``#rrggbb`` of the class; nothing for a background that has no colour of its own."""


class Column(enum.IntEnum):
    """What the columns show."""

    NAME = 0
    PROMPTS = 1
    COLOR = 2
    BACKGROUND = 3
    VISIBLE = 4
    ID = 5


FIELDS = {Column.NAME: "name", Column.PROMPTS: "prompts", Column.BACKGROUND: "background"}
"""Columns that can be wrong, and what the state calls them."""

HEADERS = {
    Column.NAME: ("Name", "Name of the class; double click or F2 changes it"),
    Column.PROMPTS: (
        "Prompts",
        "Phrases that describe the class, separated by '|'; empty: the name itself",
    ),
    Column.COLOR: ("", "Colour; double click or Space chooses another"),
    Column.BACKGROUND: ("Bg", "Background: its pixels get id 0; click or Space changes it"),
    Column.VISIBLE: ("", "Whether the class is shown; click or Space changes it"),
    Column.ID: ("Id", "Value in the labels; double click or Space paints with it"),
}
SPOKEN = {Column.COLOR: "Colour", Column.BACKGROUND: "Background", Column.VISIBLE: "Visible"}

CHECKS = (Column.BACKGROUND, Column.VISIBLE)
TEXTS = (Column.NAME, Column.PROMPTS)
ABOUT_NO_PROMPTS = "The name is the prompt. Other phrases, separated by '|', take its place."


class ClassesModel(QAbstractTableModel):
    """Shows the rows of a `ClassTable`, and writes to it what is edited.

    Parameters
    ----------
    table : ClassTable
        Call `refresh` when it has changed.
    parent : QObject, optional
    """

    def __init__(self, table: ClassTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._rows = list(table.rows)
        self._problems = table.problems()
        self._colors = table.colors()

    def row_at(self, index: QModelIndex) -> ClassRow:
        """Return the class of a valid index."""
        return self._rows[index.row()]

    def index_of(self, key: int, column: int = 0) -> QModelIndex:
        """Return where a class is; not valid if it is gone."""
        numbers = [n for n, row in enumerate(self._rows) if row.key == key]
        return self.index(numbers[0], column) if numbers else QModelIndex()

    def refresh(self) -> None:
        """Show what the table holds now; rows that are still there stay selected."""
        rows = self._table.rows
        self._problems = self._table.problems()
        self._colors |= self._table.colors()
        wanted = [row.key for row in rows]
        for number in reversed(range(len(self._rows))):
            if self._rows[number].key not in wanted:
                self.beginRemoveRows(QModelIndex(), number, number)
                del self._rows[number]
                self.endRemoveRows()
        known = {row.key for row in self._rows}
        self._reorder([row for row in rows if row.key in known])
        for number, row in enumerate(rows):
            if row.key not in known:
                self.beginInsertRows(QModelIndex(), number, number)
                self._rows.insert(number, row)
                self.endInsertRows()
        self._colors = self._table.colors()
        if rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(Column) - 1))

    def _reorder(self, rows: list[ClassRow]) -> None:
        if [row.key for row in self._rows] != [row.key for row in rows]:
            self.layoutAboutToBeChanged.emit()
            before = self.persistentIndexList()
            keys = [(self._rows[index.row()].key, index.column()) for index in before]
            self._rows = rows
            self.changePersistentIndexList(before, [self.index_of(*place) for place in keys])
            self.layoutChanged.emit()
        self._rows = rows

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's way
        """Return the number of classes."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's way
        """Return the number of columns."""
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: QModelIndex) -> Qt.ItemFlag:
        """Tell what can be done with a cell."""
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.column() in TEXTS:
            flags |= Qt.ItemFlag.ItemIsEditable
        by_name = index.column() == Column.BACKGROUND and self._is_background_by_name(index)
        if index.column() in CHECKS and not by_name:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags

    def headerData(  # noqa: N802 - Qt's name
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> Any:  # noqa: ANN401 - whatever the role asks for
        """Return the title of a column and what it means."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        title, about = HEADERS[Column(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return title
        if role == Qt.ItemDataRole.ToolTipRole:
            return about
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return SPOKEN.get(Column(section), title)
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401
        """Return what a cell shows."""
        if not index.isValid():
            return None
        row, column = self.row_at(index), Column(index.column())
        reason = self._problems.get(row.key, {}).get(FIELDS.get(column, ""))
        if role == Qt.ItemDataRole.DisplayRole:
            return self._shown(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return {Column.NAME: row.name, Column.PROMPTS: " | ".join(row.prompts)}.get(column)
        if role == Qt.ItemDataRole.CheckStateRole and column in CHECKS:
            on = row.background if column == Column.BACKGROUND else row.visible
            return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
        if role == COLOR_ROLE:
            return self._color(row)
        if role in (REASON_ROLE, Qt.ItemDataRole.AccessibleDescriptionRole):
            return reason
        if role == Qt.ItemDataRole.ToolTipRole:
            return reason or self._about(index)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(row, column)
        return None

    def setData(  # noqa: N802 - Qt's name
        self,
        index: QModelIndex,
        value: Any,  # noqa: ANN401 - whatever the role gives
        role: int = Qt.ItemDataRole.EditRole,
    ) -> bool:
        """Write to the table; an editor that was closed as it was opened changes nothing."""
        if not index.isValid():
            return False
        key, column = self.row_at(index).key, Column(index.column())
        if role == Qt.ItemDataRole.EditRole and column in TEXTS:
            if value == self.data(index, role):
                return False
            if column == Column.NAME:
                self._table.set(key, name=value)
            else:
                self._table.set(key, prompts=split_prompts(value))
            return True
        if role == Qt.ItemDataRole.CheckStateRole and self._is_checkable(index):
            on = Qt.CheckState(value) == Qt.CheckState.Checked
            if column == Column.BACKGROUND:
                self._table.set(key, background=on)
            else:
                self._table.set(key, visible=on)
            return True
        return False

    def toggle(self, index: QModelIndex) -> None:
        """Turn a cell with a mark on or off, if that can be done."""
        role = Qt.ItemDataRole.CheckStateRole
        on = self.data(index, role) == Qt.CheckState.Checked
        self.setData(index, Qt.CheckState.Unchecked if on else Qt.CheckState.Checked, role)

    def _is_checkable(self, index: QModelIndex) -> bool:
        return bool(self.flags(index) & Qt.ItemFlag.ItemIsUserCheckable)

    def _is_background_by_name(self, index: QModelIndex) -> bool:
        return is_background_name(self.row_at(index).name)

    def _color(self, row: ClassRow) -> str | None:
        """Return the colour, but for what stays clear in the viewer and black in pictures."""
        return None if row.background and row.color is None else self._colors[row.key]

    def _shown(self, row: ClassRow, column: Column) -> str | None:
        texts = {
            Column.NAME: row.name or "(no name)",
            Column.PROMPTS: " | ".join(row.prompts),
            Column.ID: str(row.id),
        }
        return texts.get(column)

    def _spoken(self, row: ClassRow, column: Column) -> str:
        spoken = {
            Column.COLOR: f"colour {self._color(row) or 'clear'}",
            Column.BACKGROUND: "background" if row.background else "not the background",
            Column.VISIBLE: "visible" if row.visible else "hidden",
            Column.ID: f"id {row.id}",
        }
        return spoken.get(column) or self._shown(row, column) or ""

    def _about(self, index: QModelIndex) -> str:
        row, column = self.row_at(index), Column(index.column())
        if column == Column.NAME:
            return row.name
        if column == Column.PROMPTS:
            return " | ".join(row.prompts) or ABOUT_NO_PROMPTS
        if column == Column.COLOR:
            chosen = "chosen by name" if row.color is None else "your own"
            color = f"{self._color(row)}, {chosen}" if self._color(row) else "Clear"
            return f"{color}. {HEADERS[column][1]}."
        if column == Column.BACKGROUND and self._is_background_by_name(index):
            return "A class of this name is always the background."
        return f"{HEADERS[column][1]}."

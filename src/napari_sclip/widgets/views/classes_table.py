"""The table of classes, for mouse and keyboard alike."""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection
from typing import Any

from qtpy.QtCore import (
    QAbstractItemModel,
    QAbstractTableModel,
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPoint,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
)
from qtpy.QtGui import (
    QColor,
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPalette,
    QPen,
    QShowEvent,
)
from qtpy.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QLineEdit,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from napari_sclip.colors import error_color
from napari_sclip.prompts import is_background_name, split_prompts
from napari_sclip.widgets.state.classes import ClassRow, ClassTable
from napari_sclip.widgets.views.form import at_once

REASON_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Why a cell is wrong, or nothing."""

COLOR_ROLE = int(Qt.ItemDataRole.UserRole) + 2
"""``#rrggbb`` of the class; nothing for a background that has no colour of its own."""

TINT = 0.2
"""Part of red in the background of a cell that is wrong."""

FEWEST_ROWS, MOST_ROWS = 5, 8
"""So many rows are in sight."""
LINE = 1.8
"""Height of a row, in heights of the font."""
MARGIN = 4
"""Pixels between what a cell shows and its edges."""

ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


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
    parent : QObject, optional
    """

    def __init__(self, table: ClassTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._rows = list(table.rows)
        self._problems = table.problems()
        self._colors = table.colors()
        at_once(table.changed, self, ClassesModel.refresh)

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


class CellDelegate(QStyledItemDelegate):
    """Draws a cell in the colours of the theme, and in red if it is wrong."""

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw the background, the content and a frame if the keyboard is here."""
        assert painter is not None
        shown = QStyleOptionViewItem(option)
        self.initStyleOption(shown, index)
        background, ink = cell_colors(shown, wrong=bool(index.data(REASON_ROLE)))
        painter.save()
        painter.fillRect(shown.rect, background)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(ink)
        self.draw(painter, shown, index, ink)
        if shown.state & QStyle.StateFlag.State_HasFocus:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(ink)
            painter.drawRect(shown.rect.adjusted(0, 0, -1, -1))
        painter.restore()

    def draw(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, ink: QColor
    ) -> None:
        """Draw the content: text, cut where there is no room."""
        rect = option.rect.adjusted(MARGIN, 0, -MARGIN, 0)
        text = option.fontMetrics.elidedText(option.text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, option.displayAlignment, text)


class TextDelegate(CellDelegate):
    """Edits a text in a line that says what belongs there."""

    def __init__(self, about: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._about = about

    def createEditor(  # noqa: N802 - Qt's name
        self, parent: QWidget | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> QWidget | None:
        """Make the editor."""
        editor = QLineEdit(parent)
        editor.setPlaceholderText(self._about)
        editor.setAccessibleName(self._about)
        return editor


class ColorDelegate(CellDelegate):
    """Draws the colour of a class."""

    def draw(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, ink: QColor
    ) -> None:
        """Draw a square; only its edge if the labels are clear there."""
        color = index.data(COLOR_ROLE)
        ink.setAlphaF(0.5)
        painter.setPen(ink)
        if color is not None:
            painter.setBrush(QColor(color))
        side = option.fontMetrics.height()
        painter.drawRoundedRect(QRectF(middle(option.rect, side)), side / 5, side / 5)


class CheckDelegate(CellDelegate):
    """Draws something that is on or off; a click changes it."""

    def editorEvent(  # noqa: N802 - Qt's name
        self,
        event: QEvent | None,
        model: QAbstractItemModel | None,
        option: QStyleOptionViewItem,
        index: QModelIndex,
    ) -> bool:
        """Change it where the mouse is released."""
        if (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton
            and event.modifiers() == Qt.KeyboardModifier.NoModifier
            and option.rect.contains(event.position().toPoint())
            and isinstance(model, ClassesModel)
        ):
            model.toggle(index)
            return True
        return False


class BackgroundDelegate(CheckDelegate):
    """Draws a round mark, as one row at most has it."""

    def draw(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, ink: QColor
    ) -> None:
        """Draw a ring, with a dot within if it is on."""
        on = option.checkState == Qt.CheckState.Checked
        ink.setAlphaF(1.0 if on else 0.45)
        centre = QPointF(option.rect.center()) + QPointF(0.5, 0.5)
        painter.setPen(QPen(ink, 1.2))
        radius = 0.4 * option.fontMetrics.height()
        painter.drawEllipse(centre, radius, radius)
        if on:
            painter.setBrush(ink)
            painter.drawEllipse(centre, radius / 2, radius / 2)


class VisibleDelegate(CheckDelegate):
    """Draws an eye."""

    def draw(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, ink: QColor
    ) -> None:
        """Draw it open, or pale and struck through."""
        on = option.checkState == Qt.CheckState.Checked
        ink.setAlphaF(1.0 if on else 0.45)
        box = QRectF(middle(option.rect, round(1.15 * option.fontMetrics.height())))
        left, right = QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y())
        eye = QPainterPath(left)
        eye.quadTo(QPointF(box.center().x(), box.top()), right)
        eye.quadTo(QPointF(box.center().x(), box.bottom()), left)
        painter.setPen(QPen(ink, 1.2))
        painter.drawPath(eye)
        painter.setBrush(ink)
        painter.drawEllipse(box.center(), box.width() / 8, box.width() / 8)
        if not on:
            painter.drawLine(box.bottomLeft() + QPointF(2, -2), box.topRight() + QPointF(-2, 2))


def cell_colors(option: QStyleOptionViewItem, *, wrong: bool) -> tuple[QColor, QColor]:
    """Choose the colours of a cell's background and of what is written on it."""
    palette = option.palette
    base = palette.color(QPalette.ColorRole.Base)
    if wrong:
        red = error_color((base.red(), base.green(), base.blue()))
        parts = zip((base.red(), base.green(), base.blue()), red, strict=True)
        return QColor(*(round(b * (1 - TINT) + r * TINT) for b, r in parts)), QColor(*red)
    if option.state & QStyle.StateFlag.State_Selected:
        return (
            palette.color(QPalette.ColorRole.Highlight),
            palette.color(QPalette.ColorRole.HighlightedText),
        )
    return base, palette.color(QPalette.ColorRole.Text)


def middle(rect: QRect, side: int) -> QRect:
    """Return a square in the middle of a cell."""
    square = QRect(0, 0, min(side, rect.width() - 2), min(side, rect.height() - 2))
    square.moveCenter(rect.center())
    return square


class ClassesTable(QTableView):
    """Shows and edits a `ClassTable`.

    Parameters
    ----------
    table : ClassTable
    paint_with : callable
        Called with the label id of a class that a person wants to paint with.
    parent : QWidget, optional
    """

    def __init__(
        self, table: ClassTable, paint_with: Callable[[int], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.native_dialogs = True
        self._table = table
        self._paint_with = paint_with
        self._new_key: int | None = None
        self._classes = ClassesModel(table, self)
        self.setModel(self._classes)
        self.setObjectName("sclip_classes_table")
        self.setAccessibleName("Table of classes")
        self.setToolTip(
            "The classes. Insert adds one, Delete removes, Alt+Up and Alt+Down move, "
            "F2 or Enter changes a cell, Space turns it on or off."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._lay_out_columns()
        self._set_delegates()
        self.doubleClicked.connect(self._on_double_click)
        for counted in (self._classes.rowsInserted, self._classes.rowsRemoved):
            counted.connect(self._fit)
        self._fit()

    def selected_keys(self) -> list[int]:
        """Return the keys of the selected rows, from top to bottom."""
        selection = self.selectionModel()
        assert selection is not None
        chosen = sorted(selection.selectedRows(), key=QModelIndex.row)
        return [self._classes.row_at(index).key for index in chosen]

    def select_keys(self, keys: Collection[int]) -> None:
        """Select rows, and no others."""
        chosen = QItemSelection()
        for key in keys:
            index = self._classes.index_of(key)
            chosen.select(index, index)
        flags = QItemSelectionModel.SelectionFlag
        selection = self.selectionModel()
        assert selection is not None
        selection.select(chosen, flags.ClearAndSelect | flags.Rows)

    def add_row(self) -> None:
        """Add a class below the selected ones, and ask for its name; Esc takes it away again."""
        below = self.selected_keys()[-1:]
        key = self._table.add(at=self._classes.index_of(below[0]).row() + 1 if below else None)
        index = self._classes.index_of(key)
        self.setCurrentIndex(index)
        self.scrollTo(index)
        self.setFocus()
        self.edit(index)
        self._new_key = key

    def remove_rows(self) -> None:
        """Remove the selected classes; the one that comes next is selected."""
        keys = self.selected_keys()
        column = max(self.currentIndex().column(), 0)
        row = min((self._classes.index_of(key).row() for key in keys), default=0)
        self._table.remove(keys)
        left = self._classes.rowCount()
        if keys and left:
            self.setCurrentIndex(self._classes.index(min(row, left - 1), column))

    def move_rows(self, step: int) -> None:
        """Move the selected classes up (-1) or down (1)."""
        self._table.shift(self.selected_keys(), step)
        self.scrollTo(self.currentIndex())

    def choose_color(self, index: QModelIndex) -> None:
        """Open the dialog for the colour of a class."""
        key = self._classes.row_at(index).key
        dialog = QColorDialog(QColor(index.data(COLOR_ROLE) or "black"), self)
        dialog.setObjectName("sclip_classes_color_dialog")
        dialog.setWindowTitle(f"Colour of {self._classes.row_at(index).name}")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setOption(
            QColorDialog.ColorDialogOption.DontUseNativeDialog, not self.native_dialogs
        )
        dialog.colorSelected.connect(lambda color: self._set_color(key, color.name()))
        dialog.open()

    def context_menu(self, index: QModelIndex) -> QMenu:
        """Return what can be done with the class of a valid index."""
        row = self._classes.row_at(index)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        choices: list[tuple[str, str, bool, Callable[[], object]]] = [
            ("edit", "Change the name", True, lambda: self.edit(self._classes.index_of(row.key))),
            ("color", "Choose a colour...", True, lambda: self._choose_color_of(row.key)),
            (
                "color_by_name",
                "Colour by name",
                row.color is not None,
                lambda: self._set_color(row.key, None),
            ),
            ("paint", "Paint with this class", True, lambda: self._paint_with_class(row.key)),
            ("remove_one", "Remove", True, self.remove_rows),
        ]
        for name, text, possible, act in choices:
            action = menu.addAction(text)
            assert action is not None
            action.setObjectName(f"sclip_classes_{name}")
            action.setEnabled(possible)
            action.triggered.connect(lambda _checked=False, act=act: act())
        return menu

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the height that the rows need in another font or theme."""
        super().changeEvent(event)
        if event is not None and event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the height that the rows need, now that the theme is known."""
        super().showEvent(event)
        self._fit()

    def focusInEvent(self, event: QFocusEvent | None) -> None:  # noqa: N802 - Qt's name
        """Select a row for a person who comes by keyboard."""
        super().focusInEvent(event)
        by_tab = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if event is not None and event.reason() in by_tab and not self.selected_keys():
            self.setCurrentIndex(self.currentIndex())

    def contextMenuEvent(self, event: QContextMenuEvent | None) -> None:  # noqa: N802 - Qt's name
        """Open the menu where the mouse is or, by keyboard, at the current cell."""
        if event is None:
            return
        index, place = self.indexAt(event.pos()), event.globalPos()
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            index = self.currentIndex()
            place = self._place_of(index)
        if index.isValid():
            self.context_menu(index).popup(place)
        event.accept()

    def event(self, event: QEvent | None) -> bool:
        """Keep the table's keys for the table where shortcuts around it would take them."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.ShortcutOverride
            and self._act_on(event) is not None
        ):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Do by keyboard all that the mouse can do."""
        act = None if event is None else self._act_on(event)
        if event is None or act is None:
            super().keyPressEvent(event)
            return
        event.accept()
        act()

    def _act_on(self, event: QKeyEvent) -> Callable[[], object] | None:
        if self.state() == QAbstractItemView.State.EditingState:
            return None  # what the editor does not take is not for the table
        key, modifiers = event.key(), event.modifiers()
        modifiers &= ~Qt.KeyboardModifier.KeypadModifier
        if modifiers == Qt.KeyboardModifier.AltModifier and key in STEPS:
            return lambda: self.move_rows(STEPS[Qt.Key(key)])
        if modifiers != Qt.KeyboardModifier.NoModifier:
            return None
        if key == Qt.Key.Key_Insert:
            return self.add_row
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            return self.remove_rows
        current = self.currentIndex()
        is_text = current.column() in TEXTS
        if current.isValid() and (key in ENTER or (key == Qt.Key.Key_Space and not is_text)):
            return lambda: self._act(current)
        return None

    def _act(self, index: QModelIndex) -> None:
        if index.column() in TEXTS:
            self.edit(index)
        elif index.column() in CHECKS:
            self._classes.toggle(index)
        else:
            self._on_double_click(index)

    def _on_double_click(self, index: QModelIndex) -> None:
        if index.column() == Column.COLOR:
            self.choose_color(index)
        elif index.column() == Column.ID:
            self._paint_with(self._classes.row_at(index).id)

    def _choose_color_of(self, key: int) -> None:
        index = self._classes.index_of(key)
        if index.isValid():
            self.choose_color(index)

    def _set_color(self, key: int, color: str | None) -> None:
        if self._classes.index_of(key).isValid():  # it may be gone while the dialog is open
            self._table.set(key, color=color)

    def _paint_with_class(self, key: int) -> None:
        index = self._classes.index_of(key)
        if index.isValid():
            self._paint_with(self._classes.row_at(index).id)

    def _on_editor_closed(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        key, self._new_key = self._new_key, None
        given_up = hint == QAbstractItemDelegate.EndEditHint.RevertModelCache
        index = QModelIndex() if key is None else self._classes.index_of(key)
        if given_up and index.isValid() and not self._classes.row_at(index).name:
            self.remove_rows()

    def _place_of(self, index: QModelIndex) -> QPoint:
        viewport = self.viewport()
        assert viewport is not None
        return viewport.mapToGlobal(self.visualRect(index).bottomLeft())

    def _set_delegates(self) -> None:
        name = TextDelegate("Name of the class", self)
        name.closeEditor.connect(self._on_editor_closed)
        delegates: dict[Column, CellDelegate] = {
            Column.NAME: name,
            Column.PROMPTS: TextDelegate("lawn | meadow", self),
            Column.COLOR: ColorDelegate(self),
            Column.BACKGROUND: BackgroundDelegate(self),
            Column.VISIBLE: VisibleDelegate(self),
            Column.ID: CellDelegate(self),
        }
        for column, delegate in delegates.items():
            self.setItemDelegateForColumn(column, delegate)

    def _lay_out_columns(self) -> None:
        header, rows = self.horizontalHeader(), self.verticalHeader()
        assert header is not None
        assert rows is not None
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in Column:
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(column, mode.Stretch if column in TEXTS else mode.Fixed)
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a width in which the titles can be read."""
        titles = [self.fontMetrics().horizontalAdvance(HEADERS[column][0]) for column in TEXTS]
        texts = len(TEXTS) * (max(titles) + 3 * MARGIN)
        width = (len(Column) - len(TEXTS)) * self._narrow() + texts
        return QSize(width + 2 * self.frameWidth(), super().minimumSizeHint().height())

    def _narrow(self) -> int:
        """Return the width of a column for a mark or an id of three digits."""
        return self.fontMetrics().horizontalAdvance("255") + 2 * MARGIN

    def _fit(self) -> None:
        """Take the height that the rows need, and let the columns follow the font."""
        header, rows, viewport = self.horizontalHeader(), self.verticalHeader(), self.viewport()
        assert header is not None
        assert rows is not None
        assert viewport is not None
        for column in set(Column) - set(TEXTS):
            header.resizeSection(column, self._narrow())
        header.setMinimumSectionSize(self._narrow())
        rows.setDefaultSectionSize(round(LINE * self.fontMetrics().height()))
        shown = min(max(self._classes.rowCount(), FEWEST_ROWS), MOST_ROWS)
        around = self.contentsMargins() + self.viewportMargins()
        height = around.top() + around.bottom() + shown * rows.defaultSectionSize()
        self.setFixedHeight(height)

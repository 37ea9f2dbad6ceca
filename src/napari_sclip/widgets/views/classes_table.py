"""The table of classes, for mouse and keyboard alike."""

from __future__ import annotations

from collections.abc import Callable, Collection

from qtpy.QtCore import QEvent, QItemSelection, QItemSelectionModel, QModelIndex, QPoint, Qt
from qtpy.QtGui import QColor, QContextMenuEvent, QFocusEvent, QKeyEvent, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QColorDialog,
    QHeaderView,
    QMenu,
    QTableView,
    QWidget,
)

from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.views.classes_delegates import (
    BackgroundDelegate,
    CellDelegate,
    ColorDelegate,
    TextDelegate,
    VisibleDelegate,
)
from napari_sclip.widgets.views.classes_model import (
    CHECKS,
    COLOR_ROLE,
    TEXTS,
    ClassesModel,
    Column,
)

FEWEST_ROWS, MOST_ROWS = 5, 8
"""So many rows are in sight."""

NARROW = 27
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class ClassesTable(QTableView):
    """Shows and edits a `ClassTable`.

    Parameters
    ----------
    table : ClassTable
        Call `refresh` when it has changed.
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
        self._fit_height()

    def refresh(self) -> None:
        """Show what the table holds now."""
        self._classes.refresh()
        self._fit_height()

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
            self._fit_height()

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the height that the rows need, now that the theme is known."""
        super().showEvent(event)
        self._fit_height()

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
        header.setMinimumSectionSize(NARROW)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column in Column:
            mode = QHeaderView.ResizeMode
            header.setSectionResizeMode(column, mode.Stretch if column in TEXTS else mode.Fixed)
            header.resizeSection(column, NARROW)
        rows.setVisible(False)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    def _fit_height(self) -> None:
        header, rows, viewport = self.horizontalHeader(), self.verticalHeader(), self.viewport()
        assert header is not None
        assert rows is not None
        assert viewport is not None
        rows.setDefaultSectionSize(max(26, self.fontMetrics().height() + 8))
        shown = min(max(self._classes.rowCount(), FEWEST_ROWS), MOST_ROWS)
        around = self.contentsMargins() + self.viewportMargins()
        height = around.top() + around.bottom() + shown * rows.defaultSectionSize()
        self.setFixedHeight(height)

"""A combo box whose entries have keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qtpy.QtCore import QModelIndex, QSignalBlocker, Qt, Signal
from qtpy.QtGui import QPaintEvent, QPalette, QWheelEvent
from qtpy.QtWidgets import (
    QComboBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionComboBox,
    QStyleOptionViewItem,
    QStylePainter,
    QWidget,
)

ROW_TEXT_ROLE = Qt.ItemDataRole.UserRole + 1
FEWEST_LETTERS = 6
"""A closed box has room for as many at least; the window is not made wider for more."""
PADDING = 2
"""Pixels between the text and its room."""


@dataclass(frozen=True)
class Choice:
    """One entry.

    Attributes
    ----------
    key : str
        What the state calls it.
    text : str
        Shown while the list is closed.
    row : str
        Shown in the list; the text if left empty.
    tooltip : str
        Of the entry in the list.
    """

    key: str
    text: str
    row: str = ""
    tooltip: str = ""


class ChoiceBox(QComboBox):
    """Shows short texts while closed and longer ones in its list, and is as narrow as need be.

    The wheel changes nothing unless the box has the focus: who scrolls past does not choose.
    """

    picked = Signal(str)
    """The key that a person chose; not sent by `show_choices`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offered: tuple[Choice, ...] = ()
        self._missing = "{}"
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(FEWEST_LETTERS)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setItemDelegate(_RowDelegate(self))
        self.currentIndexChanged.connect(self._on_index)

    def show_choices(self, choices: Sequence[Choice], key: str, missing: str = "{}") -> None:
        """Offer choices, one of them chosen.

        Parameters
        ----------
        choices : sequence of Choice
        key : str
            Of the one that is chosen; nothing is chosen if it is empty and none of them.
        missing : str
            Text, with ``{}`` for the key, of an entry that is added if the key is none of them.
        """
        self._offered, self._missing = tuple(choices), missing
        choices = list(choices)
        if key and key not in [choice.key for choice in choices]:
            choices.append(Choice(key, missing.format(key)))
        with QSignalBlocker(self):
            keys = [choice.key for choice in choices]
            if keys != self.keys():
                self.clear()
                for each in keys:
                    self.addItem("", each)
            for index, choice in enumerate(choices):
                self._set_entry(index, choice)
            index = keys.index(key) if key in keys else -1
            if index != self.currentIndex():
                self.setCurrentIndex(index)

    def choose(self, key: str) -> None:
        """Choose another of the choices that are offered."""
        self.show_choices(self._offered, key, self._missing)

    def key(self) -> str:
        """Return the key of the entry that is chosen, or nothing."""
        return "" if self.currentIndex() < 0 else str(self.currentData())

    def keys(self) -> list[str]:
        """Return the keys of the entries."""
        return [str(self.itemData(index)) for index in range(self.count())]

    def row(self, index: int) -> str:
        """Return the text of an entry in the list."""
        return str(self.itemData(index, ROW_TEXT_ROLE))

    def showPopup(self) -> None:  # noqa: N802 - Qt's name
        """Open the list, wide enough for its rows."""
        view = self.view()
        assert view is not None
        bar = view.verticalScrollBar()
        spare = bar.sizeHint().width() if bar is not None else 0
        view.setMinimumWidth(view.sizeHintForColumn(0) + spare)
        super().showPopup()

    def shown_text(self) -> str:
        """Return what a closed box shows, cut with an ellipsis where there is no room."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        style = self.style()
        assert style is not None
        room = style.subControlRect(
            QStyle.ComplexControl.CC_ComboBox,
            option,
            QStyle.SubControl.SC_ComboBoxEditField,
            self,
        )
        text = self.currentText() if self.currentIndex() >= 0 else self.placeholderText()
        return self.fontMetrics().elidedText(
            text, Qt.TextElideMode.ElideRight, room.width() - PADDING
        )

    def paintEvent(self, e: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the box as Qt does, but for the ellipsis: style sheets cut a letter in two."""
        option = QStyleOptionComboBox()
        self.initStyleOption(option)
        option.currentText = self.shown_text()
        if self.currentIndex() < 0:
            palette = option.palette
            faint = palette.brush(QPalette.ColorRole.PlaceholderText)
            palette.setBrush(QPalette.ColorRole.ButtonText, faint)
            option.palette = palette
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ComboBox, option)
        painter.drawControl(QStyle.ControlElement.CE_ComboBoxLabel, option)

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Leave the wheel to what scrolls, unless this has the focus."""
        if event is not None and not self.hasFocus():
            event.ignore()
            return
        super().wheelEvent(event)

    def _set_entry(self, index: int, choice: Choice) -> None:
        row = choice.row or choice.text
        for role, value in (
            (Qt.ItemDataRole.DisplayRole, choice.text),
            (ROW_TEXT_ROLE, row),
            (Qt.ItemDataRole.AccessibleTextRole, row),
            (Qt.ItemDataRole.ToolTipRole, choice.tooltip),
        ):
            if self.itemData(index, role) != value:
                self.setItemData(index, value, role)

    def _on_index(self, index: int) -> None:
        if index >= 0:
            self.picked.emit(str(self.itemData(index)))


class _RowDelegate(QStyledItemDelegate):
    def initStyleOption(  # noqa: N802 - Qt's name
        self, option: QStyleOptionViewItem | None, index: QModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        row = index.data(ROW_TEXT_ROLE)
        if option is not None and row:
            option.text = str(row)

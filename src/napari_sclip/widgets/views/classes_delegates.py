"""How the cells of the table of classes are drawn and edited."""

from __future__ import annotations

from qtpy.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPainterPath, QPalette, QPen
from qtpy.QtWidgets import QLineEdit, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from napari_sclip.colors import error_color
from napari_sclip.widgets.views.classes_model import (
    COLOR_ROLE,
    REASON_ROLE,
    ClassesModel,
)

TINT = 0.2
"""Part of red in the background of a cell that is wrong."""


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
        rect = option.rect.adjusted(4, 0, -4, 0)
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
        painter.drawRoundedRect(QRectF(middle(option.rect, 14)), 3, 3)


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
        painter.drawEllipse(centre, 5.5, 5.5)
        if on:
            painter.setBrush(ink)
            painter.drawEllipse(centre, 2.5, 2.5)


class VisibleDelegate(CheckDelegate):
    """Draws an eye."""

    def draw(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex, ink: QColor
    ) -> None:
        """Draw it open, or pale and struck through."""
        on = option.checkState == Qt.CheckState.Checked
        ink.setAlphaF(1.0 if on else 0.45)
        box = QRectF(middle(option.rect, 16))
        left, right = QPointF(box.left(), box.center().y()), QPointF(box.right(), box.center().y())
        eye = QPainterPath(left)
        eye.quadTo(QPointF(box.center().x(), box.top()), right)
        eye.quadTo(QPointF(box.center().x(), box.bottom()), left)
        painter.setPen(QPen(ink, 1.2))
        painter.drawPath(eye)
        painter.setBrush(ink)
        painter.drawEllipse(box.center(), 2.0, 2.0)
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

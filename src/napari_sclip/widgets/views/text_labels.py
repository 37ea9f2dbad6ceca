"""Labels for text of any length: cut to one line, wrapped, or in the colour of a problem."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QSize, Qt
from qtpy.QtGui import QPalette, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QSizePolicy, QWidget

from napari_sclip.colors import error_color, hex_color

THEME_CHANGES = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange)


class ElidedLabel(QLabel):
    """One line of text that is cut with an ellipsis where there is no room; the tooltip has all.

    `text` is always the whole text.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def text(self) -> str:
        """Return the whole text."""
        return self._whole

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show another text."""
        self._whole = text or ""
        self._elide()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a height, and no width: any width will do."""
        return QSize(0, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text for the new width."""
        super().resizeEvent(event)
        self._elide()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text for another font."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.FontChange:
            self._elide()

    def _elide(self) -> None:
        metrics = self.fontMetrics()
        # A label with a frame, which napari's style gives it, begins half a letter further in.
        indent = metrics.horizontalAdvance("x") // 2 if self.frameWidth() else 0
        room = self.contentsRect().width() - indent
        shown = metrics.elidedText(self._whole, Qt.TextElideMode.ElideRight, room)
        super().setText(shown)
        self.setToolTip(self._whole if shown != self._whole else "")


class WrappedLabel(QLabel):
    """Plain text over as many lines as it needs; hidden while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setVisible(False)

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show another text, or hide for want of one."""
        if text != self.text():
            super().setText(text)
        self.setVisible(bool(text))


class ProblemLabel(WrappedLabel):
    """A sentence that says what is wrong, in a red that is readable in dark and light themes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._red = ""

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the red for the theme, which is known by now."""
        super().showEvent(event)
        self._choose_red()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose the red for another theme."""
        super().changeEvent(event)
        if event is not None and event.type() in THEME_CHANGES and self.isVisible():
            self._choose_red()

    def _choose_red(self) -> None:
        # Its own palette keeps what its own colour was chosen on.
        red = red_on(self.parentWidget() or self)
        if red != self._red:
            self._red = red
            self.setStyleSheet(f"color: {red};")


def red_on(place: QWidget) -> str:
    """Return the red, ``#rrggbb``, that is read easily on the background of a widget."""
    window = place.palette().color(QPalette.ColorRole.Window)
    return hex_color(error_color((window.red(), window.green(), window.blue())))

"""A frame for what wants an answer, marked at its left edge."""

from __future__ import annotations

from qtpy.QtCore import QEvent
from qtpy.QtGui import QPalette, QShowEvent
from qtpy.QtWidgets import QApplication, QFrame, QWidget

from napari_sclip.widgets.views.text_labels import THEME_CHANGES


class Panel(QFrame):
    """Hidden at first.

    Parameters
    ----------
    name : str
        Of the object.
    parent : QWidget, optional
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setVisible(False)

    def edge_color(self) -> str:
        """Return the colour of the left edge, as style sheets take it."""
        return "palette(highlight)"

    def has_focus_inside(self) -> bool:
        """Whether one of its controls has the focus."""
        focused = QApplication.focusWidget()
        return focused is not None and self.isAncestorOf(focused)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the colours of the theme, which are known by now."""
        super().showEvent(event)
        self._mark()

    def changeEvent(self, event: QEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the colours of another theme."""
        super().changeEvent(event)
        if event is not None and event.type() in THEME_CHANGES and self.isVisible():
            self._mark()

    def _mark(self) -> None:
        """Colour the edge, and frame the button that has the focus: napari's style does not."""
        text = (self.parentWidget() or self).palette().color(QPalette.ColorRole.WindowText)
        style = (
            f"#{self.objectName()} {{ border-left: 3px solid {self.edge_color()}; }}"
            f"QPushButton:focus {{ border: 1px solid {text.name()}; }}"
        )
        if style != self.styleSheet():
            self.setStyleSheet(style)

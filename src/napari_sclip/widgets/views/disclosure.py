"""A part of a section that is folded away until somebody wants it."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_sclip.widgets.views.text_labels import ElidedLabel


class Disclosure(QWidget):
    """A button with an arrow, and below it what it shows or hides.

    The button is in the tab order; Space or a click opens and folds.

    Parameters
    ----------
    title : str
        Of the button; may carry a mnemonic.
    body : QWidget
        Shown while open.
    folded : bool
        How it begins.
    parent : QWidget, optional
    """

    toggled = Signal(bool)
    """Tells whether it is open now."""

    def __init__(
        self, title: str, body: QWidget, *, folded: bool = True, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.button = QToolButton(self)
        self.button.setText(title)
        self.button.setCheckable(True)
        self.button.setAutoRaise(True)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body = body
        self._summary = ElidedLabel(self)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.button)
        head.addWidget(self._summary, 1)
        head.addStretch(0)  # keeps the button at the left while there is no summary
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(body)
        self.button.toggled.connect(self._show)
        self.button.setChecked(not folded)
        self._show(not folded)

    @property
    def folded(self) -> bool:
        """Whether the body is hidden."""
        return not self.button.isChecked()

    @folded.setter
    def folded(self, folded: bool) -> None:
        self.button.setChecked(not folded)

    @property
    def summary(self) -> str:
        """What is said beside the button while folded, in a few words."""
        return self._summary.text()

    @summary.setter
    def summary(self, summary: str) -> None:
        self._summary.setText(summary)

    def _show(self, is_open: bool) -> None:
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.button.setArrowType(arrow)
        self.body.setVisible(is_open)
        self._summary.setVisible(not is_open)
        self.toggled.emit(is_open)

"""A titled part of the dock widget that can be folded away."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_sclip.widgets.views.form import ElidedLabel


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


class SectionBody(QWidget):
    """A view that says in a few words what is chosen in it; a `Section` shows that when folded."""

    summary_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._summary = ""

    @property
    def summary(self) -> str:
        """What is chosen, on one line."""
        return self._summary

    @summary.setter
    def summary(self, summary: str) -> None:
        if summary != self._summary:
            self._summary = summary
            self.summary_changed.emit(summary)


class Section(QFrame):
    """A frame whose header folds its body away.

    Parameters
    ----------
    title : str
    body : QWidget
        If it is a `SectionBody`, its summary is shown in the header.
    folded : bool
        How it begins.
    parent : QWidget, optional
    """

    toggled = Signal(bool)
    """Tells whether it is open now."""

    def __init__(
        self, title: str, body: QWidget, *, folded: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.body = body
        self._disclosure = Disclosure(title, body, folded=folded, parent=self)
        self.header = self._disclosure.button
        self.header.setObjectName(f"sclip_section_{title.lower()}")
        self.header.setToolTip(f"Show or hide the section {title}")
        font = self.header.font()
        font.setBold(True)
        self.header.setFont(font)
        self.setFrameShape(QFrame.Shape.NoFrame)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 2, 4, 4)
        layout.addWidget(self._disclosure)
        layout.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._disclosure.toggled.connect(self.toggled)
        if isinstance(body, SectionBody):
            self._on_summary(body.summary)
            body.summary_changed.connect(self._on_summary)

    @property
    def folded(self) -> bool:
        """Whether the body is hidden."""
        return self._disclosure.folded

    @folded.setter
    def folded(self, folded: bool) -> None:
        self._disclosure.folded = folded

    @property
    def summary(self) -> str:
        """What the header says while folded, on one line."""
        return self._disclosure.summary

    @summary.setter
    def summary(self, summary: str) -> None:
        self._disclosure.summary = summary

    def _on_summary(self, summary: str) -> None:
        self.summary = summary

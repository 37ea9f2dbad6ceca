"""A titled part of the dock widget that can be folded away."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QFrame, QVBoxLayout, QWidget

from napari_sclip.widgets.views.disclosure import Disclosure


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

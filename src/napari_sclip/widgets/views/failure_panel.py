"""What went wrong, to be read, copied and put away."""

from __future__ import annotations

import math

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QResizeEvent, QTextOption
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.state.run import Failure
from napari_sclip.widgets.views.panel import Panel
from napari_sclip.widgets.views.text_labels import red_on

SHOWN_LINES = 6
"""Lines of a message that are seen however low the window is."""


class FailurePanel(Panel):
    """The message of a failure, with buttons that copy the details and dismiss it."""

    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("sclip_failure", parent)
        self._failure: Failure | None = None
        self._message = SelectableText(self)
        self._message.setObjectName("sclip_failure_message")
        self._message.setAccessibleName("What went wrong")
        self._message.setToolTip("Can be selected and copied")
        self._copy = QPushButton("Copy details", self)
        self._copy.setObjectName("sclip_failure_copy")
        self._copy.setToolTip("Copy this message, the traceback, settings and versions")
        self._copy.clicked.connect(self._on_copy)
        dismiss = QPushButton("Dismiss", self)
        dismiss.setObjectName("sclip_failure_dismiss")
        dismiss.setToolTip("Put this message away")
        dismiss.clicked.connect(self._on_dismiss)
        buttons = QHBoxLayout()
        buttons.addWidget(self._copy)
        buttons.addWidget(dismiss)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(self._message)
        layout.addLayout(buttons)

    def show_failure(self, failure: Failure | None) -> None:
        """Show a failure, or hide for want of one."""
        if failure is self._failure:
            return
        self._failure = failure
        self._copy.setText("Copy details")
        if failure is not None:
            self._message.setPlainText(failure.message)
            self.setAccessibleDescription(failure.message)
        self.setVisible(failure is not None)

    def edge_color(self) -> str:
        """Return the red of problems."""
        return red_on(self.parentWidget() or self)

    def _on_copy(self) -> None:
        clipboard = QApplication.clipboard()
        if self._failure is None or clipboard is None:
            return
        message, details = self._failure.message, self._failure.details
        clipboard.setText(details if message in details else f"{message}\n\n{details}")
        self._copy.setText("Copied")

    def _on_dismiss(self) -> None:
        self.dismissed.emit()


class SelectableText(QTextEdit):
    """Read-only text, as high as it needs to be where there is room; else it scrolls.

    It breaks long paths, which a label cannot. It must not ask for its whole height: the window
    would grow for it, beyond the screen.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        # The page shines through; a style sheet of the window would make it a console.
        self.setStyleSheet("background: transparent; padding: 0px;")
        document = self.document()
        assert document is not None
        document.setDocumentMargin(0)
        document.contentsChanged.connect(self._fit)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the whole text, in the width that there is."""
        return QSize(super().sizeHint().width(), self._needed())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size of the first lines."""
        lines = SHOWN_LINES * self.fontMetrics().lineSpacing()
        return QSize(0, min(self._needed(), lines))

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802
        """Fit the height to the new width; scroll if that cannot be had."""
        self._fit()
        super().resizeEvent(event)

    def _fit(self) -> None:
        needed, policy = self._needed(), Qt.ScrollBarPolicy
        self.setMaximumHeight(needed)
        scrolls = self.height() < needed
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAlwaysOn if scrolls else policy.ScrollBarAlwaysOff
        )
        self.updateGeometry()

    def _needed(self) -> int:
        """Return the height of the whole text if it is as wide as this, without a scroll bar."""
        document = self.document()
        whole = None if document is None else document.clone()
        if whole is None:
            return 0
        whole.setTextWidth(max(1, self.width()))
        height = math.ceil(whole.size().height())
        whole.deleteLater()
        return height

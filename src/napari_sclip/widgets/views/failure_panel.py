"""What went wrong, to be read, copied and put away."""

from __future__ import annotations

import math

from qtpy.QtCore import QSizeF, Qt, Signal
from qtpy.QtGui import QTextOption
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.state.run import Failure
from napari_sclip.widgets.views.panel import Panel
from napari_sclip.widgets.views.text_labels import red_on


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
    """Read-only text, as high as it needs to be; breaks long paths, which a label cannot."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(0)
        # The page shines through; a style sheet of the window would make it a console.
        self.setStyleSheet("background: transparent; padding: 0px;")
        document = self.document()
        assert document is not None
        document.setDocumentMargin(0)
        arrangement = document.documentLayout()
        assert arrangement is not None
        arrangement.documentSizeChanged.connect(self._fit)

    def _fit(self, size: QSizeF) -> None:
        around = self.height() - self.viewport_height()
        self.setFixedHeight(math.ceil(size.height()) + max(0, around))

    def viewport_height(self) -> int:
        """Return the height that is left for the text."""
        viewport = self.viewport()
        return viewport.height() if viewport is not None else self.height()

"""The small picture of what the model will see."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QLabel, QWidget

from napari_sclip.widgets.state.image import Preview

SIDE = 96
"""Pixels that neither side of the picture exceeds."""
CHANNELS = 3


class PreviewLabel(QLabel):
    """Always takes the same room, so that nothing moves when the picture changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview: Preview | None = None
        self.setFixedSize(SIDE, SIDE)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self.setStyleSheet("padding: 0px;")
        self.setToolTip("What the model will see")
        self.setAccessibleName("What the model will see")

    def show_preview(self, preview: Preview | None) -> None:
        """Show a picture, or nothing."""
        if preview is self._preview:
            return
        self._preview = preview
        self.setPixmap(QPixmap() if preview is None else _pixmap(preview))


def _pixmap(preview: Preview) -> QPixmap:
    width, height = preview.width, preview.height
    image = QImage(preview.rgb, width, height, CHANNELS * width, QImage.Format.Format_RGB888)
    # Pixels of one size each are sharp: small pictures grow by whole numbers only.
    longer = max(width, height)
    side = longer * (SIDE // longer) if longer <= SIDE else SIDE
    return QPixmap.fromImage(image).scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
    )

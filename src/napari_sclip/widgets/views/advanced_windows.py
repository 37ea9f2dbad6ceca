"""How large the image is looked at, and through which windows, in numbers."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_sclip.widgets.state.detail import DetailState
from napari_sclip.widgets.views.advanced_number_box import NumberBox
from napari_sclip.widgets.views.advanced_rows import Row, stack
from napari_sclip.widgets.views.following import follow

LARGEST = 16384
"""Pixels; what is larger fits no machine."""
STEP = 16


class WindowControls(QWidget):
    """Short side, window and stride, in pixels of the resized image.

    Parameters
    ----------
    state : DetailState
    parent : QWidget, optional
    """

    def __init__(self, state: DetailState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._short_side = _pixel_box(
            "short_side",
            "image's own size",
            "The image's shorter side is resized to this many pixels; 0 keeps its size",
        )
        self._window = _pixel_box(
            "window",
            "model's own",
            "Side in pixels of the square that the model looks at; 0 leaves it to the model",
        )
        self._stride = _pixel_box(
            "stride",
            "model's own",
            "Pixels from one window to the next, at most a window; 0 takes half a window",
        )
        stack(
            self,
            (
                Row("Short side", self._short_side, parent=self),
                Row("Window", self._window, parent=self),
                Row("Stride", self._stride, parent=self),
            ),
        )
        self._short_side.edited.connect(self._on_short_side)
        self._window.edited.connect(self._on_window)
        self._stride.edited.connect(self._on_stride)
        self._show()
        follow(state.events, self._show)

    def _show(self) -> None:
        self._short_side.show_number(self._state.short_side)
        self._window.show_number(self._state.window)
        self._stride.show_number(self._state.stride)

    def _on_short_side(self, pixels: int | None) -> None:
        self._state.short_side = pixels

    def _on_window(self, pixels: int | None) -> None:
        self._state.window = pixels

    def _on_stride(self, pixels: int | None) -> None:
        self._state.stride = pixels


def _pixel_box(name: str, none_text: str, tooltip: str) -> NumberBox:
    box = NumberBox(1, LARGEST, STEP, unit=" px", none_text=none_text)
    box.setObjectName(f"sclip_detail_{name}")
    box.setToolTip(tooltip)
    return box

"""Rows of a form: a label and its controls, shown or hidden together."""

from __future__ import annotations

from collections.abc import Iterable

from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_sclip.widgets.views.choice_box import ChoiceBox

LABEL_WIDTH = 96
"""Pixels; the labels of all rows of the dock widget are as wide."""


class Row(QWidget):
    """One row; QFormLayout cannot hide its rows in Qt 5.

    Parameters
    ----------
    label : str
        May carry a mnemonic, which leads to the first control.
    *controls : QWidget
        Share what room there is beside the label.
    parent : QWidget, optional
    """

    def __init__(self, label: str, *controls: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        text = QLabel(label, self)
        text.setMinimumWidth(LABEL_WIDTH)
        text.setBuddy(controls[0])
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(text)
        for control in controls:
            layout.addWidget(control, 1)
            if not control.accessibleName():
                control.setAccessibleName(label.replace("&", ""))


def stack(widget: QWidget, parts: Iterable[QWidget]) -> None:
    """Lay parts out below one another, as wide as the widget."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for part in parts:
        layout.addWidget(part)


def make_box(name: str, tooltip: str) -> ChoiceBox:
    """Make a combo box of this object name."""
    box = ChoiceBox()
    box.setObjectName(name)
    box.setToolTip(tooltip)
    return box

"""Asks for a file."""

from __future__ import annotations

from qtpy.QtWidgets import QFileDialog, QWidget

MASKS = "Masks (*.png *.tif *.tiff *.npy *.json *.zarr *.bmp *.gif);;All files (*)"


def ask_mask(parent: QWidget) -> str:
    """Ask for a file to open; nothing if a person chose none."""
    return QFileDialog.getOpenFileName(parent, "Start from a mask", "", MASKS)[0]


def ask_where(parent: QWidget, name: str, kind: str, suffix: str) -> str:
    """Ask where to save; the dialog asks before a file is replaced.

    Parameters
    ----------
    parent : QWidget
    name : str
        Proposed, without an ending.
    kind : str
        What is saved, in words.
    suffix : str
        Its usual ending, with the dot.
    """
    dialog = QFileDialog(parent, f"Save labels: {kind}", f"{name}{suffix}", f"{kind} (*{suffix})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix.removeprefix("."))
    return dialog.selectedFiles()[0] if dialog.exec() else ""

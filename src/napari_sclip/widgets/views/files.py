"""Asks for a file."""

from __future__ import annotations

import re

from qtpy.QtWidgets import QFileDialog, QWidget

MASKS = "Masks (*.png *.tif *.tiff *.npy *.json *.zarr *.bmp *.gif);;All files (*)"

UNUSABLE = re.compile(r'[\\/:*?"<>|\x00-\x1f]+')
"""What some system does not allow in the name of a file."""


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
    proposed = UNUSABLE.sub("_", f"{name}{suffix}")
    dialog = QFileDialog(parent, f"Save labels: {kind}", proposed, f"{kind} (*{suffix})")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(suffix.removeprefix("."))
    return dialog.selectedFiles()[0] if dialog.exec() else ""

"""Buttons of the sections that work on labels."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtWidgets import QPushButton, QWidget


def make_button(
    name: str, text: str, about: str, act: Callable[[], None], parent: QWidget
) -> QPushButton:
    """Make a button.

    Parameters
    ----------
    name : str
        Its object name.
    text, about : str
        What stands on it, and its tooltip while it can be pressed.
    act : callable
        A bound method; called without arguments.
    parent : QWidget
    """
    button = QPushButton(text, parent)
    button.setObjectName(name)
    button.setToolTip(about)
    button.setProperty("about", about)
    button.setAutoDefault(True)  # Return presses it, as Space does
    button.clicked.connect(act)
    return button


def allow(button: QPushButton, reason: str) -> None:
    """Enable a button or, where there is a reason why not, disable it and say that."""
    button.setEnabled(not reason)
    button.setToolTip(reason or str(button.property("about")))

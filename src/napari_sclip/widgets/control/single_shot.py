"""A timer that calls once, a while after it was started."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QTimer


def single_shot(milliseconds: int, slot: Callable[[], None]) -> QTimer:
    """Make such a timer; starting it again before it calls begins anew."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer

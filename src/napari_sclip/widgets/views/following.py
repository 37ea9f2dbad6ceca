"""How a view follows the state."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

from qtpy.compat import isalive


class Signal(Protocol):
    """A signal of psygnal, or all signals of a part of the state."""

    def connect(self, slot: Callable[[], None], /) -> Any:  # noqa: ANN401
        """Call a function whenever it comes."""

    def disconnect(self, slot: Callable[[], None], /, missing_ok: bool = True) -> Any:  # noqa: ANN401
        """Call it no more."""


def follow(signal: Signal, show: Callable[[], None]) -> None:
    """Call a method of a widget when the state changes, as long as the widget is there.

    Qt may end a widget before Python does, when napari's window goes, and tells of it when that
    is too late.

    Parameters
    ----------
    signal : Signal
    show : bound method of a QWidget
    """

    def call() -> None:
        living = method()
        if living is not None and isalive(living.__self__):  # type: ignore[attr-defined, no-untyped-call]  # qtpy has no types
            living()

    method = weakref.WeakMethod(show, lambda _: signal.disconnect(call, missing_ok=True))
    signal.connect(call)

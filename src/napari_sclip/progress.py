"""What work tells while it goes on: how far it is, and what it did not do as it was asked."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from napari_sclip.errors import SclipWarning

_PACKAGE = str(Path(__file__).parent)
_LISTENER: ContextVar[Callable[[str], None] | None] = ContextVar("notices", default=None)


@dataclass(frozen=True)
class Progress:
    """One report of a piece of work in progress.

    Attributes
    ----------
    done : int
        Units finished, 0 to `total`.
    total : int
        Units in all; 0 where the size is not known.
    message : str
        What is being done, in words for a person.
    """

    done: int
    total: int
    message: str


ProgressCallback = Callable[[Progress], None]
"""Called between units of work; raising from it stops the work, and the exception passes on."""


def report(progress: ProgressCallback | None, done: int, total: int, message: str) -> None:
    """Call `progress`, if there is one, with a `Progress`."""
    if progress is not None:
        progress(Progress(done, total, message))


def notify(message: str) -> None:
    """Tell that something was done differently from what was asked.

    The listener of `collect_notices` is told, and nothing else happens. Where there is none,
    Python warns with a `SclipWarning` at the line that called this package.

    Parameters
    ----------
    message : str
        What was done, and what to do about it.
    """
    listener = _LISTENER.get()
    if listener is not None:
        listener(message)
    else:
        warnings.warn(message, SclipWarning, stacklevel=_level_of_caller())


@contextlib.contextmanager
def collect_notices(listener: Callable[[str], None]) -> Iterator[None]:
    """Hand what `notify` is given in this context to a listener, instead of warning.

    Python's filters of warnings belong to the process, and what one thread does to them loses or
    raises the warnings of another. This concerns the thread that enters it, and no other.

    Parameters
    ----------
    listener : callable
        Given each message.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def _level_of_caller() -> int:
    """Count how far above `notify` the outermost function of this package was called."""
    level, depth = 1, 0
    frame = sys._getframe(1)
    while frame is not None:
        depth += 1
        if frame.f_code.co_filename.startswith(_PACKAGE):
            level = depth + 1
        frame = frame.f_back  # type: ignore[assignment] # None ends the loop
    return level

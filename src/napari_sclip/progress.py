"""How long work tells how far it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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

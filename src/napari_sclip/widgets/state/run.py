"""How a run goes: what is shown beside the button that starts it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from psygnal import SignalGroupDescriptor

IDLE = "idle"
RUNNING = "running"
STOPPING = "stopping"
BUSY = "A task is running. Wait for it, or cancel it."


@dataclass(frozen=True)
class Failure:
    """What went wrong.

    Attributes
    ----------
    message : str
        What was expected, what came, what to do.
    details : str
        For a report: the traceback, settings and versions.
    """

    message: str
    details: str = field(repr=False)


@dataclass(frozen=True)
class Question:
    """Something that a person has to decide before the work goes on.

    Attributes
    ----------
    key : str
        Which question it is.
    text : str
    answers : tuple of (str, str)
        Key and label of each answer, the suggested one first, the one that changes nothing
        last.
    about : object
        What the work goes on with; the question goes when that is void.
    """

    key: str
    text: str
    answers: tuple[tuple[str, str], ...]
    about: object = field(default=None, repr=False, compare=False)


@dataclass
class RunState:
    """What the section "Segment" shows.

    Attributes
    ----------
    status : str
        `IDLE`, `RUNNING` or `STOPPING`.
    task : str
        What runs: "segment", "download", "measure", "look" or nothing.
    message : str
        What is being done.
    done, total : int
        Units of work; `total` is 0 where the size is not known.
    notice : str
        What came of the last run, or what was done differently from what was asked.
    failure : Failure or None
    question : Question or None
    partial : bool
        Whether partial results are drawn.
    live : bool
        Whether changes are shown without pressing Segment, where no vision pass is needed.
    embedded : bool
        Whether the next run needs no vision pass.
    target : str
        Of the next press of Segment. "auto": into the labels that belong to the image. "replace":
        into the same, and over what was painted by hand. "new": into a new layer.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    status: str = IDLE
    task: str = ""
    message: str = ""
    done: int = 0
    total: int = 0
    notice: str = ""
    failure: Failure | None = None
    question: Question | None = None
    partial: bool = True
    live: bool = False
    embedded: bool = False
    target: str = "auto"

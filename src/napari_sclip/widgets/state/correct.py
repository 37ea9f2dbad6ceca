"""What is known of a person's corrections, and what can be done with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from psygnal import SignalGroupDescriptor


@dataclass(frozen=True)
class Orphan:
    """A class that the table does not have any more, and that has pixels painted by hand.

    Attributes
    ----------
    id : int
    name : str
    pixels : int
    """

    id: int
    name: str
    pixels: int


@dataclass
class CorrectState:
    """What the sections "Correct", "Explain" and "Export" show.

    Attributes
    ----------
    labels : str
        Name of the labels of the image; empty if it has none.
    painted : int
        Pixels of them that were painted by hand.
    strokes : int
        How often something was painted, in whatever labels.
    scribbled : int
        Pixels that were painted in layers to scribble in.
    learn : bool
        Whether runs learn from what was painted.
    learned : str
        What the last run learned from, in words for a person; nothing if from text alone.
    carried : str
        What a preset, or another image, has taught before, in words; nothing if there is none.
    orphans : tuple of Orphan
    unsure : int or None
        Regions that are still to be looked at; None before they were looked for.
    checked : float or None
        Share (0..1) of the pixels that are checked; None where there is nothing to check.
    names : tuple of str
        Classes of the labels, whose scores can be shown and which can be split.
    attention : bool
        Whether a click in the image shows what that point attends to.
    head : int
        Head of the attention, counted from 1; 0 is the mean of all.
    heads : int
        How many there are; 0 if that is not known yet.
    instances : str
        What the objects in the active layer belong to, if it is one of objects.
    formats : tuple of (str, str)
        Name and description of each format that labels can be saved in.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    labels: str = ""
    painted: int = 0
    strokes: int = 0
    scribbled: int = 0
    learn: bool = False
    learned: str = ""
    carried: str = ""
    orphans: tuple[Orphan, ...] = ()
    unsure: int | None = None
    checked: float | None = None
    names: tuple[str, ...] = ()
    attention: bool = False
    head: int = 0
    heads: int = 0
    instances: str = ""
    formats: tuple[tuple[str, str], ...] = ()

    def summary(self) -> str:
        """Say what stands beside the title of the section "Correct" when it is folded."""
        if not self.labels:
            return "no labels yet"
        parts = [f"{self.painted:,} px painted"] if self.painted else []
        if self.checked:
            parts.append(f"{100 * self.checked:.0f} % checked")
        return " · ".join(parts)

"""Rows of the table of classes, and how they and the line of text become one another."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from napari_sclip.errors import ClassesError
from napari_sclip.prompts import ClassPrompt, TypedClass, fits_text, is_background_name

NO_NAME = "Give this class a name, or remove it."


@dataclass(frozen=True)
class ClassRow:
    """A class as the table shows it.

    Attributes
    ----------
    key : int
        Identity of the row while it lives.
    name : str
    prompts : tuple of str
        As typed; empty for the name itself.
    color : str or None
        ``#rrggbb``; None for the one that is chosen by name.
    background : bool
    visible : bool
    id : int
        Of the labels; 0 for the background.
    """

    key: int
    name: str
    prompts: tuple[str, ...]
    color: str | None
    background: bool
    visible: bool
    id: int


@dataclass
class Entry:
    """What the table keeps of a row.

    Attributes
    ----------
    marked : bool
        Whether it was made the background by hand; its name may do that too.
    own_id : int or None
        The id that it has when it is not the background; None before it needs one.
    typed : TypedClass or None
        The text it comes from, as long as there is a fault in that.
    former : set of str
        Names that it had while its name was being typed.
    """

    key: int
    name: str = ""
    prompts: tuple[str, ...] = ()
    color: str | None = None
    marked: bool = False
    visible: bool = True
    own_id: int | None = None
    typed: TypedClass | None = None
    former: set[str] = field(default_factory=set)

    @property
    def background(self) -> bool:
        """Whether its pixels get id 0."""
        return self.marked or is_background_name(self.name)

    @property
    def prompts_fit(self) -> bool:
        """Whether the line of text shows the prompts."""
        return all(fits_text(phrase) for phrase in self.prompts)

    @property
    def row(self) -> ClassRow:
        """The row as others see it."""
        return ClassRow(
            self.key,
            self.name,
            self.prompts,
            self.color,
            self.background,
            self.visible,
            0 if self.background else self.own_id or 0,
        )

    @property
    def item(self) -> ClassPrompt | str:
        """The class as `parse_classes` takes it, which refuses it if there is a fault."""
        if self.typed is not None:
            return self.typed.text
        return ClassPrompt(self.name, self.prompts, background=self.marked, color=self.color)

    def retype(self, typed: TypedClass) -> None:
        """Take over what the line of text now says of this row."""
        if typed.name != self.name:
            if typed.name in self.former or _being_edited(self.name, typed.name):
                self.former.add(self.name)
            else:  # Another class, written in the place of this one.
                self.former.clear()
                self.color, self.marked, self.visible = None, False, True
                self.prompts = ()
        self.name = typed.name
        if typed.prompts or self.prompts_fit:
            self.prompts = typed.prompts
        self.typed = typed if typed.fault else None


def match(entries: Sequence[Entry], typed: Sequence[TypedClass]) -> list[Entry | None]:
    """Find the row that each part of a text stands for, or None for a new one."""
    found: list[Entry | None] = [None] * len(typed)
    free = dict(enumerate(entries))

    def take(position: int, number: int | None) -> None:
        if number is not None:
            found[position] = free.pop(number)

    for k, item in enumerate(typed):
        take(k, k if k in free and free[k].name == item.name else None)
    for k, item in enumerate(typed):
        if found[k] is None:
            take(k, next((n for n, e in free.items() if e.name == item.name), None))
    for k, item in enumerate(typed):
        if found[k] is None:
            take(k, next((n for n, e in free.items() if item.name in e.former), None))
    for k in range(len(typed)):
        if found[k] is None:
            take(k, k if k in free else None)
    return found


def format_line(entries: Sequence[Entry]) -> tuple[str, bool]:
    """Write rows as a line; False says that it is a summary, which cannot be read again."""
    parts = []
    for entry in entries:
        if entry.typed is not None:
            parts.append(entry.typed.text)
        elif not fits_text(entry.name) or not (entry.name or entry.prompts_fit):
            return " · ".join(e.name or " | ".join(e.prompts) for e in entries), False
        elif entry.prompts and entry.prompts_fit:
            parts.append(f"{entry.name} = {' | '.join(entry.prompts)}".strip())
        elif entry.name:
            parts.append(entry.name)
    return ", ".join(parts), True


def find_problems(entries: Sequence[Entry]) -> dict[int, dict[str, str]]:
    """Tell for each row and field what is wrong with it."""
    counts = Counter(entry.name for entry in entries)
    backgrounds = [entry.name for entry in entries if entry.background]
    found: dict[int, dict[str, str]] = {}
    for entry in entries:
        reasons = {}
        if len(backgrounds) > 1 and entry.background:
            named = " or ".join(f"'{name}'" for name in dict.fromkeys(backgrounds))
            reasons["background"] = f"Only one class can be the background: {named}."
        if not entry.name:
            reasons["name"] = NO_NAME
        elif counts[entry.name] > 1:
            reasons["name"] = f"'{entry.name}' is there twice. Give each class a name of its own."
        else:
            try:
                ClassPrompt(entry.name, entry.prompts)
            except ClassesError as error:
                reasons["name"] = str(error)
        if entry.typed is not None:
            reasons[entry.typed.fault_in] = entry.typed.fault
        if reasons:
            found[entry.key] = reasons
    return found


def _being_edited(old: str, new: str) -> bool:
    """Whether so much of a name is left that a person changes it rather than replaces it."""
    shorter, longer = sorted((old, new), key=len)
    start = _alike(shorter, longer)
    end = _alike(shorter[start:][::-1], longer[::-1])
    return not shorter or 2 * (start + end) >= len(longer)


def _alike(one: str, other: str) -> int:
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))
    return sum(1 for _ in pairs)

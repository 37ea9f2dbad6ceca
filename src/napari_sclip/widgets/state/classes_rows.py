"""Rows of the table of classes, and how they and the line of text become one another."""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from napari_sclip.colors import Color, hex_color, parse_color
from napari_sclip.errors import ClassesError
from napari_sclip.palette import class_colors
from napari_sclip.prompts import (
    ClassPrompt,
    TypedClass,
    fits_text,
    is_background_name,
    name_fits_text,
)

NO_NAME = "Give this class a name, or remove it."

MAX_KEPT = 500
MAX_NAME = 100
"""Longer names are not written: the file of settings stays small whatever is in it."""

BYTE = 255


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
        elif not name_fits_text(entry.name) or not (entry.name or entry.prompts_fit):
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


class ColorBook:
    """Knows which colour each row is shown in, and which colour a name had last.

    A class keeps its colour whatever other rows come, go or move, and has it again when it comes
    back. One that is new takes no colour of a class that is there, in the table or in the Labels
    layer: not even the one that it had on another day.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Color] = {}
        self._layer: dict[str, Color] = {}
        self._shown: dict[str, Color] = {}
        self._there: set[str] = set()
        self._rows: dict[int, str] = {}

    @property
    def rows(self) -> dict[int, str]:
        """The colour of each row, ``#rrggbb``, by its key."""
        return dict(self._rows)

    @property
    def kept(self) -> dict[str, str]:
        """Colours chosen by name, ``#rrggbb``; those that were shown last are at the end."""
        colors = {n: c for n, c in self._kept.items() if n not in self._shown} | self._shown
        names = [name for name in colors if len(name) <= MAX_NAME]
        return {name: hex_color(colors[name]) for name in names[-MAX_KEPT:]}

    def recall(self, kept: Mapping[str, str]) -> None:
        """Know the colours of another day."""
        self._kept |= {name: parse_color(color) for name, color in kept.items()}

    def adopt(self, colors: Mapping[str, str]) -> None:
        """Know the colours in which a Labels layer shows its classes."""
        self._layer = {name: parse_color(color) for name, color in colors.items()}

    def keep(self, names: Iterable[str] | None = None) -> None:
        """Keep the colours of names, or of all that are shown, for when they come back."""
        for name in sorted(self._shown if names is None else names):
            self._kept.pop(name, None)
            self._kept[name] = self._shown[name]
        for name in list(self._kept)[:-MAX_KEPT]:
            del self._kept[name]

    def rename(self, old: str, new: str) -> None:
        """Let a class have its colour under another name, unless that name has one."""
        if old in self._shown and new not in self._kept | self._layer:
            self._shown[new] = self._shown.pop(old)

    def settle(self, entries: Sequence[Entry]) -> None:
        """Choose the colours of all rows."""
        items = [_item(entry) for entry in entries]
        classes = {item.name for item in items if not item.background}
        plain = sorted(classes - {item.name for item in items if item.color is not None})
        typed_over = {name for entry in entries for name in entry.former}
        self.keep(self._shown.keys() - typed_over.union(plain))
        away = {color for name, color in self._layer.items() if name not in classes}
        again = {name: self._shown[name] for name in plain if name in self._shown}
        used = away.union(again.values())
        for name in plain:
            color = self._known(name)
            if name not in again and color is not None and color not in used:
                again[name] = color
                used.add(color)
        colors = class_colors(items, again, away)
        found = dict(zip((item.name for item in items), colors, strict=True))
        self._shown = {name: found[name] for name in plain}
        self._there = {item.name for item in items}
        self._rows = {e.key: hex_color(c) for e, c in zip(entries, colors, strict=True)}

    def _known(self, name: str) -> Color | None:
        """Return the colour that a name has had; of one that comes, that in the layer."""
        kept = self._kept.get(name)
        return kept if name in self._there else self._layer.get(name, kept)


def _item(entry: Entry) -> ClassPrompt:
    """Return the class of a row; without a sound name it takes what is left, as a background."""
    if entry.name:
        with contextlib.suppress(ClassesError):
            return ClassPrompt(entry.name, background=entry.background, color=entry.color)
    return ClassPrompt(f"\0{entry.key}", background=True, color=entry.color)


class IdBook:
    """Gives ids to rows, so that those that a layer knows keep their meaning.

    Within this class an id is "painted" if the layer knows it. A row has a painted id and
    another name than the layer only until the layer can be told: two classes may not have one
    name there. Painted ids that are "vacant" have no pixel and no row: any row may have them.
    """

    def __init__(self) -> None:
        self._painted: dict[str, int] = {}
        self._present: frozenset[int] = frozenset()
        self._vacant: frozenset[int] = frozenset()

    def adopt(
        self, entries: Sequence[Entry], ids: Mapping[str, int], *, again: bool = False
    ) -> None:
        """Let a layer's names and ids hold; all rows without one get a new id.

        Where they held before (`again`), rows that it does not know yet keep the id that a
        person may have painted with already.
        """
        self._painted = {name: number for name, number in ids.items() if number > 0}
        if not again:
            self._present = self._vacant = frozenset()
        held = set(self._painted.values()) - self._vacant
        for entry in entries:
            if not again or entry.own_id in held:
                entry.own_id = None
        self.settle(entries)

    def reserve(
        self, entries: Sequence[Entry], present: Iterable[int], vacant: Iterable[int]
    ) -> None:
        """Give rows that are new vacant ids first, and none of those that pixels have."""
        self._present = frozenset(present)
        before, self._vacant = self._vacant, frozenset(vacant) & set(self._painted.values())
        names = {number: name for name, number in self._painted.items()}
        for entry in entries:
            back = entry.own_id in before - self._vacant  # as a step was undone
            if back and entry.own_id in names and names[entry.own_id] != entry.name:
                entry.own_id = None

    def release(self, entry: Entry) -> None:
        """Take back a painted id from a row whose name was typed over."""
        if entry.own_id in self._painted.values() and self._painted.get(entry.name) != entry.own_id:
            entry.own_id = None

    def owns(self, entry: Entry) -> bool:
        """Whether the layer knows the row's id, and for pixels."""
        return entry.own_id not in self._vacant and entry.own_id in self._painted.values()

    def knows(self, name: str) -> bool:
        """Whether the layer has a class of this name."""
        return name in self._painted

    def settle(self, entries: Sequence[Entry]) -> None:
        """Give back painted ids to the names that have them, and new ids to rows without one."""
        held = {entry.own_id for entry in entries}
        for entry in entries:
            painted = self._painted.get(entry.name)
            if painted is not None and painted not in held:
                entry.own_id = painted
                held.add(painted)
                self._vacant -= {painted}
        for entry in entries:
            if entry.own_id is None and not entry.background:
                taken = {e.own_id or 0 for e in entries} | set(self._painted.values())
                taken |= self._present
                vacant = self._vacant - {e.own_id for e in entries} - self._present
                entry.own_id = min(vacant, default=max(taken) + 1)
                if entry.own_id > BYTE:  # the layer could not hold it
                    entry.own_id = next(k for k in count(1) if k not in taken)

    def reconcile(self, entries: Sequence[Entry]) -> Iterator[tuple[str, str]]:
        """Yield the old and new name of what the layer must rename to agree with the rows.

        A row that took a name which the layer has for another id takes that id instead.
        """
        counts = Counter(entry.name for entry in entries)
        names = {k: name for name, k in self._painted.items() if k not in self._vacant}
        waiting = [
            entry
            for entry in entries
            if entry.own_id in names
            and names[entry.own_id] != entry.name
            and entry.name
            and counts[entry.name] == 1
        ]
        while told := next((e for e in waiting if e.name not in self._painted), None):
            waiting.remove(told)
            assert told.own_id is not None
            del self._painted[names[told.own_id]]
            self._painted[told.name] = told.own_id
            yield names[told.own_id], told.name
        self._swap(entries, waiting)

    def _swap(self, entries: Sequence[Entry], waiting: list[Entry]) -> None:
        while True:
            held = {e.own_id for e in entries if not any(e is w for w in waiting)}
            possible = [e for e in waiting if self._painted[e.name] not in held]
            if len(possible) == len(waiting):
                break
            waiting = possible
        for entry in waiting:
            entry.own_id = self._painted[entry.name]

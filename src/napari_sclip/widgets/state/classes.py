"""The classes that a person wants to see labelled: a line of text and a table, in step."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TypedDict, Unpack

from psygnal import Signal

from napari_sclip.colors import hex_color, parse_color
from napari_sclip.prompts import ClassPrompt, is_background_name, parse_classes, split_classes
from napari_sclip.widgets.state.classes_rows import (
    ClassRow,
    ColorBook,
    Entry,
    IdBook,
    find_problems,
    format_line,
    match,
)

__all__ = ["ClassRow", "ClassTable", "RowChanges"]

EMPTY = "Type what you want to see labelled, for example 'cat, grass'."
ONLY_BACKGROUND = "Add a class besides the background."
LOOK = frozenset({"color", "visible"})


class RowChanges(TypedDict, total=False):
    """What `ClassTable.set` can change of a row."""

    name: str
    prompts: Sequence[str]
    color: str | None
    background: bool
    visible: bool


class ClassTable:
    """Classes with an identity, a label id and a look each; made from text or row by row.

    The background has id 0. Every other row gets the next free id when it is made, and keeps
    it wherever it is moved. Ids that a Labels layer knows (see `adopt`) belong to its names:
    typing another name in the line gives the row a new id, typing the old one gives the old
    id back, and a name changed in the table takes the id with it.

    A class without a colour of its own keeps the one that it was shown in, see `ColorBook`.
    """

    changed = Signal()
    """Anything changed; once for each action of a person."""

    look_changed = Signal()
    """Only colours or visibility changed; `changed` follows."""

    renamed = Signal(str, str)
    """Old and new name of a class that was renamed in the table; `changed` follows."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._keys = itertools.count(1)
        self._ids = IdBook()
        self._colors = ColorBook()
        self._typed: str | None = None
        self._shown = self._snapshot()

    @property
    def rows(self) -> tuple[ClassRow, ...]:
        """The classes, in the order shown."""
        return self._shown[0]

    @property
    def text(self) -> str:
        """The line as it was typed or, if the table was edited since, as the rows make it."""
        return self._shown[1]

    @property
    def text_is_summary(self) -> bool:
        """Whether the line cannot hold a name (with a comma, say), so that `text` only lists."""
        return self._typed is None and not format_line(self._entries)[1]

    def set_text(self, text: str) -> None:
        """Read a line that may still be being typed.

        A part that names a row stands for that row. A part without a row of its name stands
        for the row at the same position, if no other part does: its name is being typed.
        Prompts are those of the text; those that the line cannot show (with a comma, say) stay.
        """
        if text == self.text:
            return
        parts = split_classes(text)
        entries = []
        for part, known in zip(parts, match(self._entries, parts), strict=True):
            entry = known or self._new_entry()
            before = entry.name
            entry.retype(part)
            if entry.name != before:
                self._ids.release(entry)
            entries.append(entry)
        self._entries = entries
        self._typed = text
        self._finish()

    def add(self, name: str = "", *, at: int | None = None) -> int:
        """Add a row, at the end or before another position, and return its key."""
        entry = self._new_entry(name=_cleaned(name))
        self._entries.insert(len(self._entries) if at is None else at, entry)
        self._finish_table()
        return entry.key

    def remove(self, keys: Iterable[int]) -> None:
        """Remove rows; the others keep their ids."""
        gone = set(keys)
        self._entries = [entry for entry in self._entries if entry.key not in gone]
        self._finish_table()

    def move(self, key: int, position: int) -> None:
        """Move a row to a position, counted without it; the nearest one if there is none."""
        entry = self._entry(key)
        self._entries.remove(entry)
        self._entries.insert(min(max(position, 0), len(self._entries)), entry)
        self._finish_table()

    def shift(self, keys: Collection[int], step: int) -> None:
        """Move rows by one position, up (-1) or down (1); those at the end stay."""
        order = self._entries if step < 0 else self._entries[::-1]
        for k in range(1, len(order)):
            if order[k].key in keys and order[k - 1].key not in keys:
                order[k - 1 : k + 1] = order[k], order[k - 1]
        self._entries = order if step < 0 else order[::-1]
        self._finish_table()

    def set(self, key: int, **changes: Unpack[RowChanges]) -> None:
        """Change fields of a row.

        Raises
        ------
        ClassesError
            If the colour cannot be read.
        """
        entry = self._entry(key)
        if "color" in changes:
            color = changes["color"]
            entry.color = None if color is None else hex_color(parse_color(color))
        entry.visible = changes.get("visible", entry.visible)
        if "prompts" in changes:
            phrases = (_cleaned(phrase) for phrase in changes["prompts"])
            entry.prompts = tuple(dict.fromkeys(phrase for phrase in phrases if phrase))
            entry.typed = None
        renames = []
        if "name" in changes:
            renames = self._rename(entry, _cleaned(changes["name"]))
        if "background" in changes:
            entry.marked = changes["background"] and not is_background_name(entry.name)
        if changes.keys() & {"name", "background"} and entry.background:
            self._unmark_others(entry)
        if changes.keys() & {"name", "prompts"}:
            self._typed = None
        self._finish(look=changes.keys() <= LOOK, renames=renames)

    def clear(self) -> None:
        """Remove all rows."""
        self.remove([entry.key for entry in self._entries])

    def replace(self, classes: Sequence[ClassPrompt], hidden: Collection[str] = ()) -> None:
        """Show other classes instead, as of a preset, a suggestion or the last session."""
        self._entries = [
            self._new_entry(
                name=item.name,
                prompts=() if item.prompts == (item.name,) else item.prompts,
                color=None if item.color is None else hex_color(parse_color(item.color)),
                marked=item.background and not is_background_name(item.name),
                visible=item.name not in hidden,
            )
            for item in classes
        ]
        self._finish_table()

    def problems(self) -> dict[int, dict[str, str]]:
        """Tell what is wrong: key of the row, field, reason."""
        return find_problems(self._entries)

    def why_not(self) -> str | None:
        """Return the first reason why these classes cannot be segmented, or None."""
        if not self._entries:
            return EMPTY
        for reasons in self.problems().values():
            return next(iter(reasons.values()))
        if all(entry.background for entry in self._entries):
            return ONLY_BACKGROUND
        return None

    def classes(self) -> tuple[ClassPrompt, ...]:
        """Return the classes.

        Raises
        ------
        ClassesError
            If there is a reason not to, as in `parse_classes`.
        """
        return parse_classes([entry.item for entry in self._entries])

    def ids(self) -> tuple[int, ...]:
        """Label ids of the classes, in the same order."""
        return tuple(row.id for row in self.rows)

    def colors(self) -> dict[int, str]:
        """Return the colour that each row is shown in, ``#rrggbb``, by its key."""
        return self._colors.rows

    def kept_colors(self) -> dict[str, str]:
        """Return colours chosen by name, ``#rrggbb``, of classes that are or were in the table."""
        return self._colors.kept

    def recall_colors(self, kept: Mapping[str, str]) -> None:
        """Take over what `kept_colors` returned on another day, for classes that come."""
        self._colors.recall(kept)

    def keep_colors(self) -> None:
        """Let the names that are there keep their colours, even if they are typed over now."""
        self._colors.keep()

    def adopt_colors(self, colors: Mapping[str, str]) -> None:
        """Let the colours in which a Labels layer shows its classes hold from now on.

        Classes that come have the colour that the layer has for them, and none that it has for
        a class that is not in the table.
        """
        self._colors.adopt(colors)

    def hidden(self) -> frozenset[str]:
        """Names of the classes that are not visible."""
        return frozenset(entry.name for entry in self._entries if not entry.visible)

    def adopt(self, ids: Mapping[str, int], *, again: bool = False) -> None:
        """Let the names and ids of a Labels layer hold from now on.

        Rows of these names take these ids; all others get new ones above them.

        Parameters
        ----------
        ids : mapping of str to int
            Empty for a new layer.
        again : bool
            Whether it is the layer that holds already: then rows that it does not know keep the
            ids that they have.
        """
        if not again:
            self._colors.adopt({})
        self._ids.adopt(self._entries, ids, again=again)
        self._finish()

    def reserve(self, present: Iterable[int], vacant: Iterable[int] = ()) -> None:
        """Tell which ids rows that are new may have.

        Parameters
        ----------
        present : iterable of int
            Ids that are painted in the Labels layer, with or without a name: the highest, or
            all where that is 255 or more. No row gets one of them, nor another one below the
            highest if that can be.
        vacant : iterable of int
            Ids of classes that the layer knows and the table does not have, and that no pixel
            has: rows that are new get these first.
        """
        self._ids.reserve(self._entries, present, vacant)
        self._finish()

    def _entry(self, key: int) -> Entry:
        return next(entry for entry in self._entries if entry.key == key)

    def _new_entry(
        self,
        name: str = "",
        prompts: tuple[str, ...] = (),
        color: str | None = None,
        marked: bool = False,
        visible: bool = True,
    ) -> Entry:
        return Entry(next(self._keys), name, prompts, color, marked, visible)

    def _rename(self, entry: Entry, name: str) -> list[tuple[str, str]]:
        """Change a name and return what the listeners must be told of it."""
        old = entry.name
        entry.marked = entry.background and not is_background_name(name)
        entry.name, entry.typed = name, None
        entry.former.clear()
        others = {e.name for e in self._entries if e is not entry}
        # Of an id that a layer knows, the book tells when the layer can take the name.
        unknown = not self._ids.owns(entry) and not self._ids.knows(old)
        sound = old and name and old != name and not {old, name} & others
        if sound and not entry.background:
            self._colors.rename(old, name)
        return [(old, name)] if unknown and sound else []

    def _unmark_others(self, entry: Entry) -> None:
        for other in self._entries:
            other.marked = other.marked and other is entry

    def _finish_table(self) -> None:
        self._typed = None
        self._finish()

    def _finish(self, *, look: bool = False, renames: Iterable[tuple[str, str]] = ()) -> None:
        self._ids.settle(self._entries)
        self._colors.settle(self._entries)
        renames = [*renames, *self._ids.reconcile(self._entries)]
        before, self._shown = self._shown, self._snapshot()
        if self._shown == before:
            return
        for old, new in renames:
            self.renamed.emit(old, new)
        if look:
            self.look_changed.emit()
        self.changed.emit()

    def _snapshot(self) -> tuple[tuple[ClassRow, ...], str]:
        text = format_line(self._entries)[0] if self._typed is None else self._typed
        return tuple(entry.row for entry in self._entries), text


def _cleaned(text: str) -> str:
    return " ".join(text.split())

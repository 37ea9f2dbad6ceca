"""The colours that classes are shown in, and keep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence

from napari_sclip.colors import Color, hex_color, parse_color
from napari_sclip.errors import ClassesError
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.classes_rows import Entry

MAX_KEPT = 500
MAX_NAME = 100
"""Longer names are not written: the file of settings stays small whatever is in it."""


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

"""Colours of classes: told apart by the colour-blind, and the same for a name every day."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from napari_sclip.colors import Color, parse_color

if TYPE_CHECKING:
    from napari_sclip.prompts import ClassPrompt


# Okabe & Ito (2008) without black, then Paul Tol's "muted" (2021) where it adds a hue.
COLORBLIND_PALETTE = (
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#cc79a7",
    "#882255",
    "#44aa99",
    "#999933",
    "#332288",
    "#ddcc77",
)


@functools.cache
def shades() -> tuple[tuple[Color, ...], ...]:
    """Return the palette, a lighter one and a darker one, red, green and blue in 0..255."""
    palette = tuple(parse_color(c) for c in COLORBLIND_PALETTE)
    return palette, _mixed(palette, 255), _mixed(palette, 0)


def class_colors(
    classes: Sequence[ClassPrompt],
    kept: Mapping[str, Color] | None = None,
    taken: Collection[Color] = (),
) -> tuple[Color, ...]:
    """Choose the colour of each class.

    A class without a colour of its own takes the palette's entry that its name hashes to, or
    the next free one. An entry goes to the class whose name is the fewest entries away from it
    and, among equals, to the first in the alphabet: the order of the classes does not matter.
    When all are taken, lighter and then darker shades of them follow; only beyond those do
    colours occur twice. The background, which viewers show clear, takes what the others leave.

    Parameters
    ----------
    classes : sequence of ClassPrompt
        The classes, names unique.
    kept : mapping of str to (int, int, int), optional
        Colours that classes have had, by name. They have them again, unless one is another
        class's own.
    taken : collection of (int, int, int), optional
        Colours that are chosen by name only when no other is free.

    Returns
    -------
    tuple of (int, int, int)
        One colour a class, red, green and blue in 0..255.
    """
    found = {c.name: parse_color(c.color) for c in classes if c.color is not None}
    chosen = set(found.values())
    again = {name: color for name, color in (kept or {}).items() if color not in chosen}
    found |= {c.name: again[c.name] for c in classes if c.name in again.keys() - found.keys()}
    for background in (False, True):
        names = {c.name for c in classes if c.background == background} - found.keys()
        found |= _choose_by_name(sorted(names), set(found.values()), set(taken))
    return tuple(found[c.name] for c in classes)


def _choose_by_name(names: Sequence[str], used: set[Color], taken: set[Color]) -> dict[str, Color]:
    turns = {name: _turns(name) for name in names}
    found: dict[str, Color] = {}
    # Colours that are taken have a second chance when nothing else is left.
    for avoided in (used | taken, used):
        for equally_far in zip(*turns.values(), strict=True):
            for name, color in zip(names, equally_far, strict=True):
                if name not in found and color not in avoided and color not in found.values():
                    found[name] = color
    return {name: found.get(name, turns[name][0]) for name in names}


def _turns(name: str) -> list[Color]:
    """All colours, in the order in which a class of this name wants them."""
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    return [p[(start + k) % len(p)] for p in shades() for k in range(len(p))]


def _mixed(palette: Sequence[Color], other: int) -> tuple[Color, ...]:
    return tuple(((r + other) // 2, (g + other) // 2, (b + other) // 2) for r, g, b in palette)

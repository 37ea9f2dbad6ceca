"""Colours of classes: told apart by the colour-blind, and the same for a name every day."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from napari_sclip.errors import ClassesError

if TYPE_CHECKING:
    from napari_sclip.prompts import ClassPrompt

Color: TypeAlias = tuple[int, int, int]
"""Red, green and blue in 0..255."""

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

ERROR_REDS = ((176, 0, 32), (255, 145, 135))
"""For what is wrong: one for light and one for dark surroundings."""


def parse_color(color: str) -> Color:
    """Read a colour.

    Parameters
    ----------
    color : str
        A colour name of CSS, ``#rgb`` or ``#rrggbb``.

    Returns
    -------
    tuple of int
        Red, green and blue, 0..255.

    Raises
    ------
    ClassesError
        If the colour cannot be read.
    """
    from PIL import ImageColor

    expected = f"Expected a colour name such as 'orange' or '#e69f00'; got {color!r}."
    try:
        red, green, blue = ImageColor.getrgb(color.strip())[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise ClassesError(expected) from error
    if not all(0 <= part <= 255 for part in (red, green, blue)):
        raise ClassesError(expected)  # Pillow lets rgb(300, 0, 0) pass
    return red, green, blue


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


def hex_color(color: Color) -> str:
    """Write red, green and blue in 0..255 as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def contrast(one: Color, other: Color) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2 defines it; text wants 4.5."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def error_color(background: Color) -> Color:
    """Choose the red that is read more easily on a background."""
    return max(ERROR_REDS, key=lambda red: contrast(red, background))


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


def _luminance(color: Color) -> float:
    parts = (part / 255 for part in color)
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mixed(palette: Sequence[Color], other: int) -> tuple[Color, ...]:
    return tuple(((r + other) // 2, (g + other) // 2, (b + other) // 2) for r, g, b in palette)

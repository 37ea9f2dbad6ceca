"""Colours of classes: told apart by the colour-blind, and the same for a name every day."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_sclip.errors import ClassesError

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

ERROR_REDS = ((176, 0, 32), (255, 145, 135))
"""For what is wrong: one for light and one for dark surroundings."""


def parse_color(color: str) -> tuple[int, int, int]:
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


def shades() -> tuple[tuple[tuple[int, int, int], ...], ...]:
    """Return the palette, a lighter one and a darker one, red, green and blue in 0..255."""
    palette = tuple(parse_color(c) for c in COLORBLIND_PALETTE)
    return palette, _mixed(palette, 255), _mixed(palette, 0)


def class_colors(classes: Sequence[ClassPrompt]) -> tuple[tuple[int, int, int], ...]:
    """Choose the colour of each class.

    A class without a colour of its own takes the palette's entry that its name hashes to,
    or the next free one where another class already took it. When all are taken, lighter and
    then darker shades of them follow; only beyond those do colours occur twice.

    Parameters
    ----------
    classes : sequence of ClassPrompt
        The classes, names unique.

    Returns
    -------
    tuple of (int, int, int)
        One colour a class, red, green and blue in 0..255.
    """
    own = {c.name: parse_color(c.color) for c in classes if c.color is not None}
    palettes = shades()
    taken = set(own.values())
    for item in classes:
        if item.name in own:
            continue
        start = int.from_bytes(hashlib.sha256(item.name.encode()).digest()[:4], "big")
        turns = [p[(start + k) % len(p)] for p in palettes for k in range(len(p))]
        own[item.name] = next((c for c in turns if c not in taken), turns[0])
        taken.add(own[item.name])
    return tuple(own[c.name] for c in classes)


def hex_color(color: tuple[int, int, int]) -> str:
    """Write red, green and blue in 0..255 as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*color)


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast of two colours, 1 to 21, as WCAG 2 defines it; text wants 4.5."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def error_color(background: tuple[int, int, int]) -> tuple[int, int, int]:
    """Choose the red that is read more easily on a background."""
    return max(ERROR_REDS, key=lambda red: contrast(red, background))


def _luminance(color: tuple[int, int, int]) -> float:
    parts = (part / 255 for part in color)
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _mixed(palette: Sequence[tuple[int, int, int]], other: int) -> tuple[tuple[int, int, int], ...]:
    return tuple(((r + other) // 2, (g + other) // 2, (b + other) // 2) for r, g, b in palette)

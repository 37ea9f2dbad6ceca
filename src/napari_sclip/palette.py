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

    try:
        red, green, blue = ImageColor.getrgb(color)[:3]
    except (ValueError, AttributeError, TypeError) as error:
        raise ClassesError(
            f"Expected a colour name such as 'orange' or '#e69f00'; got {color!r}."
        ) from error
    return red, green, blue


def class_colors(classes: Sequence[ClassPrompt]) -> tuple[tuple[int, int, int], ...]:
    """Choose the colour of each class.

    A class without a colour of its own takes the palette's entry that its name hashes to,
    or the next free one where another class already took it.

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
    palette = [parse_color(c) for c in COLORBLIND_PALETTE]
    taken = set(own.values())
    for item in classes:
        if item.name in own:
            continue
        start = int.from_bytes(hashlib.sha256(item.name.encode()).digest()[:4], "big")
        turns = [palette[(start + k) % len(palette)] for k in range(len(palette))]
        own[item.name] = next((c for c in turns if c not in taken), turns[0])
        taken.add(own[item.name])
    return tuple(own[c.name] for c in classes)

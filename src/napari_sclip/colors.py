"""Colours as people write them, and how well one is read on another."""

from __future__ import annotations

from typing import TypeAlias

from napari_sclip.errors import ClassesError

Color: TypeAlias = tuple[int, int, int]
"""Red, green and blue in 0..255."""


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


def _luminance(color: Color) -> float:
    parts = (part / 255 for part in color)
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

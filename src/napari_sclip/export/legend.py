"""The strip under an overlay that says which colour is which class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_sclip.prompts import ClassPrompt, label_ids

PAPER = (255, 255, 255)
INK = (25, 25, 25)
FAINT = (150, 150, 150)
SMALLEST_WIDTH = 240
MOST_ABSENT = 24

# Pillow's own font knows little more than ASCII; these are looked for on the system.
WIDE_FONTS = (
    "DejaVuSans.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSans-Regular.ttf",
    "Arial Unicode.ttf",
    "arialuni.ttf",
    "msyh.ttc",
    "arial.ttf",
)


@dataclass(frozen=True)
class _Entry:
    text: str
    color: tuple[int, int, int]
    hollow: bool
    found: bool


def draw_legend(
    classes: Sequence[ClassPrompt],
    colors: Sequence[tuple[int, int, int]],
    present: set[int],
    width: int,
) -> NDArray[np.uint8]:
    """Draw one swatch and name a class, in rows.

    Classes that were found come first. The others are written in grey, and left out where
    there are many. The background's swatch is hollow: its pixels are not tinted.

    Parameters
    ----------
    classes : sequence of ClassPrompt
        The classes.
    colors : sequence of (int, int, int)
        Their colours, 0..255.
    present : set of int
        Ids that occur in the labels.
    width : int
        Width of the picture above, in pixels.

    Returns
    -------
    (h, w, 3) uint8 array
        `w` is `width`, or 240 if that is more.
    """
    entries = _entries(classes, colors, present)
    width = max(width, SMALLEST_WIDTH)
    size = int(np.clip(width // 34, 15, 40))
    font = _font_for("".join(e.text for e in entries), size)
    row, gap = int(size * 1.7), size // 2
    x, y = gap, gap
    places: list[tuple[int, int, str]] = []
    for entry in entries:
        text = _shortened(entry.text, font, width - 2 * gap - 2 * size)
        length = int(1.5 * size + font.getlength(text)) + 1
        if x > gap and x + length + gap > width:
            x, y = gap, y + row
        places.append((x, y, text))
        x += length + size
    strip = Image.new("RGB", (width, y + row + gap // 2), PAPER)
    draw = ImageDraw.Draw(strip)
    for entry, (left, top, text) in zip(entries, places, strict=True):
        box = (left, top + size // 8, left + size, top + size // 8 + size)
        ink = INK if entry.found else FAINT
        draw.rectangle(box, fill=PAPER if entry.hollow else entry.color, outline=ink)
        middle = (box[1] + box[3]) / 2
        draw.text((left + 1.5 * size, middle), text, fill=ink, font=font, anchor="lm")
    return np.asarray(strip)


def _entries(
    classes: Sequence[ClassPrompt], colors: Sequence[tuple[int, int, int]], present: set[int]
) -> list[_Entry]:
    rows = zip(classes, colors, label_ids(classes), strict=True)
    entries = [_Entry(c.name, color, k == 0, k in present) for c, color, k in rows]
    absent = [e for e in entries if not e.found]
    if len(entries) > MOST_ABSENT:
        absent = []
    return [e for e in entries if e.found] + absent


def _font_for(text: str, size: int) -> Any:  # noqa: ANN401 - one of Pillow's font classes
    if not text.isascii():
        for name in WIDE_FONTS:
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                continue
    return ImageFont.load_default(size)


def _shortened(text: str, font: Any, room: float) -> str:  # noqa: ANN401
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}...") > room:
        text = text[:-1]
    return f"{text.rstrip()}..."

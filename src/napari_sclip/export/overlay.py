"""The image with the classes' colours over it and their names below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from napari_sclip.errors import OutputError
from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem, shown_colors
from napari_sclip.prompts import ClassPrompt, label_ids

SMALLEST_SIDE = 512
LARGEST_SIDE = 2048
OPACITY = 0.55
FADING = 0.85
"""Share of grey in the image: its own colours must not pass for those of classes."""

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


def draw_overlay(
    image: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[ClassPrompt],
    *,
    opacity: float = OPACITY,
) -> NDArray[np.uint8]:
    """Blend an image with the colours of its classes, outline them, and add a legend.

    Small images are enlarged by a whole factor (longer side up to 512 pixels), large ones
    reduced by one (down to 2048). The image's own colours are
    faded; pixels of id 0 are not tinted.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) array
        Images other than uint8 are shown from their smallest to their largest finite value;
        an alpha channel is left out.
    labels : (H, W) unsigned int array
        Ids.
    classes : sequence of ClassPrompt
        The classes.
    opacity : float
        Share (0..1) of a class's colour in its pixels.

    Returns
    -------
    (h, w, 3) uint8 array
        The picture, legend included.
    """
    picture, ids = _to_display_size(_to_uint8_rgb(image), np.asarray(labels))
    colors = shown_colors(classes)
    table = np.zeros((int(ids.max(initial=0)) + 1, 3), dtype=np.float32)
    for k, color in zip(label_ids(classes), colors, strict=True):
        if 0 < k < len(table):
            table[k] = color
    weight = np.where(_outlines(ids), 1.0, opacity).astype(np.float32)
    weight[ids == 0] = 0.0
    grey = picture.mean(axis=2, keepdims=True)
    blended = picture + FADING * (grey - picture)
    blended += weight[..., None] * (table[ids] - blended)
    present = set(np.unique(labels).tolist())
    legend = draw_legend(classes, colors, present, picture.shape[1])
    body = np.full((picture.shape[0], legend.shape[1], 3), legend[0, 0], dtype=np.uint8)
    body[:, : picture.shape[1]] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
    return np.concatenate([body, legend])


def write_overlay(
    path: Path,
    image: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[ClassPrompt],
    *,
    overwrite: bool = False,
) -> None:
    """Write `draw_overlay` as a PNG.

    Parameters
    ----------
    path : Path
        The file.
    image, labels, classes
        As for `draw_overlay`.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    picture = Image.fromarray(draw_overlay(image, labels, classes))
    with output_file(path, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")


def _to_uint8_rgb(image: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.asarray(image)
    values = values[..., :3] if values.ndim == 3 else values[..., None]
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    if values.dtype != np.uint8:
        shown = values.astype(np.float32)
        finite = np.isfinite(shown)
        low, high = (
            (float(shown[finite].min()), float(shown[finite].max())) if finite.any() else (0.0, 0.0)
        )
        span = high - low if high > low else 1.0
        shown = (np.where(finite, shown, np.float32(low)) - np.float32(low)) / np.float32(span)
        values = (np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.broadcast_to(values, (*values.shape[:2], 3))


def _to_display_size(
    picture: NDArray[np.uint8], ids: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    longer = max(ids.shape)
    if longer > LARGEST_SIDE:
        step = -(-longer // LARGEST_SIDE)
        reduced = Image.fromarray(np.ascontiguousarray(picture)).reduce(step)
        return np.asarray(reduced, dtype=np.float32), ids[::step, ::step]
    factor = max(1, SMALLEST_SIDE // longer)
    larger = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    return larger.astype(np.float32), ids.repeat(factor, axis=0).repeat(factor, axis=1)


def _outlines(ids: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the pixels that are near another class."""
    edge = np.zeros(ids.shape, dtype=np.bool_)
    for reach in range(1, 1 + max(1, max(ids.shape) // 500)):
        across, down = ids[:, reach:] != ids[:, :-reach], ids[reach:] != ids[:-reach]
        edge[:, reach:] |= across
        edge[:, :-reach] |= across
        edge[reach:] |= down
        edge[:-reach] |= down
    return edge


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


def _write(path: Path, item: ExportItem, *, overwrite: bool) -> None:
    image = item.fitting_image
    if image is None:
        raise OutputError(
            f"Cannot write {path}: an overlay needs the image, with a pixel for each of the "
            "labels. Give the image as well."
        )
    write_overlay(path, image, item.counted(), item.prompts, overwrite=overwrite)


FORMAT = ExportFormat(
    name="overlay",
    order=2,
    summary="the image with the classes' colours over it and their names below (PNG)",
    default=True,
    ending=lambda classes: "_overlay.png",
    write=_write,
)

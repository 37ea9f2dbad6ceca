"""Pascal VOC: a PNG of class numbers in VOC's own palette, and a text that names them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.shared import SharedList
from napari_sclip.prompts import is_background_name

LABELMAP_FILE = "labelmap.txt"
MOST_CLASSES = 254
"""Number 0 is the background, and 255 stays free: it marks the pixels that do not count."""


_ROW = re.compile(r"(.*?)\s*:\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*(?::.*)?")


def voc_palette() -> list[tuple[int, int, int]]:
    """Return the 256 colours of Pascal VOC: the bits of a number, spread over three channels."""
    colors = []
    for number in range(256):
        parts = [0, 0, 0]
        for place in range(8):
            for channel in range(3):
                parts[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
        colors.append((parts[0], parts[1], parts[2]))
    return colors


def read_labelmap(text: str) -> list[str]:
    """Read the names of a labelmap.txt whose colours are those of VOC's palette, row by row.

    A number in a mask stands both for a row and for a colour. Where the two disagree, as in a map
    with colours of its own, readers understand the same mask differently, so that is refused.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Without the background.

    Raises
    ------
    ValueError
        If it is another text; says what was expected and what came.
    """
    palette = voc_palette()
    names: list[str] = []
    for k, line in enumerate(text.splitlines(), start=1):
        row = _ROW.fullmatch(line.strip())
        if row is None and (not line.strip() or line.startswith("#")):
            continue
        expected = palette[len(names)] if len(names) <= MOST_CLASSES else ()
        if row is None or tuple(int(part) for part in row.groups()[1:]) != expected:
            raise ValueError(
                f"expected colour {','.join(str(part) for part in expected) or 'of no class'} of "
                f"VOC's palette in line {k}; got {line!r}"
            )
        if not names and not is_background_name(row[1]):
            raise ValueError(f"expected the background first, in line {k}; got {line!r}")
        names.append(row[1])
    if not names:
        raise ValueError("expected a line for the background; got none")
    return names[1:]


def extend_labelmap(text: str, new: Sequence[str]) -> str:
    """Add names at the end of a labelmap.txt, in the colours of the palette that follow.

    Parameters
    ----------
    text : str
        What `read_labelmap` reads.
    new : sequence of str
    """
    colors = voc_palette()[len(read_labelmap(text)) + 1 :]
    before = text if text.endswith("\n") else f"{text}\n"
    return before + "".join(
        f"{name}:{','.join(str(part) for part in color)}::\n"
        for name, color in zip(new, colors, strict=False)
    )


def read_labelmap_colors(path: Path) -> dict[tuple[int, int, int], str]:
    """Read which colour is which class, or nothing where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    named: dict[tuple[int, int, int], str] = {}
    for line in lines:
        name, _, rest = line.partition(":")
        parts = rest.partition(":")[0].split(",")
        if not line.startswith("#") and len(parts) == 3 and all(p.strip().isdigit() for p in parts):
            red, green, blue = (int(p) for p in parts)
            named[red, green, blue] = name
    return named


def _plain(name: str) -> str:
    """Take colons out of a name: they separate the columns."""
    return name.replace(":", "-")


LABELMAP = SharedList(
    file=LABELMAP_FILE,
    first=1,
    read=read_labelmap,
    extend=extend_labelmap,
    empty="# label:color_rgb:parts:actions\nbackground:0,0,0::\n",
    plain=_plain,
    most=MOST_CLASSES,
)


def _write(path: Path, item: ExportItem, *, overwrite: bool, numbers: Mapping[int, int]) -> None:
    from PIL import Image

    table = np.array([0, *(numbers[row.id] for row in item.objects)], dtype=np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(table[item.counted()]))
    picture.putpalette([part for color in voc_palette() for part in color])
    with output_file(path, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")


FORMAT = ExportFormat(
    name="voc",
    order=8,
    summary="class numbers in the palette of Pascal VOC (PNG), with the names in labelmap.txt",
    default=False,
    ending=lambda classes: "_voc.png",
    write=_write,
    title="Pascal VOC mask",
    suffixes=(".png",),
    shared=LABELMAP,
)

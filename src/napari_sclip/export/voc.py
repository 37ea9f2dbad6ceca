"""Pascal VOC: a PNG of class numbers in VOC's own palette, and a text that names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.item import ExportItem

LABELMAP_FILE = "labelmap.txt"
MOST_CLASSES = 254
"""Number 0 is the background, and 255 stays free: it marks the pixels that do not count."""


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


def _labelmap(path: Path, item: ExportItem) -> Mapping[Path, str]:
    names = ["background", *(_plain(row.name) for row in item.objects)]
    lines = ["# label:color_rgb:parts:actions"]
    for name, color in zip(names, voc_palette(), strict=False):
        lines.append(f"{name}:{','.join(str(part) for part in color)}::")
    return {path.with_name(LABELMAP_FILE): "\n".join(lines) + "\n"}


def _plain(name: str) -> str:
    """Take colons out of a name: they separate the columns."""
    return name.replace(":", "-")


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    from PIL import Image

    if len(item.objects) > MOST_CLASSES:
        raise OutputError(
            f"Cannot write {path}: expected up to {MOST_CLASSES} classes; got "
            f"{len(item.objects)}. Choose TIFF, OME-Zarr or COCO."
        )
    picture = Image.fromarray(np.ascontiguousarray(item.counted(), dtype=np.uint8))
    picture.putpalette([part for color in voc_palette() for part in color])
    with output_file(path, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")


FORMAT = ExportFormat(
    name="voc",
    summary="class numbers in the palette of Pascal VOC (PNG), with the names in labelmap.txt",
    default=False,
    ending=lambda classes: "_voc.png",
    write=_write,
    title="Pascal VOC mask",
    suffixes=(".png",),
    shared=_labelmap,
)

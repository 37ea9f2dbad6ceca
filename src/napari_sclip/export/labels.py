"""Labels as a picture: an indexed PNG in the classes' colours, or a TIFF for many classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.ids import BLACK, shown_colors
from napari_sclip.export.item import ExportItem
from napari_sclip.export.tiff import write_tiff
from napari_sclip.prompts import ClassPrompt, label_ids

PNG_MAX_ID = 255
TIFF_MAX_ID = 65535


def labels_ending(classes: Sequence[ClassPrompt]) -> str:
    """Return what follows the image's name: a PNG up to id 255, a TIFF beyond."""
    return "_labels.png" if max(label_ids(classes)) <= PNG_MAX_ID else "_labels.tif"


def write_labels(
    path: Path,
    labels: NDArray[Any],
    classes: Sequence[ClassPrompt],
    *,
    ids: Sequence[int] = (),
    overwrite: bool = False,
) -> None:
    """Write labels so that the value of a pixel is the id of its class.

    Parameters
    ----------
    path : Path
        The file, named with `labels_ending`: an indexed PNG (uint8, with the classes' colours
        as its palette) for ids up to 255; for ids up to 65535 a grey PNG (uint16) where the name
        ends in ``.png``, else a TIFF.
    labels : (H, W) unsigned int array
        Ids.
    classes : sequence of ClassPrompt
        The classes, for the colours.
    ids : sequence of int
        Their ids; left empty, 0 for the background and the others counted from 1.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written, or an id is too large.
    """
    known = tuple(ids) or label_ids(classes)
    highest = max(max(known, default=0), int(labels.max(initial=0)))
    if highest > TIFF_MAX_ID:
        raise OutputError(f"Cannot write {path}: expected ids up to {TIFF_MAX_ID}; got {highest}.")
    if highest > PNG_MAX_ID and path.suffix.lower() != ".png":
        write_tiff(path, labels.astype(np.uint16), overwrite=overwrite)
        return
    from PIL import Image

    if highest > PNG_MAX_ID:
        picture = Image.fromarray(np.ascontiguousarray(labels, dtype=np.uint16))
    else:
        picture = Image.fromarray(np.ascontiguousarray(labels, dtype=np.uint8))
        picture.putpalette(_palette(dict(zip(known, shown_colors(classes), strict=True))))
    with output_file(path, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")


def _palette(colors: Mapping[int, tuple[int, int, int]]) -> bytes:
    return b"".join(bytes(colors.get(k, BLACK)) for k in range(PNG_MAX_ID + 1))


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    ids = [row.id for row in item.rows]
    write_labels(path, item.labels, item.prompts, ids=ids, overwrite=overwrite)


FORMAT = ExportFormat(
    name="labels",
    summary="ids of the classes, as a picture in their colours",
    default=True,
    ending=labels_ending,
    write=_write,
    title="indexed PNG, names in a JSON",
    suffixes=(".png",),
)

"""Labels as a picture: an indexed PNG in the classes' colours, or a TIFF for many classes.

Read are PNG and what else Pillow knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.colors import hex_color
from napari_sclip.errors import ImageError, OutputError
from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import BLACK, ExportItem, Mask, shown_colors
from napari_sclip.export.tiffs import write_tiff
from napari_sclip.export.voc import LABELMAP_FILE, read_labelmap_colors
from napari_sclip.prompts import ClassPrompt, is_background_name, label_ids

Color = tuple[int, int, int]

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


def read_picture_mask(path: Path, start: bytes = b"") -> Mask:
    """Read a picture of one plane: the numbers of an indexed or grey one are the ids.

    Colours are understood where a ``labelmap.txt`` lies beside the picture.

    Raises
    ------
    ImageError
        If it shows colours that are named nowhere.
    OSError, ValueError
        If it cannot be decoded.
    """
    from PIL import Image

    named = read_labelmap_colors(path.with_name(LABELMAP_FILE))
    with Image.open(path) as picture:
        if picture.mode == "P":
            labels = np.asarray(picture)
            colors = _palette_of(picture)
            classes = _named_by_color(named, colors)
            return Mask(labels, classes, colors={k: hex_color(c) for k, c in colors.items()})
        if picture.mode in ("1", "L") or picture.mode.startswith("I"):
            return Mask(np.asarray(picture))
        shown = np.asarray(picture.convert("RGB"))
    if not named:
        raise ImageError(
            f"Expected a mask, whose numbers are ids; {path} shows colours. Choose an indexed or "
            f"grey picture, or put a {LABELMAP_FILE} beside it that names the colours."
        )
    return _from_colors(shown, named, path)


def _palette_of(picture: Any) -> dict[int, Color]:  # noqa: ANN401 - Pillow's image
    values = list(picture.getpalette("RGB") or ())
    return {k: tuple(values[3 * k : 3 * k + 3]) for k in range(1, len(values) // 3)}


def _named_by_color(
    named: Mapping[Color, str], colors: Mapping[int, Color]
) -> tuple[tuple[int, ClassPrompt], ...]:
    """Name those numbers of a palette whose colour has a name; a name once only."""
    found: dict[str, tuple[int, ClassPrompt]] = {}
    for k, color in colors.items():
        name = " ".join(named.get(color, "").split())
        if name and name not in found and not is_background_name(name):
            found[name] = (k, ClassPrompt(name, color=hex_color(color)))
    return tuple(found.values())


def _from_colors(shown: NDArray[np.uint8], named: Mapping[Color, str], path: Path) -> Mask:
    packed = (shown.astype(np.int32) * np.array([1 << 16, 1 << 8, 1], dtype=np.int32)).sum(axis=2)
    labels = np.zeros(packed.shape, dtype=np.uint16)
    known = packed == 0
    classes: list[tuple[int, ClassPrompt]] = []
    for color, name in named.items():
        where = packed == (color[0] << 16 | color[1] << 8 | color[2])
        known |= where
        if not is_background_name(name):
            classes.append((len(classes) + 1, ClassPrompt(name, color=hex_color(color))))
            labels[where] = len(classes)
    if not known.all():
        y, x = np.argwhere(~known)[0]
        raise ImageError(
            f"Expected the colours that {LABELMAP_FILE} names; {path} has {tuple(shown[y, x])} as "
            "well. Add it there."
        )
    return Mask(labels, tuple(classes))


def _palette(colors: Mapping[int, tuple[int, int, int]]) -> bytes:
    return b"".join(bytes(colors.get(k, BLACK)) for k in range(PNG_MAX_ID + 1))


def _write(path: Path, item: ExportItem, *, overwrite: bool) -> None:
    ids = [row.id for row in item.rows]
    write_labels(path, item.labels, item.prompts, ids=ids, overwrite=overwrite)


FORMAT = ExportFormat(
    name="labels",
    order=0,
    summary="ids of the classes, as a picture in their colours",
    default=True,
    ending=labels_ending,
    write=_write,
    title="indexed PNG, names in a JSON",
    suffixes=(".png",),
    read=read_picture_mask,
)

"""YOLO segmentation: a line of text a connected region, and the classes' names in data.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.outlines import keyhole, trace_pieces
from napari_sclip.export.shared import SharedList, match_classes
from napari_sclip.export.yolo_names import extend_names, read_names

NAMES = SharedList(
    file="data.yaml",
    first=0,
    read=read_names,
    extend=extend_names,
    empty=(
        "# The images belong beside the text files, under the same names.\n"
        "train: .\nval: .\nnames: {}\n"
    ),
)


def yolo_lines(labels: NDArray[Any], numbers: Mapping[int, int]) -> list[str]:
    """Write each connected region as its class and the corners of its outline.

    Parameters
    ----------
    labels : (H, W) integer array
    numbers : mapping of int to int
        The class of each id, counted from 0.

    Returns
    -------
    list of str
        ``class x y x y ...``, shares of the width and the height. The format knows no holes: they
        are joined to the outline by bridges without width.
    """
    height, width = labels.shape
    across = [f"{x / width:.8g}" for x in range(width + 1)]
    down = [f"{y / height:.8g}" for y in range(height + 1)]
    lines = []
    for piece in trace_pieces(labels):
        shares = (share for x, y in keyhole(piece).tolist() for share in (across[x], down[y]))
        lines.append(" ".join([str(numbers[piece.id]), *shares]))
    return lines


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    lines = yolo_lines(item.labels, match_classes(NAMES, path, item).numbers)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


FORMAT = ExportFormat(
    name="yolo",
    summary="outlines as YOLO segmentation has them (text), with the names in data.yaml",
    default=False,
    ending=lambda classes: ".txt",
    write=_write,
    title="YOLO segmentation",
    suffixes=(".txt",),
    shared=NAMES,
)

"""COCO: one annotation a connected region, as a polygon, or as run lengths where it has holes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.colors import hex_color
from napari_sclip.export import rle
from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.outlines import Piece, trace_pieces
from napari_sclip.export.write import suffixed


def describe_coco(item: ExportItem, image_file: str = "image") -> dict[str, Any]:
    """Describe labels as COCO has them.

    Parameters
    ----------
    item : ExportItem
        Each plane of a stack becomes an image.
    image_file : str
        What the image is called if the item does not know.

    Returns
    -------
    dict
        ``images``, ``annotations`` and ``categories``. Category ids are the ids of the labels.
        Polygons go along the edges of the pixels; a region with holes has run lengths instead,
        with ``iscrowd`` 0 as well, because it is one thing.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, plane in enumerate(item.planes(), start=1):
        height, width = plane.item.labels.shape
        name = suffixed(Path(item.image_file or image_file), plane.suffix).name
        images.append({"id": number, "file_name": name, "height": height, "width": width})
        for annotation in _annotations(plane.item.labels):
            identity = {"id": len(annotations) + 1, "image_id": number}
            annotations.append(identity | annotation)
    return {
        "info": {"description": "labels of napari-sclip"},
        "licenses": [],
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": row.id, "name": row.name, "supercategory": "", "color": hex_color(row.color)}
            for row in item.objects
        ],
    }


def _annotations(labels: NDArray[Any]) -> Iterator[dict[str, Any]]:
    for piece in trace_pieces(labels):
        yield {
            "category_id": piece.id,
            "segmentation": _segmentation(piece, labels.shape),
            "area": piece.area,
            "bbox": list(piece.box),
            "iscrowd": 0,
        }


def _segmentation(piece: Piece, shape: tuple[int, ...]) -> list[list[int]] | dict[str, Any]:
    if not piece.holes:
        corners: list[int] = piece.outer.ravel().tolist()
        return [corners]
    left, top, width, height = piece.box
    mask = fill(piece, (height, width), (left, top))
    return {"size": list(shape), "counts": rle.encode(mask, top, left, (shape[0], shape[1]))}


def fill(piece: Piece, shape: tuple[int, int], corner: tuple[int, int]) -> NDArray[np.bool_]:
    """Fill the outlines of a piece.

    Parameters
    ----------
    piece : Piece
    shape : tuple of int
        Height and width of what is wanted.
    corner : tuple of int
        Its left and top.

    Returns
    -------
    (h, w) bool array
    """
    # Each upright side of an outline turns all pixels to its right.
    turns = np.zeros((shape[0] + 1, shape[1] + 1), dtype=np.int32)
    for ring in (piece.outer, *piece.holes):
        x, y = (ring - np.array(corner)).T
        down = np.roll(y, -1)
        upright = x == np.roll(x, -1)
        sign = np.where(y < down, -1, 1)[upright]
        np.add.at(turns, (np.minimum(y, down)[upright], x[upright]), sign)
        np.add.at(turns, (np.maximum(y, down)[upright], x[upright]), -sign)
    inside = turns.cumsum(axis=0).cumsum(axis=1)
    return np.asarray(inside[:-1, :-1] != 0)


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    text = json.dumps(describe_coco(item, f"{path.stem}.png"), ensure_ascii=False)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


FORMAT = ExportFormat(
    name="coco",
    summary="COCO annotations, one a connected region (JSON)",
    default=False,
    ending=lambda classes: "_coco.json",
    write=_write,
    title="COCO annotations",
    suffixes=(".json",),
    stacks=True,
)

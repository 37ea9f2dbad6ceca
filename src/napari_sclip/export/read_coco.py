"""A mask from a COCO JSON of one image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import ClassesError, ImageError
from napari_sclip.export import rle
from napari_sclip.export.ids import class_of_id
from napari_sclip.export.read_mask import Mask


def read_coco(path: Path) -> Mask:
    """Paint the annotations of a COCO JSON: the id of a pixel is that of its category.

    Where annotations overlap, the last one is seen.

    Raises
    ------
    ImageError
        If it is no COCO JSON, or has several images.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        images = values["images"]
        if len(images) != 1:
            raise ImageError(
                f"Expected a COCO JSON of one image; {path} has {len(images)}. Take one out."
            )
        shape = int(images[0]["height"]), int(images[0]["width"])
        columns = np.zeros(shape[::-1], dtype=np.int32)
        for annotation in values["annotations"]:
            _paint(columns, annotation["segmentation"], int(annotation["category_id"]))
        classes = tuple(
            (int(c["id"]), class_of_id(int(c["id"]), str(c["name"]), color=c.get("color")))
            for c in values["categories"]
            if int(c["id"]) != 0
        )
        image_file = str(images[0].get("file_name", ""))
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, ClassesError) as error:
        raise ImageError(
            f"Expected a COCO JSON of annotations; {path} holds something else."
        ) from error
    return Mask(np.ascontiguousarray(columns.T), classes, image_file=image_file)


def _paint(columns: NDArray[np.int32], segmentation: Any, number: int) -> None:  # noqa: ANN401
    """Paint one annotation into labels (W, H), whose columns come one after the other."""
    if isinstance(segmentation, dict):
        flat = columns.reshape(-1)
        for first, end in rle.decode(segmentation["counts"], columns.shape[::-1]):
            flat[first:end] = number
        return
    for polygon in segmentation:
        _paint_polygon(columns, np.array(polygon, dtype=float).reshape(-1, 2), number)


def _paint_polygon(columns: NDArray[np.int32], corners: NDArray[Any], number: int) -> None:
    from skimage.draw import polygon2mask

    if len(corners) < 3:
        return
    first = np.clip(np.floor(corners.min(axis=0)).astype(int), 0, columns.shape)
    end = np.clip(np.ceil(corners.max(axis=0)).astype(int), first, columns.shape)
    box = columns[first[0] : end[0], first[1] : end[1]]
    # A pixel belongs to a polygon where its centre lies in it.
    box[polygon2mask(box.shape, corners - first - 0.5)] = number

"""Masks from files, with the names and colours that lie beside them."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from napari_sclip.class_files import read_class_ids, read_image_name
from napari_sclip.errors import ClassesError, ImageError
from napari_sclip.export import EXPORT_FORMATS
from napari_sclip.export.formats import file_ending
from napari_sclip.export.item import AXES, Mask, count_ids
from napari_sclip.prompts import with_unknown

READABLE = "PNG, TIFF, .npy, OME-Zarr or a COCO JSON"
CLASSES_ENDING = "_classes.json"
MASK_ENDINGS = (".png", ".ome.tif", ".ome.tiff", ".tif", ".tiff", ".npy", ".ome.zarr", ".zarr")
MASK_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".bmp", ".gif", ".npy", ".zarr", ".json"})
"""Endings of files that may be read."""

START = 16
"""How many bytes at the beginning of a file its readers are told."""

_PLANE = re.compile(r"(_[tczyx]?\d+)+$")


def read_mask(path: Path) -> Mask:
    """Read a mask, and name its ids.

    Names and colours come from the JSON of classes beside it (``leaf_classes.json``, for
    ``leaf.png`` and ``leaf_labels.png``), from the file itself, or from ``labelmap.txt``; ids
    that are named nowhere are called "label 3".

    Parameters
    ----------
    path : Path
        PNG (indexed or grey), TIFF, ``.npy``, a folder of OME-Zarr, a COCO JSON of one image, or
        the JSON of classes of a mask.

    Raises
    ------
    ImageError
        If there is no such mask, or it cannot be read as one.
    ClassesError
        If what lies beside it is damaged.
    """
    if path.name.endswith(CLASSES_ENDING):
        found = mask_file_of(path)
        if found is None:
            raise ImageError(f"There is no mask beside {path}. Open the mask itself.")
        return read_mask(found)
    mask = _read(path)
    labels = mask.labels
    if labels.dtype == np.bool_:
        labels = labels.view(np.uint8)
    if labels.dtype.kind not in "iu" or labels.ndim < 2 or not labels.size:
        raise ImageError(
            f"Expected a mask of whole numbers with two or more axes; {path} holds "
            f"{labels.dtype} of shape {labels.shape}. Choose another file."
        )
    if int(labels.min()) < 0:
        raise ImageError(f"Expected ids of 0 or more; {path} has {int(labels.min())}.")
    beside = classes_file_of(path)
    known = mask.classes if beside is None else read_class_ids(beside)
    named = with_unknown(known, count_ids(labels), mask.colors)
    axes = mask.axes if set(mask.axes) <= set(AXES[-1]) else ""
    image_file = mask.image_file or ("" if beside is None else read_image_name(beside))
    return dataclasses.replace(
        mask, labels=labels, classes=tuple(named), axes=axes, image_file=image_file
    )


def classes_file_of(path: Path) -> Path | None:
    """Find the JSON of classes that belongs to a mask, or None."""
    stem = path.name.removesuffix(file_ending(path))
    stack = _PLANE.sub("", stem)
    stems = (stem, stem.removesuffix("_labels"), stack, stack.removesuffix("_labels"))
    candidates = (path.with_name(f"{s}{CLASSES_ENDING}") for s in dict.fromkeys(stems))
    return next((file for file in candidates if _is_ours(file)), None)


def mask_file_of(path: Path) -> Path | None:
    """Find the mask that a JSON of classes belongs to, or None if it is no such JSON."""
    if not path.name.endswith(CLASSES_ENDING) or not _is_ours(path):
        return None
    stem = path.name.removesuffix(CLASSES_ENDING)
    names = (f"{s}{ending}" for s in (f"{stem}_labels", stem) for ending in MASK_ENDINGS)
    return next((f for name in names if (f := path.with_name(name)).exists()), None)


def _is_ours(path: Path) -> bool:
    if not path.is_file():
        return False
    try:
        read_class_ids(path)
    except ClassesError:
        return False
    return True


def _read(path: Path) -> Mask:
    start = b""
    try:
        if not path.is_dir():
            with path.open("rb") as file:
                start = file.read(START)
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from error
    try:
        if path.suffix.lower() == ".npy" and start:
            return Mask(np.load(path, allow_pickle=False))
        # The first format is a picture's, which is taken to be what no other one knows.
        readers = [known.read for known in reversed(EXPORT_FORMATS) if known.read is not None]
        return next(mask for read in readers if (mask := read(path, start)) is not None)
    except (OSError, ValueError, SyntaxError, KeyError, IndexError, EOFError) as error:
        raise ImageError(f"{path} is damaged, or no mask that can be read ({READABLE}).") from error

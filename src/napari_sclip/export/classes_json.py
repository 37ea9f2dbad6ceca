"""What the ids in the labels mean, and how they came about, as JSON."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

from napari_sclip.class_files import MARK
from napari_sclip.colors import hex_color
from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem

PACKAGES = {"napari-sclip": "napari-sclip", "torch": "torch", "open_clip": "open_clip_torch"}


def describe(item: ExportItem) -> dict[str, Any]:
    """Describe a result in plain values that JSON can hold.

    Parameters
    ----------
    item : ExportItem
        The result.

    Returns
    -------
    dict
        ``classes`` (id, name, prompts, colour, background, pixel
        count, whether dropped for its small area), ``image``, ``model``,
        ``configuration`` and ``versions``.
    """
    image = item.image
    return {
        "format": MARK,
        "format_version": 1,
        "image": {
            "file": item.image_file,
            "shape": None if image is None else [int(n) for n in image.shape],
            "dtype": None if image is None else str(image.dtype),
        },
        "classes": [
            {
                "id": row.id,
                "name": row.name,
                "prompts": list(row.prompts),
                "color": hex_color(row.color),
                "background": row.background,
                "pixel_count": item.counts.get(row.id, 0),
                "dropped": row.name in item.dropped,
            }
            for row in item.rows
        ],
        "pixel_count_of_id_0": item.counts.get(0, 0),
        "model": dict(item.model),
        "configuration": dict(item.configuration),
        "versions": {name: version_of(package) for name, package in PACKAGES.items()},
    }


def write_classes_json(path: Path, item: ExportItem, *, overwrite: bool = False) -> None:
    """Write `describe` of a result.

    Parameters
    ----------
    path : Path
        The file.
    item : ExportItem
        The result.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    text = json.dumps(describe(item), indent=2, ensure_ascii=False)
    with output_file(path, overwrite=overwrite) as temporary:
        # Of a file name that is no Unicode text, JSON's own escapes keep the bytes.
        temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def version_of(package: str) -> str | None:
    """Return the version of an installed package, or None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


FORMAT = ExportFormat(
    name="classes",
    order=1,
    summary="what the ids mean and how they came about (JSON)",
    default=True,
    ending=lambda classes: "_classes.json",
    write=write_classes_json,
    stacks=True,
)

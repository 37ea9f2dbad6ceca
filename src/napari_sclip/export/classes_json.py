"""What the ids in the labels mean, and how they came about, as JSON."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.errors import ClassesError
from napari_sclip.export.base import ExportFormat, ExportItem, output_file, shown_colors
from napari_sclip.prompts import ClassPrompt, label_ids, parse_classes

MARK = "napari-sclip classes"
"""Value of ``format`` in every file of this kind."""

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
    ids = label_ids(item.classes)
    counts = np.bincount(item.labels.ravel(), minlength=max(ids) + 1)
    rows = zip(ids, item.classes, shown_colors(item.classes), strict=True)
    return {
        "format": MARK,
        "format_version": 1,
        "image": {
            "file": item.image_file,
            "shape": [int(n) for n in item.image.shape],
            "dtype": str(item.image.dtype),
        },
        "classes": [
            {
                "id": k,
                "name": c.name,
                "prompts": list(c.prompts),
                "color": "#{:02x}{:02x}{:02x}".format(*color),
                "background": c.background,
                "pixel_count": int(counts[k]),
                "dropped": c.name in item.dropped,
            }
            for k, c, color in rows
        ],
        "pixel_count_of_id_0": int(counts[0]),
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


def read_classes_json(path: Path) -> tuple[ClassPrompt, ...]:
    """Read the classes of a file that `write_classes_json` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of ClassPrompt
        With their prompts and the colours that they had.

    Raises
    ------
    ClassesError
        If the file cannot be read or holds something else.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != MARK:
            raise KeyError(values["format"])
        classes = [
            ClassPrompt(
                str(c["name"]),
                tuple(c["prompts"]),
                background=bool(c["background"]),
                color=None if c["background"] and c["color"] == "#000000" else c["color"],
            )
            for c in values["classes"]
        ]
    except OSError as error:
        raise ClassesError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClassesError(
            f"Expected a JSON of classes as napari-sclip writes it; {path} holds something else."
        ) from error
    return parse_classes(classes)


def version_of(package: str) -> str | None:
    """Return the version of an installed package, or None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    write_classes_json(path, item, overwrite=overwrite)


FORMAT = ExportFormat(
    name="classes",
    summary="what the ids mean and how they came about (JSON)",
    default=True,
    ending=lambda classes: "_classes.json",
    write=_write,
)

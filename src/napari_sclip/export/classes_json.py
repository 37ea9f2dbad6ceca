"""What the ids in the labels mean, and how they came about, as JSON."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from napari_sclip.colors import hex_color
from napari_sclip.errors import ClassesError
from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.prompts import ClassPrompt, parse_classes

Row = TypeVar("Row")

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


def read_image_file(path: Path) -> str:
    """Read the name of the image that a file of classes is about; nothing if it says none."""
    try:
        values = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return ""
    image = values.get("image") if isinstance(values, dict) else None
    name = image.get("file") if isinstance(image, dict) else None
    return name if isinstance(name, str) else ""


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
    return parse_classes(_rows_in(path, _class_of))


def read_class_ids(path: Path) -> tuple[tuple[int, ClassPrompt], ...]:
    """Read the ids and the classes of a file that `write_classes_json` wrote.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple of (int, ClassPrompt)

    Raises
    ------
    ClassesError
        If the file cannot be read or holds something else.
    """
    found = tuple(_rows_in(path, _id_and_class_of))
    if len({k for k, _ in found}) != len(found) or len({c.name for _, c in found}) != len(found):
        raise ClassesError(f"Expected an id and a name of its own for each class in {path}.")
    return found


def _class_of(row: Mapping[str, Any]) -> ClassPrompt:
    return ClassPrompt(
        str(row["name"]),
        tuple(row["prompts"]),
        background=bool(row["background"]),
        color=None if row["background"] and row["color"] == "#000000" else row["color"],
    )


def _id_and_class_of(row: Mapping[str, Any]) -> tuple[int, ClassPrompt]:
    return int(row["id"]), _class_of(row)


def _rows_in(path: Path, read: Callable[[Mapping[str, Any]], Row]) -> list[Row]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != MARK:
            raise KeyError(values["format"])
        return [read(row) for row in values["classes"]]
    except OSError as error:
        raise ClassesError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ClassesError(
            f"Expected a JSON of classes as napari-sclip writes it; {path} holds something else."
        ) from error


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

"""Results written to files. One file and one line in `EXPORT_FORMATS` each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_sclip.errors import ConfigError
from napari_sclip.export import (
    classes_json,
    coco,
    geojson,
    ome_zarr,
    overlay,
    png,
    tiffs,
    voc,
    yolo,
)
from napari_sclip.export.formats import ExportFormat, write_item
from napari_sclip.export.item import ExportItem
from napari_sclip.prompts import ClassPrompt

EXPORT_FORMATS: tuple[ExportFormat, ...] = (
    png.FORMAT,
    classes_json.FORMAT,
    overlay.FORMAT,
    tiffs.SCORES,
    tiffs.MARGIN,
    tiffs.OME_TIFF,
    ome_zarr.FORMAT,
    coco.FORMAT,
    voc.FORMAT,
    yolo.FORMAT,
    geojson.FORMAT,
)

DEFAULT_FORMATS = tuple(known.name for known in EXPORT_FORMATS if known.default)
"""Names of the formats that are written unless others are asked for."""

__all__ = [
    "DEFAULT_FORMATS",
    "EXPORT_FORMATS",
    "ExportFormat",
    "ExportItem",
    "export_files",
    "find_export_format",
    "write_item",
    "write_results",
]


def find_export_format(name: str, among: Sequence[ExportFormat] = EXPORT_FORMATS) -> ExportFormat:
    """Find a format by its name.

    Parameters
    ----------
    name : str
    among : sequence of ExportFormat
        Those to choose from; all of them if left out.

    Raises
    ------
    ConfigError
        If there is no such format; the message lists those there are.
    """
    for known in among:
        if known.name == name:
            return known
    names = ", ".join(known.name for known in among)
    raise ConfigError(f"Unknown format {name!r}. Known formats: {names}.")


def export_files(
    folder: Path,
    stem: str,
    classes: Sequence[ClassPrompt],
    formats: Sequence[str] = DEFAULT_FORMATS,
) -> tuple[Path, ...]:
    """Name the files that `write_results` writes.

    Parameters
    ----------
    folder : Path
        Where they go.
    stem : str
        What their names begin with.
    classes : sequence of ClassPrompt
        The classes of the result.
    formats : sequence of str
        Names of formats.

    Returns
    -------
    tuple of Path
        One file a format, in their order.

    Raises
    ------
    ConfigError
        If there is no such format.
    """
    return tuple(folder / f"{stem}{find_export_format(n).ending(classes)}" for n in formats)


def write_results(
    folder: Path,
    stem: str,
    item: ExportItem,
    formats: Sequence[str] = DEFAULT_FORMATS,
    *,
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Write a result in several formats, each file whole or not at all.

    Parameters
    ----------
    folder : Path
        Where the files go; it is made if it is missing.
    stem : str
        What their names begin with.
    item : ExportItem
        The result.
    formats : sequence of str
        Names of formats.
    overwrite : bool
        Whether files that exist are replaced.

    Returns
    -------
    tuple of Path
        The files written: one a format for a plane, and the texts that they share.

    Raises
    ------
    ConfigError
        If there is no such format.
    OutputError
        If a file exists and `overwrite` is False, or cannot be written.
    """
    files = export_files(folder, stem, item.classes, formats)
    written: list[Path] = []
    for name, path in zip(formats, files, strict=True):
        written += write_item(find_export_format(name), path, item, overwrite=overwrite)
    return tuple(dict.fromkeys(written))

"""Results written to files, and masks read: a module of this folder a format."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path

from napari_sclip.errors import ConfigError
from napari_sclip.export.formats import ExportFormat, write_item
from napari_sclip.export.item import ExportItem
from napari_sclip.prompts import ClassPrompt


def find_formats() -> tuple[ExportFormat, ...]:
    """Find the formats there are: each `ExportFormat` that a module of this folder holds."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    names.remove("read_mask")  # it asks the formats that are found here
    modules = [importlib.import_module(f"{__name__}.{name}") for name in names]
    values = [value for module in modules for value in vars(module).values()]
    found = {value.name: value for value in values if isinstance(value, ExportFormat)}
    return tuple(sorted(found.values(), key=lambda known: (known.order, known.name)))


EXPORT_FORMATS = find_formats()

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

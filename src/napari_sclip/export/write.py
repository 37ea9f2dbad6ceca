"""One result in one format: all its files, or none of them."""

from __future__ import annotations

from pathlib import Path

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, exists_already, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.shared import match_classes


def write_item(
    known: ExportFormat,
    path: Path,
    item: ExportItem,
    *,
    overwrite: bool = False,
    replace_shared: bool | None = None,
) -> tuple[Path, ...]:
    """Write a result in one format.

    What may stand in the way is looked for before anything is written. Where files in a folder
    share a list of classes, this result's are found in it by name, and new ones are added at its
    end, so that the files that are there keep their meaning.

    Parameters
    ----------
    known : ExportFormat
    path : Path
        The file. Of a stack that the format cannot hold each plane becomes a file, whose name
        says which: ``leaf_z003.png``.
    item : ExportItem
    overwrite : bool
        Whether files that exist are replaced.
    replace_shared : bool, optional
        Whether a shared list that cannot be read is begun anew; left out, as `overwrite`.

    Returns
    -------
    tuple of Path
        The files written, those that are shared last.

    Raises
    ------
    OutputError
        If a file exists and may not be replaced, or cannot be written, or the shared list cannot
        take the classes.
    """
    parts = {path: item}
    if not known.stacks:
        parts = {suffixed(path, plane.suffix): plane.item for plane in item.planes()}
    for target in parts:
        if target.exists() and not overwrite and not (target.is_dir() and not known.is_folder):
            raise OutputError(exists_already(target))
    shared = None
    if known.shared is not None:
        replace = overwrite if replace_shared is None else replace_shared
        shared = match_classes(known.shared, path, item, replace=replace)
        # Before the files that refer to it: a name that none of them uses does no harm.
        if shared.text is not None:
            with output_file(shared.file, overwrite=True) as temporary:
                temporary.write_text(shared.text, encoding="utf-8")
    for target, part in parts.items():
        known.write(target, part, overwrite)
    return (*parts,) if shared is None else (*parts, shared.file)


def suffixed(path: Path, suffix: str) -> Path:
    """Put something before the ending of a file's name."""
    ending = file_ending(path)
    return path.with_name(f"{path.name.removesuffix(ending)}{suffix}{ending}")


def file_ending(path: Path) -> str:
    """Return the ending of a file's name, ``.ome.tif`` and its like as a whole."""
    ome = path.with_suffix("").suffix.lower() == ".ome"
    return "".join(path.suffixes[-2:]) if ome else path.suffix

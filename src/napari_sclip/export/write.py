"""One result in one format: all its files, or none of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, exists_already, output_file
from napari_sclip.export.item import ExportItem


def write_item(
    known: ExportFormat,
    path: Path,
    item: ExportItem,
    *,
    overwrite: bool = False,
    replace_shared: bool | None = None,
) -> tuple[Path, ...]:
    """Write a result in one format.

    What may stand in the way is looked for before anything is written.

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
        Whether this also holds for files that other results in the folder may need; left out, as
        `overwrite`.

    Returns
    -------
    tuple of Path
        The files written, those that are shared last.

    Raises
    ------
    OutputError
        If a file exists and may not be replaced, or cannot be written.
    """
    parts = {path: item}
    if not known.stacks:
        parts = {suffixed(path, plane.suffix): plane.item for plane in item.planes()}
    shared = known.shared(path, item)
    for target in parts:
        if target.exists() and not overwrite and not (target.is_dir() and not known.is_folder):
            raise OutputError(exists_already(target))
    _check_shared(shared, overwrite if replace_shared is None else replace_shared)
    for target, part in parts.items():
        known.write(target, part, overwrite)
    for target, text in shared.items():
        with output_file(target, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return (*parts, *shared)


def suffixed(path: Path, suffix: str) -> Path:
    """Put something before the ending of a file's name."""
    ending = file_ending(path)
    return path.with_name(f"{path.name.removesuffix(ending)}{suffix}{ending}")


def file_ending(path: Path) -> str:
    """Return the ending of a file's name, ``.ome.tif`` and its like as a whole."""
    ome = path.with_suffix("").suffix.lower() == ".ome"
    return "".join(path.suffixes[-2:]) if ome else path.suffix


def _check_shared(shared: Mapping[Path, str], replace: bool) -> None:
    for target, text in shared.items():
        if replace or not target.exists():
            continue
        try:
            same = target.read_text(encoding="utf-8") == text
        except (OSError, UnicodeDecodeError):
            same = False
        if not same:
            raise OutputError(
                f"{target} lists other classes, for other files in this folder, and was left as it "
                "is. Choose another folder."
            )

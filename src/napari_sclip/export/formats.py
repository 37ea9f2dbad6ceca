"""What a format is, and how a result is written in one: all its files, or none of them."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.item import ExportItem, Mask
from napari_sclip.export.shared import SharedList, locked, match_classes
from napari_sclip.paths import atomic_write
from napari_sclip.prompts import ClassPrompt

_ADVICE = {
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a folder that you may write to.",
    errno.ENOSPC: "Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Free some space, or choose a folder on another disk.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOTDIR: "A file is in the place of a folder; choose another folder.",
    errno.EEXIST: "A file is in the place of a folder; choose another folder.",
}


@dataclass(frozen=True)
class ExportFormat:
    """One kind of file.

    Attributes
    ----------
    name : str
        Name that users choose it by.
    summary : str
        What it holds, in one line.
    default : bool
        Whether it is written unless other formats are asked for.
    ending : callable
        Gives what follows the image's name, for example ``_labels.png``.
    write : callable
        Writes an item to a path; takes `overwrite`, and `numbers`, those of the ids in the list
        that files share, where there is one.
    title : str
        Name in dialogs; empty where a layer cannot be saved so.
    suffixes : tuple of str
        Endings that a person may give a file of this kind, the usual one first.
    stacks : bool
        Whether it holds stacks; of others each plane becomes a file.
    shared : SharedList or None
        The list of classes that all files of this kind in a folder share.
    is_folder : bool
        Whether it is a folder of files.
    order : int
        Where it stands in lists and dialogs; those of one number go by their names.
    read : callable or None
        Reads a mask, given its path and the first bytes of the file (none of a folder); gives
        None if the file is of another kind.
    """

    name: str
    summary: str
    default: bool
    ending: Callable[[Sequence[ClassPrompt]], str]
    write: Callable[..., None]
    title: str = ""
    suffixes: tuple[str, ...] = ()
    stacks: bool = False
    shared: SharedList | None = None
    is_folder: bool = False
    order: int = 100
    read: Callable[[Path, bytes], Mask | None] | None = None


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
    if known.shared is None:
        for target, part in parts.items():
            known.write(target, part, overwrite=overwrite)
        return (*parts,)
    file = path.with_name(known.shared.file)
    # Before the files that refer to it: a name that none of them uses does no harm.
    replace = overwrite if replace_shared is None else replace_shared
    numbers = _numbers_in(file, known.shared, path, item, replace=replace)
    for target, part in parts.items():
        known.write(target, part, overwrite=overwrite, numbers=numbers)
    return (*parts, file)


def _numbers_in(
    file: Path, shared: SharedList, path: Path, item: ExportItem, *, replace: bool
) -> Mapping[int, int]:
    """Add what is new to a list of classes; return the number that each id has in it."""
    try:
        with locked(file):
            matched = match_classes(shared, path, item, replace=replace)
            if matched.text is not None:
                with output_file(file, overwrite=True) as temporary:
                    temporary.write_text(matched.text, encoding="utf-8")
            return matched.numbers
    except OSError as error:
        raise OutputError(cannot_write(file, error)) from error


def suffixed(path: Path, suffix: str) -> Path:
    """Put something before the ending of a file's name."""
    ending = file_ending(path)
    return path.with_name(f"{path.name.removesuffix(ending)}{suffix}{ending}")


def file_ending(path: Path) -> str:
    """Return the ending of a file's name, ``.ome.tif`` and its like as a whole."""
    ome = path.with_suffix("").suffix.lower() == ".ome"
    return "".join(path.suffixes[-2:]) if ome else path.suffix


@contextlib.contextmanager
def output_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Write one file of a result, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    overwrite : bool
        Whether it may exist already.

    Yields
    ------
    Path
        The file to write to instead; it takes the place of `path` at the end.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"Cannot write {path}: there is a folder of that name. Remove it.")
    if not overwrite and path.exists():
        raise OutputError(exists_already(path))
    try:
        with atomic_write(path) as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(cannot_write(path, error)) from error


def exists_already(path: Path) -> str:
    """Say that a file is in the way."""
    return (
        f"{path} exists already and was left as it is. Ask for it to be overwritten "
        "(overwrite=True, --overwrite), or choose another folder."
    )


def cannot_write(path: Path, error: OSError) -> str:
    """Say why a file or a folder cannot be written, and what helps."""
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0, "Choose another folder.")
    return f"Cannot write {path}: {reason}. {advice}"


def narrowed(path: Path, labels: NDArray[Any]) -> NDArray[Any]:
    """Take labels of 64 bits to the smallest dtype that holds them.

    Raises
    ------
    OutputError
        If that has still 64 bits.
    """
    if labels.dtype.itemsize < 8:
        return labels
    highest = int(labels.max(initial=0))
    dtype = np.min_scalar_type(highest)
    if dtype.itemsize > 4:
        raise OutputError(f"Cannot write {path}: expected ids of 32 bits; got {highest}.")
    return labels.astype(dtype)

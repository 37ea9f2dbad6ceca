"""What a format of results is, and how its files are written."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sclip.errors import OutputError
from napari_sclip.export.item import ExportItem
from napari_sclip.export.shared import SharedList
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
        Writes an item to a path; its third argument is whether to overwrite.
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
    """

    name: str
    summary: str
    default: bool
    ending: Callable[[Sequence[ClassPrompt]], str]
    write: Callable[[Path, ExportItem, bool], None]
    title: str = ""
    suffixes: tuple[str, ...] = ()
    stacks: bool = False
    shared: SharedList | None = None
    is_folder: bool = False


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

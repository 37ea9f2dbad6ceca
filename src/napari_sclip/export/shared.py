"""Lists of classes that all files of a kind in a folder share: they grow, no number changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sclip.errors import OutputError
from napari_sclip.export.item import ExportItem

LONGEST_WAIT = 30.0
"""Seconds to wait for another program that changes a list, which takes it a few milliseconds."""


@dataclass(frozen=True)
class SharedList:
    """How such a list is written.

    Attributes
    ----------
    file : str
        Name of the file.
    first : int
        Number of the first class.
    read : callable
        Gives the names in a text, in the order of their numbers; raises a ValueError that says
        why it cannot.
    extend : callable
        Adds names at the end of the list in a text; raises a ValueError that says why it cannot.
    empty : str
        The text of a list without classes.
    plain : callable
        Gives a name as it stands in the file.
    most : int or None
        How many classes the format can hold.
    """

    file: str
    first: int
    read: Callable[[str], Sequence[str]]
    extend: Callable[[str, Sequence[str]], str]
    empty: str
    plain: Callable[[str], str] = str
    most: int | None = None


@dataclass(frozen=True)
class Matched:
    """What the list of a folder says for one result.

    Attributes
    ----------
    text : str or None
        What the file has to say before the result is written; None if it does already.
    numbers : mapping of int to int
        The number of each id but 0.
    """

    text: str | None
    numbers: Mapping[int, int]


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Keep other programs from changing a list between reading it and writing it.

    A lock that is a file of its own works on shared disks too, and nothing of it stays.

    Parameters
    ----------
    file : Path
        The list; its folder is made if it is missing.

    Raises
    ------
    OutputError
        If another program does not let go of it.
    OSError
        If the folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    from filelock import SoftFileLock, Timeout

    lock = SoftFileLock(file.with_name(f".{file.name}.lock"))
    try:
        lock.acquire(timeout=LONGEST_WAIT)
    except Timeout as error:
        raise OutputError(
            f"Cannot add to {file}: another program has been writing it for {LONGEST_WAIT:g} s. "
            f"Wait for it; if there is none any more, remove {lock.lock_file}."
        ) from error
    try:
        yield
    finally:
        lock.release()


def match_classes(
    shared: SharedList, path: Path, item: ExportItem, *, replace: bool = False
) -> Matched:
    """Find the classes of a result by name in the list of its folder; new names go to the end.

    Parameters
    ----------
    shared : SharedList
    path : Path
        A file in the folder.
    item : ExportItem
    replace : bool
        Whether a list that cannot be read is begun anew.

    Returns
    -------
    Matched

    Raises
    ------
    OutputError
        If the list cannot be read, or there would be too many classes, or two of them have the
        same name there.
    """
    file = path.with_name(shared.file)
    wanted = _plain_names(shared, path, item)
    try:
        return _match(shared, path, _read(file), wanted)
    except ValueError as error:
        if not replace:
            raise OutputError(
                f"{file} lists other classes, for other files in this folder, in a form that "
                f"cannot be added to: {error}. It was left as it is. Correct it, or choose another "
                "folder."
            ) from error
    return _match(shared, path, None, wanted)


def _match(
    shared: SharedList, path: Path, text: str | ValueError | None, wanted: Mapping[int, str]
) -> Matched:
    if isinstance(text, ValueError):
        raise text
    known = [] if text is None else list(shared.read(text))
    places: dict[str, int] = {}
    for place, name in enumerate(known):
        places.setdefault(name, place)
    new = [name for name in dict.fromkeys(wanted.values()) if name not in places]
    _check_number(shared, path, len(known), len(new))
    places |= {name: len(known) + place for place, name in enumerate(new)}
    before = shared.empty if text is None else text
    return Matched(
        shared.extend(before, new) if new or text is None else None,
        {k: shared.first + places[name] for k, name in wanted.items()},
    )


def _read(file: Path) -> str | ValueError | None:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        return ValueError(f"it cannot be read ({error.strerror or error})")
    except UnicodeDecodeError:
        return ValueError("expected text in UTF-8, which it is not")


def _plain_names(shared: SharedList, path: Path, item: ExportItem) -> dict[int, str]:
    """Name ids as the file does; those of one name are one class there."""
    wanted = {row.id: shared.plain(row.name) for row in item.objects}
    given: dict[str, str] = {}
    for row in item.objects:
        other = given.setdefault(wanted[row.id], row.name)
        if other != row.name:
            raise OutputError(
                f"Cannot write {path}: expected classes of different names; {other!r} and "
                f"{row.name!r} are both {wanted[row.id]!r} in {shared.file}. Rename one."
            )
    return wanted


def _check_number(shared: SharedList, path: Path, known: int, new: int) -> None:
    if shared.most is None or known + new <= shared.most:
        return
    which = folder = ""
    if known:
        which = f": {known} that {shared.file} lists for files in this folder, and {new} new ones"
        folder = "another folder, or "
    raise OutputError(
        f"Cannot write {path}: expected up to {shared.most} classes; got {known + new}{which}. "
        f"Choose {folder}TIFF, OME-Zarr or COCO."
    )

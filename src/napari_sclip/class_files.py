"""The list of classes in a file: JSON is written; JSON, plain text and CSV are read.

The dock widget, the command line and what reads masks read such files here and nowhere else.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from napari_sclip.errors import ClassesError, OutputError
from napari_sclip.paths import atomic_write
from napari_sclip.prompts import (
    ClassPrompt,
    label_ids,
    parse_classes,
    split_classes,
    split_prompts,
)

MARK = "napari-sclip classes"
"""Value of ``format`` in every JSON of classes, also in those beside exported labels."""

LEARNED = "learned"
"""Key of what `Segmenter.adapt` learned; the rest of the file can be read without it."""

MAX_BYTES = 1_000_000
MAX_LEARNED_BYTES = 64_000_000
COLUMNS = ("name", "prompts", "color", "background", "id")
YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"", "0", "false", "no", "n"})


class LabelClass(NamedTuple):
    """A class and the id of its pixels."""

    id: int
    item: ClassPrompt


@dataclass(frozen=True)
class ClassList:
    """What a file of classes holds.

    Attributes
    ----------
    classes : tuple of ClassPrompt
    hidden : frozenset of str
        Names of the classes that are not shown.
    learned : mapping or None
        What was learned of the classes from strokes, as `Classifier.to_dict` gives it and
        `Classifier.from_dict` takes it; it is not looked into here.
    ids : tuple of int
        Of the classes, where the file says them; else empty.
    """

    classes: tuple[ClassPrompt, ...]
    hidden: frozenset[str] = frozenset()
    learned: Mapping[str, Any] | None = None
    ids: tuple[int, ...] = ()

    def with_ids(self) -> tuple[LabelClass, ...]:
        """Return each class with its id; counted from 1 where the file says none."""
        ids = self.ids or label_ids(self.classes)
        return tuple(LabelClass(k, item) for k, item in zip(ids, self.classes, strict=True))


class _Row(NamedTuple):
    """One class as it stands in a file, and where."""

    place: str
    item: ClassPrompt
    id: int | None = None


def write_class_list(path: str | os.PathLike[str], known: ClassList) -> None:
    """Write classes as JSON; a file that is there is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rows = [{**plain_class(c), "visible": c.name not in known.hidden} for c in known.classes]
    if known.ids:
        rows = [{"id": k, **row} for k, row in zip(known.ids, rows, strict=True)]
    values: dict[str, Any] = {"format": MARK, "format_version": 1, "classes": rows}
    if known.learned is not None:
        values[LEARNED] = dict(known.learned)
    text = json.dumps(values, indent=2, ensure_ascii=False)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. Choose another folder."
        ) from error


def plain_class(item: ClassPrompt) -> dict[str, Any]:
    """Return a class as values that JSON can hold; `read_class` takes them."""
    return {
        "name": item.name,
        "prompts": list(item.prompts),
        "color": item.color,
        "background": item.background,
    }


def read_class(row: Any) -> ClassPrompt:  # noqa: ANN401 - whatever JSON holds
    """Read a class as `plain_class` gives it, or as an export writes it.

    Raises
    ------
    ClassesError
        If it is something else.
    """
    if not isinstance(row, dict):
        raise ClassesError(f"Expected an object with a name; got {row!r}.")
    background, color = row.get("background", False), row.get("color")
    if background is True and color == "#000000":
        color = None  # what an export says of a background without a colour
    prompts = row.get("prompts") or ()
    return ClassPrompt(row.get("name", ""), prompts, background=background, color=color)


def read_class_list(path: str | os.PathLike[str]) -> ClassList:
    """Read classes from JSON, plain text (a class a line, or with commas) or CSV.

    Parameters
    ----------
    path : str or os.PathLike
        ``.csv`` and ``.tsv`` are read as tables with a header, ``.json`` and text that begins with
        a bracket as JSON, and anything else as plain text, where lines that begin with ``#`` are
        notes.

    Returns
    -------
    ClassList
        Usable for a run, as `parse_classes` checks it.

    Raises
    ------
    ClassesError
        If the file cannot be read; it names the file and, where there is one, the line.
    """
    path = Path(path)
    text = _read_text(path)
    values: Mapping[str, Any] = {}
    if path.suffix.lower() in (".csv", ".tsv"):
        rows = list(_read_csv(path, text))
    elif path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        values = _read_json(path, text)
        rows = _rows_of(path, values)
    else:
        rows = list(_read_lines(path, text))
    ids = _check(rows)
    with _at(str(path)):
        classes = parse_classes([row.item for row in rows])
    shown = zip(classes, values.get("classes", ()), strict=False)
    hidden = frozenset(c.name for c, row in shown if row.get("visible") is False)
    learned = values.get(LEARNED)
    return ClassList(classes, hidden, learned if isinstance(learned, dict) else None, ids)


def read_class_ids(path: str | os.PathLike[str]) -> tuple[LabelClass, ...]:
    """Read what the ids of labels mean from the JSON beside them.

    They need not be usable for a run: labels may hold the background alone.

    Raises
    ------
    ClassesError
        If the file cannot be read, or does not say the id of every class.
    """
    path = Path(path)
    rows = _rows_of(path, _read_json(path, _read_text(path)))
    ids = _check(rows)
    if len(ids) != len(rows):
        raise ClassesError(
            f"{path}: Expected an id for each class; it names none. Choose the file beside a mask."
        )
    return tuple(LabelClass(k, row.item) for k, row in zip(ids, rows, strict=True))


def read_image_name(path: str | os.PathLike[str]) -> str:
    """Read the name of the image that the JSON beside labels is about; nothing if it says none."""
    try:
        values = _read_json(Path(path), _read_text(Path(path)))
    except ClassesError:
        return ""
    image = values.get("image")
    name = image.get("file") if isinstance(image, dict) else None
    return name if isinstance(name, str) else ""


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_LEARNED_BYTES + 1)
    except OSError as error:
        raise ClassesError(f"Cannot read {path}: {error.strerror or error}.") from error
    as_json = content[:100].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")
    most = MAX_LEARNED_BYTES if as_json else MAX_BYTES
    if len(content) > most:
        raise ClassesError(
            f"Expected a list of classes of at most {most // 1_000_000} MB; {path} is larger. "
            "Choose another file."
        )
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ClassesError(
            f"Expected text in UTF-8; {path}, line {line} holds something else. "
            "Save the file as UTF-8, or choose another one."
        ) from error


def _read_lines(path: Path, text: str) -> Iterator[_Row]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        place = f"{path}, line {number}"
        with _at(place):
            for part in split_classes(line):
                if part.fault:
                    raise ClassesError(
                        f"Expected 'name = prompt | prompt'; got {part.text!r}. {part.fault}"
                    )
                yield _Row(place, ClassPrompt(part.name, part.prompts))


def _read_csv(path: Path, text: str) -> Iterator[_Row]:
    first = text.lstrip().partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True)
    skipped = text[: len(text) - len(text.lstrip())].count("\n")
    columns: list[str] | None = None
    while True:
        place = f"{path}, line {skipped + reader.line_num + 1}"
        try:
            fields = [field.strip() for field in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise ClassesError(f"{place}: Expected a table (CSV); {error}.") from error
        with _at(place):
            if columns is None:
                columns = _read_header(fields)
            elif any(fields):
                yield _Row(place, *_read_fields(columns, fields))


def _read_header(fields: list[str]) -> list[str]:
    columns = [field.casefold().replace("colour", "color") for field in fields]
    if "name" not in columns:
        raise ClassesError(
            f"Expected a header with the column 'name' and, if wanted, {', '.join(COLUMNS[1:])}; "
            f"got {', '.join(fields)}. Write the header into the first line."
        )
    return columns


def _read_fields(columns: list[str], fields: list[str]) -> tuple[ClassPrompt, int | None]:
    if len(fields) > len(columns):
        raise ClassesError(
            f"Expected {len(columns)} fields as in the header; got {len(fields)}. "
            "Put quotes round what has the separator within."
        )
    values = dict(zip(columns, fields, strict=False))
    background = values.get("background", "").casefold()
    if background not in YES | NO:
        raise ClassesError(
            f"Expected 'yes' or 'no' in the column 'background'; got {values['background']!r}."
        )
    item = ClassPrompt(
        values.get("name", ""),
        split_prompts(values.get("prompts", "")),
        background=background in YES,
        color=values.get("color") or None,
    )
    written = values.get("id", "")
    return item, _read_id(
        int(written) if written.isdecimal() and len(written) < 10 else written or None, item
    )


def _read_id(value: object, item: ClassPrompt) -> int | None:
    if value is None:
        return 0 if item.background else None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ClassesError(
            f"Expected a whole number as the id of {item.name!r}; got {value!r}. Correct it, or "
            "take the ids of all classes out."
        )
    return value


def _read_json(path: Path, text: str) -> Mapping[str, Any]:
    expected = f'Expected a JSON of classes with "format": "{MARK}"'
    try:
        values = json.loads(text)
    except json.JSONDecodeError as error:
        raise ClassesError(
            f"{path}, line {error.lineno}: {expected}; this is no JSON: {error.msg}."
        ) from error
    except (RecursionError, ValueError) as error:
        raise ClassesError(f"{path}: {expected}; this is something else.") from error
    rows = values.get("classes") if isinstance(values, dict) else None
    if not isinstance(rows, list) or values.get("format") != MARK:
        raise ClassesError(f"{path}: {expected}; this is something else.")
    return dict(values)


def _rows_of(path: Path, values: Mapping[str, Any]) -> list[_Row]:
    rows = []
    for number, row in enumerate(values["classes"], 1):
        place = f"{path}, class {number}"
        with _at(place):
            item = read_class(row)
            rows.append(_Row(place, item, _read_id(row.get("id"), item)))
    return rows


def _check(rows: Sequence[_Row]) -> tuple[int, ...]:
    """Check that names and ids are there once; return the ids, or nothing if there are none."""
    names: set[str] = set()
    ids: list[int] = []
    numbered = any(row.id for row in rows)
    for place, item, number in rows:
        with _at(place):
            if item.name in names:
                raise ClassesError(
                    f"Every class needs a name of its own; {item.name!r} is there twice. "
                    "Remove one, or give it another name."
                )
            if numbered and (number is None or number in ids):
                raise ClassesError(
                    f"Every class needs an id of its own; {item.name!r} has "
                    f"{'none' if number is None else f'{number}, as another class'}. Correct it, "
                    "or take the ids of all classes out."
                )
        names.add(item.name)
        ids += [] if number is None else [number]
    return tuple(ids) if len(set(ids)) == len(rows) else ()


@contextlib.contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except ClassesError as error:
        raise ClassesError(f"{place}: {error}") from error

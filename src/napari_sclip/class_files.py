"""Classes kept in a file: JSON is written; JSON, plain text and CSV are read."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sclip.errors import ClassesError, OutputError
from napari_sclip.paths import atomic_write
from napari_sclip.prompts import ClassPrompt, parse_classes, split_classes, split_prompts

MARK = "napari-sclip classes"
"""Value of ``format``, as in the files that stand beside exported labels."""

LEARNED = "learned"
"""Key of what `Segmenter.adapt` learned; the rest of the file can be read without it."""

MAX_BYTES = 1_000_000
MAX_LEARNED_BYTES = 64_000_000
COLUMNS = ("name", "prompts", "color", "background")
YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"", "0", "false", "no", "n"})


@dataclass(frozen=True)
class Preset:
    """What a file of classes holds.

    Attributes
    ----------
    classes : tuple of ClassPrompt
    hidden : frozenset of str
        Names of the classes that are not shown.
    learned : mapping or None
        What was learned of the classes from strokes, as `Classifier.to_dict` gives it and
        `Classifier.from_dict` takes it; it is not looked into here.
    """

    classes: tuple[ClassPrompt, ...]
    hidden: frozenset[str] = frozenset()
    learned: Mapping[str, Any] | None = None


def write_preset(path: str | os.PathLike[str], preset: Preset) -> None:
    """Write classes as JSON; a file that is there is replaced.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    rows = [
        {
            "name": c.name,
            "prompts": list(c.prompts),
            "color": c.color,
            "background": c.background,
            "visible": c.name not in preset.hidden,
        }
        for c in preset.classes
    ]
    values: dict[str, Any] = {"format": MARK, "format_version": 1, "classes": rows}
    if preset.learned is not None:
        values[LEARNED] = dict(preset.learned)
    text = json.dumps(values, indent=2, ensure_ascii=False)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"Cannot write {path}: {error.strerror or error}. Choose another folder."
        ) from error


def read_preset(path: str | os.PathLike[str]) -> Preset:
    """Read classes from JSON, plain text (a class a line, or with commas) or CSV.

    Parameters
    ----------
    path : str or os.PathLike
        ``.csv`` and ``.tsv`` are read as tables with a header, text that begins with a bracket
        as JSON, and anything else as plain text, where lines that begin with ``#`` are notes.

    Raises
    ------
    ClassesError
        If the file cannot be read; it names the file and, where there is one, the line.
    """
    path = Path(path)
    text = _read_text(path)
    if path.suffix.lower() in (".csv", ".tsv"):
        return Preset(_together(path, _read_csv(path, text)))
    if path.suffix.lower() == ".json" or text.lstrip().startswith("{"):
        return _read_json(path, text)
    return Preset(_together(path, _read_lines(path, text)))


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


def _read_lines(path: Path, text: str) -> Iterator[tuple[str, ClassPrompt]]:
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
                yield place, ClassPrompt(part.name, part.prompts)


def _read_csv(path: Path, text: str) -> Iterator[tuple[str, ClassPrompt]]:
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
                yield place, _read_fields(columns, fields)


def _read_header(fields: list[str]) -> list[str]:
    columns = [field.casefold().replace("colour", "color") for field in fields]
    if "name" not in columns:
        raise ClassesError(
            f"Expected a header with the column 'name' and, if wanted, {', '.join(COLUMNS[1:])}; "
            f"got {', '.join(fields)}. Write the header into the first line."
        )
    return columns


def _read_fields(columns: list[str], fields: list[str]) -> ClassPrompt:
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
    return ClassPrompt(
        values.get("name", ""),
        split_prompts(values.get("prompts", "")),
        background=background in YES,
        color=values.get("color") or None,
    )


def _read_json(path: Path, text: str) -> Preset:
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
    places = [f"{path}, class {number}" for number in range(1, len(rows) + 1)]
    read = [(place, _read_object(place, row)) for place, row in zip(places, rows, strict=True)]
    classes = _together(path, iter(read))
    seen = zip(classes, rows, strict=True)
    hidden = frozenset(c.name for c, row in seen if row.get("visible") is False)
    learned = values.get(LEARNED)
    return Preset(classes, hidden, learned if isinstance(learned, dict) else None)


def _read_object(place: str, row: Any) -> ClassPrompt:  # noqa: ANN401 - whatever JSON holds
    with _at(place):
        if not isinstance(row, dict):
            raise ClassesError(f"Expected an object with a name; got {row!r}.")
        background, color = row.get("background", False), row.get("color")
        if background is True and color == "#000000":
            color = None  # what an export says of a background without a colour
        prompts = row.get("prompts") or ()
        return ClassPrompt(row.get("name", ""), prompts, background=background, color=color)


def _together(path: Path, placed: Iterator[tuple[str, ClassPrompt]]) -> tuple[ClassPrompt, ...]:
    found: dict[str, tuple[str, ClassPrompt]] = {}
    for place, item in placed:
        if item.name in found:
            raise ClassesError(
                f"{place}: Every class needs a name of its own; {item.name!r} is there twice. "
                "Remove one, or give it another name."
            )
        found[item.name] = place, item
    with _at(str(path)):
        return parse_classes([item for _, item in found.values()])


@contextlib.contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except ClassesError as error:
        raise ClassesError(f"{place}: {error}") from error

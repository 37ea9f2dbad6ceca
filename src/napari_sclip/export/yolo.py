"""YOLO segmentation: a line of text a connected region, and the classes' names in data.yaml."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.outlines import keyhole, trace_pieces
from napari_sclip.export.shared import SharedList

_QUOTED = r'"(?:[^"\\]|\\.)*"|' + r"'(?:[^']|'')*'"
_BELOW = re.compile(rf"({_QUOTED}|\w(?:[^:#]|:(?=\S)|(?<=\S)#)*)\s*(?:(?<=\s)#.*)?")
_IN_LINE = re.compile(rf"{_QUOTED}|\w(?:[^:#?,\[\]{{}}]|(?<=\S)#|:(?=[^\s,\[\]{{}}]))*")
_NUMBERED = re.compile(r"(\s+)(\d+)\s*:\s+(\S.*)")
_LISTED = re.compile(r"(\s*)-\s+(\S.*)")
_COMMENT = re.compile(r"\s*(#.*)?")
_NO_TEXT = re.compile(
    r"(?i:null|true|false|yes|no|on|off|y|n)|[\d_.:+-]+|0[xo]\w+|\d+[.\d]*e[+-]?\d+"
)


def yolo_lines(labels: NDArray[Any], numbers: Mapping[int, int]) -> list[str]:
    """Write each connected region as its class and the corners of its outline.

    Parameters
    ----------
    labels : (H, W) integer array
    numbers : mapping of int to int
        The class of each id, counted from 0.

    Returns
    -------
    list of str
        ``class x y x y ...``, shares of the width and the height. The format knows no holes: they
        are joined to the outline by bridges without width.
    """
    height, width = labels.shape
    across = [f"{x / width:.8g}" for x in range(width + 1)]
    down = [f"{y / height:.8g}" for y in range(height + 1)]
    lines = []
    for piece in trace_pieces(labels):
        shares = (share for x, y in keyhole(piece).tolist() for share in (across[x], down[y]))
        lines.append(" ".join([str(numbers[piece.id]), *shares]))
    return lines


@dataclass
class _Names:
    """Names, and where they stand.

    Attributes
    ----------
    names : list of str
    head : int
        Line of ``names:``.
    last : int
        Line of the last name.
    before : str or None
        What stands before a name of a list, or None if names are numbered.
    indent : str
        What stands before a number.
    """

    names: list[str]
    head: int
    last: int
    before: str | None = None
    indent: str = "  "


def read_names(text: str) -> list[str]:
    """Read the names of a data.yaml.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
        Class 0 first.

    Raises
    ------
    ValueError
        If it has none, or writes them in another way; says what was expected and what came.
    """
    lines = text.splitlines()
    found = _find(lines)
    count = _count(lines)
    if count is not None and count[1] != len(found.names):
        raise ValueError(
            f"expected nc: {len(found.names)}, as many as there are names; got {count[1]}"
        )
    return found.names


def extend_names(text: str, new: Sequence[str]) -> str:
    """Add names at the end; all else but their number stays.

    Parameters
    ----------
    text : str
        What `read_names` reads.
    new : sequence of str
    """
    lines = text.splitlines()
    found = _find(lines)
    count = _count(lines)
    if count is not None:
        lines[count[0]] = re.sub(r"\d+", str(len(found.names) + len(new)), lines[count[0]], count=1)
    added = list(new)
    if found.head == found.last and added:  # in one line: there may be no room for more
        comment = _rest(lines[found.head])
        lines[found.head] = f"names:  {comment}" if comment else "names:"
        added, found.names = [*found.names, *new], []
    for place, name in enumerate(added):
        shown = json.dumps(name, ensure_ascii=False)  # which is a string of YAML too
        before = found.before
        if before is None:
            before = f"{found.indent}{len(found.names) + place}: "
        lines.insert(found.last + 1 + place, f"{before}{shown}")
    return "".join(f"{line}\n" for line in lines)


def _find(lines: Sequence[str]) -> _Names:
    heads = [k for k, line in enumerate(lines) if re.match(r"names\s*:(\s|$)", line)]
    if len(heads) != 1:
        many = f"{len(heads)} of them" if heads else "none"
        raise ValueError(f"expected one line that begins with 'names:'; got {many}")
    head = heads[0]
    _check_spaces(lines[head], head)
    value = lines[head].partition(":")[2].strip()
    if value.startswith(("[", "{")):
        return _Names(_in_line(value, f"line {head + 1}")[0], head, head)
    if not _COMMENT.fullmatch(value):
        raise ValueError(f"expected names after 'names:' in line {head + 1}; got {value!r}")
    return _below(lines, head)


def _below(lines: Sequence[str], head: int) -> _Names:
    found = _Names([], head, head)
    starts: set[str] = set()
    for k in range(head + 1, len(lines)):
        line = lines[k]
        if _COMMENT.fullmatch(line):
            continue
        _check_spaces(line, k)
        numbered, listed = _NUMBERED.fullmatch(line), _LISTED.fullmatch(line)
        if numbered is None and listed is None and line[0] not in " \t-":
            break
        where = f"line {k + 1}"
        if numbered is not None:
            starts.add(numbered[1])
            found.indent = numbered[1]
            _check_number(int(numbered[2]), len(found.names), where)
            found.names.append(_value(numbered[3], where))
        elif listed is not None:
            found.before = f"{listed[1]}- "
            starts.add(found.before)
            found.names.append(_value(listed[2], where))
        if (numbered is None and listed is None) or len(starts) != 1:
            raise ValueError(f"expected a name such as '  0: \"leaf\"' in {where}; got {line!r}")
        found.last = k
    if not found.names:
        raise ValueError(f"expected names below line {head + 1}; got none")
    return found


def _in_line(value: str, where: str) -> tuple[list[str], int]:
    """Read ``[a, b]`` or ``{0: a, 1: b}``; also return where it ends."""
    closing = {"[": "]", "{": "}"}[value[0]]
    names: list[str] = []
    at = _after_spaces(value, 1)
    while at < len(value) and value[at] != closing:
        if closing == "}":
            key = re.compile(r"(\d+)\s*:\s+").match(value, at)
            if key is None:
                break
            _check_number(int(key[1]), len(names), where)
            at = key.end()
        token = _IN_LINE.match(value, at)
        if token is None:
            at = len(value)
            break
        names.append(_decoded(token[0].strip(), where))
        at = _after_spaces(value, token.end())
        if value[at : at + 1] == ",":
            at = _after_spaces(value, at + 1)
        elif value[at : at + 1] != closing:
            break
    if value[at : at + 1] != closing or not _COMMENT.fullmatch(value, at + 1):
        raise ValueError(f"expected names such as ['leaf', 'soil'] in {where}; got {value!r}")
    return names, at + 1


def _rest(line: str) -> str:
    value = line.partition(":")[2].strip()
    return value[_in_line(value, "")[1] :].strip()


def _value(text: str, where: str) -> str:
    found = _BELOW.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"expected a name in quotes in {where}; got {text.strip()!r}")
    return _decoded(found[1].strip(), where)


def _decoded(token: str, where: str) -> str:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    if token.startswith('"'):
        try:
            return str(json.loads(token))
        except ValueError as error:
            raise ValueError(f"expected a name in quotes in {where}; got {token}") from error
    if _NO_TEXT.fullmatch(token):
        raise ValueError(f"expected text in {where}; got {token}, which needs quotes to be a name")
    return token


def _check_spaces(line: str, place: int) -> None:
    if "\t" in line:
        raise ValueError(f"expected spaces in line {place + 1}; got a tab")


def _check_number(number: int, expected: int, where: str) -> None:
    if number != expected:
        raise ValueError(f"expected class {expected} in {where}; got {number}")


def _count(lines: Sequence[str]) -> tuple[int, int] | None:
    """Find the line that says how many classes there are, and what it says."""
    found = list(_counts(lines))
    if len(found) > 1:
        raise ValueError(f"expected one line that begins with 'nc:'; got {len(found)}")
    return found[0] if found else None


def _counts(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    for k, line in enumerate(lines):
        if re.match(r"nc\s*:(\s|$)", line):
            number = re.fullmatch(r"nc\s*:\s+(\d+)\s*(?:(?<=\s)#.*)?", line)
            if number is None:
                raise ValueError(f"expected a number of classes in line {k + 1}; got {line!r}")
            yield k, int(number[1])


def _after_spaces(text: str, at: int) -> int:
    return at + len(text[at:]) - len(text[at:].lstrip())


NAMES = SharedList(
    file="data.yaml",
    first=0,
    read=read_names,
    extend=extend_names,
    empty=(
        "# The images belong beside the text files, under the same names.\n"
        "train: .\nval: .\nnames: {}\n"
    ),
)


def _write(path: Path, item: ExportItem, *, overwrite: bool, numbers: Mapping[int, int]) -> None:
    lines = yolo_lines(item.labels, numbers)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


FORMAT = ExportFormat(
    name="yolo",
    order=9,
    summary="outlines as YOLO segmentation has them (text), with the names in data.yaml",
    default=False,
    ending=lambda classes: ".txt",
    write=_write,
    title="YOLO segmentation",
    suffixes=(".txt",),
    shared=NAMES,
)

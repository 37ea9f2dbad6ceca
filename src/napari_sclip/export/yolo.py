"""YOLO segmentation: a line of text a connected region, and the classes' names in data.yaml."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from numpy.typing import NDArray

from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportItem
from napari_sclip.export.outlines import keyhole, trace_pieces
from napari_sclip.export.shared import SharedList

NOT_ALONE = "expected names that stand for themselves; got references to others"


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
        If it has none, or they are not numbered in order from 0; says what was expected and what
        came.
    """
    return [node.value for node in _find(text)[1]]


def extend_names(text: str, new: Sequence[str]) -> str:
    """Add names at the end; all else but their number stays, comments too.

    Parameters
    ----------
    text : str
        What `read_names` reads.
    new : sequence of str

    Raises
    ------
    ValueError
        If the text is written in a way that cannot be added to.
    """
    if not new:
        return text
    block, nodes, count = _find(text)
    places = [node.start_mark.index for node in nodes]
    if places != sorted(set(places)):
        raise ValueError(NOT_ALONE)
    numbered = isinstance(block, yaml.MappingNode)
    lines = [
        f"{place}: {_quoted(name)}" if numbered else _quoted(name)
        for place, name in enumerate(new, start=len(nodes))
    ]
    start, end = block.start_mark.index, block.end_mark.index
    indent = "  " if not nodes else " " * block.start_mark.column
    if nodes:
        start = end = nodes[-1].end_mark.index
    changed = text[:start] + text[end:]
    if nodes and block.flow_style:
        changed = text[:start] + "".join(f", {line}" for line in lines) + text[start:]
    else:  # below the line of the last name, or of "names:" if {} or [] stood there
        line_end = changed.find("\n", start)
        line_end = len(changed) if line_end < 0 else line_end
        below = "".join(f"\n{indent}{'' if numbered else '- '}{line}" for line in lines)
        changed = changed[:line_end] + below + changed[line_end:]
    if count is not None:
        number = str(len(nodes) + len(new))
        # What was added may lie before or after it.
        moved = len(changed) - len(text) if count.start_mark.index > start else 0
        first, last = count.start_mark.index + moved, count.end_mark.index + moved
        changed = changed[:first] + number + changed[last:]
    if not changed.endswith("\n"):
        changed += "\n"
    names = [*read_names(text), *new]
    kept = [{**yaml.safe_load(t), "names": None, "nc": None} for t in (text, changed)]
    if read_names(changed) != names or kept[0] != kept[1]:
        raise ValueError(NOT_ALONE)
    return changed


def _find(text: str) -> tuple[Any, list[Any], Any]:
    """Find the node of all names, those of the single names, and that of their number.

    Names that were read wrongly would give pixels to other classes, and YAML forgives much: so
    what may be a mistake is refused.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"expected YAML; {' '.join(str(error).split())}") from error
    rows = root.value if isinstance(root, yaml.MappingNode) else []
    blocks = [value for key, value in rows if key.value == "names"]
    counts = [value for key, value in rows if key.value == "nc"]
    if len(blocks) != 1 or isinstance(blocks[0], yaml.ScalarNode):
        raise ValueError("expected 'names:' once, with the names below or after it")
    block = blocks[0]
    nodes = list(block.value)
    if isinstance(block, yaml.MappingNode):
        for place, (key, _) in enumerate(block.value):
            if key.value != str(place) or not key.tag.endswith(":int"):
                raise ValueError(f"expected class {place}; got {key.value!r}")
        nodes = [value for _, value in block.value]
    for place, node in enumerate(nodes):
        if not node.tag.endswith(":str") or "\n" in node.value:
            raise ValueError(f"expected text in one line for class {place}; got {node.value!r}")
    if len(counts) > 1 or (counts and counts[0].value != str(len(nodes))):
        raise ValueError(f"expected nc: {len(nodes)}, as many as there are names")
    return block, nodes, counts[0] if counts else None


def _quoted(name: str) -> str:
    # The quotes keep "7" and "no" from being read as a number and as false.
    shown = yaml.safe_dump(name, default_style='"', allow_unicode=True, width=float("inf"))
    return str(shown).rstrip("\n")


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

"""Small files of plain values, for which nothing that is wrong with them is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from napari_sclip.paths import atomic_write

MAX_BYTES = 2**20
"""A larger file is none of ours."""


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever is in the file
    """Return what a file holds; None if it is missing, too large, or not JSON."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        return None if len(content) > MAX_BYTES else json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, values: object) -> str | None:
    """Write plain values, whole or not at all.

    Returns
    -------
    str or None
        Why the file could not be written, for a person; None if it was.
    """
    text = json.dumps(values, indent=1)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path} could not be written: {error.strerror or error}."
    return None

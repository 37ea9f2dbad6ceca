"""Arrays and groups in files of Zarr, version 2, which all readers know."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import uuid
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import cannot_write, exists_already

CHUNK = 1024
MARKS = (".zgroup", ".zarray", "zarr.json")
"""One of these files is in every folder that is Zarr."""


@contextlib.contextmanager
def output_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Write a folder of Zarr whole or not at all.

    Parameters
    ----------
    path : Path
        The folder.
    overwrite : bool
        Whether it may exist already. Only what is Zarr is ever replaced.

    Yields
    ------
    Path
        A new folder to write to instead; it takes the place of `path` at the end.

    Raises
    ------
    OutputError
        If the folder may not be replaced, or cannot be written.
    """
    if path.exists():
        if not overwrite:
            raise OutputError(exists_already(path))
        if not any((path / mark).exists() for mark in MARKS):
            raise OutputError(
                f"Cannot write {path}: it is there and is no Zarr, so it was left as it is. "
                "Choose another name."
            )
    unique = uuid.uuid4().hex[:12]
    temporary = path.with_name(f".{path.name[:20]}-{unique}")
    old = path.with_name(f".{path.name[:20]}-{unique}-old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rename(old)
            try:
                temporary.replace(path)
            except OSError:
                old.rename(path)
                raise
        else:
            temporary.replace(path)
    except OSError as error:
        raise OutputError(cannot_write(path, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)


def write_group(folder: Path, attributes: Mapping[str, Any]) -> None:
    """Make a group.

    Parameters
    ----------
    folder : Path
    attributes : mapping
        Plain values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".zgroup").write_text('{"zarr_format": 2}\n', encoding="utf-8")
    text = json.dumps(attributes, indent=2, ensure_ascii=False)
    (folder / ".zattrs").write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def write_array(folder: Path, array: NDArray[Any]) -> None:
    """Write an array, in chunks of one plane and up to 1024 x 1024 pixels.

    Parameters
    ----------
    folder : Path
    array : (..., H, W) array
        Chunks that are all 0 are left out, as the format allows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dtype = array.dtype.newbyteorder("<") if array.dtype.itemsize > 1 else array.dtype
    chunks = [*(1 for _ in array.shape[:-2]), *(min(CHUNK, max(1, n)) for n in array.shape[-2:])]
    description = {
        "zarr_format": 2,
        "shape": list(array.shape),
        "chunks": chunks,
        "dtype": dtype.str,
        "compressor": {"id": "zlib", "level": 1},
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": "/",
    }
    (folder / ".zarray").write_text(json.dumps(description, indent=2), encoding="utf-8")
    counts = [range(-(-n // c)) for n, c in zip(array.shape, chunks, strict=True)]
    for place in itertools.product(*counts):
        slices = tuple(slice(k * c, (k + 1) * c) for k, c in zip(place, chunks, strict=True))
        part = np.asarray(array[slices])
        if not part.any():
            continue
        full = np.zeros(chunks, dtype=dtype)
        full[tuple(slice(n) for n in part.shape)] = part
        file = folder.joinpath(*(str(k) for k in place))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zlib.compress(full.tobytes(), level=1))

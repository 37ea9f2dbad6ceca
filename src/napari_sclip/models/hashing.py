"""SHA-256 of files, remembered so that a large file is not read at every start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path

from napari_sclip.paths import atomic_write, cache_dir
from napari_sclip.progress import ProgressCallback, report

_REMEMBERED = 200
_CHUNK = 1 << 22


def sha256_of(path: str | os.PathLike[str], progress: ProgressCallback | None = None) -> str:
    """Return the SHA-256 of a file's bytes as 64 hexadecimal digits.

    It is kept in a small file of the cache folder, under the file's place, size and time of
    change; if that file is damaged or cannot be written, the bytes are read again.

    Parameters
    ----------
    path : str or os.PathLike
        The file.
    progress : ProgressCallback, optional
        Told the bytes read so far; raising from it stops the reading.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    file = Path(path).resolve()
    known = _read_memo().get(_key(file))
    if known is not None:
        return known
    digest = hash_bytes(file, progress)
    remember(file, digest)
    return digest


def hash_bytes(path: Path, progress: ProgressCallback | None = None) -> str:
    """Return the SHA-256 of a file's bytes, read now; see `sha256_of`."""
    total, done = path.stat().st_size, 0
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            report(progress, done, total, f"Checking {path.name}")
    return digest.hexdigest()


def remember(path: Path, digest: str) -> None:
    """Keep the SHA-256 of a file for `sha256_of`; does nothing if the folder is read-only."""
    memo = _read_memo()
    memo.pop(_key(path), None)
    memo[_key(path)] = digest
    newest = dict(list(memo.items())[-_REMEMBERED:])
    with contextlib.suppress(OSError), atomic_write(_memo_file()) as temporary:
        temporary.write_text(json.dumps(newest, indent=0), encoding="utf-8")


def _memo_file() -> Path:
    return cache_dir() / "sha256.json"


def _key(path: Path) -> str:
    stat = path.stat()
    return f"{stat.st_size} {stat.st_mtime_ns} {path}"


def _read_memo() -> dict[str, str]:
    try:
        memo = json.loads(_memo_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(memo, dict):
        return {}
    return {k: v for k, v in memo.items() if isinstance(v, str) and _is_sha256(v)}


def _is_sha256(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")

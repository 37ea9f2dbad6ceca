"""Labels kept on the disk while one works, for the day on which the program is killed.

Each session has a folder of its own, and holds a lock in it that the system takes away when the
process ends, however it ends. A folder whose lock can be had is one that was left behind.
"""

from __future__ import annotations

import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from napari_sclip.layers.keeping import KeptLabels, KeptLabelsError, read_kept, write_kept

LOCK = "in-use.lock"
OLD_SECONDS = 60 * 24 * 3600
"""Age at which what was left behind is removed without having been asked for."""


class RecoveryFolder:
    """The folder of this session; made when something is kept for the first time.

    Parameters
    ----------
    root : Path
        Where the folders of all sessions are.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / uuid.uuid4().hex
        self._lock: FileLock | None = None
        self._writing = threading.Lock()
        self._is_closed = False

    def keep(self, key: str, kept: KeptLabels) -> None:
        """Write labels, or remove what was kept of them if nothing is painted by hand or checked.

        May be called in a worker; after `close` nothing is written.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        if not kept.has_work():
            self.drop(key)
            return
        with self._writing:
            if self._is_closed:
                return
            if self._lock is None:
                self.path.mkdir(parents=True, exist_ok=True)
                # Not only for this thread: a worker makes it, and another thread releases it.
                self._lock = FileLock(self.path / LOCK, thread_local=False)
                self._lock.acquire(timeout=0)
            write_kept(self.path / f"{key}.npz", kept)

    def drop(self, key: str) -> None:
        """Remove what was kept of a layer."""
        (self.path / f"{key}.npz").unlink(missing_ok=True)

    def close(self) -> None:
        """Remove all, at the end of a session that ends as it should."""
        with self._writing:
            self._is_closed = True
            if self._lock is not None:
                self._lock.release()
                self._lock = None
            shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class LeftBehind:
    """What a session that was killed has left.

    Attributes
    ----------
    folder : Path
    files : tuple of Path
        One a layer.
    when : float
        Of the last change, in seconds since the epoch.
    """

    folder: Path
    files: tuple[Path, ...]
    when: float

    def read(self) -> Iterator[KeptLabels]:
        """Read the labels; damaged files are passed over, and stay where they are."""
        for file in self.files:
            try:
                yield read_kept(file)
            except KeptLabelsError:
                continue

    def discard(self) -> None:
        """Remove it."""
        shutil.rmtree(self.folder, ignore_errors=True)


def find_left_behind(root: Path) -> tuple[LeftBehind, ...]:
    """Find what sessions that were killed have left, the newest first.

    Parameters
    ----------
    root : Path
        Where the folders of all sessions are; need not exist.
    """
    found = [_look_at(folder) for folder in _folders(root)]
    return tuple(sorted((f for f in found if f is not None), key=lambda f: -f.when))


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if (path / LOCK).exists()]
    except OSError:
        return []


def _look_at(folder: Path) -> LeftBehind | None:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return None  # of a session that goes on
    lock.release()
    try:
        files = tuple(sorted(folder.glob("*.npz")))
        when = max((file.stat().st_mtime for file in files), default=0.0)
    except OSError:
        return None
    if not files or time.time() - when > OLD_SECONDS:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return LeftBehind(folder, files, when)

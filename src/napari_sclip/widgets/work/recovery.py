"""Labels kept on the disk while one works, for when the program ends before they are saved.

Each session has a folder of its own, and holds a lock in it that the system takes away when the
process ends, however it ends. A folder whose lock can be had is one that was left behind.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from napari_sclip.layers.labels.snapshot import KeptLabels, KeptLabelsError, read_kept, write_kept

LOCK = "in-use.lock"
CLOSED = "closed"
"""The file that says that a session ended as it should, with labels that were not saved."""

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
        self._changing = threading.Lock()
        self._forgotten: set[str] = set()
        self.is_closed = False

    def keep(self, key: str, kept: KeptLabels) -> None:
        """Write labels, or remove what was kept of them if nothing is painted by hand or checked.

        May be called in a worker. Nothing is written after `close`, or of a layer after `forget`.

        Raises
        ------
        OSError
            If they cannot be written.
        """
        if not kept.has_work():
            self._file(key).unlink(missing_ok=True)
            return
        with self._changing:
            if self.is_closed or key in self._forgotten:
                return
            if self._lock is None:
                self.path.mkdir(parents=True, exist_ok=True)
                # Not only for this thread: a worker makes it, and another thread releases it.
                self._lock = FileLock(self.path / LOCK, thread_local=False)
                self._lock.acquire(timeout=0)
        part = self.path / f"{key}.part"
        try:
            write_kept(part, kept)
        except OSError:
            if self.is_closed:
                return  # the folder has gone meanwhile
            raise
        with self._changing:
            if self.is_closed or key in self._forgotten:
                part.unlink(missing_ok=True)
                if self.is_closed and not _kept_in(self.path):
                    shutil.rmtree(self.path, ignore_errors=True)
            else:
                part.replace(self._file(key))

    def forget(self, key: str) -> None:
        """Remove what was kept of a layer that is gone; no more is kept of it."""
        with self._changing:
            self._forgotten.add(key)
            self._file(key).unlink(missing_ok=True)

    def _file(self, key: str) -> Path:
        return self.path / f"{key}.npz"

    def saved(self, key: str) -> None:
        """Remove what was kept of a layer that is saved now; what is painted next is kept again."""
        with self._changing:
            self._file(key).unlink(missing_ok=True)

    def close(self) -> None:
        """End a session as it should; what is kept then was not saved, and stays."""
        with self._changing:
            self.is_closed = True
            kept = _kept_in(self.path)
            if kept:
                with contextlib.suppress(OSError):
                    (self.path / CLOSED).touch()
            if self._lock is not None:
                self._lock.release()
                self._lock = None
            if not kept:
                shutil.rmtree(self.path, ignore_errors=True)


@dataclass(frozen=True)
class LeftBehind:
    """What a session has left that was killed, or closed before all was saved.

    Attributes
    ----------
    folder : Path
    files : tuple of Path
        One a layer.
    when : float
        Of the last change, in seconds since the epoch.
    was_closed : bool
        Whether the session ended as it should.
    """

    folder: Path
    files: tuple[Path, ...]
    when: float
    was_closed: bool = False

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
    """Find what other sessions have left, the newest first.

    Parameters
    ----------
    root : Path
        Where the folders of all sessions are; need not exist.
    """
    found = [_look_at(folder) for folder in _folders(root)]
    return tuple(sorted((f for f in found if f is not None), key=lambda f: -f.when))


def _folders(root: Path) -> list[Path]:
    # Where a lock is released, its file may go: a folder of labels is one without it, too.
    try:
        return [path for path in root.iterdir() if (path / LOCK).exists() or _kept_in(path)]
    except OSError:
        return []


def _kept_in(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(folder.glob("*.npz")))


def _look_at(folder: Path) -> LeftBehind | None:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return None  # of a session that goes on
    lock.release()
    try:
        files = _kept_in(folder)
        when = max((file.stat().st_mtime for file in files), default=0.0)
    except OSError:
        return None
    if not files or time.time() - when > OLD_SECONDS:
        shutil.rmtree(folder, ignore_errors=True)
        return None
    return LeftBehind(folder, files, when, (folder / CLOSED).exists())

"""Text embeddings kept on disk, so that classes seen before cost no text pass."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_sclip.paths import atomic_write, cache_dir

FORMAT = 1
MAX_ENTRIES = 4096
UNIT_TOLERANCE = 1e-3


class TextCache:
    """One small file an embedding; safe with several programs at once.

    Parameters
    ----------
    folder : path-like, optional
        Where the files are; ``text`` in the cache folder if left out.
    max_entries : int, optional
        How many files are kept at most; those unused for longest go first.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, max_entries: int = MAX_ENTRIES
    ) -> None:
        self.folder = cache_dir() / "text" if folder is None else Path(folder)
        self.max_entries = max_entries

    def load(self, key: str, size: int) -> np.ndarray | None:
        """Read an embedding.

        Parameters
        ----------
        key : str
            From `cache_key`.
        size : int
            Its length.

        Returns
        -------
        (size,) float32 array or None
            None if there is none, or the file is damaged or not one of ours.
        """
        path = self._path(key)
        try:
            # Opened here, since numpy leaves the file open where it is no archive.
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                embedding, kept_key = file["embedding"], str(file["key"])
            os.utime(path)
        except (
            OSError,
            ValueError,
            KeyError,
            EOFError,
            zipfile.BadZipFile,
            TypeError,
            AttributeError,
        ):
            return None
        sound = (
            kept_key == key
            and embedding.shape == (size,)
            and embedding.dtype == np.float32
            and abs(float(np.linalg.norm(embedding)) - 1) < UNIT_TOLERANCE
        )
        return embedding if sound else None

    def save(self, key: str, embedding: np.ndarray) -> None:
        """Keep an embedding; does nothing where the folder cannot be written."""
        with contextlib.suppress(OSError), atomic_write(self._path(key)) as temporary:
            np.savez(temporary, embedding=embedding.astype(np.float32), key=np.array(key))

    def prune(self) -> None:
        """Remove the files unused for longest until no more than `max_entries` are left."""
        try:
            files = list(self.folder.glob("[!.]*.npz"))
        except OSError:
            return
        if len(files) <= self.max_entries:
            return
        dated = []
        for path in files:
            with contextlib.suppress(OSError):
                dated.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(dated)[: max(0, len(dated) - self.max_entries)]:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"


def cache_key(fingerprint: str, templates: Sequence[str], prompt: str) -> str:
    """Hash of all that a text embedding depends on.

    Parameters
    ----------
    fingerprint : str
        Of the model: its weights and its text configuration.
    templates : sequence of str
    prompt : str
    """
    described = json.dumps([FORMAT, fingerprint, list(templates), prompt])
    return hashlib.sha256(described.encode()).hexdigest()

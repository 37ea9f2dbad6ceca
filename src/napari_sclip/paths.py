"""Where files are kept, and how they are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "NAPARI_SCLIP_CACHE"
"""Environment variable that names another cache folder."""

CONFIG_VARIABLE = "NAPARI_SCLIP_CONFIG"
"""Environment variable that names another folder of settings."""


def cache_dir() -> Path:
    """Return the folder for models, text embeddings and other files that can be made again.

    Returns
    -------
    Path
        The folder that the environment variable ``NAPARI_SCLIP_CACHE`` names, or else the
        user's cache folder of this system. It need not exist.
    """
    return _named_by(CACHE_VARIABLE) or Path(
        platformdirs.user_cache_dir("napari-sclip", appauthor=False)
    )


def config_dir() -> Path:
    """Return the folder for what is remembered between sessions: choices, measured times.

    Returns
    -------
    Path
        The folder that the environment variable ``NAPARI_SCLIP_CONFIG`` names, or else the
        user's folder of settings of this system. It need not exist.
    """
    return _named_by(CONFIG_VARIABLE) or Path(
        platformdirs.user_config_dir("napari-sclip", appauthor=False)
    )


def _named_by(variable: str) -> Path | None:
    named = os.environ.get(variable, "").strip()
    if not named:
        return None
    # Unlike Path.expanduser, this leaves the home folder of an unknown user as it is.
    return Path(os.path.expanduser(named)).absolute()  # noqa: PTH111


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a file whole or not at all.

    Parameters
    ----------
    path : str or os.PathLike
        The file to write; its folder is made if it is missing.

    Yields
    ------
    Path
        A new, empty file in the same folder, with the same suffix, to be written to. It takes
        the place of `path` when the block ends, and is removed if the block raises.

    Raises
    ------
    OSError
        If the folder or the file cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    name = f".{target.stem[:20]}-{uuid.uuid4().hex[:12]}{target.suffix}"
    temporary = target.with_name(name)
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)

"""Where the files of a model are: in the package, placed by hand, or brought from the hub."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_sclip.errors import ModelError
from napari_sclip.models.hub import download, on_disk
from napari_sclip.models.refusals import FileNotOnHubError
from napari_sclip.models.registry import PICKLE, SAFETENSORS, ModelEntry
from napari_sclip.progress import ProgressCallback

PACKAGE_DATA = Path(__file__).parents[1] / "data"
# The middle one was open_clip's name for a while.
WEIGHT_FILES = (SAFETENSORS, "open_clip_pytorch_model.safetensors", PICKLE)


def bundled_folder(entry: ModelEntry) -> Path:
    """Return the folder of the package that holds a bundled model."""
    return PACKAGE_DATA / entry.name


def weights_on_disk(entry: ModelEntry) -> Path | None:
    """Return the weights of a registry model on this disk, without any network.

    Parameters
    ----------
    entry : ModelEntry
        The model.

    Returns
    -------
    Path or None
        The file: of the package, of our own folder (where a person may have put it), or of the
        hub's cache; None if it is in none of them.
    """
    if entry.repo is None:
        bundled = bundled_folder(entry) / entry.filename
        return bundled if bundled.is_file() else None
    return find_weights(entry.repo, names_of(entry))


def names_of(entry: ModelEntry) -> tuple[str, ...]:
    """Return the names that an entry's file may have on the hub, its own first."""
    return entry.filename, *(name for name in WEIGHT_FILES if name != entry.filename)


def find_weights(repo: str, names: Sequence[str] = WEIGHT_FILES) -> Path | None:
    """Return a repository's weights on this disk, under the first of `names` that is there."""
    places = (on_disk(repo, name) for name in names)
    return next((place for place in places if place is not None), None)


def obtain_weights(entry: ModelEntry, progress: ProgressCallback | None = None) -> Path:
    """Return the weights of a registry model, from this disk or else from the hub.

    Parameters
    ----------
    entry : ModelEntry
        The model.
    progress : ProgressCallback, optional
        Told bytes and speed of a download; raising from it stops it.

    Raises
    ------
    DownloadError
        If the file is not on this disk and could not be brought.
    """
    found = weights_on_disk(entry)
    if found is not None:
        return found
    if entry.repo is None:
        raise ModelError(
            f"The bundled model {entry.name!r} is missing from the installation "
            f"({bundled_folder(entry) / entry.filename}). Install napari-sclip again."
        )
    return bring_weights(entry.repo, names_of(entry), entry.name, progress)


def bring_weights(
    repo: str, names: Sequence[str], label: str, progress: ProgressCallback | None = None
) -> Path:
    """Bring a repository's weights from the hub, under the first of `names` that it has."""
    missing = FileNotOnHubError(f"{repo} has no weights.")
    for position, name in enumerate(names):
        try:
            return download(repo, name, label=label, progress=progress)
        except FileNotOnHubError as error:
            missing = missing if position else error
    raise missing


def obtain_file(
    repo: str, filename: str, label: str, progress: ProgressCallback | None = None
) -> Path:
    """Return a repository's file, from this disk or else from the hub."""
    found = on_disk(repo, filename)
    return found or download(repo, filename, label=label, progress=progress)

"""Files of the hub: found on this disk, or brought to it whole."""

from __future__ import annotations

import contextlib
import importlib.metadata
import re
from collections.abc import Iterator
from pathlib import Path

from filelock import Timeout
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import HFValidationError
from huggingface_hub.file_download import HfFileMetadata, repo_folder_name
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    WeakFileLock,
    build_hf_headers,
    validate_repo_id,
)

from napari_sclip.errors import DownloadError, ModelError
from napari_sclip.models.hashing import hash_bytes, remember
from napari_sclip.models.refusals import Wanted, explained
from napari_sclip.models.transfer import (
    InterruptedTransferError,
    Meter,
    fetch,
    megabytes,
    reaching,
    writing_to,
)
from napari_sclip.paths import cache_dir
from napari_sclip.progress import ProgressCallback, report

_LIBRARY = "napari-sclip"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def folder_of(repo: str) -> Path:
    """Return our own folder for the files of a repository: where a person may put them."""
    return cache_dir() / "models" / repo.replace("/", "--")


def check_repo(repo: str) -> None:
    """Raise a `ModelError` unless `repo` has the form of a repository's name."""
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ModelError(
            f"Expected a repository of the hub as 'hf-hub:organisation/name'; got {repo!r}: {error}"
        ) from error


def on_disk(repo: str, filename: str) -> Path | None:
    """Return the place of a file on this disk, without any network.

    Parameters
    ----------
    repo, filename : str
        Repository and file.

    Returns
    -------
    Path or None
        In our own folder, or else in the hub's cache folder; None if it is in neither.
    """
    # A folder that may not be looked into holds nothing for us, and is no error.
    with contextlib.suppress(OSError):
        own = folder_of(repo) / filename
        if own.is_file():
            return own
    with contextlib.suppress(OSError):
        cached = try_to_load_from_cache(repo, filename)
        if isinstance(cached, str) and Path(cached).is_file():
            return Path(cached)
        # Another program may have moved the cache on to a revision of which this is not here.
        older = [p for p in _cache_folder(repo).glob(f"snapshots/*/{filename}") if p.is_file()]
        return max(older, key=lambda p: p.stat().st_mtime, default=None)
    return None


def download(
    repo: str, filename: str, *, label: str, progress: ProgressCallback | None = None
) -> Path:
    """Bring a file from the hub into the hub's cache folder, whole and checked.

    Parameters
    ----------
    repo, filename : str
        Repository and file.
    label : str
        What is being brought, for messages.
    progress : ProgressCallback, optional
        Told bytes and speed. If it raises, the download stops, the exception passes on, and
        the next call goes on from there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    DownloadError
        If it could not be brought; the message says what to do. `FileNotOnHubError` if the
        repository has no such file.
    """
    wanted = Wanted(repo, filename, label, folder_of(repo) / filename)
    report(progress, 0, 0, f"Asking the hub for {label}")
    with explained(wanted):
        remote = _metadata(repo, filename)
    blob = _cache_folder(repo) / "blobs" / str(remote.etag)
    with _one_at_a_time(blob, label, progress):
        if not blob.exists():
            _bring(wanted, remote, blob, progress)
    # Now that the bytes are in their place, this only files them under their name.
    with explained(wanted), reaching():
        return Path(hf_hub_download(repo, filename, headers=_headers()))


def hub_cache_dir() -> Path:
    """Return the folder in which programs that use the hub keep its files."""
    return Path(constants.HF_HUB_CACHE)


def _cache_folder(repo: str) -> Path:
    return hub_cache_dir() / repo_folder_name(repo_id=repo, repo_type="model")


def _headers() -> dict[str, str]:
    try:
        version = importlib.metadata.version(_LIBRARY)
    except importlib.metadata.PackageNotFoundError:  # run from its source, not installed
        version = "unknown"
    headers: dict[str, str] = build_hf_headers(library_name=_LIBRARY, library_version=version)
    return headers


def _metadata(repo: str, filename: str) -> HfFileMetadata:
    with reaching():
        metadata = get_hf_file_metadata(hf_hub_url(repo, filename), headers=_headers())
    if not metadata.commit_hash or not _SAFE_NAME.fullmatch(metadata.etag or ""):
        raise InterruptedTransferError("what answered there is not the hub")
    return metadata


def _bring(
    wanted: Wanted, remote: HfFileMetadata, blob: Path, progress: ProgressCallback | None
) -> None:
    partial = blob.with_name(f"{blob.name}.incomplete")
    with writing_to(partial):
        partial.parent.mkdir(parents=True, exist_ok=True)
    size = remote.size or 0
    url = hf_hub_url(wanted.repo, wanted.filename, revision=remote.commit_hash)
    with explained(wanted):
        meter = Meter(progress, wanted.label, size)
        fetch(url, partial, _headers(), size, meter)
    digest = _checked(partial, blob.name, size, wanted.label, progress)
    with writing_to(blob):
        partial.replace(blob)
    if digest:
        remember(blob.resolve(), digest)


def _checked(
    partial: Path, etag: str, size: int, label: str, progress: ProgressCallback | None
) -> str:
    came, digest = partial.stat().st_size, ""
    wrong = f"{came} bytes came instead of {size}" if size and came != size else ""
    if not wrong and _SHA256.fullmatch(etag):
        digest = hash_bytes(partial, progress)
        wrong = "" if digest == etag else f"its SHA-256 is {digest} instead of {etag}"
    if not wrong:
        return digest
    partial.unlink()
    raise DownloadError(
        f"What came for {label} ({megabytes(came)}) is not the file that the hub announced: "
        f"{wrong}. It has been removed. Try again; if it happens again, something between "
        "this machine and the hub changes files (a proxy, a mirror, a virus scanner)."
    )


@contextlib.contextmanager
def _one_at_a_time(blob: Path, label: str, progress: ProgressCallback | None) -> Iterator[None]:
    folder = blob.parents[1].name
    lock = Path(constants.HF_HUB_CACHE) / ".locks" / folder / f"{blob.name}.lock"
    with writing_to(lock):
        lock.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        while True:
            try:
                stack.enter_context(WeakFileLock(lock, timeout=0.5))
                break
            except Timeout:
                report(progress, 0, 0, f"Waiting for another download of {label}")
        yield

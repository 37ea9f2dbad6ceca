"""One file over HTTP, resumed where it stopped, through huggingface_hub's own session.

huggingface_hub 1 and later throw a partial file away, and its xet transfer can neither be
cancelled nor resumed: so the bytes are fetched here, with that library's session, headers,
proxies and errors.
"""

from __future__ import annotations

import contextlib
import textwrap
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import constants
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    get_session,
    hf_raise_for_status,
)

from napari_sclip.errors import DownloadError
from napari_sclip.progress import ProgressCallback, report

# huggingface_hub has used requests, httpx and httpx2: the base of its own error tells which.
_TRANSPORT_ERRORS: tuple[type[BaseException], ...] = (*HfHubHTTPError.__bases__, OSError)
# A proxy of an unknown kind, or of a kind that needs a package more.
_PROXY_ERRORS: tuple[type[BaseException], ...] = (ValueError, ImportError)
DOWNLOADING = "Downloading"
"""What reports of bytes that come begin with."""
MAX_CONNECTIONS = 10
_CHUNK = 1 << 16


class InterruptedTransferError(Exception):
    """The connection ended before the file did; what came stays in the partial file."""


@dataclass
class Meter:
    """Tells a callback how many bytes are here, and how fast they came.

    Attributes
    ----------
    progress : ProgressCallback or None
        Who is told.
    label : str
        What is being brought, in words.
    total : int
        Size of the whole file in bytes; 0 where it is not known.
    """

    progress: ProgressCallback | None
    label: str
    total: int

    def __post_init__(self) -> None:
        self._started = time.monotonic()
        self._received = 0

    def tell(self, done: int, received: int = 0) -> None:
        """Report that `done` bytes are here, `received` of them since the last report."""
        self._received += received
        message = f"{DOWNLOADING} {self.label}: {megabytes(done)}"
        if self.total:
            message += f" of {megabytes(self.total)}"
        seconds = time.monotonic() - self._started
        if self._received and seconds > 0:
            message += f", {megabytes(self._received / seconds)}/s"
        report(self.progress, done, self.total, message)


def megabytes(size: float) -> str:
    """Write a number of bytes in millions, as people read it."""
    millions = size / 1e6
    return f"{millions:.0f} MB" if millions >= 100 else f"{millions:.1f} MB"


def fetch(url: str, partial: Path, headers: Mapping[str, str], size: int, meter: Meter) -> None:
    """Bring a file, or what is still missing of it.

    Parameters
    ----------
    url : str
        Address of the file.
    partial : Path
        Where the bytes go. If it exists and the size is known, its bytes are kept and not
        asked for again.
    headers : mapping of str to str
        Headers of the request.
    size : int
        Size of the file in bytes; 0 where it is not known.
    meter : Meter
        Told after every piece. If its callback raises, the exception passes on and the partial
        file stays.

    Raises
    ------
    InterruptedTransferError
        If the connection could not be made, or ended again and again.
    HfHubHTTPError
        If the server refuses.
    DownloadError
        If the partial file cannot be written.
    """
    for _ in range(MAX_CONNECTIONS):
        have = _size(partial) if size else 0
        if size and have >= size:
            return
        try:
            whole = _append(url, partial, headers, have, meter)
        except InterruptedTransferError:
            if not size or _size(partial) <= have:
                raise
            continue
        if whole and _size(partial) >= size:
            return
    raise InterruptedTransferError(f"the connection ended {MAX_CONNECTIONS} times")


@contextlib.contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn an error of the disk into a `DownloadError` that names the file."""
    try:
        yield
    except OSError as error:
        raise DownloadError(
            f"The download could not be written to {path}: {error}. Make room or give write "
            "access, or name another folder with HF_HOME."
        ) from error


@contextlib.contextmanager
def reaching() -> Iterator[None]:
    """Turn an error of the network, other than a refusal, into `InterruptedTransferError`."""
    try:
        yield
    except HfHubHTTPError:
        raise
    except (*_TRANSPORT_ERRORS, *_PROXY_ERRORS) as error:
        words = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise InterruptedTransferError(textwrap.shorten(words, 200)) from error


def _append(url: str, partial: Path, headers: Mapping[str, str], have: int, meter: Meter) -> bool:
    asked = {**headers, "Accept-Encoding": "identity"}
    if have:
        asked["Range"] = f"bytes={have}-"
    with contextlib.ExitStack() as stack:
        response, chunks = stack.enter_context(_opened(url, asked))
        start = _first_byte(response)
        with writing_to(partial):
            file = stack.enter_context(partial.open("ab" if have and start == have else "wb"))
        if start not in (0, have):
            return False  # neither what was asked for nor the whole file: ask again without a range
        meter.tell(start)
        done = start
        for chunk in _translated(chunks):
            with writing_to(partial):
                file.write(chunk)
                file.flush()
            done += len(chunk)
            meter.tell(done, len(chunk))
    return True


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _translated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    # What the consumer raises is not thrown into a generator: only the network's errors count.
    with reaching():
        yield from chunks


@contextlib.contextmanager
def _opened(url: str, headers: Mapping[str, str]) -> Iterator[tuple[Any, Iterable[bytes]]]:
    with contextlib.ExitStack() as stack:
        with reaching():
            response, chunks = _request(url, headers, stack)
            hf_raise_for_status(response)
        yield response, chunks


def _request(
    url: str, headers: Mapping[str, str], stack: contextlib.ExitStack
) -> tuple[Any, Iterable[bytes]]:
    session: Any = get_session()
    timeout = constants.HF_HUB_DOWNLOAD_TIMEOUT
    if callable(getattr(session, "stream", None)):  # httpx, from huggingface_hub 1.0 on
        response = stack.enter_context(
            session.stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True)
        )
        return response, response.iter_bytes()
    response = stack.enter_context(session.get(url, headers=headers, timeout=timeout, stream=True))
    return response, response.iter_content(_CHUNK)


def _first_byte(response: Any) -> int:  # noqa: ANN401 - of requests, httpx or httpx2
    if response.status_code != 206:
        return 0
    content_range = str(response.headers.get("Content-Range", ""))
    start = content_range.removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else -1

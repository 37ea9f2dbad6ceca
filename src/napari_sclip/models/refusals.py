"""What to say, and what to advise, when the hub cannot give a file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import constants, hf_hub_url
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)

from napari_sclip.errors import DownloadError
from napari_sclip.models.transfer import InterruptedTransferError


class FileNotOnHubError(DownloadError):
    """The repository is there, and has no file of that name."""


@dataclass(frozen=True)
class Wanted:
    """A file of the hub, and where a person may put it by hand.

    Attributes
    ----------
    repo, filename : str
        Repository and file.
    label : str
        What it is, for messages.
    place : Path
        Where a copy made by hand is found.
    """

    repo: str
    filename: str
    label: str
    place: Path

    def by_hand(self) -> str:
        """Say how to do without the hub."""
        return (
            f"Or get {self.filename} from {hf_hub_url(self.repo, self.filename)} in another way "
            f"and put it at {self.place}, or give a local file with weights=."
        )


@contextlib.contextmanager
def explained(wanted: Wanted) -> Iterator[None]:
    """Turn a refusal of the hub, or of the network, into a `DownloadError` that advises."""
    try:
        yield
    except HfHubHTTPError as error:
        raise _refusal(wanted, error) from error
    except InterruptedTransferError as error:
        raise DownloadError(_no_connection(wanted, error)) from error


def _refusal(wanted: Wanted, error: HfHubHTTPError) -> DownloadError:
    status = getattr(error.response, "status_code", 0)
    page = f"{constants.ENDPOINT}/{wanted.repo}"
    start = f"{wanted.label} could not be downloaded: "
    if isinstance(error, GatedRepoError) or (
        status in (401, 403) and not isinstance(error, RepositoryNotFoundError)
    ):
        return DownloadError(
            f"{start}the hub refuses access to {wanted.repo} ({status}). Accept its licence on "
            f"{page} and log in with `hf auth login` (or set HF_TOKEN), then try again. "
            f"{wanted.by_hand()}"
        )
    if isinstance(error, RepositoryNotFoundError):
        return DownloadError(
            f"{start}the hub has no repository {wanted.repo!r} ({status}), or it is private. "
            "Check the spelling; if it is private, log in with `hf auth login`."
        )
    if isinstance(error, EntryNotFoundError) or status == 404:
        return FileNotOnHubError(
            f"{start}the file {wanted.filename!r} was not found in {wanted.repo} on the hub "
            f"({status}). Look at {page} for the files there are, or give a local file with "
            "weights=."
        )
    return DownloadError(
        f"{start}the hub answered with an error ({status}). Try again later. {wanted.by_hand()}"
    )


def _no_connection(wanted: Wanted, error: InterruptedTransferError) -> str:
    start = f"{wanted.label} could not be downloaded: "
    if constants.HF_HUB_OFFLINE or isinstance(error.__cause__, OfflineModeIsEnabled):
        return (
            f"{start}it is not on this disk, and HF_HUB_OFFLINE is set. Unset it. "
            f"{wanted.by_hand()}"
        )
    return (
        f"{start}the connection to {constants.ENDPOINT} failed or ended early ({error}). What "
        "came is kept: try again to go on from there. Behind a firewall, set HTTPS_PROXY, or "
        f"HF_ENDPOINT to a mirror. {wanted.by_hand()}"
    )

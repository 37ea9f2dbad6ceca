"""From what a user asks for to a configuration and weights, ready to be built."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sclip.errors import DownloadError, ModelError
from napari_sclip.models.architecture import (
    CONFIG_FILE,
    Architecture,
    known_architecture,
    read_config,
)
from napari_sclip.models.checkpoint import SUFFIXES, read_checkpoint
from napari_sclip.models.hashing import sha256_of
from napari_sclip.models.hub import check_repo
from napari_sclip.models.openai import openai_evidence, with_quick_gelu
from napari_sclip.models.registry import MODELS, ModelEntry, known_names, suggestion
from napari_sclip.models.weights import (
    WEIGHT_FILES,
    bring_weights,
    bundled_folder,
    find_weights,
    obtain_file,
    obtain_weights,
    weights_on_disk,
)
from napari_sclip.progress import ProgressCallback, report

if TYPE_CHECKING:
    import torch

__all__ = ["ModelSource", "load_source", "weights_on_disk"]

HUB_PREFIX = "hf-hub:"


@dataclass(frozen=True)
class ModelSource:
    """All that is needed to build a model.

    Attributes
    ----------
    name : str
        What the user asked for.
    model_cfg : mapping
        open_clip's configuration: ``embed_dim``, ``vision_cfg``, ``text_cfg``,
        ``quick_gelu``, ...
    mean, std : tuple of 3 float
        Red, green, blue in 0..1: what is subtracted from an image and what it is divided by.
    weights_path : Path
        The file of the weights.
    weights_sha256 : str
        SHA-256 of that file's bytes, 64 hexadecimal digits.
    state_dict : mapping of str to torch.Tensor
        Weights under open_clip's names, on the CPU, in the precision of the file.
    attention : str
        Name of the default attention mode.
    entry : ModelEntry or None
        The registry's entry, if `name` is of the registry.
    """

    name: str
    model_cfg: Mapping[str, Any]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    weights_path: Path
    weights_sha256: str
    state_dict: Mapping[str, torch.Tensor]
    attention: str
    entry: ModelEntry | None


def load_source(
    model: str,
    *,
    weights: str | os.PathLike[str] | None = None,
    progress: ProgressCallback | None = None,
    check: Callable[[str, Mapping[str, Any]], object] | None = None,
) -> ModelSource:
    """Find a model's configuration and read its weights.

    Parameters
    ----------
    model : str
        A name of the registry; a name of an open_clip architecture, together with `weights`;
        or ``hf-hub:organisation/name``.
    weights : str or os.PathLike, optional
        A local file of weights, which is taken instead of the published one.
    progress : ProgressCallback, optional
        Told how far a download is; raising from it stops it.
    check : callable, optional
        Given the name and the configuration before any weights are brought or read; raises
        for a model that cannot be used.

    Returns
    -------
    ModelSource
        Whether the weights fit the configuration is not checked here.

    Raises
    ------
    ModelError
        If the model is unknown, or its weights are missing or cannot be read.
    DownloadError
        If its files are not on this disk and could not be brought.

    Warns
    -----
    SclipWarning
        If the weights are OpenAI's and QuickGELU had to be switched on.
    """
    if not isinstance(model, str):
        raise ModelError(f"Expected the name of a model as a string; got {model!r}.")
    name = model.strip()
    if not isinstance(weights, (str, os.PathLike, type(None))):
        raise ModelError(f"Expected weights= as the path of a file; got {weights!r}.")
    # Unlike Path.expanduser, this leaves the home folder of an unknown user as it is.
    local = None if weights is None else Path(os.path.expanduser(weights))  # noqa: PTH111
    entry = next((e for e in MODELS if e.name == name), None)
    repo = _repo_of(name)
    if entry is not None:
        architecture = _architecture_of(entry)
    elif repo:
        config = obtain_file(repo, CONFIG_FILE, f"{CONFIG_FILE} of {repo}", progress)
        architecture = read_config(config, repo)
    else:
        architecture = _architecture_named(name, with_weights=local is not None)
    if check is not None:
        check(name, architecture.model_cfg)
    if local is not None:
        path = local
    elif entry is not None:
        path = obtain_weights(entry, progress)
    else:
        path = find_weights(repo) or bring_weights(repo, WEIGHT_FILES, repo, progress)
    report(progress, 0, 0, f"Reading {path.name}")
    checkpoint = read_checkpoint(path)
    sha256 = sha256_of(path, progress)
    _refuse_damaged(path, sha256)
    evidence = openai_evidence(checkpoint, path, sha256)
    return ModelSource(
        name=name,
        model_cfg=with_quick_gelu(architecture.model_cfg, evidence, architecture.name),
        mean=architecture.mean,
        std=architecture.std,
        weights_path=path,
        weights_sha256=sha256,
        state_dict=checkpoint.state_dict,
        attention=entry.attention if entry else _usual_attention(architecture, evidence),
        entry=entry,
    )


def _architecture_of(entry: ModelEntry) -> Architecture:
    if entry.repo is None:
        return read_config(bundled_folder(entry) / CONFIG_FILE, entry.name)
    found = known_architecture(entry.architecture)
    if found is None:
        raise ModelError(
            f"The installed open_clip does not know the architecture {entry.architecture!r} of "
            f"{entry.name!r}. Update it: pip install --upgrade open_clip_torch."
        )
    return found


def _architecture_named(name: str, *, with_weights: bool) -> Architecture:
    found = known_architecture(name)
    if found is None:
        raise ModelError(_unknown(name))
    if with_weights:
        return found
    base = found.name.removesuffix("-quickgelu")
    twins = [e.name for e in MODELS if e.architecture.removesuffix("-quickgelu") == base]
    published = f" or use a model of the registry: {', '.join(twins)}" if twins else ""
    raise ModelError(
        f"{name!r} is an architecture, and needs weights: give a local file with "
        f"weights={published}. Models of the registry: {known_names()}."
    )


def _unknown(name: str) -> str:
    hint = suggestion(name)
    if Path(name).suffix.lower() in SUFFIXES:
        hint = " To use a local file, name its architecture and give the file as weights=."
    return (
        f"Unknown model {name!r}.{hint} Expected a model of the registry ({known_names()}), any "
        "architecture of open_clip together with a local file as weights=, or "
        f"'{HUB_PREFIX}organisation/name'."
    )


def _repo_of(name: str) -> str:
    if not name.startswith(HUB_PREFIX):
        return ""
    repo = name.removeprefix(HUB_PREFIX).strip("/")
    check_repo(repo)
    return repo


def _refuse_damaged(path: Path, sha256: str) -> None:
    # The hub's cache names a large file by the SHA-256 that its bytes must have.
    blob = path.resolve()
    if blob.parent.name == "blobs" and len(blob.name) == 64 and blob.name != sha256:
        raise DownloadError(
            f"The file {blob} in the hub's cache is damaged: its SHA-256 is {sha256}, not its "
            "name. Remove it and try again."
        )


def _usual_attention(architecture: Architecture, evidence: str) -> str:
    is_openai = bool(evidence) or architecture.name == "ViT-B-16-quickgelu"
    return "sclip" if architecture.is_vit_b_16 and is_openai else "sclip-reduced"

"""Whose weights these are: OpenAI's need QuickGELU, and open_clip would only warn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_sclip.models.checkpoint import Checkpoint
from napari_sclip.progress import notify

_SHA256_IN_ADDRESS = re.compile(r"/([0-9a-f]{64})/([^/]+)$")
_FOLDER = ".openai"


def openai_evidence(checkpoint: Checkpoint, path: Path, sha256: str) -> str:
    """Say why a file's weights are known to be OpenAI's.

    Parameters
    ----------
    checkpoint : Checkpoint
        What the file holds.
    path : Path
        The file.
    sha256 : str
        SHA-256 of its bytes.

    Returns
    -------
    str
        The reason, in words; empty if they may be anyone's.
    """
    if checkpoint.openai:
        return checkpoint.openai
    published = _published().get(sha256)
    if published:
        return f"its SHA-256 is that of OpenAI's {published}"
    if any(value.endswith(_FOLDER) for value in checkpoint.metadata.values()):
        return "its metadata name OpenAI's model"
    folders = {*path.absolute().parent.parts, *path.resolve().parent.parts}
    named = sorted(folder for folder in folders if folder.endswith(_FOLDER))
    return f"it lies in a folder called {named[0]}" if named else ""


def with_quick_gelu(
    model_cfg: Mapping[str, Any], evidence: str, architecture: str
) -> Mapping[str, Any]:
    """Return a model's configuration with QuickGELU switched on, if the weights need it.

    Parameters
    ----------
    model_cfg : mapping
        open_clip's configuration.
    evidence : str
        What `openai_evidence` returned.
    architecture : str
        What the user asked for, for the warning.

    Warns
    -----
    SclipWarning
        If QuickGELU was off and has been switched on.
    """
    if not evidence or model_cfg.get("quick_gelu"):
        return model_cfg
    notify(
        f"These are OpenAI's weights ({evidence}), which need QuickGELU: it has been switched "
        f"on for {architecture!r}. To silence this, ask for the architecture's name that ends "
        "in '-quickgelu'."
    )
    return {**model_cfg, "quick_gelu": True}


def _published() -> dict[str, str]:
    # OpenAI's addresses carry the SHA-256 of the file they lead to.
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained

    addresses = [get_pretrained_cfg(*pair).get("url", "") for pair in list_pretrained()]
    found = (_SHA256_IN_ADDRESS.search(address) for address in addresses)
    return {match[1]: match[2] for match in found if match}

"""Attention modes: what the last block of the vision tower does. One file and one line each."""

from __future__ import annotations

import dataclasses
import difflib

from napari_sclip.core.attention import (
    clearclip,
    identity,
    key_only,
    maskclip,
    naclip,
    query_only,
    random_projection,
    sclip,
    sclip_reduced,
    vanilla,
)
from napari_sclip.core.attention.base import AttentionInputs, AttentionMode
from napari_sclip.errors import ConfigError

ATTENTION_MODES: tuple[AttentionMode, ...] = (
    sclip.MODE,
    sclip_reduced.MODE,
    vanilla.MODE,
    maskclip.MODE,
    clearclip.MODE,
    naclip.MODE,
    query_only.MODE,
    key_only.MODE,
    identity.MODE,
    *random_projection.MODES,
)

BLOCK_FORMS = {"full": False, "reduced": True}

__all__ = ["ATTENTION_MODES", "AttentionInputs", "AttentionMode", "find_attention_mode"]


def find_attention_mode(name: str) -> AttentionMode:
    """Find an attention mode by its name.

    Parameters
    ----------
    name : str
        The name of a mode. ``:full`` or ``:reduced`` after it chooses the other block form:
        ``naclip:full`` keeps the residual and the MLP.

    Raises
    ------
    ConfigError
        If there is no such mode; the message lists those there are.
    """
    base, colon, form = str(name).partition(":")
    known = {mode.name: mode for mode in ATTENTION_MODES}
    if base not in known or (colon and form not in BLOCK_FORMS):
        close = difflib.get_close_matches(str(name), known, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ConfigError(
            f"Unknown attention mode {name!r}. Known modes: {', '.join(known)}; each also with "
            f"':full' or ':reduced' for the block form.{hint}"
        )
    if not colon:
        return known[base]
    return dataclasses.replace(known[base], name=name, reduced=BLOCK_FORMS[form])

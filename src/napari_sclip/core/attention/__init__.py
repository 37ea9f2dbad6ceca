"""Attention modes: what the last block of the vision tower does. One entry each."""

from __future__ import annotations

import dataclasses
import difflib

from napari_sclip.core.attention import modes
from napari_sclip.core.attention.base import AttentionInputs, AttentionMode, softmax_mode
from napari_sclip.errors import ConfigError

ATTENTION_MODES: tuple[AttentionMode, ...] = (
    softmax_mode(
        "sclip",
        modes.correlative,
        reduced=False,
        summary="softmax(q qT) v + softmax(k kT) v; residual and MLP kept (Wang et al., 2024)",
    ),
    softmax_mode(
        "sclip-reduced",
        modes.correlative,
        reduced=True,
        summary="softmax(q qT) v + softmax(k kT) v; residual and MLP dropped",
    ),
    softmax_mode(
        "vanilla",
        modes.query_key,
        reduced=False,
        summary="softmax(q kT) v; residual and MLP kept (Radford et al., 2021)",
    ),
    AttentionMode(
        "maskclip",
        modes.own_value,
        modes.own_weight,
        reduced=True,
        summary="v; residual and MLP dropped (Zhou, Loy, Dai, 2022)",
    ),
    softmax_mode(
        "clearclip",
        modes.query_query,
        reduced=True,
        summary="softmax(q qT) v; residual and MLP dropped (Lan et al., 2024)",
    ),
    softmax_mode(
        "naclip",
        modes.key_key_near,
        reduced=True,
        summary="softmax(k kT + neighbours) v; residual and MLP dropped (Hajimiri et al., 2025)",
    ),
    softmax_mode(
        "q-only",
        modes.query_query,
        reduced=False,
        summary="softmax(q qT) v; residual and MLP kept (ablation of Wang et al., 2024)",
    ),
    softmax_mode(
        "k-only",
        modes.key_key,
        reduced=False,
        summary="softmax(k kT) v; residual and MLP kept (ablation of Wang et al., 2024)",
    ),
    softmax_mode(
        "identity",
        modes.identity_projection,
        reduced=False,
        summary="softmax(x xT) v; residual and MLP kept (ablation of Wang et al., 2024)",
    ),
    AttentionMode(
        "self-only",
        modes.own_value,
        modes.own_weight,
        reduced=False,
        summary="v; residual and MLP kept",
    ),
    *(
        softmax_mode(
            f"random-{count}",
            modes.random_projections(count),
            reduced=False,
            summary=f"mean of {count} softmax(x W WT xT) v, W random; residual and MLP kept "
            "(ablation of Wang et al., 2024)",
        )
        for count in (1, 4, 16)
    ),
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

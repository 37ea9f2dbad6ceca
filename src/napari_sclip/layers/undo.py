"""Changes to a Labels layer as one step that napari can undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.history import end_stroke
from napari_sclip.layers.mapping import Target

HISTORY_BYTES = 2**29
"""Bytes of old and new labels that the undo steps of one layer may hold."""


@dataclass(frozen=True, eq=False)
class Change:
    """New ids for some pixels of one plane.

    Attributes
    ----------
    target : Target
        The part of the layer.
    labels : (h, w) array
        New ids of that part.
    changed : (h, w) bool array
        The pixels that take them.
    """

    target: Target
    labels: np.ndarray
    changed: np.ndarray


def write_changes(layer: Labels, changes: Sequence[Change]) -> list[np.ndarray] | None:
    """Change pixels of a layer.

    Parameters
    ----------
    layer : Labels
    changes : sequence of Change

    Returns
    -------
    list of array or None
        What napari keeps to take all of it back with one undo: the old values, an array a change.
        None if it cannot be undone, because the old labels would take more memory than
        `HISTORY_BYTES`.
    """
    boxes = [change.target.box(change.changed) for change in changes]
    blocks = [layer.data[box] for box in boxes if box is not None]
    # napari's own `data_setitem` keeps 10 to 20 bytes a pixel and takes five times as long.
    save = getattr(layer, "_save_history", None)
    undoable = 2 * sum(int(block.nbytes) for block in blocks) <= HISTORY_BYTES
    kept: list[np.ndarray] = []
    end_stroke(layer)
    with layer.block_history():
        for change, box in zip(changes, boxes, strict=True):
            if box is None:
                continue
            if undoable and save is None:
                indices = change.target.indices(change.changed)
                layer.data_setitem(indices, change.labels[change.changed], refresh=False)
                continue
            before = layer.data[box].copy()
            np.copyto(change.target.view(layer.data), change.labels, where=change.changed)
            if undoable and save is not None:
                save((box, before, layer.data[box].copy()))
                kept.append(before)
    _forget_oldest_steps(layer)
    layer.refresh()
    return kept if undoable else None


def _forget_oldest_steps(layer: Labels) -> None:
    """Keep napari's undo history from filling the memory with whole planes, run after run."""
    history = getattr(layer, "_undo_history", None)
    if history is None:
        return
    sizes = [_bytes(tuple(item)) for item in history]
    while len(sizes) > 1 and sum(sizes) > HISTORY_BYTES:
        history.popleft()
        sizes.pop(0)


def _bytes(atom: object) -> int:
    if isinstance(atom, tuple):
        return sum(_bytes(part) for part in atom)
    return int(getattr(atom, "nbytes", 0))

"""Changes to a Labels layer as one step that napari can undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.history import Patch, end_stroke
from napari_sclip.layers.mapping import Target
from napari_sclip.layers.room import Room
from napari_sclip.layers.slabs import Pixels, put

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
    changed : (h, w) bool array, Pixels or None
        The pixels that take them; None for all.
    box : tuple of (int or slice), optional
        Index of a part of the layer's data beyond which nothing differs; left out, it is found.
    room : Room
        For what is kept to undo it.
    """

    target: Target
    labels: np.ndarray
    changed: np.ndarray | Pixels | None
    box: tuple[int | slice, ...] | None = None
    room: Room = field(default_factory=Room)

    def mask(self) -> np.ndarray:
        """Return `changed` as an array in any case."""
        if self.changed is None:
            return np.ones(self.labels.shape, dtype=bool)
        return self.changed.to_array() if isinstance(self.changed, Pixels) else self.changed


def write_changes(layer: Labels, changes: Sequence[Change]) -> list[Patch] | None:
    """Change pixels of a layer.

    Parameters
    ----------
    layer : Labels
    changes : sequence of Change

    Returns
    -------
    list of Patch or None
        What napari keeps to take all of it back with one undo: the old values, one a change.
        None if it cannot be undone, because the old labels would take more memory than
        `HISTORY_BYTES`.
    """
    boxes = [change.box or change.target.box(change.mask()) for change in changes]
    blocks = [layer.data[box] for box in boxes if box is not None]
    # napari's own `data_setitem` keeps 10 to 20 bytes a pixel and takes five times as long.
    save = getattr(layer, "_save_history", None)
    undoable = 2 * sum(int(block.nbytes) for block in blocks) <= HISTORY_BYTES
    kept: list[Patch] = []
    end_stroke(layer)
    with layer.block_history():
        for change, box in zip(changes, boxes, strict=True):
            if box is None:
                continue
            if undoable and save is None:
                indices = change.target.indices(change.mask())
                layer.data_setitem(indices, change.labels[change.mask()], refresh=False)
                continue
            before = _copy(layer.data[box], change.room)
            put(change.target.view(layer.data), change.labels, change.changed)
            if undoable and save is not None:
                after = _copy(layer.data[box], change.room)
                back = Patch(layer, box, before, after)
                save((box, back, Patch(layer, box, after, before)))
                kept.append(back)
    _forget_oldest_steps(layer)
    layer.refresh()
    return kept if undoable else None


def _copy(values: np.ndarray, room: Room) -> np.ndarray:
    out = room.take(values.shape, values.dtype)
    np.copyto(out, values)
    return out


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

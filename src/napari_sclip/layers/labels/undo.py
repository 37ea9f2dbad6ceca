"""Changes to a Labels layer as one step that napari can undo."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.labels.chunks import Pixels, Room, put
from napari_sclip.layers.labels.targets import Target

Index = tuple[int | slice, ...]

HISTORY_BYTES = 2**29
"""Bytes of old and new labels that the undo steps of one layer may hold."""


class Patch:
    """What an undo or a redo writes into a box: where a run changed nothing, what is there then.

    A script may have put other labels there meanwhile, of which napari's history knows nothing.

    Parameters
    ----------
    layer : Labels layer
    box : tuple of (int or slice)
        Index of a part of its data.
    values, others : array
        Of that part, on this side of the change and on the other one.
    """

    def __init__(self, layer: Any, box: Index, values: np.ndarray, others: np.ndarray) -> None:  # noqa: ANN401
        self._layer = weakref.ref(layer)
        self._box = box
        self.values = values
        self._others = others

    @property
    def nbytes(self) -> int:
        """Bytes that the values take."""
        return int(self.values.nbytes)

    @property
    def changed(self) -> np.ndarray:
        """Tell which pixels of the box were changed: bool array."""
        out: np.ndarray = self.values != self._others
        return out

    def replace(self, within: tuple[Any, bool], values: np.ndarray) -> None:
        """Write other values from now on where something was changed, in a part of the box."""
        inner, swapped = within
        own = values.T if swapped else values
        np.copyto(self.values[inner], own, where=self.changed[inner], casting="unsafe")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: ANN401
        layer = self._layer()
        now = self.values if layer is None else layer.data[self._box]
        return np.where(self.changed, self.values, now).astype(dtype or now.dtype, copy=False)


def key_of(step: Sequence[Any], number: int = -1) -> Any:  # noqa: ANN401
    """Return what tells a step from all others: an object of one of its changes."""
    atom = step[number]
    return atom[2] if _is_masked(atom) else atom[1]


def undo_steps(layer: Any) -> Any:  # noqa: ANN401 - napari has no types
    """Return the steps that can be undone, the oldest first; each is a list of changes."""
    return getattr(layer, "_undo_history", None) or ()


def redo_steps(layer: Any) -> Any:  # noqa: ANN401
    """Return the steps that can be redone, the one undone last at the end."""
    return getattr(layer, "_redo_history", None) or ()


def end_stroke(layer: Any) -> None:  # noqa: ANN401
    """Make what was painted of an unfinished stroke a step of its own."""
    commit = getattr(layer, "_commit_staged_history", None)
    if commit is not None and getattr(layer, "_staged_history", None):
        commit()


def forget_steps_with(layer: Any, ids: Sequence[int]) -> None:  # noqa: ANN401
    """Drop the steps that would bring back pixels of these ids, and those beyond them."""
    for steps in (undo_steps(layer), redo_steps(layer)):
        last = max((k for k, step in enumerate(steps) if _holds(step, ids)), default=-1)
        for _ in range(last + 1):
            steps.popleft()  # of napari's deque


def _holds(step: Sequence[Any], ids: Sequence[int]) -> bool:
    for atom in step:
        for part in atom[2:] if _is_masked(atom) else atom[1:]:
            values = part.values if isinstance(part, Patch) else np.asarray(part)
            if any((values == k).any() for k in ids):
                return True
    return False


@dataclass(frozen=True, eq=False)
class PlaneChange:
    """What one recorded change did in a plane.

    Attributes
    ----------
    place : tuple
        Index of pixels into the plane, rows first: two slices, or two int arrays.
    changed : bool array or None
        Which of these pixels were changed; None for all.
    old : array
        A copy of the values before; where nothing was changed, anything.
    """

    place: tuple[Any, Any]
    changed: np.ndarray | None
    old: np.ndarray
    _atom: Any
    _within: Any

    @property
    def rows(self) -> range:
        """The rows of the plane in which these pixels are, and those between them."""
        rows = self.place[0]
        if isinstance(rows, slice):
            return range(rows.start, rows.stop)
        return range(int(rows.min()), int(rows.max()) + 1)

    def replace_old(self, old: np.ndarray) -> None:
        """Let undo bring back other values than those that were there."""
        kept = self._atom[2] if _is_masked(self._atom) else self._atom[1]
        if isinstance(kept, Patch):
            kept.replace(self._within, old)
            return
        if _is_masked(self._atom) and self._atom[1] is not None:
            mask = self._atom[1]
            box = np.zeros(mask.shape, kept.dtype)
            box[mask] = kept
            _into(box, self._within, old)
            kept[...] = box[mask]
        else:
            _into(kept, self._within, old)


def changes_in(step: Sequence[Any], target: Target) -> Iterator[PlaneChange]:
    """Go through what a step of the history did in the plane and rows of a target.

    Parameters
    ----------
    step : sequence
        Of `undo_steps`, or the value of napari's event ``paint``.
    target : Target
    """
    for atom in step:
        if not isinstance(atom, tuple) or len(atom) not in (3, 4):
            continue
        found = _boxed(atom, target) if _is_box(atom[0]) else _listed(atom, target)
        if found is not None:
            yield found


def _is_masked(atom: Any) -> bool:  # noqa: ANN401
    return len(atom) == 4


def _is_box(index: Any) -> bool:  # noqa: ANN401
    return isinstance(index, tuple) and all(isinstance(i, int | slice) for i in index)


def _boxed(atom: Any, target: Target) -> PlaneChange | None:  # noqa: ANN401
    """Read a change of a box: napari's with a mask, or ours."""
    within: list[int | slice] = []
    place: list[slice] = []
    for own, key in zip(target.index, atom[0], strict=True):
        if isinstance(key, slice):
            start, stop = key.start or 0, key.stop
            first = own.start if isinstance(own, slice) else own
            last = own.stop if isinstance(own, slice) else own + 1
            low = max(start, first)
            high = last if stop is None else min(stop, last)
            if low >= high:
                return None
            within.append(
                slice(low - start, high - start) if isinstance(own, slice) else own - start
            )
            if isinstance(own, slice):
                place.append(slice(low - first, high - first))
        elif isinstance(own, slice) or own != key:
            return None
    inner = tuple(within)
    if _is_masked(atom):
        mask, values = atom[1], atom[2]
        box = values
        if mask is not None:
            box = np.zeros(mask.shape, values.dtype)
            box[mask] = values
        changed = None if mask is None else mask[inner]
    else:
        patch = atom[1]
        is_ours = isinstance(patch, Patch)
        box, changed = (patch.values, patch.changed[inner]) if is_ours else (patch, None)
    rows, columns = place if not target.swapped else place[::-1]
    old = box[inner]
    if target.swapped:
        old = old.T
        changed = None if changed is None else changed.T
    return PlaneChange((rows, columns), changed, old.copy(), atom, (inner, target.swapped))


def _listed(atom: Any, target: Target) -> PlaneChange | None:  # noqa: ANN401
    """Read a change of single pixels, each with its index."""
    indices = [np.asarray(i) for i in atom[0]]
    inside = np.ones(indices[0].shape, dtype=bool)
    for own, values in zip(target.index, indices, strict=True):
        if isinstance(own, slice):
            inside &= (values >= own.start) & (values < own.stop)
        else:
            inside &= values == own
    if not inside.any():
        return None
    place = [
        values[inside] - own.start
        for own, values in zip(target.index, indices, strict=True)
        if isinstance(own, slice)
    ]
    rows, columns = place if not target.swapped else place[::-1]
    return PlaneChange((rows, columns), None, atom[1][inside], atom, (inside, False))


def _into(array: np.ndarray, within: tuple[Any, bool], values: np.ndarray) -> None:
    inner, swapped = within
    array[inner] = values.T if swapped else values


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

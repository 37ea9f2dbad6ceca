"""What a person painted: every pixel that differs from the last prediction."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_sclip.layers.history import key_of, redo_steps, undo_steps
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.mapping import Target, check_fitting, find_target
from napari_sclip.layers.room import Room
from napari_sclip.layers.slabs import Pixels, put, slabs

REMEMBERED_BYTES = 2**28


@dataclass(frozen=True, eq=False)
class Prediction:
    """Ids that were predicted for a part of a layer.

    Attributes
    ----------
    target : Target
    ids : (h, w) array
    free : (h, w) bool array, Pixels or None
        The pixels that take them; None for all.
    painted : Pixels
        Those that are a person's from now on, whatever is predicted for them.
    room : Room
        For what is kept to undo it.
    """

    target: Target
    ids: np.ndarray
    free: np.ndarray | Pixels | None
    painted: Pixels
    room: Room = field(default_factory=Room)


@dataclass(eq=False)
class _Step:
    """A prediction that napari can undo, with the log's values on the other side of it."""

    parts: list[tuple[Target, np.ndarray, Pixels]]
    atoms: list[weakref.ref[Any]]
    applied: bool = True

    @property
    def nbytes(self) -> int:
        return sum(ids.nbytes + painted.nbytes for _, ids, painted in self.parts)

    def is_in(self, history: set[int]) -> bool:
        atoms = (atom() for atom in self.atoms)
        return any(atom is not None and id(atom) in history for atom in atoms)


class PredictionLog:
    """The last prediction for every pixel of one Labels layer; 0 where there was none.

    It goes back and forth with the layer's undo and redo.

    Parameters
    ----------
    layer : Labels layer

    Attributes
    ----------
    predicted : array
        Of the shape of the layer's data.
    painted : bool array
        Pixels that were a person's when something was predicted for them. They stay so even
        when the person goes back to what had been predicted.
    """

    def __init__(self, layer: Any) -> None:  # noqa: ANN401 - napari has no types
        self.predicted = np.zeros(layer.data.shape, dtype=layer.data.dtype)
        self.painted = np.zeros(layer.data.shape, dtype=bool)
        self._has_painted = False  # on most planes nothing ever is, and they are large
        self._layer = weakref.ref(layer)
        self._steps: list[_Step] = []
        layer.events.set_data.connect(self.follow_history)

    def suits(self, data: np.ndarray) -> bool:
        """Whether this is about data of this shape."""
        return bool(data.shape == self.predicted.shape)

    def edited(self, data: np.ndarray, target: Target) -> np.ndarray:
        """Tell which pixels of a part are a person's: (h, w) bool array."""
        predicted, painted = self.look(target)
        out: np.ndarray = target.view(data) != predicted
        if painted is not None:
            out |= painted
        return out

    def look(self, target: Target) -> tuple[np.ndarray, np.ndarray | None]:
        """Return views of `predicted` and `painted` of a part; None if nothing is painted."""
        self.follow_history()
        painted = target.view(self.painted) if self._has_painted else None
        return target.view(self.predicted), painted

    def everywhere(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return `predicted` and `painted` as they are now; None if nothing is painted."""
        self.follow_history()
        return self.predicted, self.painted if self._has_painted else None

    def edited_everywhere(self, data: np.ndarray) -> np.ndarray:
        """Tell which pixels of the whole layer are a person's: bool array of its shape."""
        self.follow_history()
        out: np.ndarray = data != self.predicted
        out |= self.painted
        return out

    def record(self, predictions: Sequence[Prediction], atoms: Sequence[Any] | None) -> None:
        """Note predictions that have been written.

        Parameters
        ----------
        predictions : sequence of Prediction
        atoms : sequence of Patch or None
            What napari's history keeps of the step; empty if nothing was changed, None if the
            step cannot be undone.
        """
        if atoms is None:
            self._steps.clear()
        elif not atoms:
            layer = self._layer()
            if layer is None or redo_steps(layer):
                return  # nothing was changed, so all of that can still be redone
            if any(p.painted for p in predictions):
                if not any(self._marks_more(p) for p in predictions):
                    return
                # Undoing the last stroke takes the marks back.
                steps = undo_steps(layer)
                atoms = [key_of(steps[-1])] if steps else []
        self._steps = [step for step in self._steps if step.applied]
        parts = [(p.target, self._predict(p), self._mark(p)) for p in predictions]
        if atoms:
            self._steps.append(_Step(parts, [weakref.ref(atom) for atom in atoms]))
            while sum(step.nbytes for step in self._steps) > REMEMBERED_BYTES:
                self._steps.pop(0)

    def restore(self, predicted: np.ndarray, painted: np.ndarray) -> None:
        """Take over a log that was kept in a file; of the layer's shape."""
        self.predicted = predicted.copy()
        self.painted = painted.astype(bool)
        self._has_painted = bool(self.painted.any())
        self._steps.clear()

    def release(self, where: np.ndarray, data: np.ndarray) -> None:
        """Let the next prediction replace painted pixels; bool array of the layer's shape."""
        self.painted[where] = False
        if not np.can_cast(data.dtype, self.predicted.dtype):
            self.predicted = self.predicted.astype(
                np.promote_types(data.dtype, self.predicted.dtype)
            )
        self.predicted[where] = data[where]

    def follow_history(self, event: Any = None) -> None:  # noqa: ANN401
        """Notice which steps have been undone or redone since."""
        layer = self._layer()
        if layer is None or not self._steps:
            return
        done, undone = _kept(undo_steps(layer)), _kept(redo_steps(layer))
        for step in reversed(self._steps):
            if step.applied and step.is_in(undone):
                self._swap(step)
        for step in self._steps:
            if not step.applied and step.is_in(done):
                self._swap(step)

    def _predict(self, new: Prediction) -> np.ndarray:
        """Note what was predicted; returns what had been."""
        if not np.can_cast(new.ids.dtype, self.predicted.dtype):
            dtype = np.promote_types(new.ids.dtype, self.predicted.dtype)
            self.predicted = self.predicted.astype(dtype)
        view = new.target.view(self.predicted)
        other = new.room.take(view.shape, view.dtype)
        if self.predicted.size == view.size and not new.target.swapped:
            # The whole layer: what had been predicted need not be written over.
            if new.free is not None:
                np.copyto(other, view)
            put(other, new.ids, new.free)
            self.predicted = other.reshape(self.predicted.shape)
            return view
        np.copyto(other, view)
        put(view, new.ids, new.free)
        return other

    def _marks_more(self, new: Prediction) -> bool:
        view = new.target.view(self.painted)
        return any(
            new.painted.any_in(rows) and bool((new.painted[rows] & ~view[rows]).any())
            for rows in slabs(range(view.shape[0]), view.shape[1])
        )

    def _mark(self, new: Prediction) -> Pixels:
        """Note what is painted; returns what had been."""
        view = new.target.view(self.painted)
        before = self._marks(new.target)
        for rows in slabs(range(view.shape[0]), view.shape[1]):
            if before.any_in(rows):
                np.copyto(view[rows], False, where=True if new.free is None else new.free[rows])
            if new.painted.any_in(rows):
                view[rows] |= new.painted[rows]
        self._has_painted |= bool(new.painted)
        return before

    def _marks(self, target: Target) -> Pixels:
        view = target.view(self.painted)
        return Pixels.of(view) if self._has_painted else Pixels(view.shape)

    def _swap(self, step: _Step) -> None:
        for k, (target, ids, painted) in enumerate(step.parts):
            now = self._marks(target)
            marks, predicted = target.view(self.painted), target.view(self.predicted)
            other = ids if ids.dtype == predicted.dtype else ids.astype(predicted.dtype)
            for rows in slabs(range(ids.shape[0]), ids.shape[1]):
                before = predicted[rows].copy()
                np.copyto(predicted[rows], other[rows])
                np.copyto(other[rows], before)
                if now.any_in(rows) or painted.any_in(rows):
                    np.copyto(marks[rows], painted[rows])
            step.parts[k] = (target, other, now)
        step.applied = not step.applied


def _kept(steps: Sequence[Any]) -> set[int]:
    """Identities of the old values that napari's history holds."""
    return {id(key_of(step, k)) for step in steps for k in (0, -1) if step}


KEPT = "napari_sclip_prediction"
"""Where a layer's metadata has what was read from a file, until it is asked for."""

_LOGS: WeakKeyDictionary[Any, PredictionLog] = WeakKeyDictionary()


def prediction_log(layer: Any) -> PredictionLog:  # noqa: ANN401 - napari has no types
    """Return the log of a Labels layer; it goes with the layer."""
    log = _LOGS.get(layer)
    if log is None or not log.suits(layer.data):
        log = _LOGS[layer] = PredictionLog(layer)
        kept = layer.metadata.get(KEPT)
        if kept is not None:
            layer.metadata = {k: v for k, v in layer.metadata.items() if k != KEPT}
            if log.suits(kept[0]):
                log.restore(*kept)
    return log


def has_log(layer: Any) -> bool:  # noqa: ANN401
    """Tell whether a layer has a log that is about the data that it has now."""
    log = _LOGS.get(layer)
    return log is not None and log.suits(layer.data)


def known_log(data: Any) -> PredictionLog | None:  # noqa: ANN401
    """Return the log of the layer that these are the data of, or None."""
    found = (log for layer, log in list(_LOGS.items()) if layer.data is data and log.suits(data))
    return next(found, None)


def hand_edits(layer: Any, request: ImageRequest, number: int = 0) -> np.ndarray:  # noqa: ANN401
    """Tell which pixels of a plane's region a person has painted.

    Parameters
    ----------
    layer : Labels layer
        That the request's labels go to.
    request : ImageRequest
    number : int
        Of the plane.

    Returns
    -------
    (h, w) bool array
        In the pixels of the labels. In a layer that was not written to since it was opened,
        every pixel that is not 0.

    Raises
    ------
    LabelsMismatchError
        If the request's labels cannot go into this layer.
    """
    check_fitting(layer, request)
    target = find_target(request, number)
    edited = prediction_log(layer).edited(layer.data, target)
    return edited if target.mask is None else edited & target.mask


def count_hand_edits(layer: Any, request: ImageRequest) -> int:  # noqa: ANN401
    """Count the pixels that a person has painted in all that a request is written to.

    Parameters and errors are those of `hand_edits`.
    """
    planes = range(len(request.planes))
    return sum(int(np.count_nonzero(hand_edits(layer, request, k))) for k in planes)

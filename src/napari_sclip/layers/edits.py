"""What a person painted: every pixel that differs from the last prediction."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_sclip.layers.mapping import Target, check_fitting, find_target
from napari_sclip.layers.request import ImageRequest

REMEMBERED_BYTES = 2**28


@dataclass(eq=False)
class _Step:
    """One prediction that was written: what it replaced, to notice that it was undone."""

    target: Target
    predicted_before: np.ndarray
    checksum_before: int
    checksum_after: int | None = None


class PredictionLog:
    """The last prediction for every pixel of one Labels layer; 0 where there was none.

    Parameters
    ----------
    data : array
        Of the layer.
    """

    def __init__(self, data: np.ndarray) -> None:
        self._predicted = np.zeros(data.shape, dtype=data.dtype)
        self._steps: list[_Step] = []

    def suits(self, data: np.ndarray) -> bool:
        """Whether this is about data of this shape and dtype."""
        return (data.shape, data.dtype) == (self._predicted.shape, self._predicted.dtype)

    def remember(self, data: np.ndarray, target: Target, prediction: np.ndarray) -> None:
        """Note a prediction that is about to be written; call `settle` when it is.

        Parameters
        ----------
        data : array
            Of the layer, before it is written to.
        target : Target
            The part that is written to.
        prediction : (h, w) array
            The ids predicted for that part.
        """
        view = target.view(self._predicted)
        self._steps.append(_Step(target, view.copy(), _checksum(target.view(data))))
        while sum(step.predicted_before.nbytes for step in self._steps) > REMEMBERED_BYTES:
            self._steps.pop(0)
        where = True if target.mask is None else target.mask
        np.copyto(view, prediction, casting="unsafe", where=where)

    def settle(self, data: np.ndarray) -> None:
        """Note how the layer's data are now that predictions have been written."""
        for step in self._steps:
            if step.checksum_after is None:
                step.checksum_after = _checksum(step.target.view(data))

    def edited(self, data: np.ndarray, target: Target) -> np.ndarray:
        """Tell which pixels of a part differ from the last prediction: (h, w) bool array."""
        self._forget_what_was_undone(data, target)
        out: np.ndarray = target.view(data) != target.view(self._predicted)
        return out

    def _forget_what_was_undone(self, data: np.ndarray, target: Target) -> None:
        """Where a plane is again as it was before a step, that step and later ones are undone."""
        seen: dict[str, int] = {}
        for number in range(len(self._steps) - 1, -1, -1):
            step = self._steps[number]
            key = str(step.target.index)
            if not step.target.same_plane(target):
                continue
            if key not in seen:
                seen[key] = _checksum(step.target.view(data))
                if seen[key] == step.checksum_after:
                    return
            if seen[key] != step.checksum_before:
                continue
            undone = [s for s in self._steps[number:] if str(s.target.index) == key]
            step.target.view(self._predicted)[...] = step.predicted_before
            self._steps = [s for s in self._steps if s not in undone]
            return


_LOGS: WeakKeyDictionary[Any, PredictionLog] = WeakKeyDictionary()


def prediction_log(layer: Any) -> PredictionLog:  # noqa: ANN401 - napari has no types
    """Return the log of a Labels layer; it goes with the layer."""
    log = _LOGS.get(layer)
    if log is None or not log.suits(layer.data):
        log = _LOGS[layer] = PredictionLog(layer.data)
    return log


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


def _checksum(values: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(values).data)

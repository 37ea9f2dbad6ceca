"""Partial results, shown in a layer while a run goes on, and taken back before its end."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.edits import prediction_log
from napari_sclip.layers.history import (
    PlaneChange,
    changes_in,
    end_stroke,
    redo_steps,
    undo_steps,
)
from napari_sclip.layers.mapping import check_fitting, find_target
from napari_sclip.layers.placing import PlacedPlane
from napari_sclip.layers.request import ImageRequest

_DRAWN: WeakKeyDictionary[Any, WeakSet[Draft]] = WeakKeyDictionary()
"""The drafts that are drawn over a layer now."""


def data_without_drafts(layer: Labels, *, copy: bool = True) -> np.ndarray:
    """Return a layer's labels as they would be if its drafts were withdrawn.

    Parameters
    ----------
    layer : Labels
    copy : bool
        Whether the array has to be a copy even where there are no drafts.
    """
    drafts = list(_DRAWN.get(layer, ()))
    if not drafts and not copy:
        return np.asarray(layer.data)
    data: np.ndarray = np.array(layer.data)
    for draft in drafts:
        draft.clean(data)
    return data


class Draft:
    """One plane's partial labels, drawn without a trace in the undo history.

    What a person painted, before or meanwhile, is never drawn over. Call `withdraw` before the
    final labels are written or the run is given up, so that these are one undo step.

    Parameters
    ----------
    layer : Labels
        That knows the classes: of `new_labels_layer`, or of an earlier run.
    request : ImageRequest
    number : int
        Of the plane.
    lut : array, optional
        The layer's id for each id that `show` is given; left out, they are the layer's own.
    keep_edits : bool
        Whether what was painted before is left alone.

    Raises
    ------
    LabelsMismatchError
        If the request's labels cannot go into this layer.
    """

    def __init__(
        self,
        layer: Labels,
        request: ImageRequest,
        number: int,
        lut: np.ndarray | None = None,
        *,
        keep_edits: bool = True,
    ) -> None:
        check_fitting(layer, request)
        self._layer = layer
        self._target = find_target(request, number)
        self._lut = lut
        self._shape = layer.data.shape
        edited = prediction_log(layer).edited(layer.data, self._target)
        self._free = ~edited if keep_edits else np.ones_like(edited)
        if self._target.mask is not None:
            self._free &= self._target.mask
        self._before = self._target.view(layer.data).copy()
        self._drawn = self._before.copy()
        self._painted = np.zeros(self._free.shape, dtype=bool)
        self._undone = len(redo_steps(layer))
        self._drawing = False
        layer.events.paint.connect(self._on_paint)
        layer.events.set_data.connect(self._on_undo)
        _DRAWN.setdefault(layer, WeakSet()).add(self)

    def clean(self, data: np.ndarray) -> None:
        """Take what is drawn out of a copy of the layer's data."""
        if data.shape == self._shape:
            view = self._target.view(data)
            np.copyto(view, self._before, where=self._free & (view == self._drawn))

    def show(self, labels: np.ndarray) -> None:
        """Draw partial labels of the size that is read; 0 is drawn as it was before.

        Parameters
        ----------
        labels : (h, w) unsigned array
        """
        fresh = self._target.spread(labels)
        values = fresh if self._lut is None else self._lut[fresh]
        self._draw(np.where(fresh == 0, self._before, values))

    def show_placed(self, plane: PlacedPlane) -> None:
        """Draw partial labels that have been placed; quick, 0 is drawn as it was before."""
        values = plane.values.copy()
        np.copyto(values, self._before, where=values == 0)
        self._draw(values)

    def withdraw(self) -> np.ndarray:
        """Put back what was there, but for what a person painted meanwhile.

        Returns
        -------
        (h, w) bool array
            The pixels that were painted meanwhile, for `update_labels`: some may be back at what
            they were before, and would not be known for the person's.
        """
        end_stroke(self._layer)
        self._draw(self._before)
        self._layer.events.paint.disconnect(self._on_paint)
        self._layer.events.set_data.disconnect(self._on_undo)
        _DRAWN[self._layer].discard(self)
        return self._painted

    def _draw(self, values: np.ndarray) -> None:
        data = self._layer.data
        if (
            data.shape != self._shape
            or not isinstance(data, np.ndarray)
            or not data.flags.writeable
        ):
            return  # other labels have been put into the layer
        self._on_undo()
        view = self._target.view(self._layer.data)
        # What is painted in a stroke that goes on is not told by an event yet.
        mine = self._free & (view == self._drawn)
        np.copyto(view, values, where=mine)
        np.copyto(self._drawn, values, where=mine)
        self._drawing = True
        try:
            self._layer.refresh()
        finally:
            self._drawing = False

    def _on_paint(self, event: Any) -> None:  # noqa: ANN401 - napari has no types
        """Let the undo of a stroke bring back what was there, not what was drawn."""
        self._undone = len(redo_steps(self._layer))
        for change in changes_in(event.value, self._target):
            old, place = change.old, change.place
            mine = self._free[place] & (old == self._drawn[place])
            if change.changed is not None:
                mine &= change.changed
            np.copyto(old, self._before[place], where=mine)
            change.replace_old(old)
            self._leave(change, painted=True)

    def _on_undo(self, event: Any = None) -> None:  # noqa: ANN401
        """Leave alone what an undo or a redo has brought back."""
        if self._drawing:
            return
        undone = len(redo_steps(self._layer))
        if undone > self._undone:
            steps = redo_steps(self._layer)
            moved = [steps[k] for k in range(self._undone, undone)]
        else:
            steps = undo_steps(self._layer)
            moved = [steps[-k] for k in range(1, self._undone - undone + 1) if k <= len(steps)]
        self._undone = undone
        for step in moved:
            for change in changes_in(step, self._target):
                self._leave(change, painted=False)

    def _leave(self, change: PlaneChange, *, painted: bool) -> None:
        where = True if change.changed is None else change.changed
        self._free[change.place] &= np.logical_not(where)
        if painted:
            self._painted[change.place] |= where
        else:
            self._painted[change.place] &= np.logical_not(where)

"""Partial results, shown in a layer while a run goes on, and taken back before its end."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import prediction_log
from napari_sclip.layers.labels.chunks import Room, slabs
from napari_sclip.layers.labels.targets import PlacedPlane, check_fitting, find_target
from napari_sclip.layers.labels.undo import (
    PlaneChange,
    changes_in,
    end_stroke,
    redo_steps,
    undo_steps,
)

METHODS = ("paint", "paint_polygon", "data_setitem")
"""Public methods of a Labels layer, by which all of its tools but the filling one paint."""

Meet = Callable[[Any, range | None], AbstractContextManager[None]]
"""Takes the label and, where they are known, the indices along the axis of the rows."""

_DRAWN: WeakKeyDictionary[Any, WeakSet[Draft]] = WeakKeyDictionary()
"""The drafts that are drawn over a layer now."""


def watch(layer: Any, row_axis: int, meeting: Callable[[], list[Meet]]) -> None:  # noqa: ANN401
    """Call a layer's painting methods within what `meeting` gives, until `unwatch`."""
    for name in METHODS:
        method = getattr(type(layer), name, None)
        if method is not None:
            setattr(layer, name, functools.partial(_call, layer, method, row_axis, meeting))


def unwatch(layer: Any) -> None:  # noqa: ANN401
    """Call them as they are."""
    for name in METHODS:
        vars(layer).pop(name, None)


def _call(
    layer: Any,  # noqa: ANN401
    method: Callable[..., None],
    row_axis: int,
    meeting: Callable[[], list[Meet]],
    *arguments: Any,  # noqa: ANN401 - what napari's method takes
    **named: Any,  # noqa: ANN401
) -> None:
    called = inspect.signature(method).bind(layer, *arguments, **named)
    called.apply_defaults()
    _, where, label = list(called.arguments.values())[:3]
    if layer.preserve_labels or np.ndim(label) > 0:
        method(*called.args, **called.kwargs)
        return
    refresh = called.arguments.get("refresh", True)
    if "refresh" in called.arguments:
        called.arguments["refresh"] = False
    rows = _rows(layer, method.__name__, where, row_axis)
    own = {name: vars(layer).pop(name) for name in METHODS if name in vars(layer)}
    try:
        with ExitStack() as stack:
            for meet in meeting():
                stack.enter_context(meet(label, rows))
            method(*called.args, **called.kwargs)
    finally:
        vars(layer).update(own)
    if refresh:
        layer.refresh()


def _rows(layer: Any, name: str, where: Any, axis: int) -> range | None:  # noqa: ANN401
    if name == "paint":
        reach = int(layer.brush_size) // 2 + 2
        return range(int(where[axis]) - reach, int(where[axis]) + reach + 1)
    if name == "data_setitem" and np.size(where[axis]):
        return range(int(np.min(where[axis])), int(np.max(where[axis])) + 1)
    return None


def data_without_drafts(layer: Labels, *, copy: bool = True) -> np.ndarray:
    """Return a layer's labels as they would be if its drafts were withdrawn.

    Parameters
    ----------
    layer : Labels
    copy : bool
        Whether the array has to be a copy even where there are no drafts.
    """
    drafts = drafts_over(layer)
    if not drafts and not copy:
        return np.asarray(layer.data)
    data: np.ndarray = np.array(layer.data)
    for draft in drafts:
        draft.clean(data)
    return data


def drafts_over(layer: Labels) -> tuple[Draft, ...]:
    """Return the drafts that are drawn over a layer now."""
    return tuple(_DRAWN.get(layer, ()))


def is_drawn_over(layer: Labels) -> bool:
    """Tell whether drafts are drawn over a layer now."""
    return bool(_DRAWN.get(layer))


def undrafted(data: Any) -> Any:  # noqa: ANN401 - of any layer
    """Return a layer's data without the drafts; themselves where there are none."""
    for layer in list(_DRAWN):
        if layer.data is data:
            return data_without_drafts(layer, copy=False)
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
    room : Room, optional
        Of arrays like the plane.

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
        room: Room | None = None,
    ) -> None:
        check_fitting(layer, request)
        self._layer = layer
        self._target = find_target(request, number)
        self._lut = lut
        self._array = layer.data
        view = self._target.view(layer.data)
        room = room or Room()
        self._drawn, self._before = (room.take(view.shape, view.dtype) for _ in range(2))
        self._free = room.take(view.shape, bool)
        predicted, painted = prediction_log(layer).look(self._target)
        for rows in slabs(range(view.shape[0]), view.shape[1]):
            np.copyto(self._before[rows], view[rows])
            free = self._free[rows]
            free[...] = (view[rows] == predicted[rows]) if keep_edits else True
            if keep_edits and painted is not None:
                free &= ~painted[rows]
            if self._target.mask is not None:
                free &= self._target.mask[rows]
        self._reached = range(0)  # the rows of `_drawn` that have been filled
        self._painted: np.ndarray | None = None
        self._met: np.ndarray | None = None  # painted over, and not told by an event yet
        self._steps = self._count_steps()
        self._drawing = False
        layer.events.paint.connect(self._on_paint)
        layer.events.set_data.connect(self._on_undo)
        layer.events.data.connect(self._on_other_data)
        drawn = _DRAWN.setdefault(layer, WeakSet())
        drawn.add(self)
        watch(layer, self._target.row_axis, lambda: [draft.meet for draft in drawn])

    def clean(self, data: np.ndarray) -> None:
        """Take what is drawn out of a copy of the layer's data."""
        for _ in self.clean_in_steps(data):
            pass

    def clean_in_steps(self, data: np.ndarray) -> Iterator[None]:
        """Copy the plane as it is without the draft; between the steps it may change."""
        view, shown = self._target.view(data), self._target.view(self._array)
        for rows in slabs(range(view.shape[0]), view.shape[1]):
            if self._layer.data is not self._array or data.shape != self._array.shape:
                return
            np.copyto(view[rows], shown[rows])
            known = slice(max(rows.start, self._reached.start), min(rows.stop, self._reached.stop))
            if known.start < known.stop:
                mine = self._free[known] & (view[known] == self._drawn[known])
                np.copyto(view[known], self._before[known], where=mine)
            yield

    def show(self, labels: np.ndarray) -> None:
        """Draw partial labels of the size that is read; 0 is drawn as it was before.

        Parameters
        ----------
        labels : (h, w) unsigned array
        """
        fresh = self._target.spread(labels)
        values = fresh if self._lut is None else self._lut[fresh]
        shown = np.where(fresh == 0, self._before, values)
        self._draw(lambda rows: shown[rows], range(len(shown)))

    def show_placed(self, plane: PlacedPlane, rows: range | None = None) -> None:
        """Draw partial labels that have been placed; 0 is drawn as it was before.

        Parameters
        ----------
        plane : PlacedPlane
        rows : range, optional
            Those that are to be drawn; left out, all are.
        """

        def shown(rows: slice) -> np.ndarray:
            values = plane.values[rows]
            under: np.ndarray = self._before[rows] * (values == 0)
            under |= values  # several times quicker than `numpy.where`
            return under

        self._draw(shown, range(len(plane.values)) if rows is None else rows)

    def withdraw(self) -> np.ndarray:
        """Put back what was there, but for what a person painted meanwhile.

        Returns
        -------
        (h, w) bool array
            The pixels that were painted meanwhile, for `update_labels`: some may be back at what
            they were before, and would not be known for the person's.
        """
        end_stroke(self._layer)
        self._draw(lambda rows: self._before[rows], self._reached)
        self._layer.events.paint.disconnect(self._on_paint)
        self._layer.events.set_data.disconnect(self._on_undo)
        self._layer.events.data.disconnect(self._on_other_data)
        _DRAWN[self._layer].discard(self)
        if not _DRAWN[self._layer]:
            unwatch(self._layer)
        return np.zeros(self._free.shape, dtype=bool) if self._painted is None else self._painted

    @contextmanager
    def meet(self, label: int, rows: range | None) -> Iterator[None]:
        """Let a stroke change every free pixel that it goes over, whatever its label is now.

        What is painted while a run goes on is the person's: the label that they see there may
        be gone the next moment.

        Parameters
        ----------
        label : int
            Of the stroke.
        rows : range, optional
            Of the layer, that it may go over; left out, all.
        """
        data, height = self._layer.data, len(self._free)
        if rows is None:
            rows = range(height)
        else:
            own = self._target.index[self._target.row_axis]
            first = own.start if isinstance(own, slice) else 0
            rows = range(max(0, rows.start - first), min(height, rows.stop - first))
        if not rows or data is not self._array:
            yield
            return
        self._reach(rows)
        part = slice(rows.start, rows.stop)
        view = self._target.view(data)[part]
        other = 0 if label else 1
        mine = self._free[part] & (view == self._drawn[part])
        if self._met is None:
            self._met = np.zeros(self._free.shape, dtype=bool)
        self._met[part] |= mine  # napari may tell of the stroke at once
        np.copyto(view, other, where=mine, casting="unsafe")
        try:
            yield
        finally:
            mine &= view == other
            np.copyto(view, self._drawn[part], where=mine)
            self._met[part] &= ~mine
            self._free[part] &= ~self._met[part]

    @property
    def was_painted_in(self) -> bool:
        """Whether a person painted in the plane meanwhile."""
        return self._painted is not None

    def _draw(self, shown: Callable[[slice], np.ndarray], rows: range) -> None:
        data = self._layer.data
        if data is not self._array or not data.flags.writeable:
            return  # other labels have been put into the layer
        self._on_undo()
        if not rows:
            return
        view = self._target.view(self._layer.data)
        self._reach(rows)
        for part in slabs(rows, view.shape[1]):
            # What is painted in a stroke that goes on is not told by an event yet.
            mine = view[part] == self._drawn[part]
            mine &= self._free[part]
            values = shown(part)
            where = True if mine.all() else mine
            np.copyto(view[part], values, where=where)
            np.copyto(self._drawn[part], values, where=where)
        self._drawing = True
        try:
            self._layer.refresh()
        finally:
            self._drawing = False

    def _reach(self, rows: range) -> None:
        """Fill `_drawn` up to these rows with what was there before."""
        if rows.start in self._reached and rows[-1] in self._reached:
            return
        known = self._reached or range(rows.start, rows.start)
        first, last = min(rows.start, known.start), max(rows.stop, known.stop)
        for part in (slice(first, known.start), slice(known.stop, last)):
            np.copyto(self._drawn[part], self._before[part])
        self._reached = range(first, last)

    def _on_paint(self, event: Any) -> None:  # noqa: ANN401 - napari has no types
        """Let the undo of a stroke bring back what was there, not what was drawn."""
        self._steps = self._count_steps()
        for change in changes_in(event.value, self._target):
            old, place = change.old, change.place
            self._reach(change.rows)
            mine = self._free[place] & (old == self._drawn[place])
            if self._met is not None:
                mine |= self._met[place]
            if change.changed is not None:
                mine &= change.changed
            np.copyto(old, self._before[place], where=mine)
            change.replace_old(old)
            self._leave(change, painted=True)
        if self._met is not None:
            self._met &= self._free

    def _on_other_data(self, event: Any = None) -> None:  # noqa: ANN401
        """Take other data, which a script has put into the layer, for a person's."""
        data = self._layer.data
        if data is self._array or data.shape != self._array.shape:
            return
        self._free[...] = False
        changed = self._target.view(np.asarray(data)) != self._before
        self._painted = changed if self._painted is None else self._painted | changed

    def _on_undo(self, event: Any = None) -> None:  # noqa: ANN401
        """Leave alone what an undo or a redo has brought back."""
        if self._drawing:
            return
        before, self._steps = self._steps, self._count_steps()
        done, undone = (now - old for now, old in zip(self._steps, before, strict=True))
        moved: list[Any] = []
        if undone > 0:
            steps = redo_steps(self._layer)
            moved = [steps[-k] for k in range(1, undone + 1)]
        elif undone == -done:  # else a stroke has begun, which ends what could be redone
            steps = undo_steps(self._layer)
            moved = [steps[-k] for k in range(1, done + 1)]
        for step in moved:
            for change in changes_in(step, self._target):
                self._leave(change, painted=False)

    def _count_steps(self) -> tuple[int, int]:
        return len(undo_steps(self._layer)), len(redo_steps(self._layer))

    def _leave(self, change: PlaneChange, *, painted: bool) -> None:
        where = True if change.changed is None else change.changed
        self._free[change.place] &= np.logical_not(where)
        if painted and self._painted is None:
            self._painted = np.zeros(self._free.shape, dtype=bool)
        if painted and self._painted is not None:
            self._painted[change.place] |= where
        elif self._painted is not None:
            self._painted[change.place] &= np.logical_not(where)

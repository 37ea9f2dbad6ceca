"""Counts what a person has painted and checked, a moment after it changed."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.labels.annotations import (
    Census,
    ReviewedPlane,
    look_at_review,
    prediction_log,
    take_census,
)
from napari_sclip.layers.labels.examples import scribbles_over
from napari_sclip.layers.labels.objects import instances_class
from napari_sclip.layers.labels.partial import is_drawn_over
from napari_sclip.layers.labels.schema import KEY, is_current, read_legend
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.widgets.control.single_shot import single_shot
from napari_sclip.widgets.state.classes_ids import BYTE
from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.worker import Listener, Task

COUNT_MS = 300
AT_ONCE = 2**22
"""Pixels that are counted in the GUI thread, which takes some milliseconds."""

EVENTS = ("paint", "set_data", "data", "name", "features")


class Tally:
    """Keeps `CorrectState` true to one Labels layer.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState
    """

    def __init__(self, viewer: Any, state: WidgetState) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
        self._state = state
        self._layer: weakref.ref[Any] | None = None
        self.unsure_mask: np.ndarray | None = None
        self._strokes = 0
        self._task: Task | None = None
        self._timer = single_shot(COUNT_MS, self.count)
        state.classes.changed.connect(self.soon)
        viewer.layers.selection.events.active.connect(self._on_active)

    def close(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        self._forget_task()
        self.follow(None)
        self._state.classes.changed.disconnect(self.soon)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)

    @property
    def layer(self) -> Labels | None:
        """The labels that are counted in."""
        return None if self._layer is None else self._layer()

    def follow(self, labels: Labels | None) -> None:
        """Count in these labels from now on."""
        before = self.layer
        if labels is before:
            return
        if before is not None:
            for name in EVENTS:
                before.events[name].disconnect(self.soon)
            before.events.paint.disconnect(self.on_paint)
        self._layer = None if labels is None else weakref.ref(labels)
        self.unsure_mask = None
        self._state.correct.unsure = None
        if labels is not None:
            for name in EVENTS:
                labels.events[name].connect(self.soon)
            labels.events.paint.connect(self.on_paint)
        self.count()

    def soon(self, event: Any = None) -> None:  # noqa: ANN401
        """Count in a moment, once for many changes."""
        self._timer.start()

    @property
    def is_behind(self) -> bool:
        """Whether something has changed that is not counted yet."""
        labels = self.layer
        drawn = labels is not None and is_drawn_over(labels)
        return drawn or self._task is not None or self._timer.isActive()

    def on_paint(self, event: Any = None) -> None:  # noqa: ANN401
        """Note a stroke."""
        self._strokes += 1
        self.soon()

    def count(self) -> None:
        """Count now; in a large layer in a moment, by a worker.

        While partial results are drawn over the layer nothing is counted: they are nobody's.
        """
        self._timer.stop()
        self._forget_task()
        correct, labels = self._state.correct, self.layer
        if labels is None or labels not in self._viewer.layers:
            correct.labels, correct.painted, correct.orphans = "", 0, ()
            correct.scribbled = 0
            correct.checked, correct.names = None, ()
            return
        legend = read_legend(labels)
        correct.labels = labels.name
        correct.strokes = self._strokes
        noted = labels.metadata.get(KEY) or {}
        known = {row.name for row in self._state.classes.rows}
        current = tuple(
            row.name
            for row in legend
            if row.id and (row.name in known or is_current(noted, row.id))
        )
        if is_drawn_over(labels):
            correct.names = current
            return  # withdrawing them is told as a change
        missing = {row.id: row.name for row in legend if row.id and row.name not in known}
        scribbles = [layer.data for layer in scribbles_over(labels, self._viewer.layers)]
        data = np.asarray(labels.data)
        predicted, marks = prediction_log(labels).everywhere()
        review = self._review(labels)

        def take(reporter: Any = None) -> tuple[Census, float | None]:  # noqa: ANN401
            census = take_census(data, predicted, marks, tuple(missing), scribbles, few=BYTE)
            return census, None if review is None else review.share()

        done = functools.partial(self._on_counted, missing, current)
        if data.size <= AT_ONCE:
            done(take())
        else:
            self._task = Task(take, Listener(done=done, finished=self._on_finished))
            self._task.start()

    def _on_counted(
        self,
        missing: Mapping[int, str],
        current: tuple[str, ...],
        counted: tuple[Census, float | None],
    ) -> None:
        correct = self._state.correct
        census, correct.checked = counted
        self._state.classes.reserve(census.ids)
        correct.painted = census.painted
        correct.scribbled = census.scribbled
        correct.orphans = tuple(
            Orphan(k, missing[k], pixels) for k, pixels in census.of_missing.items()
        )
        orphans = (row.name for row in correct.orphans if row.name not in current)
        correct.names = (*current, *orphans)

    def _review(self, labels: Labels) -> ReviewedPlane | None:
        try:
            plane = shown_plane(self._viewer, labels)
        except SclipError:
            return None
        mask = self.unsure_mask
        fits = mask is not None and mask.shape == plane.view(labels.data).shape
        return look_at_review(labels, plane, mask if fits else None)

    def _on_finished(self) -> None:
        self._task = None

    def _forget_task(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.forget()

    def _on_active(self, event: Any = None) -> None:  # noqa: ANN401
        active = self._viewer.layers.selection.active
        found = instances_class(active) if isinstance(active, Labels) else None
        self._state.correct.instances = (
            "" if found is None or active is None else f"Objects of “{found[1]}”: {active.name}"
        )

"""Leads from one unsure region to the next, and notes what is checked."""

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
    checked_pixels,
    look_at_review,
    mark_checked,
    prediction_log,
    take_census,
    unmark_checked,
)
from napari_sclip.layers.labels.examples import is_scribbles, make_scribbles, scribbles_over
from napari_sclip.layers.labels.objects import instances_class
from napari_sclip.layers.labels.partial import is_drawn_over
from napari_sclip.layers.labels.schema import KEY, is_current, read_legend
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.layers.navigate import clear_outline, go_to, outline
from napari_sclip.widgets.control.context import NO_LABELS, Desk
from napari_sclip.widgets.control.learn import Teaching
from napari_sclip.widgets.control.tasks import single_shot
from napari_sclip.widgets.state.classes_rows import BYTE
from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.explain import NextSpot, Unsure, find_next
from napari_sclip.widgets.worker import Listener, Task

COUNT_MS = 300
AT_ONCE = 2**22
"""Pixels that are counted in the GUI thread, which takes some milliseconds."""

EVENTS = ("paint", "set_data", "data", "name", "features")

GO_FIRST = "Go to a region first: Next, or N with the labels active."
ALL_CHECKED = "All of this plane is checked."

KEYS = {"n": "next", "Shift-N": "previous", "c": "checked"}


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
        self._state.classes.reserve(census.ids, set(census.unused) - self._classes_of_objects())
        correct.painted = census.painted
        correct.scribbled = census.scribbled
        correct.orphans = tuple(
            Orphan(k, missing[k], pixels) for k, pixels in census.of_missing.items()
        )
        orphans = (row.name for row in correct.orphans if row.name not in current)
        correct.names = (*current, *orphans)

    def _classes_of_objects(self) -> set[int]:
        """Ids that layers of objects are written back as."""
        layers = [layer for layer in self._viewer.layers if isinstance(layer, Labels)]
        return {found[0] for found in map(instances_class, layers) if found is not None}

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


class Reviewing:
    """What the keys and buttons of the review do.

    Parameters
    ----------
    desk : Desk
    teaching : Teaching
    tally : Tally
    """

    def __init__(self, desk: Desk, teaching: Teaching, tally: Tally) -> None:
        self._desk = desk
        self._teaching = teaching
        self._tally = tally
        self._bound: weakref.WeakSet[Any] = weakref.WeakSet()
        self._at: Any = None
        self._of: tuple[Any, Any] | None = None
        self._unsure: Unsure | None = None
        self._outlined: weakref.ref[Any] | None = None
        desk.viewer.dims.events.current_step.connect(self._clear_outline)

    def bind(self, labels: Labels) -> None:
        """Let the keys lead through these labels while they are active."""
        if labels in self._bound:
            return
        self._bound.add(labels)
        for key, what in KEYS.items():
            labels.bind_key(key, self._doing(what), overwrite=True)

    def close(self) -> None:
        """Give the keys back, and let go of the viewer."""
        self._desk.viewer.dims.events.current_step.disconnect(self._clear_outline)
        self._clear_outline()
        for labels in list(self._bound):
            for key in KEYS:
                labels.bind_key(key, None)
        self._bound.clear()

    def forget(self) -> None:
        """Other labels have been written: what was unsure is not known any more."""
        self._clear_outline()
        self._unsure = self._at = self._of = None
        self._tally.unsure_mask = None
        self._desk.state.correct.unsure = None
        self._tally.soon()

    def go(self, *, backwards: bool = False) -> None:
        """Go to the next unsure spot, or to the one before."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        labels, plane = shown
        place = (id(labels), str(plane.index))
        if self._of != place:
            self._unsure = self._at = None
        job = self._desk.job(self._teaching.learned)
        if job is None:
            return
        self._of = place
        checked = checked_pixels(labels, plane)
        work = functools.partial(
            find_next,
            job,
            self._desk.session,
            self._unsure,
            plane.view(labels.data).copy(),
            checked,
            self._at,
            backwards,
        )
        self._desk.start("look", work, functools.partial(self._on_found, labels, place))

    def mark(self) -> None:
        """Note that the spot that was gone to is right, and go on."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        labels, plane = shown
        if self._at is None or self._of != (id(labels), str(plane.index)):
            all_checked = self._desk.state.correct.checked == 1
            self._desk.say(ALL_CHECKED if all_checked else GO_FIRST)
            return
        mark_checked(labels, plane, self._at)
        self._desk.keep(labels)
        self._tally.count()
        self.go()

    def mark_all(self, checked: bool) -> None:
        """Note that the whole plane is right, or that nothing of it is known to be."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        (mark_checked if checked else unmark_checked)(*shown)
        self._desk.keep(shown[0])
        self._tally.count()
        self._desk.state.correct.unsure = 0 if checked else None
        self._clear_outline()

    def _on_found(self, labels: Labels, place: tuple[Any, Any], found: NextSpot) -> None:
        shown = self._desk.labels_shown()
        if shown is None or self._of != place or place != (id(shown[0]), str(shown[1].index)):
            return
        self._unsure, self._at = found.unsure, found.spot
        self._tally.unsure_mask = found.unsure.mask
        self._desk.state.correct.unsure = found.left if found.is_unsure else 0
        self._tally.count()
        self._clear_outline()
        if found.spot is None:
            self._desk.say(ALL_CHECKED)
            return
        go_to(self._desk.viewer, labels, shown[1], found.spot)
        outline(self._desk.viewer, labels, shown[1], found.spot)
        self._outlined = weakref.ref(labels)
        self._desk.viewer.layers.selection = {labels}
        which = "region" if found.left == 1 else "regions"
        what = f"unsure {which} left" if found.is_unsure else f"{which} not checked, none unsure"
        self._desk.say(
            f"{found.left:,} {what}. This one has {found.spot.area:,} pixels: correct it, or press "
            "Checked (C)."
        )

    def _clear_outline(self, event: Any = None) -> None:  # noqa: ANN401
        labels = None if self._outlined is None else self._outlined()
        self._outlined = None
        if labels is not None:
            clear_outline(labels)

    def _doing(self, what: str) -> Any:  # noqa: ANN401 - a function, as napari wants one
        own = weakref.ref(self)

        def act(layer: Labels) -> None:
            reviewing = own()
            if reviewing is None:
                return
            if what == "checked":
                reviewing.mark()
            else:
                reviewing.go(backwards=what == "previous")

        return act


class Scribbling:
    """Adds such layers, and tells the tally what is painted in them.

    Parameters
    ----------
    desk : Desk
    tally : Tally
    """

    def __init__(self, desk: Desk, tally: Tally) -> None:
        self._desk = desk
        self._tally = tally
        self._watched: weakref.WeakSet[Any] = weakref.WeakSet()
        desk.viewer.layers.events.inserted.connect(self._on_inserted)
        desk.viewer.layers.events.removed.connect(tally.soon)
        for layer in desk.viewer.layers:
            self._watch(layer)

    def close(self) -> None:
        """Let go of the viewer."""
        self._desk.viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._desk.viewer.layers.events.removed.disconnect(self._tally.soon)
        for layer in list(self._watched):
            layer.events.paint.disconnect(self._tally.on_paint)
            layer.events.set_data.disconnect(self._tally.soon)

    def add(self) -> None:
        """Add a layer over the labels of the image, to be painted in at once."""
        labels = self._desk.labels
        if labels is None:
            self._desk.say(NO_LABELS)
            return
        made = make_scribbles(labels)
        self._desk.viewer.add_layer(made)
        self._desk.viewer.layers.selection = {made}
        made.brush_size = labels.brush_size
        made.selected_label = labels.selected_label
        made.mode = "paint"
        self._desk.say(
            f"Paint examples into “{made.name}” (keys 1 to 9 pick the class), then press Refine "
            "from strokes. It changes no label."
        )

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401 - napari has no types
        self._watch(event.value)

    def _watch(self, layer: Any) -> None:  # noqa: ANN401
        if is_scribbles(layer) and layer not in self._watched:
            self._watched.add(layer)
            layer.events.paint.connect(self._tally.on_paint)
            layer.events.set_data.connect(self._tally.soon)
            self._desk.bind_digits(layer)

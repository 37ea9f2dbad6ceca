"""Counts what a person has painted and checked, a moment after it changed."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.edits import prediction_log
from napari_sclip.layers.instances import instances_class
from napari_sclip.layers.legend import read_legend
from napari_sclip.layers.planes_of_labels import shown_plane
from napari_sclip.layers.review import share_checked
from napari_sclip.layers.scribbles import scribbles_over
from napari_sclip.widgets.control.single_shot import single_shot
from napari_sclip.widgets.state.classes_ids import BYTE
from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.widget import WidgetState

COUNT_MS = 300
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
        self._timer = single_shot(COUNT_MS, self.count)
        state.classes.changed.connect(self.soon)
        viewer.layers.selection.events.active.connect(self._on_active)

    def close(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
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

    def on_paint(self, event: Any = None) -> None:  # noqa: ANN401
        """Note a stroke."""
        self._strokes += 1
        self.soon()

    def count(self) -> None:
        """Count now."""
        self._timer.stop()
        correct, labels = self._state.correct, self.layer
        if labels is None or labels not in self._viewer.layers:
            correct.labels, correct.painted, correct.orphans = "", 0, ()
            correct.scribbled = 0
            correct.checked, correct.names = None, ()
            return
        legend = read_legend(labels)
        self._state.classes.reserve(_present(labels.data))
        painted = prediction_log(labels).edited_everywhere(np.asarray(labels.data))
        correct.labels = labels.name
        correct.painted = int(np.count_nonzero(painted))
        correct.scribbled = sum(
            int(np.count_nonzero(layer.data))
            for layer in scribbles_over(labels, self._viewer.layers)
        )
        correct.strokes = self._strokes
        correct.names = tuple(row.name for row in legend if row.id != 0)
        known = {row.name for row in self._state.classes.rows}
        missing = {row.id: row.name for row in legend if row.id and row.name not in known}
        correct.orphans = _orphans(labels.data, painted, missing) if correct.painted else ()
        try:
            plane = shown_plane(self._viewer, labels)
        except SclipError:
            return
        mask = self.unsure_mask
        fits = mask is not None and mask.shape == plane.view(labels.data).shape
        correct.checked = share_checked(labels, plane, mask if fits else None)

    def _on_active(self, event: Any = None) -> None:  # noqa: ANN401
        active = self._viewer.layers.selection.active
        found = instances_class(active) if isinstance(active, Labels) else None
        self._state.correct.instances = (
            "" if found is None or active is None else f"Objects of “{found[1]}”: {active.name}"
        )


def _present(data: Any) -> list[int]:  # noqa: ANN401
    highest = int(np.max(data, initial=0))
    return [highest] if highest < BYTE else [int(k) for k in np.unique(data)]


def _orphans(data: np.ndarray, painted: np.ndarray, missing: dict[int, str]) -> tuple[Orphan, ...]:
    if not missing:
        return ()
    ids, counts = np.unique(data[painted], return_counts=True)
    found = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    return tuple(Orphan(k, name, found[k]) for k, name in missing.items() if k in found)

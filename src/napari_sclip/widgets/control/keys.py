"""Escape cancels a run from the canvas, too."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from napari.layers import Labels

from napari_sclip.layers.labels.examples import classes_in
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.state.run import RUNNING, RunState

KEY = "Escape"

DIGITS = "123456789"
PAINTING = frozenset({"paint", "fill", "polygon"})


class CancelKey:
    """Binds Escape to the viewer for as long as something runs, and to the labels that are active.

    What somebody has given it to stays. In labels it ends a polygon that is being drawn first, as
    it does in napari; other layers' own use of it comes first always.

    Parameters
    ----------
    viewer : Viewer
    run : RunState
    cancel : callable
    """

    def __init__(self, viewer: Any, run: RunState, cancel: Callable[[], None]) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
        self._run = run
        self._cancel = cancel
        self._bound: weakref.WeakSet[Any] = weakref.WeakSet()
        run.events.status.connect(self._on_change)
        viewer.layers.selection.events.active.connect(self._on_change)

    def close(self) -> None:
        """Give the key back."""
        self._run.events.status.disconnect(self._on_change)
        self._viewer.layers.selection.events.active.disconnect(self._on_change)
        self._unbind()

    def _on_change(self, event: Any = None) -> None:  # noqa: ANN401
        if self._run.status != RUNNING:
            self._unbind()
            return
        self._bind(self._viewer, lambda viewer: self._cancel())
        active = self._viewer.layers.selection.active
        if isinstance(active, Labels):
            self._bind(active, self._in_labels)

    def _in_labels(self, layer: Labels) -> None:
        overlay = getattr(layer, "_overlays", {}).get("polygon")
        usual = _bound_to(type(layer).class_keymap)
        if usual is not None and overlay is not None and len(overlay.points):
            usual(layer)
        else:
            self._cancel()

    def _bind(self, owner: Any, act: Callable[[Any], None]) -> None:  # noqa: ANN401 - the viewer or a layer
        if owner not in self._bound and _bound_to(owner.keymap) is None:
            self._bound.add(owner)
            owner.bind_key(KEY, act)

    def _unbind(self) -> None:
        for owner in list(self._bound):
            owner.bind_key(KEY, None)
        self._bound.clear()


def _bound_to(keymap: Any) -> Any:  # noqa: ANN401
    return next((act for key, act in keymap.items() if str(key) == KEY), None)


class PaintKeys:
    """Binds digits to Labels layers: 1 is the first row of the table that is no background.

    napari's own meaning of digits (the modes of a layer) stays for all other layers, and for
    these ones on the letters that napari binds as well.

    Parameters
    ----------
    viewer : Viewer
    table : ClassTable
    know : callable
        Asked to name an id in labels, before it is painted with.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - napari has no types
        table: ClassTable,
        know: Callable[[Labels, int], None],
    ) -> None:
        self._viewer = viewer
        self._table = table
        self._know = know
        self._bound: weakref.WeakSet[Any] = weakref.WeakSet()

    def bind(self, labels: Labels) -> None:
        """Let the digits pick the classes of these labels."""
        if labels in self._bound:
            return
        self._bound.add(labels)
        for digit in DIGITS:
            labels.bind_key(digit, self._picking(int(digit)), overwrite=True)

    def close(self) -> None:
        """Give the digits back to napari."""
        for labels in list(self._bound):
            for digit in DIGITS:
                labels.bind_key(digit, None)
        self._bound.clear()

    def paint_with(self, labels: Labels, number: int) -> None:
        """Paint with the class of an id, in the mode that paints."""
        self._know(labels, number)
        names = {row.id: row.name for row in classes_in(labels)}
        if number not in names:
            known = ", ".join(f"{k} {name}" for k, name in sorted(names.items()) if k != 0)
            self._viewer.status = f"No class has the number {number}. There are: {known}."
            return
        labels.selected_label = number
        if str(labels.mode) not in PAINTING:
            labels.mode = "paint"
        self._viewer.status = f"Painting with {number}: {names[number]}"

    def pick(self, labels: Labels, digit: int) -> None:
        """Paint with the class in a row of the table; of labels that know no row, with an id."""
        rows = [row for row in self._table.rows if row.name and not row.background]
        if digit <= len(rows):
            self._know(labels, rows[digit - 1].id)
        ids = {row.name: row.id for row in classes_in(labels) if row.id != 0}
        known = [ids.get(row.name) for row in rows]
        if not any(known):
            self.paint_with(labels, digit)
            return
        number = known[digit - 1] if digit <= len(known) else None
        if number is None:
            there = ", ".join(f"{k} {row.name}" for k, row in enumerate(rows, 1))
            self._viewer.status = f"These labels have no class number {digit}. Rows: {there}."
            return
        self.paint_with(labels, number)

    def _picking(self, digit: int) -> Any:  # noqa: ANN401 - a function, as napari wants one
        keys = weakref.ref(self)

        def pick(layer: Labels) -> None:
            own = keys()
            if own is not None:
                own.pick(layer, digit)

        return pick

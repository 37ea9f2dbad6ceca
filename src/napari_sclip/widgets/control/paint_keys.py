"""Digits pick the class to paint with, in the labels that this plugin made."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from napari.layers import Labels

from napari_sclip.layers.labels.examples import classes_in

DIGITS = "123456789"
PAINTING = frozenset({"paint", "fill", "polygon"})


class PaintKeys:
    """Binds digits to Labels layers, one layer at a time.

    napari's own meaning of digits (the modes of a layer) stays for all other layers, and for
    these ones on the letters that napari binds as well.

    Parameters
    ----------
    viewer : Viewer
    know : callable
        Asked to name an id in labels, before it is painted with.
    """

    def __init__(self, viewer: Any, know: Callable[[Labels, int], None]) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
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

    def _picking(self, number: int) -> Any:  # noqa: ANN401 - a function, as napari wants one
        keys = weakref.ref(self)

        def pick(layer: Labels) -> None:
            own = keys()
            if own is not None:
                own.paint_with(layer, number)

        return pick

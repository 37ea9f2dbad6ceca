"""Layers to scribble in, over the labels of the image."""

from __future__ import annotations

import weakref
from typing import Any

from napari_sclip.layers.labels.examples import is_scribbles, make_scribbles
from napari_sclip.widgets.control.desk import NO_LABELS, Desk
from napari_sclip.widgets.control.tally import Tally


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

"""Keeps the section "Image" true to what the viewer shows."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from typing import Any

from napari.layers import Image, Shapes

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.read import Suggestion, displayed_with, read_request, read_suggestion
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.maps import map_kind
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.control.facts import describe_image
from napari_sclip.widgets.control.single_shot import single_shot
from napari_sclip.widgets.state.widget import WidgetState

REFRESH_MS = 60
LAYER_EVENTS = (
    "data", "contrast_limits", "colormap", "gamma", "opacity", "blending", "visible", "name",
    "scale", "translate", "rotate", "shear", "affine", "axis_labels", "units",
    "highlight",  # of Shapes: others are selected
)  # fmt: skip
CHOICES = (
    "channels", "channel_axis", "channel", "contrast", "percentile_low", "percentile_high",
    "region", "shapes", "planes", "labels_size",
)  # fmt: skip


class ImageFollower:
    """Follows the active image layer, or stays on one.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState
    changed : callable
        Called after the image, or what is read of it, may have changed.
    """

    def __init__(self, viewer: Any, state: WidgetState, changed: Callable[[], None]) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
        self._state = state
        self._changed = changed
        self._watched: set[Any] = set()
        self.layer: Any = None
        self.request: ImageRequest | None = None
        self._timer = single_shot(REFRESH_MS, self.refresh)
        for emitter in self._emitters():
            emitter.connect(self._soon)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.layers.events.removed.connect(self._on_removed)
        for name in CHOICES:
            state.image.events[name].connect(self._soon)
        state.image.events.pinned.connect(self._on_active)
        state.classes.changed.connect(self._soon)
        state.model.events.name.connect(self._soon)
        for name in ("level", "short_side"):
            state.detail.events[name].connect(self._soon)
        self._on_active()
        self.refresh()

    def close(self) -> None:
        """Let go of the viewer."""
        self._timer.stop()
        for emitter in self._emitters():
            emitter.disconnect(self._soon)
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for name in CHOICES:
            self._state.image.events[name].disconnect(self._soon)
        self._state.image.events.pinned.disconnect(self._on_active)
        self._state.classes.changed.disconnect(self._soon)
        self._state.model.events.name.disconnect(self._soon)
        for name in ("level", "short_side"):
            self._state.detail.events[name].disconnect(self._soon)
        self._watch(set())
        self.layer = self.request = None

    def shapes_layer(self) -> Any:  # noqa: ANN401
        """Return the Shapes layer that the region is taken from, or None."""
        name = self._state.image.shapes
        found = [layer for layer in self._viewer.layers if isinstance(layer, Shapes)]
        return next((layer for layer in found if layer.name == name), found[0] if found else None)

    def make_request(self, planes: str | None = None) -> ImageRequest:
        """Take down what is to be read now.

        Parameters
        ----------
        planes : str, optional
            "current" or "all", instead of what is chosen.

        Raises
        ------
        SclipError
            If the image cannot be read as chosen.
        """
        config = self._state.detail.config()
        options = self._state.image.options(
            shapes=self.shapes_layer(), short_side=config.short_side
        )
        if planes is not None:
            options = dataclasses.replace(options, planes=planes)
        return read_request(self._viewer, self.layer, options)

    def refresh(self) -> None:
        """Look at the image anew."""
        self._timer.stop()
        image = self._state.image
        if self.layer is None:
            self.request = None
            self._watch(set())
            image.facts, image.problem, image.preview = None, "", None
            self._changed()
            return
        self.request, problem = None, ""
        try:
            self.request = self.make_request()
        except SclipError as error:
            problem = str(error)
        shapes = tuple(x.name for x in self._viewer.layers if isinstance(x, Shapes))
        suggestion = read_suggestion(self.layer)
        if suggestion is not None and self._is_taken(suggestion):
            suggestion = None
        facts = describe_image(self._viewer, self.layer, self.request, shapes, suggestion)
        if image.facts is not None and image.facts.name == facts.name:
            facts = dataclasses.replace(facts, warning=image.facts.warning)  # until it is looked at
        image.facts = facts
        image.problem = problem
        self._watch(self._of_interest())
        self._changed()

    def _is_taken(self, suggestion: Suggestion) -> bool:
        rows = [(row.name, row.prompts or (row.name,)) for row in self._state.classes.rows]
        wanted = [(item.name, item.prompts) for item in parse_classes(suggestion.classes)]
        return rows == wanted and suggestion.model in (None, self._state.model.name)

    def _of_interest(self) -> set[Any]:
        layers = {self.layer}
        if self._state.image.channels == "displayed":
            with contextlib.suppress(SclipError):
                layers.update(displayed_with(self._viewer, self.layer))
        if self._state.image.region == "shape":
            shapes = self.shapes_layer()
            layers.update([] if shapes is None else [shapes])
        return layers

    def _watch(self, layers: set[Any]) -> None:
        for layer in self._watched - layers:
            for emitter in _emitters_of(layer):
                emitter.disconnect(self._soon)
        for layer in layers - self._watched:
            for emitter in _emitters_of(layer):
                emitter.connect(self._soon)
        self._watched = layers

    def _emitters(self) -> list[Any]:
        viewer = self._viewer
        camera = getattr(viewer, "scene", viewer).camera  # of the viewer before napari 0.9
        return [
            viewer.layers.events.inserted,
            viewer.layers.events.removed,
            viewer.layers.events.reordered,
            viewer.dims.events.point,
            viewer.dims.events.order,
            viewer.dims.events.ndisplay,
            camera.events.center,
            camera.events.zoom,
        ]

    def _soon(self, event: Any = None) -> None:  # noqa: ANN401
        kind = getattr(event, "type", "")
        if kind in ("center", "zoom") and self._state.image.region != "view":
            return
        self._timer.start()

    def _on_active(self, event: Any = None) -> None:  # noqa: ANN401
        pinned = self._state.image.pinned and self.layer is not None
        active = self._viewer.layers.selection.active
        if not pinned and isinstance(active, Image) and map_kind(active) is None:
            self.layer = active
        if self.layer is None:
            images = [
                layer
                for layer in self._viewer.layers
                if isinstance(layer, Image) and map_kind(layer) is None
            ]
            self.layer = images[-1] if images else None
        self._timer.start()

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401
        if event.value is self.layer:
            self.layer = None
            self._state.image.pinned = False
            self._on_active()
            self.refresh()


def _emitters_of(layer: Any) -> list[Any]:  # noqa: ANN401
    return [layer.events[name] for name in LAYER_EVENTS if name in layer.events.emitters]

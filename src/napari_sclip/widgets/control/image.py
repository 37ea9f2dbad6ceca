"""Keeps the section "Image" true to what the viewer shows."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
from napari.layers import Image, Shapes

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.axes import guess_channel_axis, place_layer
from napari_sclip.layers.image.read import Suggestion, displayed_with, read_request, read_suggestion
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import preview
from napari_sclip.layers.maps import map_kind
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.control.tasks import single_shot
from napari_sclip.widgets.state.image import AxisChoice, ImageFacts, ImageState, Preview
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task

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

MAX_SIDE = 96
DARK = 255 // 8
TOO_DARK = (
    "What the model will see is almost black. Choose “Percentiles” as its contrast, under "
    "“Channels, contrast, region”, or set the layer's contrast limits."
)
LAZY_PIXELS = 2**24
"""Of a plane that is not in memory, more than this is not read for a picture."""


def describe_image(
    viewer: Any,  # noqa: ANN401 - napari has no types
    layer: Any,  # noqa: ANN401
    request: ImageRequest | None,
    shapes: tuple[str, ...],
    suggestion: Suggestion | None,
) -> ImageFacts:
    """Collect what the widget offers for an image.

    Parameters
    ----------
    viewer : Viewer
    layer : Image layer
    request : ImageRequest or None
        What would be read now; None where that cannot be.
    shapes : tuple of str
        Names of the Shapes layers.
    suggestion : Suggestion or None
        Classes that fit the image.
    """
    finest = tuple(int(n) for n in layer.level_shapes[0])
    try:
        displayed = place_layer(viewer, layer).displayed
        others = len(displayed_with(viewer, layer))
    except SclipError:
        displayed, others = (len(finest) - 2, len(finest) - 1), 1
    sliders = [axis for axis in range(len(finest)) if axis not in displayed]
    guessed = guess_channel_axis(layer)
    in_use = request.axes.channel if request is not None else None
    stack = [finest[axis] for axis in sliders if axis != in_use]
    return ImageFacts(
        name=str(layer.name),
        described=_kind(layer, finest),
        rgb=bool(layer.rgb),
        shape=request.read_shape if request is not None else (finest[-2], finest[-1]),
        axes=tuple(AxisChoice(a, str(layer.axis_labels[a]), finest[a]) for a in sliders),
        channel_axis=guessed if guessed in sliders else None,
        channels=0 if in_use is None else finest[in_use],
        displayed=others,
        planes=math.prod(stack),
        shapes=shapes,
        suggestion="" if suggestion is None else suggestion.classes,
        suggested_model=(suggestion.model or "") if suggestion is not None else "",
    )


def _kind(layer: Any, finest: tuple[int, ...]) -> str:  # noqa: ANN401
    size = " × ".join(str(n) for n in finest)
    words = [f"RGB, {size}" if layer.rgb else f"{size}, {np.dtype(layer.dtype).name}"]
    if layer.multiscale:
        words.append(f"{len(layer.level_shapes)} levels")
    return ", ".join(words)


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


class PreviewLoop:
    """Makes one preview at a time, the newest that was asked for.

    Parameters
    ----------
    state : ImageState
    """

    def __init__(self, state: ImageState) -> None:
        self._state = state
        self._task: Task | None = None
        self._wanted: ImageRequest | None = None
        self._shown: Hashable = None

    def show(self, request: ImageRequest | None) -> None:
        """Show what is read by a request."""
        if request is None or _too_slow(request):
            self._wanted, self._shown = None, None
            self._state.preview = None
            return
        self._wanted = request
        if self._task is None:
            self._start()

    def close(self) -> None:
        """Show nothing more."""
        self._wanted = None
        if self._task is not None:
            self._task.forget()
            self._task = None

    def _start(self) -> None:
        request, self._wanted = self._wanted, None
        if request is None:
            return
        self._task = Task(
            lambda reporter: _make(request, reporter),
            Listener(done=self._on_made, finished=self._on_finished),
        )
        self._task.start()

    def _on_made(self, made: Preview) -> None:
        self._state.preview = made
        facts = self._state.facts
        if facts is not None:
            # 12 bits in 16, for example, of which RGB uses a sixteenth.
            warning = TOO_DARK if max(made.rgb) <= DARK else ""
            self._state.facts = dataclasses.replace(facts, warning=warning)

    def _on_finished(self) -> None:
        self._task = None
        self._start()


def _make(request: ImageRequest, reporter: Reporter) -> Preview:
    pixels = np.ascontiguousarray(preview(request, max_side=MAX_SIDE))
    return Preview(width=pixels.shape[1], height=pixels.shape[0], rgb=pixels.tobytes())


def _too_slow(request: ImageRequest) -> bool:
    in_memory = all(isinstance(source.array, np.ndarray) for source in request.sources)
    height, width = request.read_shape
    return not in_memory and height * width > LAZY_PIXELS

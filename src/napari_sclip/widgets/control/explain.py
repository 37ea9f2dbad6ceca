"""Shows why: scores, margin, and what a point attends to."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from napari.layers import Image

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.targets import point_in_read
from napari_sclip.layers.maps import (
    find_map_layer,
    find_map_layers,
    make_attention_layers,
    make_margin_layer,
    make_scores_layer,
)
from napari_sclip.widgets.control.context import Desk
from napari_sclip.widgets.control.learn import Teaching
from napari_sclip.widgets.work.explain import attention_of_plane, margin_of_plane, scores_of_plane

PAN_ZOOM = "pan_zoom"
CLICK_PIXELS = 4
"""Of the screen: a mouse that moves farther while it is down drags, and does not click."""


class Explaining:
    """Makes and updates image layers beside the image.

    Parameters
    ----------
    desk : Desk
    teaching : Teaching
    """

    def __init__(self, desk: Desk, teaching: Teaching) -> None:
        self._desk = desk
        self._teaching = teaching
        self._point: tuple[float, ...] | None = None
        events = desk.state.correct.events
        events.attention.connect(self._on_toggle)
        events.head.connect(self._on_head)

    def close(self) -> None:
        """Let go of the viewer."""
        self._desk.state.correct.events.attention.disconnect(self._on_toggle)
        self._desk.state.correct.events.head.disconnect(self._on_head)
        self._listen(False)

    def show_scores(self, name: str) -> None:
        """Show the scores of a class."""
        job = self._desk.job(self._teaching.learned)
        if job is None:
            return
        if name not in {item.name for item in job.classes}:
            self._desk.say(f"The class “{name}” is not in the table, so it has no scores now.")
            return

        def done(scores: np.ndarray) -> None:
            layer = find_map_layer(self._desk.viewer.layers, job.request, "scores", name)
            self._show([make_scores_layer(job.request, scores, name, layer=layer)])

        work = functools.partial(scores_of_plane, job, self._desk.session, name)
        self._desk.start("look", work, done)

    def show_margin(self) -> None:
        """Show how sure the labels are."""
        job = self._desk.job(self._teaching.learned)
        if job is None:
            return

        def done(margin: np.ndarray) -> None:
            layer = find_map_layer(self._desk.viewer.layers, job.request, "margin")
            self._show([make_margin_layer(job.request, margin, layer=layer)])

        work = functools.partial(margin_of_plane, job, self._desk.session)
        self._desk.start("look", work, done)

    def _show(self, layers: list[Image]) -> None:
        """Add what is new, without taking away the selection of the person."""
        viewer = self._desk.viewer
        selected = set(viewer.layers.selection)
        for layer in layers:
            if layer not in viewer.layers:
                viewer.add_layer(layer)
            layer.visible = True
        viewer.layers.selection = selected & set(viewer.layers)

    # Attention

    def _on_toggle(self, on: bool) -> None:
        self._listen(on)
        if on:
            active = self._desk.viewer.layers.selection.active
            if _has_tool(active):
                active.mode = PAN_ZOOM  # or the click would paint
            self._desk.say("Click into the image to see what that point attends to.")

    def _listen(self, on: bool) -> None:
        callbacks = self._desk.viewer.mouse_drag_callbacks
        if self._on_mouse in callbacks:
            callbacks.remove(self._on_mouse)
        if on:
            callbacks.append(self._on_mouse)

    def _on_mouse(self, viewer: Any, event: Any) -> Any:  # noqa: ANN401 - napari has no types
        start = np.asarray(event.pos, dtype=float)
        position = tuple(event.position)
        yield
        while event.type == "mouse_move":
            yield
        moved = np.abs(np.asarray(event.pos, dtype=float) - start).max()
        if _has_tool(viewer.layers.selection.active):
            self._desk.say(
                "A tool of the active layer is chosen, and has taken the click. Choose “pan/zoom” "
                "there to look at what a point attends to."
            )
        elif moved <= CLICK_PIXELS and event.button in (None, 1):
            self._point = position
            self._attend()

    def _on_head(self, head: int) -> None:
        if self._desk.state.correct.attention and self._point is not None:
            self._attend()

    def _attend(self) -> None:
        desk = self._desk
        job = desk.job(None)
        if job is None or self._point is None:
            return
        place = point_in_read(desk.viewer, desk.follower.layer, job.request, self._point)
        if place is None:
            flat = desk.viewer.dims.ndisplay == 2
            desk.say(
                "This point is not in what is read of the image."
                if flat
                else "Show two dimensions (Ctrl+Y) to choose a point."
            )
            return
        head = desk.state.correct.head
        work = functools.partial(
            attention_of_plane, job, desk.session, place, None if head == 0 else head - 1
        )
        desk.start("look", work, functools.partial(self._on_attention, job.request))

    def _on_attention(self, request: ImageRequest, maps: list[Any]) -> None:
        viewer = self._desk.viewer
        layers = find_map_layers(viewer.layers, request, "attention")
        self._show(make_attention_layers(request, maps, layers=layers))
        if len(maps) > 1 and len(layers) < len(maps):
            viewer.reset_view()  # what lies beside the image is seen, too
        self._desk.state.correct.heads = maps[0].heads
        head = "the mean of all heads" if maps[0].head is None else f"head {maps[0].head + 1}"
        share = ", ".join(f"{100 * item.class_token:.0f} % ({item.mode})" for item in maps)
        beside = f" “attention {maps[1].mode}” beside it," if len(maps) > 1 else ""
        self._desk.say(
            f"“attention {maps[0].mode}” is over the image,{beside} for the window around the "
            f"point: {head}. The class token, which stands for the whole window and is left out, "
            f"has {share}."
        )


def _has_tool(layer: Any) -> bool:  # noqa: ANN401
    return str(getattr(layer, "mode", PAN_ZOOM)) != PAN_ZOOM

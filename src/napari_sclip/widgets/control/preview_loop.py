"""The small picture of what the model will see, made anew when something changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable

import numpy as np

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import preview
from napari_sclip.widgets.state.image import ImageState, Preview
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task

MAX_SIDE = 96
DARK = 255 // 8
TOO_DARK = (
    "What the model will see is almost black. Choose “Percentiles” as its contrast, under "
    "“Channels, contrast, region”, or set the layer's contrast limits."
)
LAZY_PIXELS = 2**24
"""Of a plane that is not in memory, more than this is not read for a picture."""


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

"""Escape cancels a run from the canvas, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_sclip.widgets.state.run import RUNNING, RunState

KEY = "Escape"


class CancelKey:
    """Binds Escape to the viewer for as long as something runs.

    A layer's own use of it comes first, and one that somebody has given to the viewer stays.

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
        self._is_bound = False
        run.events.status.connect(self._on_status)

    def close(self) -> None:
        """Give the key back."""
        self._run.events.status.disconnect(self._on_status)
        self._unbind()

    def _on_status(self, status: str) -> None:
        if status != RUNNING:
            self._unbind()
        elif KEY not in {str(key) for key in self._viewer.keymap}:
            self._is_bound = True
            self._viewer.bind_key(KEY, lambda viewer: self._cancel())

    def _unbind(self) -> None:
        if self._is_bound:
            self._is_bound = False
            self._viewer.bind_key(KEY, None)

"""Brings labels back that a killed session has left behind."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from napari_sclip.layers.labels.snapshot import KeptLabels, make_layer
from napari_sclip.widgets.control.autosave import autosave_of
from napari_sclip.widgets.control.questions import ask_recovery
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.recovery import LeftBehind, find_left_behind
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task


class Recovering:
    """Looks once for what was left behind, and asks what shall become of it.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState
    root : Path
        Where what is kept of all sessions is.

    Attributes
    ----------
    autosave : Autosave
        Of the viewer; what is brought back is kept anew by it.
    """

    def __init__(self, viewer: Any, state: WidgetState, root: Path) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
        self._state = state
        self._left: tuple[LeftBehind, ...] = ()
        self.autosave = autosave_of(viewer, root)
        self.autosave.attach(state)
        self._task = Task(lambda reporter: find_left_behind(root), Listener(done=self._on_found))
        self._task.start()

    def close(self) -> None:
        """Bring back nothing more; what is painted goes on being kept."""
        self._task.forget()
        self.autosave.detach(self._state)

    def answer(self, key: str) -> None:
        """Bring back what was left behind ("restore"), or remove it ("discard")."""
        left, self._left = self._left, ()
        if key == "discard":
            for item in left:
                item.discard()
        elif key == "restore":
            listener = Listener(done=self._restore)
            self._task = Task(functools.partial(_read, left), listener)
            self._task.start()

    def _on_found(self, left: tuple[LeftBehind, ...]) -> None:
        self._left = left
        if left and self._state.run.question is None:
            self._state.run.question = ask_recovery(left)

    def _restore(self, found: list[tuple[LeftBehind, list[KeptLabels]]]) -> None:
        told, names = [], []
        for left, kept in found:
            for item in kept:
                layer = make_layer(item)
                self._viewer.add_layer(layer)
                self.autosave.keep_soon(layer)
                names.append(f"“{layer.name}”")
                self._state.correct.learn |= bool(item.record.get("learn"))
            if len(kept) == len(left.files):
                self.autosave.discard_later(left)
            else:
                told.append(f"Some files are damaged, and were left in {left.folder}.")
        if names:
            told.insert(0, f"Brought back {', '.join(names)}. With the image open, go on with it.")
        self._state.run.notice = " ".join(told)


def _read(
    left: tuple[LeftBehind, ...], reporter: Reporter
) -> list[tuple[LeftBehind, list[KeptLabels]]]:
    return [(item, list(item.read())) for item in left]

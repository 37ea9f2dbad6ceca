"""Keeps corrections on the disk as one works, and brings them back after a crash."""

from __future__ import annotations

import atexit
import contextlib
import functools
import time
import uuid
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

from napari.layers import Labels

from napari_sclip.layers.history import redo_steps, undo_steps
from napari_sclip.layers.instances import instances_class
from napari_sclip.layers.keeping import KeptLabels, make_layer, take_down
from napari_sclip.layers.legend import has_legend
from napari_sclip.layers.scribbles import is_scribbles
from napari_sclip.widgets.control.single_shot import single_shot
from napari_sclip.widgets.state.run import Question
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.recovery import LeftBehind, RecoveryFolder, find_left_behind
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task

SAVE_MS = 1500
QUESTION = "recover"

_FOLDERS: dict[Path, RecoveryFolder] = {}


def session_folder(root: Path) -> RecoveryFolder:
    """Return the folder of this process; it goes when the process ends as it should."""
    folder = _FOLDERS.get(root)
    if folder is None:
        folder = _FOLDERS[root] = RecoveryFolder(root)
        atexit.register(folder.close)
    return folder


class Autosave:
    """Watches the labels of a viewer, and writes them a moment after they were changed.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState
    root : Path
        Where what is kept of all sessions is.
    saved : callable, optional
        Called after each time.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - napari has no types
        state: WidgetState,
        root: Path,
        saved: Callable[[], None] = lambda: None,
    ) -> None:
        self._viewer = viewer
        self._state = state
        self._saved = saved
        self._root = root
        self._folder = session_folder(root)
        self._keys: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._lengths: weakref.WeakKeyDictionary[Any, tuple[int, int]] = weakref.WeakKeyDictionary()
        self._changed: weakref.WeakSet[Any] = weakref.WeakSet()
        self._task: Task | None = None
        self._done_with: tuple[LeftBehind, ...] = ()
        self._timer = single_shot(SAVE_MS, self._save)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        for layer in viewer.layers:
            self._watch(layer)
        self._left: tuple[LeftBehind, ...] = ()
        self._look = Task(lambda reporter: find_left_behind(root), Listener(done=self._on_found))
        self._look.start()

    def close(self) -> None:
        """Stop watching; what was kept stays until the program ends."""
        self._timer.stop()
        self._look.forget()
        if self._task is not None:
            self._task.forget()
            self._task = None
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        for layer in list(self._keys):
            self._unwatch(layer)

    def answer(self, key: str) -> None:
        """Bring back what was left behind ("restore"), or remove it ("discard")."""
        left, self._left = self._left, ()
        if key == "discard":
            for item in left:
                item.discard()
        elif key == "restore":
            listener = Listener(done=self._restore)
            self._look = Task(functools.partial(_read, left), listener)
            self._look.start()

    # What was left behind

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
                self.keep_soon(layer)
                names.append(f"“{layer.name}”")
                self._state.correct.learn |= bool(item.record.get("learn"))
            if len(kept) == len(left.files):
                self._done_with += (left,)
            else:
                told.append(f"Some files are damaged, and were left in {left.folder}.")
        if names:
            told.insert(0, f"Brought back {', '.join(names)}. With the image open, go on with it.")
        self._state.run.notice = " ".join(told)

    # Watching

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401
        self._watch(event.value)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401
        layer = event.value
        if layer in self._keys:
            self._changed.discard(layer)
            key = self._keys[layer]
            self._unwatch(layer)
            with contextlib.suppress(OSError):
                self._folder.drop(key)

    def _watch(self, layer: Any) -> None:  # noqa: ANN401
        if isinstance(layer, Labels) and layer not in self._keys:
            self._keys[layer] = uuid.uuid4().hex
            layer.events.paint.connect(self._on_change)
            layer.events.data.connect(self._on_change)
            layer.events.set_data.connect(self._on_look)

    def _unwatch(self, layer: Any) -> None:  # noqa: ANN401
        del self._keys[layer]
        layer.events.paint.disconnect(self._on_change)
        layer.events.data.disconnect(self._on_change)
        layer.events.set_data.disconnect(self._on_look)

    def _on_change(self, event: Any) -> None:  # noqa: ANN401
        self.keep_soon(event.source)

    def _on_look(self, event: Any) -> None:  # noqa: ANN401
        """Undo and redo tell nothing but that the layer is drawn again."""
        layer = event.source
        lengths = len(undo_steps(layer)), len(redo_steps(layer))
        if self._lengths.get(layer, (0, 0)) != lengths:
            self._lengths[layer] = lengths
            self.keep_soon(layer)

    def keep_soon(self, layer: Any) -> None:  # noqa: ANN401
        """Write a layer in a moment."""
        self._changed.add(layer)
        if not self._timer.isActive():
            self._timer.start()

    # Writing

    def _save(self) -> None:
        if self._task is not None:
            self._timer.start()
            return
        ready = [
            (self._keys[layer], take_down(layer))
            for layer in list(self._changed)
            if layer in self._keys and _is_work(layer)
        ]
        for _, kept in ready:
            kept.record["learn"] = self._state.correct.learn
        self._changed.clear()
        if not ready:
            return
        done_with, self._done_with = self._done_with, ()
        listener = Listener(
            done=lambda _: self._saved(), failed=self._on_failure, finished=self._on_finished
        )
        self._task = Task(functools.partial(_write, self._folder, ready, done_with), listener)
        self._task.start()

    def _on_failure(self, error: Exception) -> None:
        self._state.run.notice = (
            f"Your corrections could not be kept for the case of a crash, in {self._root}: {error}"
        )

    def _on_finished(self) -> None:
        self._task = None


def _is_work(layer: Any) -> bool:  # noqa: ANN401
    return has_legend(layer) or is_scribbles(layer) or instances_class(layer) is not None


def ask_recovery(left: tuple[LeftBehind, ...]) -> Question:
    """Ask whether labels that a killed session left behind shall be brought back."""
    when = time.strftime("%d %b, %H:%M", time.localtime(left[0].when))
    count = sum(len(item.files) for item in left)
    what = "one layer" if count == 1 else f"{count} layers"
    return Question(
        key=QUESTION,
        text=f"napari did not end as it should. Your labels of {when} were kept ({what}).",
        answers=(("restore", "Bring back"), ("discard", "Throw away"), ("no", "Later")),
    )


def _read(
    left: tuple[LeftBehind, ...], reporter: Reporter
) -> list[tuple[LeftBehind, list[KeptLabels]]]:
    return [(item, list(item.read())) for item in left]


def _write(
    folder: RecoveryFolder,
    ready: list[tuple[str, KeptLabels]],
    done_with: tuple[LeftBehind, ...],
    reporter: Reporter,
) -> None:
    for key, kept in ready:
        folder.keep(key, kept)
    for item in done_with:
        item.discard()

"""Keeps corrections on the disk as one works, for when napari ends before they are saved."""

from __future__ import annotations

import atexit
import contextlib
import functools
import time
import uuid
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from napari.layers import Labels
from napari.utils.notifications import show_warning
from qtpy.QtCore import QCoreApplication

from napari_sclip.layers.labels.examples import is_scribbles
from napari_sclip.layers.labels.objects import instances_class
from napari_sclip.layers.labels.schema import has_legend
from napari_sclip.layers.labels.snapshot import (
    KeptLabels,
    make_layer,
    take_down,
    take_down_in_steps,
)
from napari_sclip.layers.labels.undo import redo_steps, undo_steps
from napari_sclip.widgets.control.model import ask_recovery
from napari_sclip.widgets.control.tasks import single_shot
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.recovery import LeftBehind, RecoveryFolder, find_left_behind
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task

SAVE_MS = 1500
STEP_SECONDS = 0.005
END = object()
QUESTION = "recover"

_FOLDERS: dict[Path, RecoveryFolder] = {}
_OF_VIEWERS: weakref.WeakKeyDictionary[Any, Autosave] = weakref.WeakKeyDictionary()


def session_folder(root: Path) -> RecoveryFolder:
    """Return the folder of this process; what is kept when the process ends was not saved."""
    folder = _FOLDERS.get(root)
    if folder is None:
        folder = _FOLDERS[root] = RecoveryFolder(root)
        atexit.register(folder.close)
    return folder


def autosave_of(viewer: Any, root: Path) -> Autosave:  # noqa: ANN401 - napari has no types
    """Return what keeps the labels of a viewer; made at the first call."""
    found = _OF_VIEWERS.get(viewer)
    if found is None or found.root != root:
        if found is not None:
            found.close()
        found = _OF_VIEWERS[viewer] = Autosave(viewer, root)
    return found


class Autosave:
    """Watches the labels of a viewer, and writes them a moment after they were changed.

    It goes on when the widget is closed, as painting does, and goes with the viewer; `autosave_of`
    gives the one of a viewer.

    Parameters
    ----------
    viewer : Viewer
    root : Path
        Where what is kept of all sessions is.

    Attributes
    ----------
    root : Path
    saved : callable
        Called after each time.
    """

    def __init__(self, viewer: Any, root: Path) -> None:  # noqa: ANN401 - napari has no types
        self.root = root
        self.saved: Callable[[], None] = lambda: None
        self._state: WidgetState | None = None
        self._learn = False
        self._folder = session_folder(root)
        self._keys: weakref.WeakKeyDictionary[Any, str] = weakref.WeakKeyDictionary()
        self._lengths: weakref.WeakKeyDictionary[Any, tuple[int, int]] = weakref.WeakKeyDictionary()
        self._changed: weakref.WeakSet[Any] = weakref.WeakSet()
        self._being_written: weakref.WeakSet[Any] = weakref.WeakSet()
        self._task: Task | None = None
        self._done_with: tuple[LeftBehind, ...] = ()
        self._timer = single_shot(SAVE_MS, self._save)
        self._step = single_shot(0, self._go_on)
        self._taking: Iterator[None] | None = None
        self._layers = viewer.layers
        self._layers.events.inserted.connect(self._on_inserted)
        self._layers.events.removed.connect(self._on_removed)
        for layer in self._layers:
            self._watch(layer)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.keep_now)

    def attach(self, state: WidgetState) -> None:
        """Keep the settings of a widget along, and tell it of what goes wrong."""
        self._state = state

    def detach(self, state: WidgetState) -> None:
        """Go on without a widget that is closed."""
        if self._state is state:
            self._learn, self._state = state.correct.learn, None

    def close(self) -> None:
        """Stop watching; what was kept stays."""
        self._timer.stop()
        self._step.stop()
        self._taking = None
        if self._task is not None:
            self._task.forget()
            self._task = None
        self._layers.events.inserted.disconnect(self._on_inserted)
        self._layers.events.removed.disconnect(self._on_removed)
        for layer in list(self._keys):
            self._unwatch(layer)

    def discard_later(self, left: LeftBehind) -> None:
        """Remove what was left behind when what was brought back of it has been kept anew."""
        self._done_with += (left,)

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
                self._folder.forget(key)

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

    def keep_now(self) -> None:
        """Write what was changed a moment ago: napari is being closed."""
        self._timer.stop()
        self._step.stop()
        self._taking = None
        for layer in [*self._keys]:
            if _is_work(layer) and (layer in self._changed or layer in self._being_written):
                kept = take_down(layer)
                kept.record["learn"] = self._learns()
                with contextlib.suppress(OSError):  # there is nobody to tell
                    self._folder.keep(self._keys[layer], kept)
        self._changed.clear()

    def saved_as_file(self, layer: Any) -> None:  # noqa: ANN401
        """Note that all of a layer is in a file of the person's."""
        if layer in self._keys and layer not in self._changed:
            with contextlib.suppress(OSError):
                self._folder.saved(self._keys[layer])

    def _learns(self) -> bool:
        return self._learn if self._state is None else self._state.correct.learn

    # Writing

    def _save(self) -> None:
        if self._task is not None or self._taking is not None:
            self._timer.start()
            return
        layers = [layer for layer in self._changed if layer in self._keys and _is_work(layer)]
        self._changed.clear()
        self._being_written = weakref.WeakSet(layers)
        self._taking = self._take_down(layers)
        self._go_on()

    def _go_on(self) -> None:
        """Take down some more, and let the window live in between."""
        until = time.monotonic() + STEP_SECONDS
        while self._taking is not None and time.monotonic() < until:
            if next(self._taking, END) is END:
                self._taking = None
        if self._taking is not None:
            self._step.start()

    def _take_down(self, layers: Sequence[Any]) -> Iterator[None]:
        ready = []
        for layer in layers:
            for kept in take_down_in_steps(layer):
                if kept is not None and layer in self._keys:
                    ready.append((self._keys[layer], kept))
                yield
        self._write(ready)

    def _write(self, ready: list[tuple[str, KeptLabels]]) -> None:
        for _, kept in ready:
            kept.record["learn"] = self._learns()
        if not ready:
            return
        done_with, self._done_with = self._done_with, ()
        listener = Listener(
            done=lambda _: self.saved(), failed=self._on_failure, finished=self._on_finished
        )
        self._task = Task(functools.partial(_write, self._folder, ready, done_with), listener)
        self._task.start()

    def _on_failure(self, error: Exception) -> None:
        told = (
            f"Your corrections could not be kept for the case of a crash, in {self.root}: {error}"
        )
        if self._state is None:
            show_warning(told)
        else:
            self._state.run.notice = told

    def _on_finished(self) -> None:
        self._task = None


def _is_work(layer: Any) -> bool:  # noqa: ANN401
    return has_legend(layer) or is_scribbles(layer) or instances_class(layer) is not None


def _write(
    folder: RecoveryFolder,
    ready: list[tuple[str, KeptLabels]],
    done_with: tuple[LeftBehind, ...],
    reporter: Reporter,
) -> None:
    for key, kept in ready:
        folder.keep(key, kept)
    if not folder.is_closed:
        for item in done_with:
            item.discard()


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

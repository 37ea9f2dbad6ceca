"""One piece of work at a time; the newest wins."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.worker import Listener, Task


@dataclasses.dataclass(frozen=True)
class Work:
    """What is to be done.

    Attributes
    ----------
    name : str
        One of the tasks of `RunState.task`.
    function : callable
        Given a `Reporter`; called in a thread.
    listener : Listener
    drafts : bool
        Whether drafts are asked for.
    """

    name: str
    function: Callable[[Reporter], Any]
    listener: Listener
    drafts: bool = False


class Runner:
    """Starts work once the one before has stopped.

    Every work that is started raises the generation; what an older one still tells is dropped.

    Parameters
    ----------
    changed : callable
        Called with the name of the work that runs, or nothing when none does.
    """

    def __init__(self, changed: Callable[[str], None]) -> None:
        self._changed = changed
        self._task: Task | None = None
        self._waiting: Work | None = None
        self.generation = 0

    @property
    def is_running(self) -> bool:
        """Whether a thread is at work."""
        return self._task is not None

    def start(self, work: Work) -> None:
        """Do this now, or as soon as the work that goes on has stopped."""
        self.generation += 1
        passed_over, self._waiting = self._waiting, work
        if passed_over is not None:
            passed_over.listener.stopped()
        if self._task is not None:
            self._task.stop()
        else:
            self._start_waiting()

    def stop(self) -> None:
        """Ask the work to stop, and forget what waits."""
        waiting, self._waiting = self._waiting, None
        if self._task is not None:
            self._task.stop()
        if waiting is not None:
            waiting.listener.stopped()

    def close(self) -> None:
        """Stop, and tell nobody."""
        self._waiting = None
        if self._task is not None:
            self._task.forget()
            self._task = None

    def _start_waiting(self) -> None:
        work, self._waiting = self._waiting, None
        if work is None:
            return
        listener = dataclasses.replace(work.listener, finished=self._on_finished)
        self._task = Task(work.function, listener, drafts=work.drafts)
        self._changed(work.name)
        self._task.start()

    def _on_finished(self) -> None:
        self._task = None
        if self._waiting is not None:
            self._start_waiting()
        else:
            self._changed("")

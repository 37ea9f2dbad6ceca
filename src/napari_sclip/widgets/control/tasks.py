"""One piece of work at a time; the newest wins."""

from __future__ import annotations

import dataclasses
import io
import time
from collections.abc import Callable
from typing import Any

from napari.utils import progress
from qtpy.QtCore import QTimer

from napari_sclip.progress import Progress
from napari_sclip.widgets.state.run import RunState
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


class Activity:
    """One bar in the activity dock, while there is something to tell.

    napari's bars handle all waiting events whenever they are told something, so that this may be
    called again, or closed, before it returns.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._newest: Progress | None = None
        self._telling = False

    def tell(self, now: Progress) -> None:
        """Show how far the work is."""
        self._newest = now
        if self._telling:
            return
        self._telling = True
        try:
            while self._newest is not None:
                newest, self._newest = self._newest, None
                self._show(newest)
        finally:
            self._telling = False

    def close(self) -> None:
        """Take the bar away."""
        bar, self._bar, self._newest = self._bar, None, None
        if bar is not None:
            bar.close()

    def _show(self, now: Progress) -> None:
        if self._bar is None:
            # What tqdm would print goes nowhere: the bar is for the window.
            self._bar = progress(total=now.total, desc=now.message, file=io.StringIO())
        bar = self._bar
        if bar is not None and bar.total != now.total:
            bar.total = now.total
        if self._bar is bar and bar is not None:
            bar.set_description(now.message)
        if self._bar is bar and bar is not None and now.total and now.done != bar.n:
            bar.update(now.done - bar.n)


class ProgressTeller:
    """Turns progress into what a person reads.

    Parameters
    ----------
    run : RunState
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._activity = Activity()
        self._started = (0.0, "")

    def tell(self, progress: Progress) -> None:
        """Show progress."""
        text = progress.message + self._time_left(progress)
        run = self._run
        run.total, run.done, run.message = progress.total, progress.done, text
        self._activity.tell(progress)

    def close(self) -> None:
        """Take it out of the activity dock."""
        self._activity.close()

    def _time_left(self, progress: Progress) -> str:
        now = time.monotonic()
        if progress.done == 0 or progress.message != self._started[1]:
            self._started = (now, progress.message)
        passed = now - self._started[0]
        if self._run.task != "segment" or not 0 < progress.done < progress.total or passed < 1:
            return ""
        seconds = passed / progress.done * (progress.total - progress.done)
        return f", about {seconds:.0f} s left" if seconds >= 1 else ""


def single_shot(milliseconds: int, slot: Callable[[], None]) -> QTimer:
    """Make such a timer; starting it again before it calls begins anew."""
    timer = QTimer()
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(slot)
    return timer

"""Work in a thread of its own, told about in the thread of the user interface."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qtpy.QtCore import QObject, QThreadPool, Signal, Slot
from superqt.utils import FunctionWorker

from napari_sclip.progress import Progress, collect_notices
from napari_sclip.widgets.work.reporter import Reporter, Stopped

REPORT_SECONDS = 0.03
DRAFT_SECONDS = 0.25
DRAFT_SHARE = 0.1
"""Share of the time that drafts may take of a run."""

EXIT_MS = 30_000
"""How long leaving Python waits for threads; one that is importing torch cannot be stopped."""

LEAST_THREADS = 4
"""Of Qt's pool, so that on a machine with few cores no small task waits for a run to end."""

_ALIVE: set[Task] = set()


@atexit.register
def _stop_all() -> None:
    """Let threads end before Qt does, where a script exits without closing the viewer."""
    for task in list(_ALIVE):
        task.forget()
    if _ALIVE:
        _pool().waitForDone(EXIT_MS)


def _pool() -> QThreadPool:
    pool = QThreadPool.globalInstance()
    assert pool is not None
    return pool


def _ignore(_: Any = None) -> None:  # noqa: ANN401 - whatever was told
    pass


@dataclass
class Listener:
    """What is called, in the thread of the user interface, while a task goes on.

    Attributes
    ----------
    progress : callable
        Given a `Progress`, a few times a second.
    draft : callable
        Given something unfinished; another comes only after this returns.
    warned : callable
        Given what the engine did differently from what was asked, as `notify` was.
    done : callable
        Given what the work returned.
    failed : callable
        Given the exception.
    stopped : callable
        Called without arguments where the work was stopped.
    finished : callable
        Called without arguments, last and always.
    """

    progress: Callable[[Progress], None] = _ignore
    draft: Callable[[Any], None] = _ignore
    warned: Callable[[str], None] = _ignore
    done: Callable[[Any], None] = _ignore
    failed: Callable[[Exception], None] = _ignore
    stopped: Callable[[], None] = _ignore
    finished: Callable[[], None] = _ignore


class Task(QObject):
    """One piece of work; make it in the thread of the user interface.

    Parameters
    ----------
    work : callable
        Given a `Reporter`; what it returns is handed to ``listener.done``. Any exception it
        raises is handed to ``listener.failed``, a RuntimeError too: it must be a plain function,
        as superqt's workers tell nothing of a generator that raises one.
    listener : Listener
    drafts : bool
        Whether drafts are asked for.
    """

    _progressed = Signal(object)
    _drafted = Signal(object)
    _noticed = Signal(str)

    def __init__(
        self, work: Callable[[Reporter], Any], listener: Listener, *, drafts: bool = False
    ) -> None:
        super().__init__()
        self._listener = listener
        self._reporter = _ThreadReporter(self, drafts=drafts)
        self._worker = _Worker(_guarded, work, self._reporter, self._noticed.emit)
        self._reporter.worker = self._worker
        # These slots belong to a QObject of this thread, so that every binding queues the calls.
        self._progressed.connect(self._on_progress)
        self._drafted.connect(self._on_draft)
        self._noticed.connect(self._on_notice)
        self._worker.returned.connect(self._on_return)
        self._worker.errored.connect(self._on_error)
        self._worker.finished.connect(self._on_finish)

    def start(self) -> None:
        """Start the thread."""
        _ALIVE.add(self)
        pool = _pool()
        if pool.maxThreadCount() < LEAST_THREADS:
            pool.setMaxThreadCount(LEAST_THREADS)
        self._worker.start()

    def stop(self) -> None:
        """Ask the work to stop; it does at its next report."""
        self._reporter.stop.set()

    def forget(self) -> None:
        """Stop, and tell the listener nothing more."""
        self.stop()
        self._listener = Listener()

    @Slot(object)
    def _on_progress(self, progress: Progress) -> None:
        if not self._reporter.stop.is_set():
            self._listener.progress(progress)

    @Slot(object)
    def _on_draft(self, draft: Any) -> None:  # noqa: ANN401
        started = time.monotonic()
        try:
            if not self._reporter.stop.is_set():
                self._listener.draft(draft)
        finally:
            self._reporter.draft_was_shown(time.monotonic() - started)

    @Slot(str)
    def _on_notice(self, text: str) -> None:
        self._listener.warned(text)

    @Slot(object)
    def _on_return(self, value: Any) -> None:  # noqa: ANN401
        if self._reporter.stop.is_set():
            self._listener.stopped()
        else:
            self._listener.done(value)

    @Slot(object)
    def _on_error(self, error: Exception) -> None:
        if isinstance(error, Stopped) or self._reporter.stop.is_set():
            self._listener.stopped()
        else:
            self._listener.failed(error)

    @Slot()
    def _on_finish(self) -> None:
        listener, self._listener = self._listener, Listener()
        _ALIVE.discard(self)
        listener.finished()


class _Worker(FunctionWorker[Any]):
    def run(self) -> None:
        """Do the work as superqt does, but leave Python's warning filters alone.

        They are the process's: superqt's own `run` replaces them for all threads, and where two
        workers end in another order than they began, for good.
        """
        self.started.emit()
        self._running = True
        try:
            result = self.work()
            if not self.abort_requested:
                self.returned.emit(result)
        except Exception as error:  # noqa: BLE001 - told to the listener
            self.errored.emit(error)
        self._running = False
        self.finished.emit()
        self._finished.emit(self)


def _guarded(
    work: Callable[[Reporter], Any], reporter: Reporter, noticed: Callable[[str], None]
) -> Any:  # noqa: ANN401
    """Do the work; superqt tells nothing of what is no `Exception`, and would wait for ever."""
    try:
        with collect_notices(noticed):
            return work(reporter)
    except Exception:
        raise
    except BaseException as error:
        text = f"The work ended with {type(error).__name__}: {error}".rstrip(": ")
        raise RuntimeError(text) from error


class _ThreadReporter:
    """The reporter of one task; all but `draft_was_shown` is called in the task's thread."""

    def __init__(self, task: Task, *, drafts: bool) -> None:
        self.stop = threading.Event()
        self.worker: Any = None
        self._task = task
        self._told: tuple[float, Progress | None] = (0.0, None)
        self._drafts = drafts
        self._shown = threading.Event()
        self._shown.set()
        self._next_draft = 0.0
        self._asked = 0.0
        self._sent = 0.0

    def progress(self, progress: Progress) -> None:
        # Leaving napari asks all of superqt's workers to quit.
        if self.stop.is_set() or self.worker.abort_requested:
            raise Stopped
        now = time.monotonic()
        last, told = self._told
        # Of one kind of work, as much as can be read; its message may have figures in it.
        kind = progress.message.partition(" ")[0]
        same = told is not None and told.message.partition(" ")[0] == kind
        if progress != told and (not same or now - last >= REPORT_SECONDS):
            self._told = (now, progress)
            self._task._progressed.emit(progress)

    def wants_draft(self) -> bool:
        self._asked = time.monotonic()
        return self._drafts and self._shown.is_set() and self._asked >= self._next_draft

    def draft(self, draft: Any) -> None:  # noqa: ANN401
        if self.stop.is_set():
            raise Stopped
        self._shown.clear()
        self._sent = time.monotonic()
        self._task._drafted.emit(draft)

    def draft_was_shown(self, seconds: float) -> None:
        """Let the next draft come when this one's share of the time is over."""
        took = self._sent - self._asked + seconds
        self._next_draft = self._sent + max(DRAFT_SECONDS, took * (1 / DRAFT_SHARE - 1))
        self._shown.set()

"""Work in a thread, told about in the thread of the user interface."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
import warnings
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QThreadPool

from napari_sclip.progress import Progress, notify
from napari_sclip.widgets.control.tasks import Runner, Work
from napari_sclip.widgets.work.reporter import Reporter, Stopped
from napari_sclip.widgets.worker import DRAFT_SECONDS, DRAFT_SHARE, Listener, Task


class Told:
    """What a listener was told, and in which thread."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[int] = set()
        self.listener = Listener(
            progress=lambda x: self._note("progress", x),
            draft=lambda x: self._note("draft", x),
            warned=lambda x: self._note("warned", x),
            done=lambda x: self._note("done", x),
            failed=lambda x: self._note("failed", x),
            stopped=lambda: self._note("stopped"),
            finished=lambda: self._note("finished"),
        )

    def _note(self, name: str, value: Any = None) -> None:
        self.calls.append((name, value))
        self.threads.add(threading.get_ident())

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


def finish(task: Task, told: Told, qtbot: QtBot) -> None:
    task.start()
    qtbot.waitUntil(lambda: "finished" in told.names, timeout=5000)
    assert told.names[-1] == "finished"
    assert told.threads == {threading.get_ident()}


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit("odd")])
def test_what_is_no_exception_ends_as_a_failure_too(error: BaseException, qtbot: QtBot) -> None:
    def work(reporter: Reporter) -> None:
        raise error

    told = Told()
    finish(Task(work, told.listener), told, qtbot)
    (name, found), _ = told.calls
    assert name == "failed"
    assert type(error).__name__ in str(found)
    assert found.__cause__ is error


def test_the_result_comes_in_the_thread_of_the_user_interface(qtbot: QtBot) -> None:
    told = Told()
    finish(Task(lambda reporter: threading.get_ident(), told.listener), told, qtbot)
    (name, value), _ = told.calls
    assert name == "done"
    assert value != threading.get_ident()


@pytest.mark.parametrize("error", [RuntimeError("CUDA out of memory"), KeyError("x"), OSError()])
def test_any_exception_is_told(qtbot: QtBot, error: Exception) -> None:
    def work(reporter: Reporter) -> None:
        raise error

    told = Told()
    finish(Task(work, told.listener), told, qtbot)
    assert told.calls[0] == ("failed", error)


def test_work_stops_at_its_next_report(qtbot: QtBot) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    after: list[str] = []

    def work(reporter: Reporter) -> None:
        reporter.progress(Progress(0, 2, "Working"))
        at_work.set()
        go_on.wait(5)
        reporter.progress(Progress(1, 2, "Working"))
        after.append("went on")

    told = Told()
    task = Task(work, told.listener)
    task.start()
    assert at_work.wait(5)
    task.stop()
    go_on.set()
    qtbot.waitUntil(lambda: "finished" in told.names, timeout=5000)
    assert "stopped" in told.names
    assert after == []
    assert not {"done", "failed"} & set(told.names)


def test_a_task_that_is_forgotten_tells_nothing(qtbot: QtBot) -> None:
    go_on, ended = threading.Event(), threading.Event()

    def work(reporter: Reporter) -> None:
        go_on.wait(5)
        try:
            reporter.progress(Progress(0, 1, "Working"))
        except Stopped:
            ended.set()
            raise

    told = Told()
    task = Task(work, told.listener)
    task.start()
    task.forget()
    go_on.set()
    qtbot.waitUntil(ended.is_set, timeout=5000)
    qtbot.wait(20)
    assert told.calls == []


def test_many_reports_are_told_a_few_times_a_second(qtbot: QtBot) -> None:
    def work(reporter: Reporter) -> None:
        for done in range(20_000):
            reporter.progress(Progress(done, 20_000, f"Downloading {done} bytes"))
        reporter.progress(Progress(0, 0, "Reading"))

    told = Told()
    finish(Task(work, told.listener), told, qtbot)
    assert told.names.count("progress") < 100
    assert told.calls[-3][1].message == "Reading"


def test_a_draft_waits_until_the_last_one_is_shown(qtbot: QtBot) -> None:
    asked: list[bool] = []

    def work(reporter: Reporter) -> None:
        asked.append(reporter.wants_draft())
        reporter.draft("first")
        asked.append(reporter.wants_draft())

    told = Told()
    finish(Task(work, told.listener, drafts=True), told, qtbot)
    assert asked == [True, False]
    assert ("draft", "first") in told.calls
    quiet = Told()
    finish(Task(work, quiet.listener), quiet, qtbot)
    assert asked[2:] == [False, False]


def test_a_draft_that_is_slow_to_draw_lets_the_next_one_wait(qtbot: QtBot) -> None:
    seconds = DRAFT_SECONDS / 2
    drawn = threading.Event()
    waits: list[float] = []

    def draw(draft: Any) -> None:
        time.sleep(seconds)  # what drawing takes, not something to wait for
        drawn.set()

    def work(reporter: Any) -> None:
        assert reporter.wants_draft()
        reporter.draft("first")
        assert drawn.wait(5)
        assert reporter._shown.wait(5)
        waits.append(reporter._next_draft - reporter._sent)

    told = Told()
    told.listener.draft = draw
    finish(Task(work, told.listener, drafts=True), told, qtbot)
    assert "failed" not in told.names
    assert waits[0] >= seconds * (1 / DRAFT_SHARE - 1)


def test_notices_for_a_person_are_told(qtbot: QtBot) -> None:
    def work(reporter: Reporter) -> None:
        notify("The CPU is used instead.")

    told = Told()
    finish(Task(work, told.listener), told, qtbot)
    assert [value for name, value in told.calls if name == "warned"] == ["The CPU is used instead."]


def test_work_neither_changes_nor_feels_the_filters_of_warnings(qtbot: QtBot) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    shown = warnings.showwarning

    def work(reporter: Reporter) -> None:
        at_work.set()
        assert go_on.wait(5)
        notify("The CPU is used instead.")

    told = Told()
    task = Task(work, told.listener)
    with warnings.catch_warnings():
        task.start()
        assert at_work.wait(5)
        assert warnings.showwarning is shown
        warnings.simplefilter("error")
        before = list(warnings.filters)
        go_on.set()
        qtbot.waitUntil(lambda: "finished" in told.names, timeout=5000)
        assert list(warnings.filters) == before
    assert [name for name, _ in told.calls] == ["warned", "done", "finished"]


def test_the_newest_work_waits_for_the_oldest_to_stop(qtbot: QtBot) -> None:
    at_work, go_on = threading.Event(), threading.Event()
    at_once: list[int] = []

    def slow(reporter: Reporter) -> None:
        at_once.append(1)
        at_work.set()
        go_on.wait(5)
        at_once.append(-1)
        reporter.progress(Progress(0, 1, "Working"))

    def quick(reporter: Reporter) -> str:
        at_once.append(1)
        return "newest"

    changes: list[str] = []
    runner = Runner(changes.append)
    first, second, third = Told(), Told(), Told()
    runner.start(Work("one", slow, first.listener))
    assert at_work.wait(5)
    runner.start(Work("two", quick, second.listener))
    runner.start(Work("three", quick, third.listener))
    go_on.set()
    qtbot.waitUntil(lambda: not runner.is_running, timeout=5000)
    assert at_once == [1, -1, 1]
    assert "stopped" in first.names
    assert second.names == ["stopped"]
    assert third.calls == [("done", "newest")]
    assert changes == ["one", "three", ""]


def test_a_small_task_does_not_wait_for_a_long_one(qtbot: QtBot) -> None:
    pool = QThreadPool.globalInstance()
    assert pool is not None
    usual, gate = pool.maxThreadCount(), threading.Event()
    pool.setMaxThreadCount(1)
    begun, ended = threading.Event(), list[str]()

    def hold(reporter: Reporter) -> None:
        begun.set()
        gate.wait(20)

    try:
        long = Task(hold, Listener(finished=lambda: ended.append("long")))
        long.start()
        qtbot.waitUntil(begun.is_set, timeout=5000)
        small = Task(lambda reporter: None, Listener(finished=lambda: ended.append("small")))
        small.start()
        qtbot.waitUntil(lambda: ended == ["small"], timeout=5000)
    finally:
        gate.set()
        qtbot.waitUntil(lambda: len(ended) == 2, timeout=20_000)
        pool.setMaxThreadCount(usual)


EXITING = """
import sys, threading
from qtpy.QtWidgets import QApplication
from napari_sclip.progress import Progress
from napari_sclip.widgets.worker import Listener, Task

app = QApplication([])
at_work = threading.Event()

def work(reporter):
    done = 0
    while True:
        reporter.progress(Progress(done, 0, str(done)))
        done += 1
        at_work.set()

task = Task(work, Listener())
task.start()
at_work.wait(10)
sys.exit(0)
"""


def test_a_script_that_exits_in_mid_work_ends_quietly() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", EXITING], check=False, capture_output=True, timeout=60
    )
    assert (ended.returncode, ended.stderr.decode()) == (0, "")

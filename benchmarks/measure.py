"""Time and memory of a piece of work, each in a process of its own."""

from __future__ import annotations

import gc
import json
import multiprocessing
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection

import psutil

SAMPLE_EVERY_S = 0.002


@dataclass(frozen=True)
class Cost:
    """What a piece of work costs.

    Attributes
    ----------
    seconds : float
        Median over the repeats.
    peak_mb : float
        Most memory above what the process had before, in MB.
    """

    seconds: float
    peak_mb: float


class PeakMemory:
    """Samples the memory of this process while a block runs."""

    def __enter__(self) -> PeakMemory:
        gc.collect()
        self._process = psutil.Process()
        self._before = self._process.memory_info().rss
        self._peak = self._before
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_EVERY_S):
            self._peak = max(self._peak, self._process.memory_info().rss)

    @property
    def megabytes(self) -> float:
        """Peak above the start."""
        return float(self._peak - self._before) / 1e6


def measure(prepare: Callable[[], Callable[[], object]], repeats: int) -> Cost:
    """Measure what `prepare` gives, in a fresh process: memory first, then time.

    Parameters
    ----------
    prepare : callable
        Makes what the work needs and gives the work itself; a function of a module.
    repeats : int
        How often the work is timed, after the first run.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_run, args=(prepare, repeats, sender))
    process.start()
    sender.close()
    try:
        cost = Cost(**json.loads(receiver.recv()))
    finally:
        process.join()
    return cost


def _run(prepare: Callable[[], Callable[[], object]], repeats: int, sender: Connection) -> None:
    work = prepare()
    with PeakMemory() as memory:
        work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    sender.send(json.dumps({"seconds": statistics.median(times), "peak_mb": memory.megabytes}))

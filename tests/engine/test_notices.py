"""What the engine has to say reaches who asked, whatever other threads do to Python's warnings."""

from __future__ import annotations

import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_sclip import SclipWarning, SegmentationConfig, Segmenter
from napari_sclip.progress import collect_notices, notify

IMAGE = np.zeros((96, 96, 3), np.uint8)
CONFIG = SegmentationConfig(short_side=None, window=64, stride=64, templates="plain")
NAMES = [f"word{k} unheard" for k in range(6)]


def test_nothing_is_lost_while_another_thread_changes_the_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path))
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    told: list[str] = []
    failures: list[Exception] = []
    inside, done_inside, outside, done_outside = (threading.Barrier(2) for _ in range(4))

    def run() -> None:
        try:
            with collect_notices(told.append):
                for number, name in enumerate(NAMES):
                    strict = number % 2 == 0
                    (inside if strict else outside).wait(60)
                    segmenter.segment(IMAGE, [name, "red circle"], CONFIG)
                    (done_inside if strict else done_outside).wait(60)
        except Exception as error:  # noqa: BLE001 - asserted on below
            failures.append(error)
            for barrier in (inside, done_inside, outside, done_outside):
                barrier.abort()

    thread = threading.Thread(target=run)
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        thread.start()
        try:
            for _ in range(len(NAMES) // 2):
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    inside.wait(60)
                    done_inside.wait(60)
                outside.wait(60)
                done_outside.wait(60)
        except threading.BrokenBarrierError:
            pass
        thread.join(60)
    assert failures == []
    assert [name for text in told for name in NAMES if name in text] == NAMES
    assert leaked == []


def test_a_listener_hears_its_own_context_only() -> None:
    heard: list[str] = []
    other: list[str] = []
    started, go_on = threading.Event(), threading.Event()

    def run() -> None:
        with collect_notices(other.append):
            started.set()
            assert go_on.wait(10)
            notify("of the other")

    thread = threading.Thread(target=run)
    with collect_notices(heard.append):
        thread.start()
        assert started.wait(10)
        notify("of this")
        go_on.set()
        thread.join(10)
        with collect_notices(other.append):
            notify("of the inner")
        notify("of this again")
    assert heard == ["of this", "of this again"]
    assert other == ["of the other", "of the inner"]


def test_without_a_listener_python_warns_at_the_line_of_the_caller() -> None:
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    too_long = "red circle " * 90
    for classes, words in (("flumox", "never trained"), (too_long, "tokens at most")):
        with pytest.warns(SclipWarning, match=words) as told:
            segmenter.segment(IMAGE, classes, CONFIG)
        assert {warning.filename for warning in told} == {__file__}

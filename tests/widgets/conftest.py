"""Real viewers, and an engine whose every window waits for the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from npe2 import PluginManager
from qtpy.QtCore import QThreadPool
from qtpy.QtWidgets import QApplication

from napari_sclip import SegmentationConfig
from napari_sclip.engine.result import Segmentation
from napari_sclip.errors import ModelError
from napari_sclip.progress import Progress
from napari_sclip.prompts import label_ids, parse_classes
from napari_sclip.widgets.work.session import Session


class FakeSegmenter:
    """Labels the image in bands from top to bottom, one window a band.

    `gate` holds every window until the test lets it pass; it starts open, and is closed once as
    many images were embedded as `hold_at` says.
    """

    def __init__(self, windows: int = 4, error: Exception | None = None) -> None:
        self.model, self.device, self.precision = "fake", "cpu", "fp32"
        self.attention, self.weights_sha256, self.fingerprint = "sclip", "ab" * 32, "fake:sclip"
        self.windows = windows
        self.error = error
        self.seconds = 0.0
        self.gate = threading.Event()
        self.gate.set()
        self.arrived = threading.Semaphore(0)
        self.embedded = 0
        self.hold_at: int | None = None
        self.images: list[np.ndarray] = []

    def resolve(self, config: SegmentationConfig) -> SegmentationConfig:
        return config.for_input_size(224)

    def embed(
        self,
        image: Any,
        config: SegmentationConfig,
        *,
        progress: Callable[[Progress], None],
        partial: Callable[[Any], None],
    ) -> Any:
        self.images.append(np.asarray(image))
        if self.embedded == self.hold_at:
            self.gate.clear()
        shape = image.shape[:2]
        embedding = SimpleNamespace(
            shape=shape,
            config=config,
            nbytes=1000,
            feature_bytes=1000,
            windows=self.windows,
            done=0,
        )
        for done in range(self.windows):
            progress(Progress(done, self.windows, "Looking at windows"))
            self.arrived.release()
            time.sleep(self.seconds)  # what a window takes, not something to wait for
            self._wait(done, progress)
            if self.error is not None:
                raise self.error
            embedding.done = done + 1
            partial(SimpleNamespace(embedding=embedding, done=done + 1, total=self.windows))
        progress(Progress(self.windows, self.windows, "Looking at windows"))
        self.embedded += 1
        return embedding

    def embed_classes(self, classes: Any, config: Any, *, progress: Any) -> None:
        parse_classes(classes)

    def _wait(self, done: int, progress: Callable[[Progress], None]) -> None:
        while not self.gate.wait(timeout=0.02):
            progress(Progress(done, self.windows, "Looking at windows"))

    def classify_partial(self, partial: Any, classes: Any, config: Any) -> np.ndarray:
        labels = self._labels(partial.embedding.shape, parse_classes(classes))
        labels[round(len(labels) * partial.done / partial.total) :] = 0
        return labels

    def classify(self, embedding: Any, classes: Any, config: Any, *, progress: Any) -> Segmentation:
        parsed = parse_classes(classes)
        return Segmentation(
            labels=self._labels(embedding.shape, parsed),
            classes=parsed,
            dropped=(),
            config=config,
            model=self.model,
            weights_sha256=self.weights_sha256,
            attention=self.attention,
            _dense=None,  # type: ignore[arg-type]
            _text=None,  # type: ignore[arg-type]
            _decision=None,  # type: ignore[arg-type]
        )

    def _labels(self, shape: tuple[int, int], classes: Any) -> np.ndarray:
        """Give the classes vertical stripes, in their order."""
        ids = np.array(label_ids(classes), dtype=np.uint8)
        columns = np.arange(shape[1]) * len(ids) // shape[1]
        return np.broadcast_to(ids[columns], shape).copy()


def make_viewer_model() -> ViewerModel:
    """Make a viewer without a window, with the samples and readers that a window has."""
    PluginManager.instance().discover()
    return ViewerModel()


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a settings folder of its own."""
    folder = tmp_path / "settings"
    monkeypatch.setenv("NAPARI_SCLIP_CONFIG", str(folder))
    return folder


@pytest.fixture(autouse=True)
def no_leaks(qapp: QApplication) -> Iterator[None]:
    """Fail on threads and windows that a test leaves behind."""
    before = set(threading.enumerate())
    yield
    pool = QThreadPool.globalInstance()
    assert pool is not None
    assert pool.waitForDone(10_000), "a worker goes on after the test"
    qapp.processEvents()
    left = [t for t in threading.enumerate() if t not in before and not t.daemon]
    left = [t for t in left if not isinstance(t, threading._DummyThread)]
    assert not [t for t in left if "ThreadPool" not in t.name], left


@pytest.fixture
def fake() -> FakeSegmenter:
    return FakeSegmenter()


@pytest.fixture
def fake_session(fake: FakeSegmenter) -> Session:
    def load(name: str, **arguments: Any) -> FakeSegmenter:
        if isinstance(fake.error, ModelError):
            raise fake.error
        return fake

    return Session(load)

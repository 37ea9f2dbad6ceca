"""Windows fit the memory there is; the result does not depend on how."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_sclip import SclipWarning, SegmentationConfig, Segmenter, make_scene
from napari_sclip.core.vision import VisionTower, dense_features
from napari_sclip.engine import vision_encoder
from napari_sclip.errors import DeviceError

CONFIG = SegmentationConfig(short_side=None, templates="plain")
OTHER_DEVICE = torch.device("cpu", 0)
"""Stands for a GPU: torch tells it apart from "cpu", and computes on it all the same."""


class LimitedMemory:
    """Runs out of memory as torch does, above a number of windows at once on a device."""

    def __init__(self, most: dict[torch.device, int]) -> None:
        self.most = most
        self.batches: list[tuple[torch.device, int]] = []
        self.device = torch.device("cpu")

    def __call__(
        self, tower: VisionTower, windows: Tensor, mode: object, between: object
    ) -> Tensor:
        if len(windows) > self.most[self.device]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1 GiB.")
        self.batches.append((self.device, len(windows)))
        return dense_features(tower, windows, mode, between)  # type: ignore[arg-type]  # passed on


@pytest.fixture
def segmenter() -> Segmenter:
    return Segmenter.load("shapes-demo", device="cpu")


def limit(
    monkeypatch: pytest.MonkeyPatch, segmenter: Segmenter, most: dict[torch.device, int]
) -> LimitedMemory:
    memory = LimitedMemory(most)
    tower_on = segmenter.vision.tower_on

    def watched(device: torch.device) -> VisionTower:
        memory.device = device
        return tower_on(device)

    monkeypatch.setattr(segmenter.vision, "tower_on", watched)
    monkeypatch.setattr(vision_encoder, "dense_features", memory)
    monkeypatch.setattr(vision_encoder, "CPU_TOKENS", 2000)
    return memory


IMAGE = make_scene(2, size=(200, 230)).image


def test_the_batch_is_halved_until_it_fits(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = segmenter.embed(IMAGE, CONFIG).dense.features
    memory = limit(monkeypatch, segmenter, {torch.device("cpu"): 3})
    found = segmenter.embed(IMAGE, CONFIG).dense.features
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    sizes = [size for _, size in memory.batches]
    assert max(sizes) == 3
    assert sum(sizes) == segmenter.count_windows((200, 230), CONFIG)


def test_at_last_the_cpu_is_used_with_a_warning(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = segmenter.embed(IMAGE, CONFIG).dense.features
    segmenter.vision.device = OTHER_DEVICE
    memory = limit(monkeypatch, segmenter, {OTHER_DEVICE: 0, torch.device("cpu"): 99})
    with pytest.warns(SclipWarning, match="the CPU is used"):
        found = segmenter.embed(IMAGE, CONFIG).dense.features
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    assert {device for device, _ in memory.batches} == {torch.device("cpu")}


def test_no_memory_at_all_is_an_error_that_says_what_to_do(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, segmenter, {torch.device("cpu"): 0})
    with pytest.raises(DeviceError, match="choose a smaller window or model"):
        segmenter.embed(IMAGE, CONFIG)


def test_other_errors_are_not_taken_for_a_lack_of_memory(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Tensor:
        raise RuntimeError("shapes cannot be multiplied")

    monkeypatch.setattr(vision_encoder, "dense_features", broken)
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        segmenter.embed(IMAGE, CONFIG)


CLASSIFY_LARGE = """
import numpy as np, torch
from benchmarks.measure import PeakMemory
from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.core.axis_map import windows_to_image
from napari_sclip.core.similarity import DenseMap
from napari_sclip.core.windows import place_windows
from napari_sclip.engine.embedding import Embedding

segmenter = Segmenter.load("shapes-demo", device="cpu")
small = segmenter.embed(np.zeros((96, 96), np.uint8), SegmentationConfig(short_side=None))
names = [f"class {k} = red circle {k} | blue ring {k}" for k in range(50)]
config = SegmentationConfig(short_side=None, templates="plain", threshold=0.02)
import warnings
warnings.simplefilter("ignore")
segmenter.classify(small, names, config)
rows, columns = place_windows(3000, 224, 112, 16), place_windows(4000, 224, 112, 16)
size = small.dense.features.shape[-1]
features = torch.randn(len(rows.starts) * 14, len(columns.starts) * 14, size)
dense = DenseMap(features, windows_to_image(rows, 3000), windows_to_image(columns, 4000))
embedding = Embedding(dense, small.config, small.model, small.fingerprint, 0)
with PeakMemory() as memory:
    result = segmenter.classify(embedding, names, config)
assert result.labels.shape == (3000, 4000)
print(memory.megabytes)
"""


@pytest.mark.slow
def test_classifying_100_prompts_on_12_megapixels_stays_within_a_gigabyte() -> None:
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(CLASSIFY_LARGE)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    assert 1 < float(run.stdout) < 1000


def test_scores_are_only_made_when_asked_for(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(*_: object) -> np.ndarray:
        calls.append(1)
        return np.zeros((2, 200, 230), np.float32)

    monkeypatch.setattr("napari_sclip.engine.result.predict_scores", counted)
    result = segmenter.segment(IMAGE, "red circle, background", CONFIG)
    assert not calls
    result.scores()
    assert calls

"""What a run will cost, from a measured window."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from typing import Any

import pytest

from napari_sclip import Progress, SegmentationConfig, Segmenter, make_scene
from napari_sclip.engine.estimate import (
    MOST_BATCHES,
    WindowCost,
    estimate_bytes,
    estimate_seconds,
    measure_window,
)
from napari_sclip.errors import ConfigError

COST = WindowCost(
    seconds=0.5, feature_bytes=1000, model="m", device="cpu", precision="fp32", window=100
)


def test_importing_it_loads_no_torch() -> None:
    code = "import sys, napari_sclip.engine.estimate; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_window_is_measured(demo: Segmenter) -> None:
    seen: list[Progress] = []
    before = demo.vision.windows_computed
    cost = measure_window(demo, progress=seen.append)
    batch = demo.vision.first_batch((96 // 8) ** 2)
    assert batch > 1
    measured, left = divmod(demo.vision.windows_computed - before - 1, batch)
    assert left == 0
    assert 1 <= measured <= MOST_BATCHES
    assert 0 < cost.seconds < 60
    assert cost.feature_bytes == (96 // 8) ** 2 * 128 * 4
    assert (cost.model, cost.device, cost.precision) == ("shapes-demo", "cpu", "fp32")
    assert cost.window == 96
    assert set(seen) == {Progress(0, 0, "Measuring the speed")}
    other = SegmentationConfig(window=48, stride=48, average_on="patches")
    assert measure_window(demo, other).window == 48


def test_measuring_can_be_stopped(demo: Segmenter) -> None:
    def stop(progress: Progress) -> None:
        raise KeyboardInterrupt

    before = demo.vision.windows_computed
    with pytest.raises(KeyboardInterrupt):
        measure_window(demo, progress=stop)
    assert demo.vision.windows_computed == before


@pytest.mark.parametrize("average_on", ["pixels", "patches"])
def test_the_memory_of_an_embedding_is_estimated(demo: Segmenter, average_on: str) -> None:
    scene = make_scene(2, size=(336, 448))
    config = SegmentationConfig(average_on=average_on)
    embedding = demo.embed(scene.image, config)
    cost = dataclasses.replace(COST, feature_bytes=(96 // 8) ** 2 * 128 * 4, window=96)
    strip_and_labels = 48 * 96 * 448 + 4 * 336 * 448
    estimated = estimate_bytes(embedding.windows, cost, (336, 448), config) - strip_and_labels
    if average_on == "pixels":
        assert estimated == embedding.dense.features.nbytes
    else:
        assert estimated == pytest.approx(embedding.dense.features.nbytes, rel=0.3)


def test_time_and_memory_grow_with_the_windows() -> None:
    assert estimate_seconds(8, COST) == 4.0
    native = SegmentationConfig(short_side=None)
    assert estimate_bytes(8, COST, (10, 20), native) == 8 * 1000 + 48 * 100 * 20 + 4 * 10 * 20
    apart = dataclasses.replace(native, average_on="patches", window=100, stride=100)
    assert estimate_bytes(9, COST, (10, 20), apart) == estimate_bytes(9, COST, (10, 20), native)
    default = dataclasses.replace(native, average_on="patches")
    assert estimate_bytes(9, COST, (10, 20), default) == 4000 + 48 * 100 * 20 + 4 * 10 * 20


def test_a_cost_is_kept_as_plain_values() -> None:
    assert WindowCost.from_dict(json.loads(json.dumps(COST.to_dict()))) == COST


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "1"},
        {"feature_bytes": True},
        {"feature_bytes": 0},
        {"window": -3},
        {"model": None},
        {"colour": "red"},
    ],
)
def test_a_damaged_cost_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="Measure it again"):
        WindowCost.from_dict({**COST.to_dict(), **change})
    values = COST.to_dict()
    del values["device"]
    with pytest.raises(ConfigError, match="Expected the cost of a window"):
        WindowCost.from_dict(values)
    with pytest.raises(ConfigError, match="Expected the cost of a window"):
        WindowCost.from_dict([1, 2])  # type: ignore[arg-type]  # as a damaged file may hold

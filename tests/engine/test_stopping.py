"""Work stops within one block of a tower, wherever `progress` raises."""

from __future__ import annotations

from pathlib import Path

import dask.array as da
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_sclip import Progress, SegmentationConfig, Segmenter, make_scene
from napari_sclip.core.transformer import Block
from napari_sclip.models.source import load_source

CONFIG = SegmentationConfig(short_side=None, templates="imagenet")
IMAGE = make_scene(2, size=(150, 170)).image


class Stopped(Exception):  # noqa: N818 - a signal of the caller's own
    pass


class StopsAt:
    """Raises at the k-th call, and remembers what had been done by then."""

    def __init__(self, call: int, blocks: list[int], error: Exception | None = None) -> None:
        self.call = call
        self.blocks = blocks
        self.error = error or Stopped()
        self.reports: list[Progress] = []
        self.blocks_then = -1

    def __call__(self, progress: Progress) -> None:
        self.reports.append(progress)
        if len(self.reports) == self.call:
            self.blocks_then = sum(self.blocks)
            raise self.error


@pytest.fixture
def blocks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every block that was begun."""
    begun: list[int] = []
    original = Block.qkv

    def counted(self: Block, x: torch.Tensor, heads: int) -> tuple[torch.Tensor, ...]:
        begun.append(1)
        return original(self, x, heads)

    monkeypatch.setattr(Block, "qkv", counted)
    return begun


@pytest.fixture
def segmenter() -> Segmenter:
    return Segmenter.load("shapes-demo", device="cpu")


def test_no_two_blocks_run_without_a_report(segmenter: Segmenter, blocks: list[int]) -> None:
    ran: list[int] = []
    reports: list[Progress] = []

    def watch(progress: Progress) -> None:
        ran.append(len(blocks))
        reports.append(progress)

    embedding = segmenter.embed(IMAGE, CONFIG, progress=watch)
    assert len(blocks) == 2 * len(segmenter.vision.source.transformer.blocks), "two batches"
    assert max(np.diff(ran)) == 1
    assert [p.done for p in reports] == sorted(p.done for p in reports)
    assert {p.total for p in reports} == {embedding.windows}
    ran.clear()
    blocks.clear()
    segmenter.classify(embedding, "red circle, blue star, background", progress=watch)
    assert len(blocks) >= 2
    assert max(np.diff(ran)) == 1


@pytest.mark.parametrize("call", [1, 2, 4, 8, 9, 11, 15])
def test_nothing_is_computed_after_the_call_that_raises(
    segmenter: Segmenter, blocks: list[int], call: int
) -> None:
    stop = StopsAt(call, blocks)
    with pytest.raises(Stopped):
        segmenter.embed(IMAGE, CONFIG, progress=stop)
    assert len(stop.reports) == call
    assert len(blocks) == stop.blocks_then
    assert segmenter.vision.windows_computed == stop.reports[-1].done
    whole = segmenter.embed(IMAGE, CONFIG)
    assert whole.windows == segmenter.count_windows((150, 170), CONFIG), "it can be used again"


@pytest.mark.parametrize("call", [1, 2, 3])
def test_reading_prompts_stops_between_blocks(
    segmenter: Segmenter, blocks: list[int], call: int
) -> None:
    embedding = segmenter.embed(IMAGE, CONFIG)
    blocks.clear()
    stop = StopsAt(call, blocks)
    with pytest.raises(Stopped):
        segmenter.classify(embedding, "red circle, background", progress=stop)
    assert len(blocks) == stop.blocks_then == call - 1
    assert segmenter.text.prompts_computed == 0
    segmenter.classify(embedding, "red circle, background")
    assert segmenter.text.prompts_computed == 2


def test_what_the_caller_raises_is_never_taken_for_a_lack_of_memory(
    segmenter: Segmenter, blocks: list[int]
) -> None:
    for error in (MemoryError("mine"), RuntimeError("out of memory, says the caller")):
        stop = StopsAt(9, blocks, error)
        with pytest.raises(type(error)) as caught:
            segmenter.embed(IMAGE, CONFIG, progress=stop)
        assert caught.value is error
        assert len(stop.reports) == 9


def test_stopping_does_not_change_the_numbers(segmenter: Segmenter) -> None:
    quiet = segmenter.embed(IMAGE, CONFIG)
    told = segmenter.embed(IMAGE, CONFIG, progress=lambda _: None)
    assert torch.equal(quiet.dense.features, told.dense.features)


def test_checking_a_large_image_of_floats_can_be_stopped(
    segmenter: Segmenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.core.image.BAND_ROWS", 50)
    read: list[int] = []

    def loaded(block: np.ndarray) -> np.ndarray:
        read.append(len(block))
        return block

    image = da.zeros((300, 300), chunks=(50, 300), dtype=np.float32)
    lazy = image.map_blocks(loaded, dtype=np.float32, meta=np.empty((0, 0), np.float32))
    stop = StopsAt(3, [])
    with pytest.raises(Stopped):
        segmenter.embed(lazy, CONFIG, progress=stop)
    assert stop.reports[-1] == Progress(100, 300, "Reading the image")
    assert read == [50, 50]


def test_reading_weights_can_be_stopped(tmp_path: Path) -> None:
    state = load_source("shapes-demo").state_dict
    path = tmp_path / "half.safetensors"
    save_file({name: tensor.half().contiguous() for name, tensor in state.items()}, path)
    seen: list[Progress] = []
    Segmenter.load("shapes-demo", weights=path, device="cpu", progress=seen.append)
    reading = [p for p in seen if p.message == "Reading half.safetensors" and p.total]
    assert [p.done for p in reading] == list(range(1, reading[0].total + 1))
    stop = StopsAt(seen.index(reading[2]) + 1, [])
    with pytest.raises(Stopped):
        Segmenter.load("shapes-demo", weights=path, device="cpu", progress=stop)

"""What a point of an image attends to, at the price of one pass a window."""

from __future__ import annotations

from typing import Any

import dask.array
import numpy as np
import pytest

from napari_sclip import SegmentationConfig, Segmenter, make_scene
from napari_sclip.core.attention import ATTENTION_MODES
from napari_sclip.core.image import read_image
from napari_sclip.core.strips import WindowReader, read_window
from napari_sclip.engine.layout import plan_windows
from napari_sclip.errors import ConfigError, ImageError
from napari_sclip.progress import Progress

IMAGE = make_scene(2).image
CONFIG = SegmentationConfig(short_side=96, window=64, stride=32)


@pytest.mark.parametrize("mode", [None, *(mode.name for mode in ATTENTION_MODES)])
def test_every_mode_gives_a_distribution(demo: Segmenter, mode: str | None) -> None:
    for head in (None, 0):
        shown = demo.attention_at(IMAGE, (100, 120), config=CONFIG, mode=mode, head=head)
        assert shown.weights.dtype == np.float32
        assert shown.weights.min() >= 0
        assert shown.weights.sum() == pytest.approx(1, abs=1e-5)
        assert 0 <= shown.class_token <= 1
        assert shown.mode == (mode or demo.attention)
        assert shown.head == head
        assert shown.heads >= 2
    if mode in ("self-only", "maskclip"):
        assert shown.weights[shown.patch] == 1


def test_the_mean_is_that_of_all_heads(demo: Segmenter) -> None:
    mean = demo.attention_at(IMAGE, (50, 60), config=CONFIG)
    single = [
        demo.attention_at(IMAGE, (50, 60), config=CONFIG, head=head) for head in range(mean.heads)
    ]
    raw = sum(one.weights * (1 - one.class_token) for one in single)
    assert isinstance(raw, np.ndarray)
    np.testing.assert_allclose(mean.weights, raw / raw.sum(), atol=1e-6)


def test_the_patch_lies_under_the_point(demo: Segmenter) -> None:
    height, width = IMAGE.shape[:2]
    rng = np.random.default_rng(0)
    points = [(0, 0), (height - 1, width - 1), *(rng.random((30, 2)) * (height - 1, width - 1))]
    for config in (CONFIG, SegmentationConfig(short_side=100, window=64, stride=48), None):
        for row, column in points:
            shown = demo.attention_at(IMAGE, (row, column), config=config, mode="self-only")
            for place, edges, own, count in (
                (row, shown.rows, shown.patch[0], shown.weights.shape[0]),
                (column, shown.columns, shown.patch[1], shown.weights.shape[1]),
            ):
                side = (edges[1] - edges[0]) / count
                low = edges[0] + own * side
                assert low - 1e-6 <= place + 0.5 <= low + side + 1e-6


def test_the_window_is_the_one_in_whose_middle_the_point_is(demo: Segmenter) -> None:
    image = np.zeros((96, 160, 3), np.uint8)
    shown = demo.attention_at(image, (40, 85), config=CONFIG)
    assert (shown.rows, shown.columns) == ((0, 64), (64, 128))
    assert shown.patch == (40 // demo.patch, 21 // demo.patch)
    twice = demo.attention_at(np.zeros((192, 320, 3), np.uint8), (80.5, 170.5), config=CONFIG)
    assert (twice.rows, twice.columns) == ((0, 128), (128, 256))
    assert twice.patch == shown.patch


def test_an_image_smaller_than_a_window(demo: Segmenter) -> None:
    shown = demo.attention_at(
        np.zeros((70, 90), np.uint8), (69, 89), config=SegmentationConfig(short_side=None)
    )
    rows, columns = 70 // demo.patch, 90 // demo.patch
    assert shown.weights.shape == (rows, columns)
    assert (shown.rows, shown.columns) == ((0, rows * demo.patch), (0, columns * demo.patch))
    # The last pixels fill no patch and are not seen; the nearest patch stands for them.
    assert shown.patch == (rows - 1, columns - 1)


def passes(demo: Segmenter, *calls: dict[str, Any]) -> int:
    before = demo.vision.windows_computed
    for call in calls:
        demo.attention_at(**{"image": IMAGE, "config": CONFIG, **call})
    return demo.vision.windows_computed - before


def test_one_pass_a_window(demo: Segmenter) -> None:
    demo._windows._inputs.clear()
    assert passes(demo, {"point": (100, 100)}) == 1
    assert (
        passes(demo, {"point": (103, 98), "mode": "vanilla"}, {"point": (99, 99), "head": 1}) == 0
    )
    assert passes(demo, {"point": (100, 100), "image": IMAGE.copy()}) == 0
    changed = IMAGE.copy()
    changed[95:105, 95:105] = 0
    assert passes(demo, {"point": (100, 100), "image": changed}) == 1
    assert passes(demo, {"point": (250, 250)}) == 1


def test_pixels_changed_in_place_are_seen(demo: Segmenter) -> None:
    image = IMAGE.copy()
    before = demo.attention_at(image, (100, 100), config=CONFIG)
    image[80:120, 80:100] = 255
    after = demo.attention_at(image, (100, 100), config=CONFIG)
    assert not np.array_equal(before.weights, after.weights)


@pytest.mark.parametrize("nonfinite", ["error", "minimum"])
def test_a_window_is_read_alone_as_it_is_read_among_others(nonfinite: str) -> None:
    image = (IMAGE / 255).astype(np.float32)
    config = SegmentationConfig(short_side=120, window=64, stride=40, nonfinite=nonfinite)
    if nonfinite == "minimum":
        image[3, 4] = np.nan
    layout = plan_windows((image.shape[0], image.shape[1]), config, 8)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.25)
    plane = read_image(image, nonfinite=nonfinite)
    windows = list(WindowReader(plane, layout.rows, layout.columns, mean, std).windows())
    across = len(layout.columns.starts)
    for number, window in enumerate(windows):
        alone = read_window(
            image,
            layout.rows,
            layout.columns,
            divmod(number, across),
            (mean, std),
            nonfinite=nonfinite,
        )
        assert alone.equal(window)


def test_of_a_dask_array_only_the_window_is_computed(demo: Segmenter) -> None:
    computed: list[Any] = []

    def block(block_info: dict[Any, Any]) -> np.ndarray:
        computed.append(block_info[None]["chunk-location"])
        return np.full((64, 64, 3), 0.5, np.float32)

    image = dask.array.map_blocks(
        block, dtype=np.float32, chunks=((64,) * 20, (64,) * 20, (3,)), meta=np.empty((0, 0, 0))
    )
    config = SegmentationConfig(short_side=None, window=64, stride=64)
    shown = demo.attention_at(image, (700, 100), config=config)
    assert shown.rows == (640, 704)
    assert computed == [(10, 1, 0)]


@pytest.mark.parametrize("size", [(2, 2), (2, 40), (40, 3)])
def test_tiny_images(demo: Segmenter, size: tuple[int, int]) -> None:
    config = SegmentationConfig(short_side=64, window=16, stride=16)
    for point in ((0, 0), (size[0] - 1, size[1] - 1)):
        shown = demo.attention_at(np.zeros(size, np.uint8), point, config=config)
        assert np.isfinite(shown.weights).all()


def test_what_is_wrong_is_said(demo: Segmenter) -> None:
    with pytest.raises(ImageError, match=r"within the image of .* got \(-3, 5\)"):
        demo.attention_at(IMAGE, (-3, 5))
    with pytest.raises(ConfigError, match="Unknown attention mode"):
        demo.attention_at(IMAGE, (3, 5), mode="csa")
    with pytest.raises(ConfigError, match="head"):
        demo.attention_at(IMAGE, (3, 5), head=99)
    with pytest.raises(ImageError, match="shape"):
        demo.attention_at(np.zeros((3, 4, 5, 6)), (1, 1))


def test_it_can_be_stopped(demo: Segmenter) -> None:
    class StoppedError(Exception):
        pass

    def stop(progress: Progress) -> None:
        raise StoppedError(progress.message)

    demo._windows._inputs.clear()
    with pytest.raises(StoppedError, match="window"):
        demo.attention_at(IMAGE, (3, 5), progress=stop)
    assert demo.attention_at(IMAGE, (3, 5)).weights.sum() == pytest.approx(1, abs=1e-5)

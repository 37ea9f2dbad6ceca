"""Image layers of every kind are read as the screen shows them."""

from __future__ import annotations

import warnings
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sclip import Segmenter
from napari_sclip.errors import ConfigError, ImageError
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.rgb import PlaneView, preview, read_plane

RNG = np.random.default_rng(0)


def read(viewer: ViewerModel, layer: Image, number: int = 0, **options: object) -> np.ndarray:
    request = read_request(viewer, layer, ReadOptions(**options))  # type: ignore[arg-type]
    plane = read_plane(request, number)
    assert plane.shape == (*request.read_shape, 3)
    return np.asarray(plane)


def grey(values: np.ndarray, low: float, high: float) -> np.ndarray:
    scaled = np.clip((values.astype(np.float64) - low) / (high - low), 0, 1)
    return np.repeat(scaled[..., None], 3, axis=-1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_grey_is_read_between_the_layers_limits(viewer: ViewerModel, dtype: npt.DTypeLike) -> None:
    data: np.ndarray = (RNG.random((40, 50)) * 200).astype(dtype)
    layer = viewer.add_image(data, contrast_limits=(20, 150))
    plane = read(viewer, layer)
    assert plane.dtype == np.float32
    np.testing.assert_allclose(plane, grey(data, 20, 150), atol=1e-6)


def test_bool_is_black_and_white(viewer: ViewerModel) -> None:
    data = RNG.random((40, 50)) > 0.5
    np.testing.assert_array_equal(read(viewer, viewer.add_image(data)), grey(data, 0, 1))


@pytest.mark.parametrize("rule", ["percentiles", "full"])
def test_bool_has_a_range_and_percentiles(viewer: ViewerModel, rule: str) -> None:
    data = np.arange(200).reshape(10, 20) % 2 == 0
    plane = read_plane(read_request(viewer, viewer.add_image(data), ReadOptions(contrast=rule)))
    np.testing.assert_array_equal(plane[..., 1], data)


def test_nan_is_black_and_infinite_values_are_clipped(viewer: ViewerModel) -> None:
    data = RNG.random((40, 50)).astype(np.float32)
    data[0, :3] = np.nan, np.inf, -np.inf
    layer = viewer.add_image(data, contrast_limits=(0, 1))
    np.testing.assert_array_equal(read(viewer, layer)[0, :3, 0], [0, 1, 0])
    for rule in ("percentiles", "full"):
        plane = read(viewer, layer, contrast=rule)
        assert np.isfinite(plane).all()
        assert plane[0, 0, 0] == 0


def test_only_nan_has_no_contrast_to_find(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.full((40, 50), np.nan, np.float32), contrast_limits=(0, 1))
    assert not read(viewer, layer).any()
    with pytest.raises(ImageError, match=r"finite values in layer .* another plane"):
        read(viewer, layer, contrast="full")


def test_contrast_rules(viewer: ViewerModel) -> None:
    data = np.arange(100 * 100, dtype=np.uint16).reshape(100, 100)
    layer = viewer.add_image(data, contrast_limits=(0, 65535))
    np.testing.assert_allclose(read(viewer, layer), grey(data, 0, 65535), atol=1e-6)
    np.testing.assert_allclose(read(viewer, layer, contrast="full"), grey(data, 0, 9999), atol=1e-6)
    low, high = np.percentile(data, (10, 90))
    plane = read(viewer, layer, contrast="percentiles", percentiles=(10, 90))
    np.testing.assert_allclose(plane, grey(data, low, high), atol=1e-6)


def test_a_flat_plane_is_black(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.full((40, 50), 7, np.uint8))
    assert not read(viewer, layer, contrast="full").any()


def test_wide_integers_keep_their_steps(viewer: ViewerModel) -> None:
    data = np.full((40, 50), 2**40, np.int64)
    data[0] += 1
    layer = viewer.add_image(data, contrast_limits=(2**40, 2**40 + 2))
    np.testing.assert_array_equal(read(viewer, layer)[:2, 0, 0], [0.5, 0])


@pytest.mark.parametrize("colours", [3, 4])
def test_rgb_is_taken_as_it_is(viewer: ViewerModel, colours: int) -> None:
    data = RNG.integers(0, 256, (40, 50, colours), dtype=np.uint8)
    layer = viewer.add_image(data, rgb=True)
    plane = read(viewer, layer)
    assert plane.dtype == np.uint8
    np.testing.assert_array_equal(plane, data[..., :3])


def test_rgb_of_other_dtypes_is_read_by_their_range(viewer: ViewerModel) -> None:
    deep = RNG.integers(0, 65536, (40, 50, 3), dtype=np.uint16)
    np.testing.assert_allclose(read(viewer, viewer.add_image(deep, rgb=True)), deep / 65535)
    light = RNG.random((40, 50, 3)).astype(np.float32)
    np.testing.assert_array_equal(read(viewer, viewer.add_image(light, rgb=True)), light)


def test_rgb_is_no_stack_and_a_stack_is_no_rgb(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    colour = read_request(viewer, viewer.add_image(data, rgb=True))
    assert (colour.mode, colour.shape, colour.read_shape) == ("rgb", (40, 50), (40, 50))
    stack = viewer.add_image(data, rgb=False, contrast_limits=(0, 255))
    request = read_request(viewer, stack)
    assert (request.mode, request.shape, request.read_shape) == ("grey", (40, 50, 3), (50, 3))


def test_the_plane_that_the_sliders_show_is_read(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (4, 5, 40, 50), dtype=np.uint8)
    layer = viewer.add_image(data, contrast_limits=(0, 255), scale=(2, 3, 1, 1))
    viewer.dims.set_current_step(0, 3)
    viewer.dims.set_current_step(1, 1)
    request = read_request(viewer, layer)
    assert request.planes == ((3, 1),)
    np.testing.assert_allclose(read(viewer, layer), grey(data[3, 1], 0, 255), atol=1e-6)


def test_a_request_does_not_follow_the_viewer(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (4, 40, 50), dtype=np.uint8)
    layer = viewer.add_image(data, contrast_limits=(0, 255), name="cells")
    viewer.dims.set_current_step(0, 2)
    request = read_request(viewer, layer)
    before = np.array(read_plane(request))
    viewer.dims.set_current_step(0, 0)
    layer.name, layer.contrast_limits, layer.scale = "other", (0, 3), (1, 7, 7)
    layer.data = np.zeros_like(data)
    viewer.layers.clear()
    np.testing.assert_array_equal(read_plane(request), before)
    assert request.name == "cells"
    assert request.geometry.scale.tolist() == [1, 1, 1]


def test_all_planes_along_the_sliders(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (2, 3, 40, 50), dtype=np.uint8)
    layer = viewer.add_image(data, contrast_limits=(0, 255))
    request = read_request(viewer, layer, ReadOptions(planes="all"))
    assert len(request.planes) == 6
    assert request.labels_shape == data.shape
    for number, plane in enumerate(request.planes):
        expected = grey(data[plane], 0, 255)
        np.testing.assert_allclose(read_plane(request, number), expected, atol=1e-6)


def test_rgb_stack(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (4, 40, 50, 3), dtype=np.uint8)
    layer = viewer.add_image(data, rgb=True)
    viewer.dims.set_current_step(0, 2)
    np.testing.assert_array_equal(read(viewer, layer), data[2])
    np.testing.assert_array_equal(read(viewer, layer, 3, planes="all"), data[3])


@pytest.mark.parametrize("axis", [2, -3])
def test_time_depth_channel(viewer: ViewerModel, axis: int) -> None:
    data = RNG.integers(0, 256, (2, 3, 4, 40, 50), dtype=np.uint8)
    layer = viewer.add_image(data, contrast_limits=(0, 255))
    for slider, step in enumerate((1, 2, 3)):
        viewer.dims.set_current_step(slider, step)
    request = read_request(viewer, layer, ReadOptions(channel_axis=axis))
    assert request.axes.sliders == (0, 1)
    assert request.planes == ((1, 2),)
    np.testing.assert_allclose(read_plane(request), grey(data[1, 2, 3], 0, 255), atol=1e-6)
    chosen = read_request(viewer, layer, ReadOptions(channel_axis=axis, channel=1, planes="all"))
    assert len(chosen.planes) == 6
    np.testing.assert_allclose(read_plane(chosen, 5), grey(data[1, 2, 1], 0, 255), atol=1e-6)


def test_an_axis_labelled_as_channels_is_found(viewer: ViewerModel) -> None:
    data = np.zeros((2, 3, 40, 50), np.uint8)
    layer = viewer.add_image(data, axis_labels=("z", "C", "y", "x"))
    assert read_request(viewer, layer).axes.channel == 1
    assert read_request(viewer, layer, ReadOptions(channel_axis=None)).axes.channel is None
    plain = viewer.add_image(data)
    assert read_request(viewer, plain).axes.channel is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel_axis": 9}, "axis of channels in 0..3; got 9"),
        ({"channel_axis": 3}, "Axis 3 .* is shown on the screen"),
        ({"channel_axis": 1, "channel": 3}, r"channel in 0\.\.2; got 3"),
    ],
)
def test_channels_that_cannot_be(
    viewer: ViewerModel, options: dict[str, Any], message: str
) -> None:
    layer = viewer.add_image(np.zeros((2, 3, 40, 50), np.uint8))
    with pytest.raises(ImageError, match=message):
        read_request(viewer, layer, ReadOptions(**options))


@pytest.mark.parametrize("order", [(0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
def test_rolled_and_transposed_axes(viewer: ViewerModel, order: tuple[int, ...]) -> None:
    data = RNG.integers(0, 256, (30, 40, 50), dtype=np.uint8)
    layer = viewer.add_image(data, contrast_limits=(0, 255))
    viewer.dims.order = order
    viewer.dims.set_current_step(order[0], 7)
    expected = np.transpose(data, order)[7]
    np.testing.assert_allclose(read(viewer, layer), grey(expected, 0, 255), atol=1e-6)
    shown = layer._slice.image.raw
    np.testing.assert_array_equal(expected, shown)


def test_transposed_rgb(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (40, 50, 3), dtype=np.uint8)
    layer = viewer.add_image(data, rgb=True)
    viewer.dims.order = (1, 0)
    np.testing.assert_array_equal(read(viewer, layer), np.swapaxes(data, 0, 1))


def test_a_flat_image_beside_a_stack(viewer: ViewerModel) -> None:
    viewer.add_image(np.zeros((9, 40, 50), np.uint8))
    data = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
    flat = viewer.add_image(data, contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 8)
    np.testing.assert_allclose(read(viewer, flat), grey(data, 0, 255), atol=1e-6)
    short = viewer.add_image(np.zeros((3, 40, 50), np.uint8))
    with pytest.raises(ImageError, match=r"place 8 along axis 0.*it has 3"):
        read_request(viewer, short)


def test_three_dimensions_on_the_screen_are_refused(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((9, 40, 50), np.uint8))
    viewer.dims.ndisplay = 3
    with pytest.raises(ImageError, match=r"got three\. Switch to 2D"):
        read_request(viewer, layer)


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (40, 1)])
def test_a_plane_too_small_is_refused(viewer: ViewerModel, shape: tuple[int, int]) -> None:
    layer = viewer.add_image(np.zeros(shape, np.uint8))
    with pytest.raises(ImageError, match=f"at least 2 x 2 pixels.*got {shape[0]} x {shape[1]}"):
        read_request(viewer, layer)


def test_other_layers_and_dtypes_are_refused(viewer: ViewerModel) -> None:
    points = viewer.add_points(np.zeros((1, 2)))
    with pytest.raises(ImageError, match="Expected an image layer; got Points"):
        read_request(viewer, points)
    layer = viewer.add_image(np.zeros((40, 50), np.uint8))
    viewer.layers.remove(layer)
    with pytest.raises(ImageError, match="no longer in this viewer"):
        read_request(viewer, layer)


def test_dask_is_not_computed_by_a_request(viewer: ViewerModel) -> None:
    computed: list[int] = []

    def fill(block: np.ndarray, block_info: object = None) -> np.ndarray:
        computed.append(1)
        return block + np.uint8(9)

    lazy = da.zeros((6, 40, 50), dtype=np.uint8, chunks=(1, 40, 50)).map_blocks(
        fill, dtype=np.uint8, meta=np.zeros((0, 0, 0), np.uint8)
    )
    layer = viewer.add_image(lazy, contrast_limits=(0, 18))
    computed.clear()
    request = read_request(viewer, layer, ReadOptions(planes="all"))
    assert computed == []
    np.testing.assert_array_equal(read_plane(request, 4), np.full((40, 50, 3), 0.5))
    assert len(computed) == 1


def test_zarr(viewer: ViewerModel) -> None:
    zarr = pytest.importorskip("zarr")
    data = RNG.integers(0, 256, (3, 40, 50), dtype=np.uint8)
    stored = zarr.array(data, chunks=(1, 20, 20))
    layer = viewer.add_image(stored, contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, 2)
    np.testing.assert_allclose(read(viewer, layer), grey(data[2], 0, 255), atol=1e-6)
    viewer.dims.order = (1, 2, 0)
    viewer.dims.set_current_step(1, 5)
    np.testing.assert_allclose(read(viewer, layer), grey(data[:, 5].T, 0, 255), atol=1e-6)


@pytest.fixture
def pyramid() -> list[np.ndarray]:
    base = RNG.integers(0, 256, (4, 400, 600), dtype=np.uint8)
    return [base, base[:, ::2, ::2].copy(), base[::2, ::4, ::4].copy()]


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize(
    ("short_side", "level"), [(None, 0), (500, 0), (201, 0), (200, 1), (101, 1), (100, 2), (3, 2)]
)
def test_the_level_that_fits_the_detail_is_read(
    viewer: ViewerModel, pyramid: list[np.ndarray], short_side: int | None, level: int, step: int
) -> None:
    layer = viewer.add_image(pyramid, multiscale=True, contrast_limits=(0, 255))
    viewer.dims.set_current_step(0, step)
    request = read_request(viewer, layer, ReadOptions(short_side=short_side))
    assert request.read_shape == pyramid[level].shape[1:]
    assert request.labels_shape == (4, 400, 600)
    plane = step * len(pyramid[level]) // 4
    np.testing.assert_allclose(read_plane(request), grey(pyramid[level][plane], 0, 255), atol=1e-6)


def test_a_small_view_of_a_pyramid_reads_a_finer_level(
    viewer: ViewerModel, pyramid: list[np.ndarray]
) -> None:
    layer = viewer.add_image(pyramid, multiscale=True, contrast_limits=(0, 255))
    shapes = viewer.add_shapes([[100, 200], [100, 299], [199, 299], [199, 200]])
    options = ReadOptions(short_side=50, region="shape", shapes=shapes)
    request = read_request(viewer, layer, options)
    assert request.read_shape == (50, 50)
    index = request.planes[0][0]
    expected = grey(pyramid[1][index, 50:100, 100:150], 0, 255)
    np.testing.assert_allclose(read_plane(request), expected, atol=1e-6)


def test_a_region_between_the_pixels_of_a_level_is_read_whole(
    viewer: ViewerModel, pyramid: list[np.ndarray]
) -> None:
    layer = viewer.add_image(pyramid, multiscale=True)
    shapes = viewer.add_shapes([[101, 203], [101, 300], [200, 300], [200, 203]])
    options = ReadOptions(short_side=40, region="shape", shapes=shapes)
    request = read_request(viewer, layer, options)
    assert (request.region.rows, request.region.columns) == ((101, 201), (203, 301))
    assert (request.rows_read, request.columns_read) == ((50, 101), (101, 151))


def test_a_plane_askew_is_the_one_that_napari_shows(viewer: ViewerModel) -> None:
    data = RNG.integers(0, 256, (30, 40, 50), dtype=np.uint8)
    affine = np.eye(4)
    affine[0, 2] = 0.3
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Non-orthogonal slicing")
        layer = viewer.add_image(data, contrast_limits=(0, 255), affine=affine)
        viewer.dims.point = (17, 35, 45)
        shown = np.array(layer._slice.image.raw)
    np.testing.assert_allclose(read(viewer, layer), grey(shown, 0, 255), atol=1e-6)


def test_large_labels_are_told(viewer: ViewerModel) -> None:
    sides = [(n, 2 * n) for n in (40_000, 10_000, 2_500)]
    levels = [da.zeros(s, dtype=np.uint8, chunks=2_500) for s in sides]
    layer = viewer.add_image(levels, multiscale=True, contrast_limits=(0, 255))
    request = read_request(viewer, layer, ReadOptions(short_side=2_000))
    assert request.read_shape == (2_500, 5_000)
    assert "40000 x 80000" in str(request.labels_too_large)
    coarse = read_request(viewer, layer, ReadOptions(short_side=2_000, labels_size="read"))
    assert coarse.labels_shape == (2_500, 5_000)
    assert coarse.labels_too_large is None


def test_the_engine_takes_a_plane(viewer: ViewerModel, demo: Segmenter) -> None:
    def labels(image: object) -> np.ndarray:
        return demo.segment(image, "circle, square").labels

    data = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    request = read_request(viewer, viewer.add_image(data, rgb=True))
    np.testing.assert_array_equal(labels(read_plane(request)), labels(data))
    np.testing.assert_array_equal(labels(PlaneView(request)), labels(data))
    grey_layer = viewer.add_image(data[..., 0], contrast_limits=(0, 255))
    request = read_request(viewer, grey_layer)
    np.testing.assert_array_equal(labels(PlaneView(request)), labels(data[..., 0]))


def test_a_large_plane_is_read_where_it_is_looked_at(
    viewer: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.image.rgb.READ_AT_ONCE", 100)
    data = RNG.integers(0, 256, (40, 50), dtype=np.uint8)
    request = read_request(viewer, viewer.add_image(data, contrast_limits=(0, 255)))
    plane = read_plane(request)
    assert isinstance(plane, PlaneView)
    whole = np.asarray(plane)
    for key in (np.s_[3:9, 5:20], np.s_[4:], np.s_[::2, ::3], np.s_[..., 1], np.s_[3], np.s_[:, :]):
        np.testing.assert_array_equal(plane[key], whole[key])


def test_a_preview_shows_in_small_what_is_read(viewer: ViewerModel) -> None:
    data = np.zeros((300, 400), np.uint16)
    data[:, 200:] = 5000
    layer = viewer.add_image(data, contrast_limits=(0, 10_000))
    small = preview(read_request(viewer, layer), max_side=50)
    assert small.shape == (37, 50, 3)
    assert small.dtype == np.uint8
    assert not small[:, :25].any()
    assert np.isin(small[:, 25:], (127, 128)).all()
    tiny = viewer.add_image(data[:2, 199:201], contrast_limits=(0, 10_000))
    assert preview(read_request(viewer, tiny)).shape == (2, 2, 3)
    thin = viewer.add_image(data[:2], contrast_limits=(0, 10_000))
    assert preview(read_request(viewer, thin), max_side=50).shape == (1, 50, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"channels": "all"}, {"contrast": "auto"}, {"region": "left"}, {"planes": "some"},
        {"labels_size": "huge"}, {"channel_axis": "z"}, {"percentiles": (9, 3)}, {"short_side": 0},
    ],
)  # fmt: skip
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{next(iter(options))} must"):
        ReadOptions(**options)

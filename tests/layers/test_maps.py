"""Maps lie over the pixels that they are of."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image

from napari_sclip import SegmentationConfig, Segmenter, make_scene
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.schema import KEY
from napari_sclip.layers.labels.targets import LabelsMismatchError, point_in_read
from napari_sclip.layers.maps import (
    find_map_layer,
    find_map_layers,
    make_attention_layers,
    make_margin_layer,
    make_scores_layer,
    map_class,
    map_kind,
)

PLACE = {
    "scale": (0.5, 2.0),
    "translate": (3, 4),
    "rotate": 30,
    "shear": [0.2],
    "affine": [[1.0, 0.3, 5], [0, 1, 6], [0, 0, 1]],
    "units": ("um", "um"),
    "axis_labels": ("y", "x"),
}


def ramp(request: ImageRequest) -> np.ndarray:
    height, width = request.read_shape
    return np.linspace(0, 1, height * width, dtype=np.float32).reshape(height, width)


def check_over(image: Image, made: Image, request: ImageRequest, number: int = 0) -> None:
    """A pixel that was read lies in the world where the map has its value."""
    axes, places = request.axes, request.place(number)
    rng = np.random.default_rng(0)
    for _ in range(20):
        point = np.zeros(image.ndim)
        for axis, place in places.items():
            point[axis] = place
        for axis, (first, last) in (
            (axes.rows, request.rows_read),
            (axes.columns, request.columns_read),
        ):
            own = rng.integers(first, last)
            point[axis] = (own + 0.5) * request.factors[axis] - 0.5
        row = (point[axes.rows] + 0.5) / request.factors[axes.rows] - 0.5 - request.rows_read[0]
        column = (
            (point[axes.columns] + 0.5) / request.factors[axes.columns] - 0.5
        ) - request.columns_read[0]
        world = image.data_to_world(point)[-made.ndim :]
        at = np.asarray(made.world_to_data(world))
        np.testing.assert_allclose(at, np.round(at), atol=1e-6)
        value = made.data[tuple(np.round(at).astype(int))]
        assert value == ramp(request)[round(row), round(column)]


def test_scores_lie_over_a_placed_image(viewer: ViewerModel) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8), name="photo", **PLACE)
    request = read_request(viewer, image)
    made = make_scores_layer(request, ramp(request), "leaf")
    check_over(image, made, request)
    assert made.name == "photo score leaf"
    assert made.colormap.name == "magma"
    assert tuple(made.contrast_limits) == (0, 1)
    assert 0 < made.opacity < 1
    assert (made.units, made.axis_labels) == (image.units, image.axis_labels)
    assert (map_kind(made), map_class(made)) == ("scores", "leaf")
    assert made.metadata[KEY]["source"]["image"] == "photo"
    assert map_kind(image) is None


def test_a_region(viewer: ViewerModel) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8), **PLACE)
    box = np.array([[10, 5], [10, 24], [29, 24], [29, 5]])
    shapes = viewer.add_shapes([box], shape_type="rectangle", **PLACE)
    for size in ("image", "region"):
        options = ReadOptions(region="shape", shapes=shapes, labels_size=size)
        request = read_request(viewer, image, options)
        made = make_margin_layer(request, ramp(request))
        assert made.data.shape == (20, 20)
        check_over(image, made, request)


def test_outside_of_a_drawn_region_is_clear(viewer: ViewerModel) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    shapes = viewer.add_shapes([[[5, 25], [35, 45], [35, 5]]], shape_type="polygon")
    request = read_request(viewer, image, ReadOptions(region="shape", shapes=shapes))
    made = make_margin_layer(request, np.ones(request.read_shape, np.float32))
    assert np.isnan(made.data[0, 0])
    assert made.data[15, 20] == 1


@pytest.mark.parametrize("size", ["image", "read", "region"])
def test_a_level_of_a_multiscale_image(viewer: ViewerModel, size: str) -> None:
    levels = [np.zeros((400 // n, 600 // n), np.uint8) for n in (1, 2, 4)]
    image = viewer.add_image(levels, multiscale=True, scale=(2, 3), translate=(5, 6))
    request = read_request(viewer, image, ReadOptions(short_side=100, labels_size=size))
    assert request.read_shape == (100, 150)
    check_over(image, make_margin_layer(request, ramp(request)), request)


@pytest.mark.parametrize("size", ["image", "region"])
def test_one_plane_of_a_stack(viewer: ViewerModel, size: str) -> None:
    image = viewer.add_image(np.zeros((4, 40, 50), np.uint8), scale=(5, 2, 3))
    viewer.dims.set_point(0, 10)
    request = read_request(viewer, image, ReadOptions(labels_size=size))
    made = make_margin_layer(request, ramp(request))
    assert made.data.shape == (1, 40, 50)
    check_over(image, made, request)
    viewer.add_layer(made)
    for point, shown in ((10, True), (5, False)):
        viewer.dims.set_point(0, point)
        position = (point, *image.data_to_world((0, 20, 20))[1:])
        assert (made.get_value(position, world=True) is not None) is shown
    if size == "image":
        request = read_request(viewer, image, ReadOptions(planes="all"))
        again = make_margin_layer(request, ramp(request), number=3, layer=made)
        assert again is made
        check_over(image, made, request, number=3)


def test_channels_and_swapped_axes(viewer: ViewerModel) -> None:
    image = viewer.add_image(
        np.zeros((3, 40, 50), np.uint8), scale=(1, 2, 3), axis_labels=("c", "y", "x")
    )
    request = read_request(viewer, image)
    made = make_margin_layer(request, ramp(request))
    check_over(image, made, request)
    viewer.dims.order = (0, 2, 1)
    request = read_request(viewer, image)
    assert request.read_shape == (50, 40)
    check_over(image, make_margin_layer(request, ramp(request)), request)


def test_a_map_is_updated_and_keeps_its_looks(viewer: ViewerModel) -> None:
    image = viewer.add_image(np.zeros((40, 50), np.uint8), name="photo", **PLACE)
    request = read_request(viewer, image)
    assert find_map_layer(viewer.layers, request, "scores", "leaf") is None
    made = viewer.add_layer(make_scores_layer(request, ramp(request), "leaf"))
    viewer.add_layer(make_scores_layer(request, ramp(request), "soil"))
    made.opacity, made.colormap = 0.3, "viridis"
    box = np.array([[10, 5], [10, 24], [29, 24], [29, 5]])
    shapes = viewer.add_shapes([box], shape_type="rectangle", **PLACE)
    cut = read_request(viewer, image, ReadOptions(region="shape", shapes=shapes))
    found = find_map_layer(viewer.layers, cut, "scores", "leaf")
    assert found is made
    assert make_scores_layer(cut, ramp(cut), "leaf", layer=found) is made
    check_over(image, made, cut)
    assert (made.opacity, made.colormap.name) == (0.3, "viridis")
    assert len(find_map_layers(viewer.layers, cut, "scores")) == 2
    image.name = "another"
    assert find_map_layers(viewer.layers, read_request(viewer, image), "scores") == []


def test_scores_of_another_size_are_refused(viewer: ViewerModel) -> None:
    request = read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8)))
    with pytest.raises(LabelsMismatchError, match="another request"):
        make_scores_layer(request, np.zeros((4, 5)), "leaf")


def test_attention_lies_over_its_window(viewer: ViewerModel, demo: Segmenter) -> None:
    picture = make_scene(2).image
    image = viewer.add_image(picture, rgb=True, name="scene", **PLACE)
    request = read_request(viewer, image)
    config = SegmentationConfig(short_side=96, window=64, stride=32)
    world = np.asarray(image.data_to_world((100, 150)))
    point = point_in_read(viewer, image, request, world)
    assert point == pytest.approx((100, 150))
    assert point is not None
    maps = [
        demo.attention_at(picture, point, config=config, mode=mode)
        for mode in (None, "vanilla", "self-only")
    ]
    made = make_attention_layers(request, maps)
    assert [map_class(layer) for layer in made] == [demo.attention, "vanilla", "self-only"]
    width = picture.shape[1]
    for beside, (layer, item) in enumerate(zip(made, maps, strict=True)):
        assert layer.data.sum() == pytest.approx(1, abs=1e-5)
        others = np.delete(item.weights, np.ravel_multi_index(item.patch, item.weights.shape))
        assert layer.contrast_limits[1] == pytest.approx(others.max() or 1)
        # The corner of the patch grid lies on the edge of the window.
        corner = layer.data_to_world((-0.5, -0.5))
        off = beside * 1.05 * width - 0.5
        edge = image.data_to_world((item.rows[0] - 0.5, item.columns[0] + off))
        np.testing.assert_allclose(corner, edge)
        corner = layer.data_to_world(np.array(layer.data.shape) - 0.5)
        edge = image.data_to_world((item.rows[1] - 0.5, item.columns[1] + off))
        np.testing.assert_allclose(corner, edge)
    under = np.round(made[0].world_to_data(world)).astype(int)
    assert tuple(under) == maps[0].patch
    viewer.add_layer(made[0])
    known = find_map_layers(viewer.layers, request, "attention")
    again = make_attention_layers(request, maps[:2], layers=known)
    assert again[0] is made[0]
    assert again[1] is not made[1]


def test_a_point_in_a_region_of_a_level(viewer: ViewerModel) -> None:
    levels = [np.zeros((2, 400 // n, 600 // n), np.uint8) for n in (1, 2, 4)]
    image = viewer.add_image(levels, multiscale=True, scale=(7, 2, 3), translate=(0, 5, 6))
    shapes = viewer.add_shapes(
        [[[100, 200], [100, 499], [299, 499], [299, 200]]],
        shape_type="rectangle", scale=(2, 3), translate=(5, 6),
    )  # fmt: skip
    options = ReadOptions(region="shape", shapes=shapes, short_side=50)
    request = read_request(viewer, image, options)
    assert request.factors[1:] == (4, 4)
    world = image.data_to_world((0, 101.5, 205.5))
    assert point_in_read(viewer, image, request, world) == pytest.approx((0, 1))
    assert point_in_read(viewer, image, request, image.data_to_world((0, 90, 300))) is None

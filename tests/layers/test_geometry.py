"""A label lies where the pixels of the image lie that it stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels

from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.prompts import parse_classes

CLASSES = parse_classes("leaf, soil")
TRANSFORMS: dict[str, dict[str, Any]] = {
    "none": {},
    "scale": {"scale": (0.5, 0.25)},
    "scale and translate": {"scale": (0.5, 3), "translate": (10, -20)},
    "rotate": {"rotate": 33, "scale": (2, 3), "translate": (5, 6)},
    "shear": {"shear": [0.4], "scale": (2, 3), "translate": (5, 6)},
    "lower shear": {"shear": [[1, 0], [0.3, 1]], "scale": (2, 3)},
    "affine": {"affine": [[1, 0.5, 7], [-0.2, 1.5, 9], [0, 0, 1]]},
    "all": {
        "scale": (2, 3), "translate": (5, 6), "rotate": 20, "shear": [0.2],
        "affine": [[1, 0.5, 7], [-0.2, 1.5, 9], [0, 0, 1]],
    },
}  # fmt: skip


def labels_of(viewer: ViewerModel, layer: Image, **options: object) -> Labels:
    return new_labels_layer(read_request(viewer, layer, ReadOptions(**options)), CLASSES)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TRANSFORMS)
def test_a_pixel_and_its_label_lie_in_one_place(viewer: ViewerModel, name: str) -> None:
    layer = viewer.add_image(np.zeros((40, 50), np.uint8), **TRANSFORMS[name])
    labels = labels_of(viewer, layer)
    for point in ((0, 0), (39, 49), (7, 31), (0, 12.5)):
        np.testing.assert_allclose(labels.data_to_world(point), layer.data_to_world(point))


@pytest.mark.parametrize("name", TRANSFORMS)
def test_labels_of_a_region_only(viewer: ViewerModel, name: str) -> None:
    layer = viewer.add_image(np.zeros((40, 50), np.uint8), **TRANSFORMS[name])
    box = np.array([[10, 20], [10, 30], [25, 30], [25, 20]])
    shapes = viewer.add_shapes([box], shape_type="polygon", **TRANSFORMS[name])
    labels = labels_of(viewer, layer, region="shape", shapes=shapes, labels_size="region")
    assert labels.data.shape == (16, 11)
    for row, column in ((0, 0), (15, 10), (4, 7)):
        np.testing.assert_allclose(
            labels.data_to_world((row, column)), layer.data_to_world((row + 10, column + 20))
        )


@pytest.mark.parametrize("name", TRANSFORMS)
def test_labels_of_the_level_that_is_read(viewer: ViewerModel, name: str) -> None:
    levels = [np.zeros((400, 600), np.uint8), np.zeros((100, 150), np.uint8)]
    layer = viewer.add_image(levels, multiscale=True, **TRANSFORMS[name])
    labels = labels_of(viewer, layer, short_side=50, labels_size="read")
    assert labels.data.shape == (100, 150)
    corner, middle = labels.data_to_world((-0.5, -0.5)), labels.data_to_world((10, 20))
    np.testing.assert_allclose(corner, layer.data_to_world((-0.5, -0.5)))
    np.testing.assert_allclose(middle, layer.data_to_world((41.5, 81.5)))


def test_stacks_keep_their_axes(viewer: ViewerModel) -> None:
    affine = np.eye(5)
    affine[:, -1] = (9, 8, 7, 6, 1)
    affine[2, 3] = 0.5
    layer = viewer.add_image(
        np.zeros((2, 3, 40, 50), np.uint8), scale=(4, 3, 2, 1), translate=(1, 2, 3, 4),
        affine=affine, axis_labels=("t", "z", "y", "x"), units=("s", "um", "um", "um"),
        rotate=None,
    )  # fmt: skip
    labels = labels_of(viewer, layer)
    assert labels.data.shape == layer.data.shape
    assert labels.axis_labels == ("t", "z", "y", "x")
    assert labels.units == layer.units
    np.testing.assert_allclose(labels.scale, layer.scale)
    np.testing.assert_allclose(labels.translate, layer.translate)
    point = (1, 2, 30, 40)
    np.testing.assert_allclose(labels.data_to_world(point), layer.data_to_world(point))


def test_rgb_loses_its_colours(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((4, 40, 50, 3), np.uint8), rgb=True, scale=(3, 2, 1))
    labels = labels_of(viewer, layer)
    assert labels.data.shape == (4, 40, 50)
    np.testing.assert_allclose(labels.data_to_world((3, 9, 9)), layer.data_to_world((3, 9, 9)))


def test_a_leading_axis_of_channels_is_left_out(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        np.zeros((3, 5, 40, 50), np.uint8), axis_labels=("c", "z", "y", "x"),
        scale=(1, 4, 2, 1), units=("pixel", "um", "um", "um"), rotate=10, translate=(0, 7, 8, 9),
    )  # fmt: skip
    labels = labels_of(viewer, layer)
    assert labels.data.shape == (5, 40, 50)
    assert labels.axis_labels == ("z", "y", "x")
    assert labels.units == layer.units[1:]
    for channel in range(3):
        there = layer.data_to_world((channel, 3, 20, 30))
        np.testing.assert_allclose(labels.data_to_world((3, 20, 30)), there[1:])


def test_channels_behind_sliders_stay_as_one_place(viewer: ViewerModel) -> None:
    """Without that axis napari would line up the time of the labels with the depth."""
    data = np.zeros((2, 3, 4, 40, 50), np.uint8)
    scale = (5, 4, 3, 2, 1)
    layer = viewer.add_image(data, axis_labels=("t", "z", "c", "y", "x"), scale=scale)
    labels = labels_of(viewer, layer)
    assert labels.data.shape == (2, 3, 1, 40, 50)
    ids = np.arange(6).reshape(2, 3, 1, 1, 1)
    labels.data[:] = ids
    steps = viewer.dims.nsteps
    viewer.add_layer(labels)
    assert viewer.dims.nsteps == steps
    for time, depth, channel in np.ndindex(2, 3, 4):
        for axis, step in enumerate((time, depth, channel)):
            viewer.dims.set_current_step(axis, step)
        shown = np.asarray(labels._slice.image.raw)
        assert shown.shape == (40, 50)
        assert (shown == ids[time, depth, 0, 0, 0]).all()


def test_painting_where_channels_are_one_place(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((2, 4, 40, 50), np.uint8))
    labels = labels_of(viewer, layer, channel_axis=1)
    assert labels.data.shape == (2, 1, 40, 50)
    viewer.add_layer(labels)
    viewer.dims.set_current_step(0, 1)
    viewer.dims.set_current_step(1, 3)
    labels.brush_size = 1
    labels.paint(labels.world_to_data((1, 3, 20, 30)), 2)
    assert labels.data[1, 0, 20, 30] == 2
    assert np.count_nonzero(labels.data) == 1


def test_transposed_axes_keep_the_images_order(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((30, 40, 50), np.uint8), scale=(3, 2, 1))
    viewer.dims.order = (1, 2, 0)
    request = read_request(viewer, layer)
    assert request.read_shape == (50, 30)
    assert request.labels_shape == (30, 40, 50)
    labels = new_labels_layer(request, CLASSES)
    np.testing.assert_allclose(labels.data_to_world((5, 6, 7)), layer.data_to_world((5, 6, 7)))


def test_the_current_plane_of_a_region_lies_in_its_place(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((9, 40, 50), np.uint8), scale=(3, 2, 1))
    viewer.dims.set_current_step(0, 4)
    labels = labels_of(viewer, layer, labels_size="region")
    assert labels.data.shape == (1, 40, 50)
    np.testing.assert_allclose(labels.data_to_world((0, 1, 2)), layer.data_to_world((4, 1, 2)))

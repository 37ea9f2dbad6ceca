"""The view goes where a spot is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sclip.core.uncertain import find_unchecked
from napari_sclip.layers.image.axes import place_layer
from napari_sclip.layers.image.roi import current_view
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.layers.navigate import AROUND, go_to

TURNED = [[1, 0, 0, 2], [0, 0, -1, 5], [0, 1, 0, 3], [0, 0, 0, 1]]


@pytest.mark.parametrize(
    ("place", "order"),
    [
        ({}, (0, 1, 2)),
        ({}, (1, 0, 2)),
        ({"scale": (3, 0.5, 0.5), "translate": (7, 20, -30)}, (0, 2, 1)),
        ({"scale": (3, 0.5, 0.5), "translate": (7, 20, -30)}, (1, 0, 2)),
        ({"scale": (3, 0.5, 0.5), "affine": TURNED}, (0, 1, 2)),
        ({"scale": (3, 0.5, 0.5), "affine": TURNED}, (0, 2, 1)),
    ],
)
def test_the_window_shows_the_spot(place: dict[str, Any], order: tuple[int, ...]) -> None:
    data = np.zeros((40, 120, 150), np.uint8)
    data[25, 30:50, 100:120] = 1
    data[5:30, 60, 30:60] = 2
    viewer = ViewerModel()
    layer = viewer.add_labels(data, **place)
    viewer.dims.order = order
    # Stand in the plane of the spot to find it, then look elsewhere.
    world = layer.data_to_world((25, 60, 110) if order[0] == 0 else (25, 60, 45))
    viewer.dims.set_point(range(3), world)
    plane = shown_plane(viewer, layer)
    spot = find_unchecked(plane.view(layer.data))[0]
    viewer.dims.set_point(range(3), layer.data_to_world((0, 0, 0)))
    viewer.camera.center = (0, 0, 0)
    go_to(viewer, layer, plane, spot)
    assert shown_plane(viewer, layer).same_plane(plane)
    placement = place_layer(viewer, layer)
    shape = plane.view(layer.data).shape
    seen = current_view(viewer, placement, (shape[0], shape[1]))
    assert seen.rows[0] <= spot.rows[0]
    assert seen.rows[1] >= spot.rows[1]
    assert seen.columns[0] <= spot.columns[0]
    assert seen.columns[1] >= spot.columns[1]


def test_a_small_spot_is_not_blown_up(viewer: ViewerModel) -> None:
    data = np.zeros((400, 400), np.uint8)
    data[200, 200] = 1
    layer = viewer.add_labels(data, scale=(0.1, 0.1))
    plane = shown_plane(viewer, layer)
    go_to(viewer, layer, plane, find_unchecked(data)[0])
    seen = current_view(viewer, place_layer(viewer, layer), (400, 400))
    assert min(seen.shape) >= 32
    data[100:300, 150:250] = 1
    go_to(viewer, layer, plane, find_unchecked(data)[0])
    seen = current_view(viewer, place_layer(viewer, layer), (400, 400))
    assert seen.rows == (0, 400)
    assert AROUND * 200 > 400

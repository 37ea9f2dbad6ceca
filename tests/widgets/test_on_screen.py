"""What is drawn over an image, as the screen shows it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_sclip.core.uncertain import find_unchecked
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.labels.targets import shown_plane
from napari_sclip.layers.maps import make_margin_layer
from napari_sclip.layers.navigate import clear_outline, go_to, outline

RED = {1: "red", None: "transparent"}


def test_the_image_is_seen_as_it_is_outside_of_a_drawn_region(make_napari_viewer: Any) -> None:
    viewer = make_napari_viewer(show=True)
    gray = np.full((40, 40), 128, dtype=np.uint8)
    image = viewer.add_image(gray, contrast_limits=(0, 255))
    shapes = viewer.add_shapes([[[0, 0], [0, 39], [39, 0]]], shape_type="polygon", visible=False)
    request = read_request(viewer, image, ReadOptions(region="shape", shapes=shapes))
    viewer.add_layer(make_margin_layer(request, np.ones(request.read_shape, np.float32)))
    viewer.reset_view()
    shot = viewer.screenshot(canvas_only=True)[..., :3]
    (height, width), off = shot.shape[:2], 30
    inside = shot[height // 2 - off, width // 2 - off].astype(int)
    outside = shot[height // 2 + off, width // 2 + off]
    np.testing.assert_array_equal(outside, 128)
    assert np.ptp(inside) > 20


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_a_box_is_around_the_spot_that_was_gone_to(
    make_napari_viewer: Any, order: tuple[int, int, int]
) -> None:
    viewer = make_napari_viewer(show=True)
    data = np.zeros((2, 60, 80), np.uint8)
    data[1, 20:40, 10:22] = 1
    viewer.add_image(np.full(data.shape, 255, np.uint8), contrast_limits=(0, 255))
    labels = viewer.add_labels(data, scale=(1, 0.5, 0.5), opacity=1, colormap=RED)
    viewer.dims.order = order
    viewer.dims.set_point(0, 1)
    plane = shown_plane(viewer, labels)
    spot = find_unchecked(plane.view(data))[0]
    go_to(viewer, labels, plane, spot)

    def shot() -> np.ndarray:
        return np.asarray(viewer.screenshot(canvas_only=True))[..., :3].astype(int)

    before = shot()
    red = np.argwhere(before[..., 0] - before[..., 2] > 100)
    outline(viewer, labels, plane, spot)
    box = np.argwhere(np.abs(shot() - before).max(axis=-1) > 60)
    pixel = np.ptp(red, axis=0).max() / 20
    assert np.all(box.min(axis=0) < red.min(axis=0))
    assert np.all(box.max(axis=0) > red.max(axis=0))
    assert np.abs(np.ptp(box, axis=0) - np.ptp(red, axis=0)).max() < 4 * pixel
    assert len(box) < 0.2 * len(red)  # a line, not an area
    clear_outline(labels)
    np.testing.assert_array_equal(shot(), before)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("look", [{}, {"gamma": 0.4}, {"limits": (0.2, 0.6), "gamma": 2.0}])
@pytest.mark.parametrize("channels", [3, 4])
def test_colours_are_read_as_displayed(
    make_napari_viewer: Any, dtype: Any, look: dict[str, Any], channels: int
) -> None:
    viewer = make_napari_viewer(show=True)
    top = 1.0 if dtype == np.float32 else float(np.iinfo(dtype).max)
    ramp = np.linspace(0, 1, 40 * 40 * channels).reshape(40, 40, channels)
    layer = viewer.add_image((ramp * top).astype(dtype), rgb=True, blending="translucent_no_depth")
    if "limits" in look:
        layer.contrast_limits = tuple(v * top for v in look["limits"])
    layer.gamma = look.get("gamma", 1.0)
    viewer.add_image(np.zeros((40, 40), np.uint8), blending="additive")
    viewer.theme = "dark"
    viewer.reset_view()
    shot = viewer.screenshot(canvas_only=True)[..., :3].astype(float)
    side = np.ptp(np.argwhere(shot.max(axis=-1) > 3), axis=0).max() + 1
    middle = np.array(shot.shape[:2]) // 2
    plane = np.asarray(read_plane(read_request(viewer, layer, ReadOptions(channels="displayed"))))
    for row, column in ((10, 12), (20, 20), (30, 5), (25, 35)):
        y, x = (np.array([row, column]) + 0.5 - 20) * (side / 40) + middle
        np.testing.assert_allclose(plane[row, column] * 255, shot[int(y), int(x)], atol=4)

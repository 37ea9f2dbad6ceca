"""Maps over an image, as the screen shows them."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_sclip.layers.maps import make_margin_layer
from napari_sclip.layers.options import ReadOptions
from napari_sclip.layers.read import read_request


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

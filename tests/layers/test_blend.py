"""What is read "as displayed" is what the screen shows."""

from __future__ import annotations

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sclip.errors import ImageError
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.rgb import read_plane

RNG = np.random.default_rng(1)
SHOWN = ReadOptions(channels="displayed")


def test_two_additive_channels(viewer: ViewerModel) -> None:
    red = RNG.integers(0, 1000, (40, 50), dtype=np.uint16)
    green = RNG.random((40, 50)).astype(np.float32)
    viewer.add_image(red, colormap="red", blending="additive", contrast_limits=(100, 900))
    layer = viewer.add_image(
        green, colormap="green", blending="additive", contrast_limits=(0, 1), gamma=0.5,
        opacity=0.75,
    )  # fmt: skip
    request = read_request(viewer, layer, SHOWN)
    assert (request.mode, len(request.sources)) == ("blend", 2)
    expected = np.zeros((40, 50, 3))
    expected[..., 0] = np.clip((red.astype(float) - 100) / 800, 0, 1)
    expected[..., 1] = np.sqrt(green) * 0.75
    np.testing.assert_allclose(read_plane(request), expected, atol=1e-5)


def test_additive_light_saturates(viewer: ViewerModel) -> None:
    for _ in range(3):
        layer = viewer.add_image(
            np.full((4, 5), 0.5, np.float32), contrast_limits=(0, 1), blending="additive"
        )
    np.testing.assert_array_equal(read_plane(read_request(viewer, layer, SHOWN)), 1.0)


@pytest.mark.parametrize(
    ("blending", "expected"),
    [
        ("translucent", (0.25 * 1 + 0.75 * 0.8, 0.75 * 0.8, 0.75 * 0.8)),
        ("translucent_no_depth", (0.25 * 1 + 0.75 * 0.8, 0.75 * 0.8, 0.75 * 0.8)),
        ("additive", (1.0, 0.8, 0.8)),
        ("minimum", (0.8, 0.0, 0.0)),
        ("opaque", (1.0, 0.0, 0.0)),
    ],
)
def test_blending_modes(viewer: ViewerModel, blending: str, expected: tuple[float, ...]) -> None:
    grey = np.full((4, 5), 0.8, np.float32)
    viewer.add_image(grey, contrast_limits=(0, 1))
    top = viewer.add_image(
        np.ones((4, 5), np.float32), contrast_limits=(0, 1), colormap="red", opacity=0.25,
        blending=blending,
    )  # fmt: skip
    plane = read_plane(read_request(viewer, top, SHOWN))
    np.testing.assert_allclose(plane[0, 0], expected, atol=1e-5)


def test_rgb_below_a_channel(viewer: ViewerModel) -> None:
    photo = RNG.integers(0, 256, (40, 50, 4), dtype=np.uint8)
    layer = viewer.add_image(photo, rgb=True, opacity=0.5)
    mask = viewer.add_image(np.ones((40, 50), bool), colormap="blue", blending="additive")
    request = read_request(viewer, mask, SHOWN)
    expected = photo[..., :3] / 255 * (photo[..., 3:] / 255) * 0.5
    expected[..., 2] = 1
    np.testing.assert_allclose(read_plane(request), expected, atol=1e-5)
    assert request.sources[0].name == layer.name


def test_only_what_is_visible_and_in_the_same_place_is_blended(viewer: ViewerModel) -> None:
    data = np.ones((40, 50), np.float32)
    layer = viewer.add_image(data, name="this", scale=(2, 2))
    viewer.add_image(data, name="twin", scale=(1, 1), affine=np.diag([2, 2, 1]))
    viewer.add_image(data, name="hidden", scale=(2, 2), visible=False)
    viewer.add_image(data, name="moved", scale=(2, 2), translate=(0, 1))
    viewer.add_image(data[:-1], name="smaller", scale=(2, 2))
    viewer.add_labels(np.ones((40, 50), np.uint8), scale=(2, 2))
    request = read_request(viewer, layer, SHOWN)
    assert [source.name for source in request.sources] == ["this", "twin"]
    layer.visible = False
    assert [s.name for s in read_request(viewer, layer, SHOWN).sources] == ["twin"]


def test_nan_lets_what_is_below_show(viewer: ViewerModel) -> None:
    viewer.add_image(np.full((4, 5), 0.25, np.float32), contrast_limits=(0, 1))
    top = viewer.add_image(np.full((4, 5), np.nan, np.float32), contrast_limits=(0, 1))
    if not hasattr(top.colormap, "nan_color"):
        pytest.skip("this napari has no colour for NaN")
    np.testing.assert_allclose(read_plane(read_request(viewer, top, SHOWN)), 0.25, atol=1e-6)


def test_nothing_visible(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.ones((40, 50), np.float32), visible=False, name="cells")
    with pytest.raises(ImageError, match=r"at least one visible image layer.*'cells'"):
        read_request(viewer, layer, SHOWN)


def test_channels_of_stacks_follow_the_slider(viewer: ViewerModel) -> None:
    data = RNG.random((2, 3, 40, 50)).astype(np.float32)
    layers = viewer.add_image(
        data, channel_axis=0, colormap=["red", "blue"], contrast_limits=(0, 1)
    )
    viewer.dims.set_current_step(0, 2)
    request = read_request(viewer, layers[0], SHOWN)
    plane = np.asarray(read_plane(request))
    np.testing.assert_allclose(plane[..., 0], data[0, 2], atol=1e-5)
    np.testing.assert_allclose(plane[..., 2], data[1, 2], atol=1e-5)
    assert request.labels_shape == (3, 40, 50)


def test_the_same_colours_as_the_thumbnail(viewer: ViewerModel) -> None:
    """napari's own colours for a layer, without a window: its thumbnail."""
    data = np.linspace(0, 1, 32 * 32, dtype=np.float32).reshape(32, 32)
    layer = viewer.add_image(data, colormap="viridis", contrast_limits=(0.2, 0.9), gamma=1.7)
    plane = np.asarray(read_plane(read_request(viewer, layer, SHOWN)))
    np.testing.assert_allclose(plane * 255, layer.thumbnail[..., :3], atol=1.01)

"""Image layers of every kind, from the press of the button to the labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from napari.layers import Labels

from napari_sclip.widgets.control.controller import Controller
from tests.widgets.conftest import FakeSegmenter

Press = Callable[[], None]
RNG = np.random.default_rng(0)


def uint8(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def with_nan() -> np.ndarray:
    image = RNG.random((40, 60)).astype(np.float32)
    image[3:9, 4:8] = np.nan
    return image


def zarr_array() -> Any:
    array = zarr.zeros((40, 60), chunks=(16, 16), dtype="uint8")
    array[:] = uint8(40, 60)
    return array


KINDS: dict[str, tuple[Callable[[], Any], dict[str, Any], tuple[int, ...]]] = {
    "uint8": (lambda: uint8(40, 60), {}, (40, 60)),
    "uint16": (lambda: uint8(40, 60).astype(np.uint16) * 16, {}, (40, 60)),
    "float32": (lambda: RNG.random((40, 60)).astype(np.float32), {}, (40, 60)),
    "float with NaN": (with_nan, {"contrast_limits": (0, 1)}, (40, 60)),
    "bool": (lambda: uint8(40, 60) > 127, {}, (40, 60)),
    "RGB": (lambda: uint8(40, 60, 3), {"rgb": True}, (40, 60)),
    "RGBA": (lambda: uint8(40, 60, 4), {"rgb": True}, (40, 60)),
    "a stack of three that is no RGB": (lambda: uint8(3, 40, 60), {}, (3, 40, 60)),
    "an image as narrow as RGB": (lambda: uint8(40, 60, 3), {"rgb": False}, (40, 60, 3)),
    "a stack of RGB": (lambda: uint8(5, 40, 60, 3), {"rgb": True}, (5, 40, 60)),
    "4D": (lambda: uint8(2, 3, 40, 60), {}, (2, 3, 40, 60)),
    "T-Z-C-Y-X": (
        lambda: uint8(2, 3, 2, 40, 60),
        {"axis_labels": ("t", "z", "c", "y", "x")},
        (2, 3, 1, 40, 60),
    ),
    "dask": (lambda: da.from_array(uint8(40, 60), chunks=16), {}, (40, 60)),
    "zarr": (zarr_array, {}, (40, 60)),
    "multiscale": (
        lambda: [uint8(800, 1200, 3), uint8(400, 600, 3), uint8(200, 300, 3)],
        {"rgb": True, "multiscale": True},
        (800, 1200),
    ),
    "scaled and moved": (
        lambda: uint8(40, 60),
        {"scale": (0.5, 2), "translate": (7, -3), "rotate": 20, "units": ("um", "um")},
        (40, 60),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gets_labels_of_its_shape_in_its_place(
    viewer: Any, controller: Controller, run: Press, kind: str
) -> None:
    make, arguments, shape = KINDS[kind]
    image = viewer.add_image(make(), **arguments)
    controller._follower.refresh()
    assert controller.state.why_not() == ""
    run()
    assert controller.state.run.failure is None
    (labels,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert labels.data.shape == shape
    assert labels.data.any()
    assert not labels.multiscale
    shared = [axis for axis, n in enumerate(shape) if n > 1]  # not that of channels
    for corner in (np.zeros(image.ndim), np.ones(image.ndim)):
        own, its = labels.data_to_world(corner), image.data_to_world(corner)
        np.testing.assert_allclose(np.take(own, shared), np.take(its, shared))
    assert tuple(labels.units) == tuple(image.units)


def test_all_planes_go_into_one_layer(
    viewer: Any, controller: Controller, fake: FakeSegmenter, run: Press
) -> None:
    viewer.add_image(uint8(4, 40, 60))
    controller.state.image.planes = "all"
    controller._follower.refresh()
    assert controller.state.image.facts is not None
    assert controller.state.image.facts.planes == 4
    run()
    (labels,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert labels.data.shape == (4, 40, 60)
    assert labels.data.all()
    assert fake.embedded == 4
    assert "4 planes" in controller.state.run.notice
    labels.undo()
    assert not labels.data.any()


def test_a_plane_of_one_pixel_is_refused_with_a_reason(viewer: Any, controller: Controller) -> None:
    viewer.add_image(uint8(1, 1))
    controller._follower.refresh()
    assert "2 x 2" in controller.state.why_not()


# napari before 0.9 warns of what its canvas cannot show at once.
TOO_LARGE_FOR_GL = pytest.mark.filterwarnings("ignore:data shape:UserWarning")


@TOO_LARGE_FOR_GL
def test_of_a_huge_image_the_view_is_read(
    viewer: Any, controller: Controller, fake: FakeSegmenter, run: Press
) -> None:
    pixels = da.random.default_rng(0).integers(
        0, 255, (20_000, 20_000), dtype=np.uint8, chunks=1000
    )
    viewer.add_image(pixels, contrast_limits=(0, 255))
    camera = getattr(viewer, "scene", viewer).camera
    camera.center, camera.zoom = (10_000, 10_000), 4
    controller.state.image.region = "view"
    controller.state.image.labels_size = "region"
    controller._follower.refresh()
    run()
    assert controller.state.run.failure is None
    (labels,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    assert max(labels.data.shape) < 2000
    assert labels.data.any()
    assert fake.images[0].shape[:2] == labels.data.shape
    middle = np.array(labels.data.shape) // 2
    np.testing.assert_allclose(labels.data_to_world(middle), (10_000, 10_000), atol=3)


@TOO_LARGE_FOR_GL
def test_labels_of_a_huge_image_are_asked_about(
    viewer: Any, controller: Controller, run: Press
) -> None:
    viewer.add_image(
        da.zeros((20_000, 20_000), dtype=np.uint8, chunks=1000), contrast_limits=(0, 1)
    )
    camera = getattr(viewer, "scene", viewer).camera
    camera.center, camera.zoom = (10_000, 10_000), 4
    controller.state.image.region = "view"
    controller._follower.refresh()
    controller.segment()
    question = controller.state.run.question
    assert question is not None
    assert "20000" in question.text
    assert [key for key, _ in question.answers] == ["region", "image", "no"]
    controller.answer("no")
    assert len(viewer.layers) == 1
    controller.segment()
    controller.answer("region")
    assert controller.state.image.labels_size == "region"
    assert controller.state.run.question is None


def test_a_region_run_writes_inside_the_region_only(
    viewer: Any, controller: Controller, run: Press
) -> None:
    image = viewer.add_image(uint8(40, 60, 3))
    viewer.add_shapes([[[10, 20], [10, 40], [30, 40], [30, 20]]], shape_type="rectangle")
    viewer.layers.selection.active = image
    controller.state.image.region = "shape"
    controller._follower.refresh()
    run()
    (labels,) = [layer for layer in viewer.layers if isinstance(layer, Labels)]
    rows, columns = np.nonzero(labels.data)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10, 30, 20, 40)


def test_channels_as_displayed_are_blended(
    viewer: Any, controller: Controller, fake: FakeSegmenter, run: Press
) -> None:
    limits = {"contrast_limits": (0, 255), "blending": "additive"}
    viewer.add_image(np.full((40, 60), 255, np.uint8), colormap="red", **limits)
    viewer.add_image(np.full((40, 60), 255, np.uint8), colormap="green", **limits)
    controller.state.image.channels = "displayed"
    controller._follower.refresh()
    assert controller.state.image.facts is not None
    assert controller.state.image.facts.displayed == 2
    run()
    np.testing.assert_allclose(fake.images[0][5, 5], (1, 1, 0), atol=0.01)


def test_the_preview_shows_what_the_model_will_see(
    viewer: Any, controller: Controller, qtbot: Any
) -> None:
    image = viewer.add_image(np.full((40, 60), 30, np.uint8), contrast_limits=(0, 60))
    controller._follower.refresh()
    state = controller.state.image
    qtbot.waitUntil(lambda: state.preview is not None and state.preview.rgb[0] == 128, timeout=5000)
    image.contrast_limits = (0, 30)
    qtbot.waitUntil(lambda: state.preview is not None and state.preview.rgb[0] == 255, timeout=5000)
    assert (state.preview.width, state.preview.height) == (60, 40)  # type: ignore[union-attr]


def test_the_pin_keeps_the_image(viewer: Any, controller: Controller, image: Any) -> None:
    controller.state.image.pinned = True
    other = viewer.add_image(uint8(40, 60), name="other")
    controller._follower.refresh()
    assert controller.state.image.facts is not None
    assert controller.state.image.facts.name == "photo"
    controller.state.image.pinned = False
    controller._follower.refresh()
    assert controller.state.image.facts.name == "other"
    viewer.layers.remove(other)
    assert controller.state.image.facts.name == "photo"

"""The current view and drawn shapes become the right pixels."""

from __future__ import annotations

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
from napari.components import Camera, ViewerModel
from napari.layers import Image

from napari_sclip.errors import ImageError
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.image.roi import Region, inside

VIEW = ReadOptions(region="view")


def camera(viewer: ViewerModel) -> Camera:
    scene = getattr(viewer, "scene", None)
    return viewer.camera if scene is None else scene.camera


def canvas_size(viewer: ViewerModel) -> tuple[float, float]:
    canvas = getattr(viewer, "canvas", None)
    return tuple(viewer._canvas_size if canvas is None else canvas.size)


def look_at(viewer: ViewerModel, centre: tuple[float, float], height: float) -> None:
    """Show this many world units from top to bottom."""
    camera(viewer).center = (0, *centre)
    camera(viewer).zoom = canvas_size(viewer)[0] / height


def drawn(
    viewer: ViewerModel, layer: Image, corners: npt.ArrayLike, kind: str = "polygon"
) -> ImageRequest:
    shapes = viewer.add_shapes([np.asarray(corners, float)], shape_type=kind)
    return read_request(viewer, layer, ReadOptions(region="shape", shapes=shapes))


def test_the_current_view_of_a_huge_dask_image_reads_only_that(viewer: ViewerModel) -> None:
    touched: list[object] = []

    def note(
        block: np.ndarray, block_info: dict[int, dict[str, object]] | None = None
    ) -> np.ndarray:
        if block_info:
            touched.append(block_info[0]["array-location"])
        return block

    lazy = da.zeros((20_000, 20_000), dtype=np.uint8, chunks=500)
    lazy = lazy.map_blocks(note, dtype=np.uint8, meta=np.zeros((0, 0), np.uint8))
    layer = viewer.add_image(da.zeros((20_000, 20_000), dtype=np.uint8, chunks=5000), scale=(2, 2))
    layer._data = lazy  # napari itself would read all of it here, to show it
    touched.clear()
    height, width = canvas_size(viewer)
    look_at(viewer, (20_000, 8_000), 800)
    request = read_request(viewer, layer, VIEW)
    assert request.region.rows == (9_800, 10_201)
    assert request.region.shape[1] == pytest.approx(400 * width / height, abs=2)
    read_plane(request)
    assert 0 < len(touched) <= 6
    assert request.labels_shape == (20_000, 20_000)
    small = read_request(viewer, layer, ReadOptions(region="view", labels_size="region"))
    assert small.labels_shape == request.region.shape
    assert small.labels_too_large is None


def test_the_view_is_clipped_to_the_image(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    look_at(viewer, (0, 0), 40)
    request = read_request(viewer, layer, VIEW)
    assert request.region.rows == (0, 21)
    look_at(viewer, (30, 40), 4000)
    assert read_request(viewer, layer, VIEW).region.shape == (60, 80)
    look_at(viewer, (3000, 40), 40)
    with pytest.raises(ImageError, match="shows nothing of the image"):
        read_request(viewer, layer, VIEW)


def test_a_view_smaller_than_two_pixels_is_refused(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    look_at(viewer, (30, 40), 0.1)
    with pytest.raises(ImageError, match="at least 2 x 2 pixels to segment; got 1 x 1"):
        read_request(viewer, layer, VIEW)


def test_the_view_of_a_turned_stack_with_transposed_axes(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        np.zeros((5, 300, 400), np.uint8), scale=(3, 0.5, 0.25), rotate=90, translate=(0, 7, 9)
    )
    viewer.dims.order = (0, 2, 1)
    row, column = 120, 260
    world = layer.data_to_world((0, row, column))
    look_at(viewer, (world[2], world[1]), 10)
    request = read_request(viewer, layer, VIEW)
    rows, columns = request.region.rows, request.region.columns
    assert (request.axes.rows, request.axes.columns) == (2, 1)
    assert sum(rows) / 2 == pytest.approx(column + 0.5, abs=1)
    assert sum(columns) / 2 == pytest.approx(row + 0.5, abs=1)


def test_the_view_follows_units(viewer: ViewerModel) -> None:
    if not hasattr(viewer.dims, "units"):
        pytest.skip("this napari does not convert units between layers")
    layer = viewer.add_image(np.zeros((300, 400), np.uint8), units=("um", "um"))
    viewer.add_image(np.zeros((3, 4), np.uint8), units=("nm", "nm"))
    assert str(viewer.dims.units[0]) == "nanometer"
    look_at(viewer, (100_000, 200_000), 40_000)
    assert read_request(viewer, layer, VIEW).region.rows == (80, 121)


def test_a_drawn_rectangle(viewer: ViewerModel) -> None:
    data = np.arange(60 * 80, dtype=np.uint16).reshape(60, 80)
    layer = viewer.add_image(data, contrast_limits=(0, 4800), scale=(0.5, 0.25))
    corners = [[4.9, 5.1], [4.9, 9.9], [14.6, 9.9], [14.6, 5.1]]
    request = drawn(viewer, layer, corners, "rectangle")
    assert request.region == Region("shape", (10, 30), (21, 40))
    np.testing.assert_allclose(read_plane(request)[..., 0], data[10:30, 21:40] / 4800, atol=1e-6)


def test_a_shape_in_another_place_of_the_world(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((5, 60, 80), np.uint8), translate=(0, 100, 200))
    shapes = viewer.add_shapes(
        [np.array([[0, 0], [0, 10], [10, 10], [10, 0]])],
        shape_type="rectangle", scale=(2, 2), translate=(110, 220),
    )  # fmt: skip
    request = read_request(viewer, layer, ReadOptions(region="shape", shapes=shapes))
    assert request.region == Region("shape", (10, 31), (20, 41))


def test_a_rectangle_on_a_turned_image_is_a_polygon(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8), rotate=30)
    middle = np.asarray(layer.data_to_world((30, 40)))
    corners = middle + 10 * np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]])
    request = drawn(viewer, layer, corners, "rectangle")
    assert request.region.polygon is not None
    rows, columns = np.mgrid[: request.region.shape[0], : request.region.shape[1]]
    pixels = np.stack([rows + request.region.rows[0], columns + request.region.columns[0]], -1)
    world = np.array([layer.data_to_world(p) for p in pixels.reshape(-1, 2)])
    expected = (np.abs(world - middle) < 10).all(axis=1).reshape(rows.shape)
    mask = inside(
        request.region,
        np.arange(*request.region.rows, dtype=float),
        np.arange(*request.region.columns, dtype=float),
    )
    assert mask is not None
    np.testing.assert_array_equal(mask, expected)
    assert 380 < mask.sum() < 420


def test_a_polygon_with_a_notch_by_the_even_odd_rule() -> None:
    corners = ((0.5, 0.5), (0.5, 10.5), (10.5, 10.5), (5.5, 5.2), (10.5, 0.5))
    region = Region("shape", (0, 12), (0, 12), corners)
    mask = inside(region, np.arange(12.0), np.arange(12.0))
    assert mask is not None
    expected = np.zeros((12, 12), bool)
    for row, column in np.ndindex(12, 12):
        crossings = 0
        for (r0, c0), (r1, c1) in zip(corners, (*corners[1:], corners[0]), strict=True):
            if (r0 > row) != (r1 > row):
                crossings += column > c0 + (row - r0) * (c1 - c0) / (r1 - r0)
        expected[row, column] = crossings % 2 == 1
    np.testing.assert_array_equal(mask, expected)
    assert not mask[9, 5]
    assert mask[3, 5]


def test_an_ellipse(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    request = drawn(viewer, layer, [[10, 20], [10, 60], [30, 60], [30, 20]], "ellipse")
    mask = inside(request.region, np.arange(10.0, 31.0), np.arange(20.0, 61.0))
    assert mask is not None
    assert mask.sum() == pytest.approx(np.pi * 10 * 20, rel=0.03)
    assert mask[10, 1]
    assert not mask[1, 1]


def test_the_selected_shape_is_taken(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    square = np.array([[0, 0], [0, 9], [9, 9], [9, 0]])
    shapes = viewer.add_shapes([square, square + 30], shape_type="rectangle")
    shapes.selected_data = {1}
    options = ReadOptions(region="shape", shapes=shapes)
    assert read_request(viewer, layer, options).region.rows == (30, 40)
    shapes.selected_data = set()
    with pytest.raises(ImageError, match="Expected one shape as the region; got 2"):
        read_request(viewer, layer, options)


@pytest.mark.parametrize(
    ("corners", "kind", "message"),
    [
        ([[0, 0], [9, 9]], "line", "got a line"),
        ([[0, 0], [9, 9], [0, 9]], "path", "got a path"),
        ([[-90, 0], [-90, 9], [-80, 9], [-80, 0]], "rectangle", "covers no pixel of the image"),
        ([[5.2, 5.2], [5.2, 5.4], [5.4, 5.4], [5.4, 5.2]], "rectangle", "covers no pixel"),
    ],
)
def test_shapes_that_are_no_region(
    viewer: ViewerModel, corners: npt.ArrayLike, kind: str, message: str
) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    with pytest.raises(ImageError, match=message):
        drawn(viewer, layer, corners, kind)


def test_a_polygon_whose_corners_surround_the_image_but_holds_none_of_it(
    viewer: ViewerModel,
) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    around = [[-9, -9], [-9, 90], [70, 90], [70, 89], [-8, 89], [-8, -9]]
    with pytest.raises(ImageError, match="covers no pixel of the image"):
        drawn(viewer, layer, around)


def test_no_shapes_layer(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((60, 80), np.uint8))
    with pytest.raises(ImageError, match="Expected a Shapes layer with a region; got none"):
        read_request(viewer, layer, ReadOptions(region="shape"))

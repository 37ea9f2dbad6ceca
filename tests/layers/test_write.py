"""Labels carry names and colours, can be painted on, and are changed in single undo steps."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip import ClassPrompt, SegmentationConfig
from napari_sclip.engine.result import Segmentation
from napari_sclip.errors import ClassesError
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.io.open import labels_layer_from_mask
from napari_sclip.layers.io.save import save_labels
from napari_sclip.layers.labels.layer import hidden_classes, new_labels_layer, set_class_colors
from napari_sclip.layers.labels.schema import choose_ids, read_legend
from napari_sclip.layers.labels.targets import LabelsMismatchError, find_target, why_not_fitting
from napari_sclip.layers.labels.undo import Change, write_changes
from napari_sclip.layers.labels.write import make_labels_layer, update_labels
from napari_sclip.palette import class_colors
from napari_sclip.prompts import parse_classes
from tests.layers.conftest import MakeResult

RNG = np.random.default_rng(2)


def request_of(viewer: ViewerModel, shape: tuple[int, ...] = (40, 50)) -> ImageRequest:
    layer = viewer.add_image(np.zeros(shape, np.uint8), name="cells")
    return read_request(viewer, layer)


def test_a_layer_named_and_dressed(viewer: ViewerModel, make_result: MakeResult) -> None:
    request = request_of(viewer)
    ids = RNG.integers(0, 3, (40, 50))
    result = make_result(ids, "leaf, soil = earth | mud, background = wall")
    layer = make_labels_layer(request, result)
    assert layer.name == "cells labels"
    assert layer.data.dtype == np.uint8
    assert not layer.multiscale
    assert layer.editable
    np.testing.assert_array_equal(layer.data, ids)
    assert list(layer.features["index"]) == [0, 1, 2]
    assert list(layer.features["class"]) == ["background", "leaf", "soil"]
    assert list(layer.features["prompts"]) == ["wall", "leaf", "earth | mud"]
    row, column = np.argwhere(ids == 2)[0]
    assert "soil" in layer.get_status((row, column))["value"]
    assert "earth | mud" in layer._get_tooltip_text((row, column))


def test_colours_are_those_of_the_palette(viewer: ViewerModel, make_result: MakeResult) -> None:
    result = make_result(np.zeros((40, 50)))
    layer = make_labels_layer(request_of(viewer), result)
    for k, color in enumerate(class_colors(result.classes), 1):
        np.testing.assert_allclose(layer.get_color(k)[:3], np.array(color) / 255, atol=1e-6)
        assert layer.get_color(k)[3] == 1
    assert layer.colormap.map(0)[3] == 0
    np.testing.assert_allclose(layer.colormap.map(77), (0.5, 0.5, 0.5, 1))


def test_recolour_and_hide(viewer: ViewerModel, make_result: MakeResult) -> None:
    layer = make_labels_layer(request_of(viewer), make_result(RNG.integers(0, 3, (40, 50))))
    before = layer.data.copy()
    soil = layer.get_color(2)
    set_class_colors(layer, (ClassPrompt("leaf", color="red"), ClassPrompt("other")))
    np.testing.assert_allclose(layer.get_color(1), (1, 0, 0, 1))
    np.testing.assert_allclose(layer.get_color(2), soil)
    assert read_legend(layer)[0].color == "#ff0000"
    set_class_colors(layer, parse_classes("leaf, soil"), hidden={"soil"})
    assert layer.colormap.map(2)[3] == 0
    assert layer.colormap.map(1)[3] == 1
    assert hidden_classes(layer) == {"soil"}
    update_labels(layer, request_of(viewer), make_result(before))
    assert layer.colormap.map(2)[3] == 0
    np.testing.assert_array_equal(layer.data, before)
    layer.undo()
    np.testing.assert_array_equal(layer.data, before)
    foreign = Labels(np.zeros((4, 5), np.uint8))
    set_class_colors(foreign, parse_classes("leaf"))
    assert foreign.metadata == {}


def test_metadata_can_be_json(viewer: ViewerModel, make_result: MakeResult) -> None:
    layer = viewer.add_image(np.zeros((3, 40, 50), np.uint8), name="cells")
    shapes = viewer.add_shapes([[[1, 1], [1, 20], [20, 30.5]]], shape_type="polygon")
    request = read_request(viewer, layer, ReadOptions(region="shape", shapes=shapes))
    labels = make_labels_layer(request, make_result(np.zeros(request.read_shape)))
    noted = labels.metadata["napari_sclip"]
    assert json.loads(json.dumps(noted, allow_nan=False)) == noted
    assert noted["model"] == "a-model"
    assert noted["weights_sha256"] == "ab" * 32
    assert noted["attention"] == "sclip"
    assert SegmentationConfig.from_dict(noted["configuration"]) == SegmentationConfig(
        short_side=64, window=224, stride=112
    )
    assert [c["name"] for c in noted["classes"]] == ["leaf", "soil"]
    assert noted["classes"][1]["prompts"] == ["earth", "mud"]
    assert noted["source"]["image"] == "cells"
    assert noted["source"]["planes"] == [[1]]
    assert noted["source"]["region"]["rows"] == [1, 21]
    assert noted["versions"]["napari-sclip"]
    assert noted["versions"]["torch"]


@pytest.mark.parametrize("warm", [True, False])
def test_napari_can_be_warmed_up(warm: bool) -> None:
    code = f"""
import sys
import numpy as np
from napari.layers import Labels
from napari_sclip.layers.labels.layer import warm_up
if {warm}:
    warm_up()
before = set(sys.modules)
Labels(np.zeros((4, 5), np.uint8), features={{"index": [0], "class": ["leaf"]}})
print(len(set(sys.modules) - before))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (int(done.stdout) == 0) == warm


def test_many_classes_need_wider_ids(viewer: ViewerModel) -> None:
    request = request_of(viewer)
    assert new_labels_layer(request, [ClassPrompt(f"c{k}") for k in range(255)]).data.dtype == "u1"
    many = new_labels_layer(request, [ClassPrompt(f"c{k}") for k in range(256)])
    assert many.data.dtype == np.uint16
    many.paint((20, 20), 256)
    assert many.data[20, 20] == 256


@pytest.mark.parametrize("dtype_classes", [3, 300])
def test_painting_filling_erasing_and_undo(
    viewer: ViewerModel, make_result: MakeResult, dtype_classes: int
) -> None:
    names = ",".join(f"c{k}" for k in range(dtype_classes))
    ids = np.zeros((40, 50))
    ids[:, 25:] = 1
    layer = make_labels_layer(request_of(viewer), make_result(ids, names))
    viewer.add_layer(layer)
    layer.brush_size = 1
    layer.paint((5, 5), 3)
    assert layer.data[5, 5] == 3
    layer.fill((5, 30), 2)
    assert (layer.data[:, 25:] == 2).all()
    layer.paint((5, 5), 0)
    assert layer.data[5, 5] == 0
    for _ in range(3):
        layer.undo()
    np.testing.assert_array_equal(layer.data, ids)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_planes_of_a_stack(
    viewer: ViewerModel, make_result: MakeResult, order: tuple[int, ...]
) -> None:
    viewer.add_image(np.zeros((4, 5, 6), np.uint8))
    viewer.dims.order = order
    request = read_request(viewer, viewer.layers[0], ReadOptions(planes="all"))
    planes = {k: RNG.integers(0, 3, request.read_shape) for k in range(len(request.planes))}
    layer = make_labels_layer(request, make_result(planes[0]), planes)
    rolled = np.transpose(layer.data, order)
    for k, plane in planes.items():
        np.testing.assert_array_equal(rolled[k], plane)


def test_one_plane_of_a_stack_is_updated(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((2, 4, 40, 50), np.uint8))
    every = read_request(viewer, image, ReadOptions(planes="all"))
    ones = np.ones((40, 50), np.uint8)
    layer = make_labels_layer(every, make_result(ones), dict.fromkeys(range(8), ones))
    viewer.add_layer(layer)
    viewer.dims.set_current_step(0, 1)
    viewer.dims.set_current_step(1, 2)
    done = update_labels(layer, read_request(viewer, image), make_result(2 * ones))
    assert (done.changed, done.kept, done.undoable) == (2000, 0, True)
    assert (layer.data[1, 2] == 2).all()
    assert np.count_nonzero(layer.data == 2) == 2000
    assert (np.asarray(layer._slice.image.raw) == 2).all()
    layer.undo()
    assert (layer.data == 1).all()


def test_all_planes_are_one_undo_step(viewer: ViewerModel, make_result: MakeResult) -> None:
    image = viewer.add_image(np.zeros((4, 40, 50), np.uint8))
    every = read_request(viewer, image, ReadOptions(planes="all"))
    planes = {k: RNG.integers(0, 3, (40, 50)).astype(np.uint8) for k in range(4)}
    layer = new_labels_layer(every, parse_classes("leaf, soil"))
    update_labels(layer, every, make_result(planes[0]), planes)
    np.testing.assert_array_equal(layer.data, np.stack(list(planes.values())))
    layer.undo()
    assert not layer.data.any()
    layer.redo()
    np.testing.assert_array_equal(layer.data, np.stack(list(planes.values())))


def shape_request(viewer: ViewerModel) -> ImageRequest:
    image = viewer.add_image(np.zeros((40, 50), np.uint8))
    shapes = viewer.add_shapes([[[5, 5], [5, 30], [30, 5]]], shape_type="polygon")
    return read_request(viewer, image, ReadOptions(region="shape", shapes=shapes))


def test_a_region_run_writes_only_inside(viewer: ViewerModel, make_result: MakeResult) -> None:
    request = shape_request(viewer)
    result = make_result(np.full(request.read_shape, 2))
    fresh = make_labels_layer(request, result)
    rows, columns = np.mgrid[:40, :50]
    within = (rows > 5) & (columns > 5) & (rows + columns < 35)
    around = (rows >= 5) & (columns >= 5) & (rows + columns <= 35)
    assert (fresh.data[within] == 2).all()
    assert not fresh.data[~around].any()
    image = viewer.layers[0]
    layer = make_labels_layer(read_request(viewer, image), make_result(np.ones((40, 50))))
    update_labels(layer, request, result)
    assert (layer.data[within] == 2).all()
    assert (layer.data[~around] == 1).all()
    layer.undo()
    assert (layer.data == 1).all()


def test_labels_of_a_coarser_level_fill_the_finest(
    viewer: ViewerModel, make_result: MakeResult
) -> None:
    levels = [np.zeros((401, 602), np.uint8), np.zeros((100, 150), np.uint8)]
    image = viewer.add_image(levels, multiscale=True)
    request = read_request(viewer, image, ReadOptions(short_side=50))
    ids = RNG.integers(0, 3, (100, 150)).astype(np.uint8)
    layer = make_labels_layer(request, make_result(ids))
    assert layer.data.shape == (401, 602)
    rows = ((np.arange(401) + 0.5) * 100 / 401).astype(int)
    columns = ((np.arange(602) + 0.5) * 150 / 602).astype(int)
    np.testing.assert_array_equal(layer.data, ids[rows][:, columns])
    small = read_request(viewer, image, ReadOptions(short_side=50, labels_size="read"))
    np.testing.assert_array_equal(make_labels_layer(small, make_result(ids)).data, ids)


@pytest.mark.parametrize("size", ["image", "region", "read"])
def test_what_is_bright_is_labelled_where_it_is(
    viewer: ViewerModel, make_result: MakeResult, size: str
) -> None:
    """From the world to the pixels, through a threshold, and back to the same world."""
    base = np.zeros((3, 200, 300), np.uint8)
    base[1, 80:120, 140:200] = 255
    levels = [base, base[:, ::2, ::2].copy()]
    image = viewer.add_image(
        levels, multiscale=True, contrast_limits=(0, 255), scale=(3, 0.5, 0.25), rotate=30,
        translate=(1, 2, 3),
    )  # fmt: skip
    viewer.dims.set_current_step(0, 1)
    box = [[60, 120], [60, 239], [139, 239], [139, 120]]
    shapes = viewer.add_shapes([box], shape_type="polygon", scale=(0.5, 0.25), rotate=30,
                               translate=(2, 3))  # fmt: skip
    options = ReadOptions(short_side=40, region="shape", shapes=shapes, labels_size=size)
    request = read_request(viewer, image, options)
    assert request.read_shape == (40, 60)
    bright = (np.asarray(read_plane(request))[..., 0] > 0.5).astype(np.uint8)
    labels = viewer.add_layer(make_labels_layer(request, make_result(bright)))
    for point, expected in (((1, 100, 170), 1), ((1, 82, 142), 1), ((1, 117, 197), 1),
                            ((1, 76, 170), 0), ((1, 124, 170), 0), ((1, 100, 135), 0),
                            ((1, 100, 205), 0)):  # fmt: skip
        world = image.data_to_world(point)
        assert labels.get_value(world, world=True) == expected, point


def test_classes_keep_their_ids(viewer: ViewerModel, make_result: MakeResult) -> None:
    request = request_of(viewer)
    layer = make_labels_layer(request, make_result(np.full((40, 50), 2), "leaf, soil"))
    ids = np.full((40, 50), 1)
    ids[:, 10:] = 2
    update_labels(layer, request, make_result(ids, "soil, stone"))
    assert (layer.data[:, :10] == 2).all()
    assert (layer.data[:, 10:] == 3).all()
    assert [(r.id, r.name) for r in read_legend(layer)] == [(1, "leaf"), (2, "soil"), (3, "stone")]
    assert list(layer.features["class"]) == ["undecided", "leaf", "soil", "stone"]


def test_another_class_becomes_the_background_and_back(
    viewer: ViewerModel, make_result: MakeResult, tmp_path: Path
) -> None:
    def result(background: str) -> Segmentation:
        classes = tuple(ClassPrompt(n, background=n == background) for n in ("leaf", "soil"))
        return dataclasses.replace(make_result(np.ones((40, 50))), classes=classes)

    request = request_of(viewer)
    layer = make_labels_layer(request, result("soil"))
    viewer.add_layer(layer)
    layer.brush_size = 1
    update_labels(layer, request, make_result(np.zeros((40, 50)), "leaf, background = soil"))
    layer.paint((0, 0), 1)
    names = []
    for background in ("soil", "leaf", "soil", "leaf", "soil"):
        update_labels(layer, request, result(background))
        names.append({row.id: row.name for row in read_legend(layer)})
        assert layer.data[0, 0] == 1
        saved = labels_layer_from_mask(
            save_labels(layer, tmp_path / f"{len(names)}.png", "labels")[0]
        )
        assert {row.id: row.name for row in read_legend(saved)}.items() <= names[-1].items()
        assert read_legend(saved)[1].name == names[-1][1]
    assert names[1] == {0: "leaf", 1: "leaf (was 1)", 2: "soil"}
    assert names[2] == {0: "soil", 1: "leaf", 2: "soil (was 2)"}
    assert names[3:] == names[1:3]


def test_ids_may_be_given(viewer: ViewerModel, make_result: MakeResult) -> None:
    result = make_result([[0, 1], [2, 1]], "leaf, background, soil")
    assert choose_ids(result.classes) == (1, 0, 2)
    request = request_of(viewer, (2, 2))
    layer = make_labels_layer(request, result, ids=(7, 0, 4))
    np.testing.assert_array_equal(layer.data, [[0, 7], [4, 7]])
    for wrong in ((7, 0, 7), (7, 1, 4), (0, 0, 4), (7, 0)):
        with pytest.raises(ClassesError, match="an id of its own for each of 3 classes"):
            make_labels_layer(request, result, ids=wrong)


def test_labels_that_do_not_fit_are_refused(viewer: ViewerModel, make_result: MakeResult) -> None:
    request = request_of(viewer)
    result = make_result(np.ones((40, 50)))
    layer = make_labels_layer(request, result)
    assert why_not_fitting(layer, request) is None
    with pytest.raises(LabelsMismatchError, match="another request"):
        update_labels(layer, request, make_result(np.ones((4, 5))))
    with pytest.raises(LabelsMismatchError, match="another request"):
        update_labels(layer, request, result, {1: result.labels})
    other = Labels(np.zeros((4, 5), np.uint8))
    with pytest.raises(LabelsMismatchError, match=r"shape \(40, 50\).*has \(4, 5\).*new layer"):
        update_labels(other, request, result)
    fixed = np.ones((40, 50), np.uint8)
    fixed.flags.writeable = False
    with pytest.raises(LabelsMismatchError, match="are read-only"):
        update_labels(Labels(fixed), request, result)
    layer.translate = (3, 3)
    with pytest.raises(LabelsMismatchError, match="lies in another place"):
        update_labels(layer, request, result)
    many = [ClassPrompt(f"c{k}") for k in range(300)]
    layer.translate = (0, 0)
    with pytest.raises(LabelsMismatchError, match=r"can hold 302; .*uint8"):
        update_labels(layer, request, make_result(np.ones((40, 50)), [c.name for c in many]))
    assert (layer.data == 1).all()


def test_an_update_beyond_the_memory_for_undo_says_so(
    viewer: ViewerModel, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.labels.undo.HISTORY_BYTES", 3999)
    request = request_of(viewer)
    layer = make_labels_layer(request, make_result(np.zeros((40, 50))))
    done = update_labels(layer, request, make_result(np.ones((40, 50))))
    assert not done.undoable
    assert (layer.data == 1).all()


def test_without_napari_s_private_history(
    viewer: ViewerModel, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer.add_image(np.zeros((3, 40, 50), np.uint8))
    viewer.dims.order = (1, 2, 0)
    viewer.dims.set_current_step(1, 7)
    request = read_request(viewer, viewer.layers[0])
    layer = new_labels_layer(request, parse_classes("leaf, soil"))
    ids = RNG.integers(0, 3, request.read_shape)

    class Public:
        """What a napari without `_save_history` shows."""

        def __init__(self) -> None:
            self.data, self.refresh = layer.data, layer.refresh
            self.block_history, self.data_setitem = layer.block_history, layer.data_setitem

    target = find_target(request, 0)
    changes = [Change(target, ids.astype(np.uint8), ids > 0)]
    assert write_changes(Public(), changes) is not None
    np.testing.assert_array_equal(layer.data[:, 7].T, ids)
    assert np.count_nonzero(layer.data) == np.count_nonzero(ids)
    layer.undo()
    assert not layer.data.any()


def test_a_step_holds_only_what_changed(viewer: ViewerModel, make_result: MakeResult) -> None:
    request = request_of(viewer)
    ids = np.zeros((40, 50))
    layer = make_labels_layer(request, make_result(ids))
    assert update_labels(layer, request, make_result(ids)).changed == 0
    assert len(layer._undo_history) == 0
    ids[7:9, 10:30] = 1
    update_labels(layer, request, make_result(ids))
    ((box, before, _),) = layer._undo_history[0]
    assert box == np.s_[7:9, 10:30]
    assert before.values.shape == (2, 20)


def test_the_undo_history_does_not_fill_the_memory(
    viewer: ViewerModel, make_result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.labels.undo.HISTORY_BYTES", 2000 * 2 * 3)
    request = request_of(viewer)
    layer = make_labels_layer(request, make_result(np.zeros((40, 50))))
    for run in range(10):
        update_labels(layer, request, make_result(np.full((40, 50), run % 3)))
    assert 2 <= len(layer._undo_history) <= 4
    layer.undo()
    assert (layer.data == 8 % 3).all()

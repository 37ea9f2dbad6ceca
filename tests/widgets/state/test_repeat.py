"""Lines that are copied do on a file what the widget did with the layer."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from napari.layers import Labels
from pytestqt.qtbot import QtBot

import napari_sclip
from napari_sclip.cli import main
from napari_sclip.config import SegmentationConfig
from napari_sclip.prompts import ClassPrompt
from napari_sclip.samples.scenes import make_scene
from napari_sclip.widgets.control.command import (
    RESCALE_OPTIONS,
    FileContrast,
    python_lines,
    shell_lines,
)
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.model import ModelSelection
from napari_sclip.widgets.state.run import IDLE
from napari_sclip.widgets.work.session import Session
from tests.widgets.conftest import make_viewer_model

WORDS = "yellow circle, green cell, orange triangle, cyan star, gradient background"
GREY: np.ndarray = make_scene(seed=2).image[:, :250].mean(axis=2)
SAID = "Copied. Put your own files where the image is named."


@pytest.fixture
def viewer(qapp: Any) -> Any:
    return make_viewer_model()


@pytest.fixture
def controller(viewer: Any, qtbot: QtBot) -> Iterator[Controller]:
    made = Controller(viewer, session=Session())
    made.state.model.name = "shapes-demo"
    made.state.classes.set_text(WORDS)
    made.state.detail.refine = ""
    made.state.detail.templates = "plain"
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    yield made
    made.close()


def copied(controller: Controller, language: str = "shell") -> str:
    controller._follower.refresh()
    return controller.repeat_as(language)


def limits(layer: Any, state: Any) -> None:
    layer.contrast_limits = (31, 140)


def odd_limits(layer: Any, state: Any) -> None:
    layer.contrast_limits = (-0.00001, 1.5e2)


def percentiles(layer: Any, state: Any) -> None:
    state.contrast, state.percentile_low, state.percentile_high = "percentiles", 4.0, 95.5


def full(layer: Any, state: Any) -> None:
    state.contrast = "full"


def unchanged(layer: Any, state: Any) -> None:
    pass


def with_gaps() -> np.ndarray:
    values = (GREY * 3 - 40).astype(np.float32)
    values[10:30, 10:30] = np.nan
    values[60:70, 10:30] = np.inf
    return values


Change = Callable[[Any, Any], None]
FILES: dict[str, tuple[np.ndarray, Change, str]] = {
    "uint16": ((GREY * 8).astype(np.uint16), unchanged, "--limits"),
    "uint16 of full range": ((GREY * 257).astype(np.uint16), full, "--rescale"),
    "int16": ((GREY * 8 - 700).astype(np.int16), unchanged, "--limits"),
    "float32 by percentiles": ((GREY * 3 - 40).astype(np.float32), percentiles, "--percentiles"),
    "float64": (GREY / 1000, unchanged, "--limits"),
    "float32 with odd limits": (GREY.astype(np.float32), odd_limits, "--limits"),
    "float32 with gaps": (with_gaps(), limits, "--limits"),
    "uint8 of other limits": (GREY.astype(np.uint8), limits, "--limits"),
    "uint8": (GREY.astype(np.uint8), unchanged, ""),
    "large, by percentiles": (np.tile(GREY, (5, 5)).astype(np.uint16), percentiles, "--percent"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_copied_lines_give_the_labels_of_the_widget(
    viewer: Any,
    controller: Controller,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    values, change, option = FILES[name]
    tifffile.imwrite(tmp_path / "my image.tif", values)
    (layer,) = viewer.open(str(tmp_path / "my image.tif"), plugin="napari")
    viewer.layers.selection = {layer}
    change(layer, controller.state.image)
    controller._follower.refresh()
    controller.segment()
    qtbot.waitUntil(lambda: controller.state.run.status == IDLE, timeout=60_000)
    assert controller.state.run.failure is None
    (labels,) = (x for x in viewer.layers if isinstance(x, Labels))
    assert len(np.unique(labels.data)) > 1
    monkeypatch.chdir(tmp_path)
    for language in ("shell", "python"):
        lines = copied(controller, language)
        if language == "shell":
            assert option in lines
            assert any(x in lines for x in RESCALE_OPTIONS.values()) == bool(option)
            assert main(shlex.split(lines)[1:]) == 0
        else:
            exec(compile(lines, "copied", "exec"), {})
        found = iio.imread("labels/my image_labels.png", mode="P")
        np.testing.assert_array_equal(found, labels.data)
        for path in Path("labels").iterdir():
            path.unlink()


def test_rgb_that_is_read_as_it_is_needs_no_contrast(viewer: Any, controller: Controller) -> None:
    for dtype in (np.uint8, np.uint16):
        viewer.layers.clear()
        viewer.add_image((make_scene(seed=2).image // 2).astype(dtype), rgb=True)
        lines = copied(controller)
        assert "--limits" not in lines
        assert controller.state.run.notice == SAID
    viewer.layers.clear()
    viewer.add_image((make_scene(seed=2).image / 200).astype(np.float32), rgb=True)
    assert "--limits 0 1" in copied(controller)
    assert controller.state.run.notice == SAID


def test_limits_that_go_to_other_files_are_said(viewer: Any, controller: Controller) -> None:
    layer = viewer.add_image(GREY.astype(np.float32), contrast_limits=(3, 99.5))
    assert "--limits 3 99.5" in copied(controller)
    assert controller.state.run.notice == (
        f"{SAID} Every image is read with the contrast limits of this layer, 3 to 99.5."
    )
    layer.gamma = 0.5
    layer.colormap = "magma"  # neither is read of one layer
    copied(controller)
    assert "gamma" not in controller.state.run.notice


def test_what_the_lines_cannot_hold_is_said(viewer: Any, controller: Controller) -> None:
    image = controller.state.image
    viewer.add_image(GREY.astype(np.uint8), name="a")
    viewer.add_image(GREY.astype(np.uint8), name="b", blending="additive")
    image.channels = "displayed"
    assert "--limits" not in copied(controller)
    assert controller.state.run.notice == (
        f"{SAID} It cannot repeat the layers as displayed, with their colours and gamma."
    )
    image.channels, image.region = "layer", "view"
    viewer.camera.zoom = 20
    copied(controller)
    assert controller.state.run.notice == (
        f"{SAID} It cannot repeat the region: it takes all of each image."
    )
    image.region = "plane"
    viewer.layers.clear()
    viewer.add_image(np.stack([GREY.astype(np.uint8)] * 3), name="stack")
    copied(controller)
    assert controller.state.run.notice == (
        f"{SAID} It cannot repeat the choice of a plane or channel: save it as a file of its own."
    )
    viewer.layers.clear()
    viewer.add_image(GREY.astype(np.uint8)[None], name="one plane")
    copied(controller)
    assert controller.state.run.notice == SAID
    viewer.dims.order = (0, 2, 1)
    copied(controller)
    assert (
        "It cannot repeat the view with rows and columns exchanged." in controller.state.run.notice
    )


def test_a_level_of_a_pyramid_is_said(viewer: Any, controller: Controller) -> None:
    fine = np.tile(GREY, (10, 10)).astype(np.uint8)
    viewer.add_image([fine, fine[::2, ::2], fine[::4, ::4]], multiscale=True)
    copied(controller)
    assert "It cannot repeat the coarser level of the image that is read" in (
        controller.state.run.notice
    )


def test_an_image_that_cannot_be_read_has_no_contrast(viewer: Any, controller: Controller) -> None:
    viewer.add_image(GREY.astype(np.uint16))
    controller.state.image.region = "shape"
    assert "--limits" not in copied(controller)
    assert "The contrast is not in it: " in controller.state.run.notice


@pytest.mark.parametrize(
    ("contrast", "option", "call"),
    [
        (FileContrast("limits", (0.0, 4095.0)), "--limits 0 4095", "limits=(0, 4095), "),
        (
            FileContrast("limits", (-1e-5, 0.1)),
            "--limits -0.00001 0.1",
            "limits=(-0.00001, 0.1), ",
        ),
        (FileContrast("percentiles", (1.0, 99.5)), "--percentiles 1 99.5", "percentiles=(1, 99.5)"),
        (FileContrast("full"), "--rescale", "rescale(read_image_file(file), nonfinite"),
        (None, "", "image = read_image_file(file)\n"),
    ],
)
def test_contrast_is_in_the_lines(contrast: FileContrast | None, option: str, call: str) -> None:
    given = (
        ModelSelection(name="shapes-demo"),
        SegmentationConfig(),
        [ClassPrompt("leaf")],
        "a.tif",
    )
    shell = shell_lines(*given, contrast=contrast)
    assert option in shell
    assert ("--limits" in shell) == ("--limits" in option)
    python = python_lines(*given, contrast=contrast)
    assert call in python
    assert ("rescale" in python) == (contrast is not None)


@pytest.mark.parametrize("file", ["", "classes.json"])
@pytest.mark.parametrize("contrast", [None, FileContrast("full")])
def test_the_lines_of_python_import_public_names_alone(
    file: str, contrast: FileContrast | None
) -> None:
    given = (ModelSelection(name="shapes-demo"), SegmentationConfig(), [ClassPrompt("leaf")])
    lines = python_lines(*given, "a.tif", file, contrast)
    imports = [node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.ImportFrom)]
    ours = {node.module: node.names for node in imports if "napari_sclip" in str(node.module)}
    assert list(ours) == ["napari_sclip"]
    assert {alias.name for alias in ours["napari_sclip"]} <= set(napari_sclip.__all__)
    unused = [a.name for a in ours["napari_sclip"] if lines.count(a.name) < 2]
    assert unused == []

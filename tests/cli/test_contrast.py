"""What becomes black and white: the same as in the dock widget, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from numpy.typing import NDArray
from PIL import Image

from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.core.contrast import rescale
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.samples.scenes import Scene
from tests.cli.conftest import SHORT, Run

CLASSES = "first = red circle | blue star, second = green square, background"
RNG = np.random.default_rng(0)


def grey(dtype: str, shape: tuple[int, ...] = (40, 60)) -> NDArray[Any]:
    if dtype == "bool":
        return RNG.random(shape) > 0.5
    low, high = {"i": (-900, 3000), "u": (3, 250), "f": (-7, 90)}[np.dtype(dtype).kind]
    return RNG.uniform(low, high, shape).astype(dtype)


def with_gaps() -> NDArray[np.float32]:
    values = grey("float32")
    values[3:9, 4:8], values[20, :5], values[30, :5] = np.nan, np.inf, -np.inf
    return values


IMAGES = {
    **{
        name: grey(name)
        for name in ("bool", "uint8", "int16", "uint16", "uint32", "float16", "float32", "float64")
    },
    "wide": grey("int64"),
    "RGB": grey("uint8", (40, 60, 3)),
    "RGBA of floats": grey("float32", (40, 60, 4)),
    "not finite": with_gaps(),
    "of one value": np.full((40, 60), 7.5),
    "large": grey("float32", (1100, 2300)),
}
RULES: dict[str, tuple[dict[str, Any], ReadOptions]] = {
    "limits": ({"limits": (2.25, 61.5)}, ReadOptions()),
    "percentiles": (
        {"percentiles": (2, 97.5)},
        ReadOptions(contrast="percentiles", percentiles=(2, 97.5)),
    ),
    "full": ({}, ReadOptions(contrast="full")),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", IMAGES)
def test_values_become_those_that_the_widget_reads(name: str, rule: str) -> None:
    image = IMAGES[name]
    arguments, read = RULES[rule]
    viewer = ViewerModel()
    layer = viewer.add_image(image, rgb=name.startswith("RGB"))
    if rule == "limits":
        if name.startswith("RGB"):
            pytest.skip("RGB has no limits in the widget")
        layer.contrast_limits = arguments["limits"]
    if name == "bool" and rule == "percentiles":
        layer.data = image.view(np.uint8)
    expected = np.asarray(read_plane(read_request(viewer, layer, read)))
    found = rescale(image, **arguments, nonfinite="minimum")
    assert found.dtype == np.float32
    if found.ndim == 2:
        found = np.stack([found] * 3, axis=-1)
    np.testing.assert_array_equal(found, expected)


def test_values_that_are_not_finite_stay_for_the_engine_to_refuse() -> None:
    values = np.array([[-2.0, np.nan, 1.0], [2.0, np.inf, -np.inf]])
    left = rescale(values, limits=(0, 2))
    np.testing.assert_array_equal(left, [[0, np.nan, 0.5], [1, np.inf, -np.inf]])
    black = rescale(values, limits=(0, 2), nonfinite="minimum")
    np.testing.assert_array_equal(black, [[0, 0, 0.5], [1, 1, 0]])


def segment(run: Run, *arguments: str) -> tuple[int, str]:
    ran = run("segment", "image.tif", "--classes", CLASSES, "--output", "out", *SHORT, *arguments)
    return ran.status, ran.err


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (("--limits", "-20.5", "1900"), {"limits": (-20.5, 1900)}),
        (("--percentiles", "0.5", "90"), {"percentiles": (0.5, 90)}),
        (("--rescale",), {}),
    ],
)
def test_the_options_reach_the_engine(
    run: Run, scene: Scene, options: tuple[str, ...], arguments: dict[str, Any]
) -> None:
    image = scene.image.mean(axis=2).astype(np.uint16) * 8
    tifffile.imwrite("image.tif", image)
    assert segment(run, *options) == (0, "")
    segmenter = Segmenter.load("shapes-demo")
    config = SegmentationConfig(short_side=None, templates="plain")
    expected = segmenter.segment(rescale(image, **arguments), CLASSES, config).labels
    with Image.open("out/image_labels.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected)


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        (("--limits", "5", "5"), 1, "limits must rise; got 5 and 5. Give first the value that"),
        (("--limits", "9", "-1"), 1, "limits must rise; got 9 and -1"),
        (("--limits", "0", "inf"), 2, "expected a finite number; got 'inf'"),
        (("--limits", "0", "x"), 2, "expected a finite number; got 'x'"),
        (("--limits", "0"), 2, "expected 2 arguments"),
        (
            ("--percentiles", "1", "101"),
            1,
            "percentiles must rise and lie in 0..100; got 1 and 101",
        ),
        (("--percentiles", "99", "1"), 1, "percentiles must rise"),
        (("--limits", "0", "1", "--rescale"), 2, "not allowed with argument --limits"),
        (("--limits", "0", "1", "--percentiles", "1", "9"), 2, "not allowed with argument"),
    ],
)
def test_options_that_cannot_be_are_refused_before_anything_is_done(
    run: Run, options: tuple[str, ...], status: int, said: str
) -> None:
    found, err = segment(run, *options)
    assert found == status
    assert said in err
    assert not Path("out").exists()


def test_gaps_are_refused_or_become_black(run: Run) -> None:
    tifffile.imwrite("image.tif", with_gaps())
    status, err = segment(run, "--limits", "0", "80")
    assert (status, "NaN or infinite values" in err) == (1, True)
    assert segment(run, "--limits", "0", "80", "--nonfinite", "minimum") == (0, "")

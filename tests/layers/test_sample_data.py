"""Sample data opens from napari's menu without a network, and says what to look for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Image, Labels
from npe2 import PluginManifest

import napari_sclip
from napari_sclip import Segmenter
from napari_sclip.layers.image.read import Suggestion, read_suggestion, suggestion_metadata
from napari_sclip.layers.labels.schema import KEY, read_legend
from napari_sclip.models.registry import find_model
from napari_sclip.palette import class_colors
from napari_sclip.prompts import parse_classes

PLUGIN = "napari-sclip"
OpenSample = Callable[[str], list[Any]]

MANIFEST = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")
SAMPLES = {sample.key: sample for sample in MANIFEST.contributions.sample_data or ()}
SCENES = [key for key in SAMPLES if key.startswith("scene")]
PHOTOS = [key for key in SAMPLES if key not in SCENES]


@pytest.fixture
def open_sample(npe2pm: Any, viewer: ViewerModel) -> Iterator[OpenSample]:  # noqa: ANN401
    """Open a sample as napari does, with no plugin but this one."""
    with npe2pm.tmp_plugin(manifest=MANIFEST):
        yield lambda key: list(viewer.open_sample(PLUGIN, key))


def test_there_are_scenes_and_photos() -> None:
    assert len(SCENES) >= 2
    assert len(PHOTOS) == 3


@pytest.mark.parametrize("key", SAMPLES)
def test_a_sample_is_an_image_named_as_in_the_menu(open_sample: OpenSample, key: str) -> None:
    image = open_sample(key)[0]
    assert isinstance(image, Image)
    assert image.name == SAMPLES[key].display_name
    assert image.rgb
    assert image.visible
    assert image.data.dtype == np.uint8
    assert image.data.ndim == 3


@pytest.mark.parametrize("key", SAMPLES)
def test_a_sample_suggests_classes_and_a_model(open_sample: OpenSample, key: str) -> None:
    suggestion = read_suggestion(open_sample(key)[0])
    assert suggestion is not None
    classes = parse_classes(suggestion.classes)
    (background,) = (c for c in classes if c.background)
    assert len(background.prompts) >= 2
    assert suggestion.model is not None
    model = find_model(suggestion.model)
    assert (model.repo is None) == (key in SCENES)  # scenes are for the model without a download
    if key in PHOTOS:
        assert len(background.prompts) <= 4


@pytest.mark.parametrize("key", SCENES)
def test_the_truth_of_a_scene_is_hidden_and_fits(open_sample: OpenSample, key: str) -> None:
    image, truth = open_sample(key)
    assert isinstance(truth, Labels)
    assert truth.name == f"{image.name} ground truth"
    assert not truth.visible
    assert truth.data.shape == image.data.shape[:2]
    np.testing.assert_array_equal(truth.extent.world, image.extent.world)
    suggestion = read_suggestion(image)
    assert suggestion is not None
    classes = parse_classes(suggestion.classes)
    assert set(np.unique(truth.data)) == set(range(len(classes)))
    assert list(truth.features["class"]) == ["background", *(c.name for c in classes[:-1])]
    for k, color in enumerate(class_colors(classes)[:-1], 1):
        np.testing.assert_allclose(truth.get_color(k)[:3], np.array(color) / 255, atol=1e-6)
        assert classes[k - 1].name in image.name
        row, column = np.argwhere(truth.data == k)[0]
        truth.visible = True
        assert classes[k - 1].name in truth.get_status((row, column))["value"]


@pytest.mark.parametrize("key", SCENES)
def test_the_truth_is_not_taken_for_labels_that_may_be_written_to(
    open_sample: OpenSample, key: str
) -> None:
    assert read_legend(open_sample(key)[1]) == ()


@pytest.mark.parametrize("key", SCENES)
def test_the_suggested_model_finds_the_truth(
    open_sample: OpenSample, key: str, demo: Segmenter
) -> None:
    image, truth = open_sample(key)
    suggestion = read_suggestion(image)
    assert suggestion is not None
    assert suggestion.model == demo.model
    labels = demo.segment(np.asarray(image.data), suggestion.classes).labels
    for k in np.unique(truth.data):
        found, real = labels == k, truth.data == k
        assert np.count_nonzero(found & real) / np.count_nonzero(found | real) > 0.6


NO_NETWORK = """
import json, socket, sys
from npe2 import PluginManager, PluginManifest
from npe2.manifest.contributions import SampleDataGenerator

def refuse(*arguments, **options):
    raise AssertionError("the network was touched")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
if sys.argv[2] == "try it":
    import urllib.request
    urllib.request.urlopen("http://localhost:9")
manifest = PluginManifest.from_file(sys.argv[1])
PluginManager.instance().register(manifest)
shapes = {}
for sample in manifest.contributions.sample_data:
    ((image, arguments, kind), *truth) = sample.open()
    shapes[sample.key] = [kind, image.shape, len(truth)]
print(json.dumps([shapes, "torch" in sys.modules]))
"""


def run_without_network(folder: Path, argument: str = "") -> subprocess.CompletedProcess[str]:
    """Open all samples where nothing can be fetched and nothing was fetched before."""
    manifest = Path(napari_sclip.__file__).parent / "napari.yaml"
    own = {"SKIMAGE_DATADIR": str(folder), "XDG_CACHE_HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-c", NO_NETWORK, str(manifest), argument],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **own},
    )


def test_samples_need_no_network_and_no_torch(tmp_path: Path) -> None:
    done = run_without_network(tmp_path)
    assert done.returncode == 0, done.stderr
    shapes, torch_is_loaded = json.loads(done.stdout)
    assert shapes.keys() == SAMPLES.keys()
    assert all(kind == "image" for kind, _, _ in shapes.values())
    assert {key for key, (_, _, truths) in shapes.items() if truths == 1} == set(SCENES)
    assert shapes["cat"][1] == [300, 451, 3]
    assert not torch_is_loaded


def test_the_check_of_the_network_can_fail(tmp_path: Path) -> None:
    done = run_without_network(tmp_path, "try it")
    assert "the network was touched" in done.stderr


def noted(metadata: object) -> Image:
    return Image(np.zeros((4, 4)), metadata={} if metadata is None else {KEY: metadata})


def test_a_suggestion_is_read_as_it_was_noted() -> None:
    for suggestion in (
        Suggestion("leaf, soil = earth | mud", "shapes-demo"),
        Suggestion("leaf", None),
    ):
        layer = Image(np.zeros((4, 4)), metadata=suggestion_metadata(suggestion))
        assert read_suggestion(layer) == suggestion
        assert json.loads(json.dumps(layer.metadata)) == layer.metadata


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        "leaf",
        [],
        {},
        {"suggestion": "leaf"},
        {"suggestion": None},
        {"suggestion": {}},
        {"suggestion": {"classes": ["leaf"]}},
        {"suggestion": {"classes": " "}},
        {"suggestion": {"classes": "leaf, leaf"}},
        {"suggestion": {"classes": "background"}},
        {"suggestion": {"classes": "a = b = c"}},
    ],
)
def test_what_cannot_be_used_is_no_suggestion(metadata: object) -> None:
    assert read_suggestion(noted(metadata)) is None


@pytest.mark.parametrize("model", [None, "", 3, ["ViT-B-16/openai"]])
def test_a_model_that_cannot_be_used_is_left_open(model: object) -> None:
    layer = noted({"suggestion": {"classes": "leaf", "model": model}})
    assert read_suggestion(layer) == Suggestion("leaf", None)

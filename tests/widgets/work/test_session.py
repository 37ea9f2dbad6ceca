"""The model in memory, the embeddings, and by what they are known; no Qt, no viewer window."""

from __future__ import annotations

import dataclasses
import gc
import subprocess
import sys
from collections.abc import Hashable
from types import SimpleNamespace
from typing import Any

import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.layers.labels.targets import Placer
from napari_sclip.samples.scenes import make_scene
from napari_sclip.widgets.state.model import ModelSelection
from napari_sclip.widgets.work import session as session_module
from napari_sclip.widgets.work.explain import CloserJob, margin_of_plane
from napari_sclip.widgets.work.reporter import Silent
from napari_sclip.widgets.work.segment import SegmentJob, run_segment
from napari_sclip.widgets.work.session import (
    LastResult,
    NeedsDownloadError,
    Session,
    plane_key,
    result_key,
    run_signature,
)
from napari_sclip.widgets.work.startup import no_long_collections

DEMO = ModelSelection("shapes-demo", device="cpu")
CONFIG = SegmentationConfig()


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


def request_of(viewer: Any, image: np.ndarray, **options: Any) -> ImageRequest:
    viewer.layers.clear()
    layer = viewer.add_image(image)
    return read_request(viewer, layer, ReadOptions(**options))


def test_a_run_gives_what_the_engine_gives(viewer: ViewerModel, demo: Segmenter) -> None:
    scene = make_scene(seed=2)
    request = request_of(viewer, scene.image)
    layer = new_labels_layer(request, scene.classes)
    placer = Placer(layer, request, scene.classes)
    job = SegmentJob(request, DEMO, CONFIG, scene.classes, placer)
    session = Session()
    outcome = run_segment(job, session, Silent())
    expected = demo.segment(scene.image, scene.classes)
    np.testing.assert_array_equal(outcome.labels[0], expected.labels)
    assert outcome.reused == 0
    assert outcome.cost is not None
    assert outcome.cost.seconds > 0
    again = run_segment(job, session, Silent())
    assert again.reused == 1
    assert again.cost is None
    np.testing.assert_array_equal(again.labels[0], expected.labels)


def test_what_was_classified_is_looked_at_without_classifying_it_again(
    viewer: ViewerModel,
) -> None:
    scene = make_scene(seed=2)
    request = request_of(viewer, scene.image)
    placer = Placer(new_labels_layer(request, scene.classes), request, scene.classes)
    session = Session()
    outcome = run_segment(
        SegmentJob(request, DEMO, CONFIG, scene.classes, placer), session, Silent()
    )
    job = CloserJob(request, DEMO, CONFIG, tuple(scene.classes))
    others = dataclasses.replace(job, classes=tuple(scene.classes[:2]))
    margin = margin_of_plane(job, session, Silent())
    np.testing.assert_array_equal(margin, outcome.result.margin())
    assert margin_of_plane(job, session, Silent()) is margin
    assert session.last is not None
    assert session.last.result is outcome.result
    assert not np.array_equal(margin_of_plane(others, session, Silent()), margin)
    assert session.last.result is not outcome.result
    session.unload()
    assert session.last is None


def test_a_model_that_is_not_here_is_not_downloaded() -> None:
    with pytest.raises(NeedsDownloadError, match="599 MB"):
        Session().segmenter(ModelSelection("ViT-B-16/openai"))


def test_another_model_takes_the_place_of_the_first() -> None:
    made: list[Any] = []

    def load(name: str, **arguments: Any) -> Any:
        fingerprint = f"{name}:{arguments['attention']}"
        made.append(
            SimpleNamespace(model=name, device="cpu", precision="fp32", fingerprint=fingerprint)
        )
        return made[-1]

    session = Session(load)
    first = session.segmenter(ModelSelection("a"))
    assert session.segmenter(ModelSelection("a")) is first
    session.keep("image", SimpleNamespace(nbytes=5))
    assert session.loaded == "a on cpu, fp32"
    session.segmenter(ModelSelection("a", attention="vanilla"))
    assert len(made) == 2
    assert session.embedding("image") is None
    assert session.is_of("a:auto", ModelSelection("a", device="cpu"))
    assert not session.is_of("a:vanilla", ModelSelection("a"))
    # Of a model that was never loaded only what others are known to have is not.
    assert not session.is_of("a:auto", ModelSelection("b"))
    assert session.is_of("elsewhere", ModelSelection("b"))


def test_the_oldest_embeddings_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "EMBEDDINGS_BYTES", 10)
    session = Session()
    for key in "abc":
        session.keep(key, SimpleNamespace(nbytes=4))
        session.embedding("a")
    assert session.embedding("b") is None
    assert session.embedding("a") is not None
    session.keep("large", SimpleNamespace(nbytes=100))
    assert session.embedding("large") is not None
    assert session.embedding("a") is None


def test_embeddings_go_with_their_images(viewer: ViewerModel) -> None:
    first, second = (request_of(viewer, np.zeros((40, 60 + k, 3), np.uint8)) for k in range(2))
    session = Session()
    session.keep("first", SimpleNamespace(nbytes=4), first)
    session.keep("second", SimpleNamespace(nbytes=4), second)
    session.last = LastResult(result_key("second", (), None), None)
    both = {id(first.sources[0].array), id(second.sources[0].array)}
    assert not session.keep_only(both)
    assert session.embeddings_bytes == 8
    assert session.keep_only({id(first.sources[0].array)})
    assert session.embedding("second") is None
    assert session.last is None
    assert session.embedding("first") is not None
    assert session.embeddings_bytes == 4


def test_a_plane_is_known_by_its_pixels(viewer: ViewerModel) -> None:
    image = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    request = request_of(viewer, image)
    config = CONFIG.for_input_size(96)

    def key(request: ImageRequest, config: SegmentationConfig = config, model: str = "m") -> Any:
        return plane_key(request, 0, read_plane(request), config, model)

    same = key(request)
    assert key(request_of(viewer, image.copy())) == same
    other = image.copy()
    other[3, 4] += 1
    changed = [
        key(request_of(viewer, other)),
        key(request, dataclasses.replace(config, short_side=200)),
        key(request, model="another"),
    ]
    assert same not in changed
    assert key(request, dataclasses.replace(config, threshold=0.4)) == same


def test_a_large_plane_is_known_by_its_pixels_if_they_are_in_memory(
    viewer: ViewerModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_sclip.layers.image.rgb.READ_AT_ONCE", 1)
    monkeypatch.setattr("napari_sclip.layers.image.rgb.BAND_ROWS", 7)
    config = SegmentationConfig().for_input_size(224)
    photo = viewer.add_image(np.zeros((20, 30, 3), np.uint8), rgb=True)
    lazy = viewer.add_image(da.zeros((20, 30, 3), dtype=np.uint8), rgb=True)

    def key(layer: Any) -> Hashable:
        request = read_request(viewer, layer)
        return plane_key(request, 0, read_plane(request, 0), config, "model")

    before = key(photo)
    assert key(photo) == before
    photo.data[19, 29, 2] = 1
    assert key(photo) != before
    assert key(lazy) == key(lazy)


def test_a_run_is_told_apart_without_looking_at_pixels(viewer: ViewerModel) -> None:
    image = np.zeros((40, 60), np.uint8)
    layer = viewer.add_image(image, contrast_limits=(0, 9))
    first = run_signature(read_request(viewer, layer), CONFIG)
    layer.name = "renamed"
    assert run_signature(read_request(viewer, layer), CONFIG) == first
    layer.contrast_limits = (0, 5)
    assert run_signature(read_request(viewer, layer), CONFIG) != first
    layer.contrast_limits = (0, 9)
    layer.data = image.copy()
    assert run_signature(read_request(viewer, layer), CONFIG) != first


def test_long_collections_come_back() -> None:
    before = gc.get_threshold()
    with no_long_collections(), no_long_collections():
        assert gc.get_threshold()[2] > 10**6
    assert gc.get_threshold() == before


AFTER_GRAPHICS = """
{first}
import napari
from qtpy.QtWidgets import QApplication
viewer = napari.Viewer(show=True)
QApplication.processEvents()
from napari_sclip.widgets.work.startup import warm_up
warm_up()
print("alive")
"""


@pytest.mark.parametrize("first", ["", "import torch"])
def test_torch_can_be_loaded_after_the_graphics_driver(first: str) -> None:
    # Software rendering brings an LLVM of its own, and so does triton, which open_clip imports.
    script = AFTER_GRAPHICS.format(first=first)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip().endswith("alive"), done.stderr

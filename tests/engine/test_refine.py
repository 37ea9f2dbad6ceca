"""Refinements, small regions and holes, through the engine."""

from __future__ import annotations

import dataclasses

import dask.array as da
import numpy as np
import pytest
from benchmarks.metrics import boundary_f1, score
from skimage.measure import label

from napari_sclip import Progress, Scene, SegmentationConfig, Segmenter, make_scene
from napari_sclip.config import REFINEMENTS
from napari_sclip.engine.embedding import Embedding
from napari_sclip.errors import ConfigError
from tests.agreement import clear_pixels

QUICK = SegmentationConfig(templates="plain")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(20_000_003)


@pytest.fixture(scope="module")
def embedding(demo: Segmenter, scene: Scene) -> Embedding:
    return demo.embed(scene.image, QUICK)


def refined(name: str | None, **more: object) -> SegmentationConfig:
    return SegmentationConfig(templates="plain", refine=name, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", REFINEMENTS)
def test_edges_are_better(demo: Segmenter, scene: Scene, embedding: Embedding, name: str) -> None:
    plain = demo.classify(embedding, scene.classes)
    result = demo.classify(embedding, scene.classes, refined(name))
    assert result.config.refine == name
    assert boundary_f1(result.labels, scene) > boundary_f1(plain.labels, scene) + 0.1
    assert score(result.labels, scene)[1] > score(plain.labels, scene)[1]


@pytest.mark.parametrize("name", REFINEMENTS)
def test_scores_and_margin_are_refined_too(
    demo: Segmenter, scene: Scene, embedding: Embedding, name: str
) -> None:
    result = demo.classify(embedding, scene.classes, refined(name, threshold=0.4))
    scores, ids = result.scores(), np.array(list(result.label_ids.values()))
    expected = ids[scores.argmax(0)] * (scores.max(0) >= 0.4)
    clear = clear_pixels(scores, threshold=0.4)
    np.testing.assert_array_equal(result.labels[clear], expected[clear])
    ordered = np.sort(scores, axis=0)
    np.testing.assert_allclose(result.margin(), ordered[-1] - ordered[-2], atol=1e-6)


@pytest.mark.parametrize("name", REFINEMENTS)
def test_segmenting_is_embedding_and_classifying(
    demo: Segmenter, scene: Scene, embedding: Embedding, name: str
) -> None:
    """Also for a picture that is computed when it is read."""
    config = refined(name, min_region_pixels=50, max_hole_pixels=50)
    expected = demo.classify(embedding, scene.classes, config).labels
    for image in (scene.image, da.from_array(scene.image, chunks=(100, 100, 3))):
        found = demo.segment(image, scene.classes, config)
        np.testing.assert_array_equal(found.labels, expected)


def test_an_embedding_without_its_image_says_so(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    bare = dataclasses.replace(embedding, plane=None)
    demo.classify(bare, scene.classes, refined(None, min_region_pixels=9))
    with pytest.raises(ConfigError, match=r"'pamr' needs the image.*Embed the image again"):
        demo.classify(bare, scene.classes, refined("pamr"))


def test_an_image_in_memory_counts(demo: Segmenter, scene: Scene, embedding: Embedding) -> None:
    features = embedding.dense.features.nbytes
    assert embedding.nbytes == features + scene.image.nbytes
    lazy = demo.embed(da.from_array(scene.image), QUICK)
    assert lazy.nbytes == features
    assert embedding.plane is not None
    assert embedding.plane.array is scene.image, "nothing is copied"


@pytest.mark.parametrize(
    ("size", "short_side", "phases"),
    [((336, 448), 336, 1), ((150, 200), 96, 1), ((150, 200), 75, 2), ((90, 100), 336, 1),
     ((300, 200), None, 1), ((301, 200), 50, 4)],
)  # fmt: skip
def test_a_larger_image_is_refined_in_phases(
    demo: Segmenter, size: tuple[int, int], short_side: int | None, phases: int
) -> None:
    embedding = demo.embed(
        np.zeros(size, dtype=np.uint8), SegmentationConfig(short_side=short_side)
    )
    made = embedding.refiner("pamr")
    assert made is not None
    assert made.phases == phases
    assert embedding.refiner(None) is None


def test_regions_and_holes(demo: Segmenter, scene: Scene, embedding: Embedding) -> None:
    classes = "circle = red circle | blue circle, star = green star | cyan star, cell, ring"
    config = refined(None, threshold=0.3)
    rough = demo.classify(embedding, classes, config).labels
    settings = dataclasses.replace(config, min_region_pixels=400, max_hole_pixels=400)
    clean = demo.classify(embedding, classes, settings).labels
    assert least_region(rough) < 400 <= least_region(clean)
    assert clean.dtype == rough.dtype
    assert (clean != rough).mean() < 0.2


def least_region(labels: np.ndarray) -> int:
    regions = label(labels, background=0, connectivity=2)
    return int(np.bincount(regions.ravel())[1:].min())


@pytest.mark.filterwarnings("ignore::napari_sclip.SclipWarning")  # unknown words
def test_images_of_two_pixels_one_class_and_many(demo: Segmenter) -> None:
    tiny = np.array([[0, 255], [255, 0]], dtype=np.uint8)
    many = [f"thing {k}" for k in range(260)]
    for name in REFINEMENTS:
        config = refined(name, min_region_pixels=2, max_hole_pixels=2)
        assert demo.segment(tiny, "red circle", config).labels.tolist() == [[1, 1], [1, 1]]
    embedding = demo.embed(tiny, QUICK)
    result = demo.classify(embedding, many, refined("pamr", min_region_pixels=2))
    assert result.labels.dtype == np.uint16


@pytest.mark.parametrize("name", REFINEMENTS)
def test_it_can_be_stopped_soon(
    demo: Segmenter, scene: Scene, embedding: Embedding, name: str
) -> None:
    demo.embed_classes(scene.classes, QUICK)
    config = refined(name)
    messages: list[str] = []
    demo.classify(embedding, scene.classes, config, progress=lambda p: messages.append(p.message))
    assert messages.count("Refining the edges") >= 5

    def stop(progress: Progress) -> None:
        if progress.message == "Refining the edges":
            raise InterruptedError

    with pytest.raises(InterruptedError):
        demo.classify(embedding, scene.classes, config, progress=stop)

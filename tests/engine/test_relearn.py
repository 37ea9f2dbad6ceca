"""What was learned, taken over to other classes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.metrics import score

from napari_sclip import (
    Classifier,
    ClassPrompt,
    Embedding,
    Scene,
    SegmentationConfig,
    Segmenter,
    make_scene,
)
from napari_sclip.errors import ConfigError

QUICK = SegmentationConfig(templates="plain")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(30_000_001)


@pytest.fixture(scope="module")
def embedding(demo: Segmenter, scene: Scene) -> Embedding:
    return demo.embed(scene.image, QUICK)


@pytest.fixture(scope="module")
def poor(scene: Scene) -> tuple[ClassPrompt, ...]:
    """The scene's classes, the first object's by a word that says nothing of it."""
    first, *others = scene.classes
    return (dataclasses.replace(first, prompts=("purple star",)), *others)


@pytest.fixture(scope="module")
def learned(
    demo: Segmenter, scene: Scene, embedding: Embedding, poor: tuple[ClassPrompt, ...]
) -> Classifier:
    """Of all classes but the second, from some of their pixels."""
    ids = np.array([0, 1, 0, *range(2, len(poor))])[scene.labels]
    where = np.zeros(ids.shape, dtype=bool)
    where[::8, ::8] = scene.labels[::8, ::8] != 2
    return demo.adapt(embedding, ids, (poor[0], *poor[2:]), where=where)


def test_examples_stay_with_the_class_of_their_name(
    demo: Segmenter, poor: tuple[ClassPrompt, ...], learned: Classifier
) -> None:
    taken = demo.relearn(learned, poor)
    assert taken.classes == poor
    assert taken.rows.shape == (sum(len(c.prompts) for c in poor), learned.rows.shape[1])
    assert taken.rows_per_class == tuple(len(c.prompts) for c in poor)
    pixels = list(learned.example_pixels)
    assert taken.example_pixels == (pixels[0], 0, *pixels[1:])
    assert taken.templates == "plain"
    assert taken.images == learned.images
    moved = np.array([0, *range(2, len(poor))])[learned.example_classes]
    np.testing.assert_array_equal(taken.example_classes, moved)
    np.testing.assert_array_equal(taken.example_features, learned.example_features)
    fewer = demo.relearn(learned, [poor[2], ClassPrompt("else", ("red star",)), poor[0]])
    own = {0: 2, 1: 0}
    kept = np.isin(learned.example_classes, list(own))
    np.testing.assert_array_equal(fewer.example_features, learned.example_features[kept])
    assert fewer.example_classes.tolist() == [own[k] for k in learned.example_classes[kept]]
    assert fewer.example_pixels == (pixels[1], 0, pixels[0])


def test_a_class_more_leaves_what_was_learned_of_the_others(
    demo: Segmenter,
    scene: Scene,
    embedding: Embedding,
    poor: tuple[ClassPrompt, ...],
    learned: Classifier,
) -> None:
    by_text = score(demo.classify(embedding, poor).labels, scene)[1]
    taken = demo.relearn(learned, poor)
    assert score(demo.classify(embedding, taken).labels, scene)[1] > by_text + 0.1
    assert (demo.classify(embedding, taken).labels[scene.labels == 2] == 2).mean() > 0.5


def test_other_prompts_are_learned_anew(
    demo: Segmenter, poor: tuple[ClassPrompt, ...], learned: Classifier
) -> None:
    own = (poor[0], *poor[2:])
    changed = (dataclasses.replace(own[0], prompts=("yellow ring", "red star")), *own[1:])
    taken = demo.relearn(learned, changed)
    assert taken.example_pixels == learned.example_pixels
    assert taken.rows.shape[0] == learned.rows.shape[0] + 1
    back = demo.relearn(taken, own)
    np.testing.assert_allclose(back.rows, learned.rows, atol=1e-5)


def test_the_same_classes_need_no_text_pass(demo: Segmenter, learned: Classifier) -> None:
    computed = demo.text.prompts_computed
    turned = demo.relearn(learned, learned.classes[::-1])
    assert demo.text.prompts_computed == computed
    assert turned.classes == learned.classes[::-1]
    np.testing.assert_array_equal(turned.rows[-1], learned.rows[0])


def test_what_nothing_was_learned_about_is_refused(
    demo: Segmenter, poor: tuple[ClassPrompt, ...], learned: Classifier
) -> None:
    with pytest.raises(ConfigError, match=r"something was learned about.*got leaf, soil"):
        demo.relearn(learned, "leaf, soil")
    taken = demo.relearn(learned, poor)
    with pytest.raises(ConfigError, match="something was learned about"):
        demo.relearn(taken, [poor[1], "soil"])  # of that one there is no example
    other = dataclasses.replace(learned, fingerprint="another")
    with pytest.raises(ConfigError, match="another model or attention mode"):
        demo.relearn(other, poor)

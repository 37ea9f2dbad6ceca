"""Learning from strokes, on the bundled model."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.metrics import score
from benchmarks.strokes import next_stroke

from napari_sclip import (
    Classifier,
    ClassPrompt,
    Embedding,
    Progress,
    Scene,
    SclipError,
    SegmentationConfig,
    Segmenter,
    make_scene,
)
from napari_sclip.class_files import ClassList, write_class_list
from napari_sclip.core.adaptation import MOST_EXAMPLES
from napari_sclip.engine.learning import keep_strokes
from napari_sclip.errors import ClassesError, ConfigError, OutputError
from napari_sclip.prompts import parse_classes

QUICK = SegmentationConfig(templates="plain")
SEEDS = (30_000_001, 30_000_004, 30_000_005)


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(SEEDS[0])


@pytest.fixture(scope="module")
def embedding(demo: Segmenter, scene: Scene) -> Embedding:
    return demo.embed(scene.image, QUICK)


def poor(scene: Scene) -> tuple[ClassPrompt, ...]:
    """The scene's classes, the first object's by a word that says nothing of it."""
    first, *others = scene.classes
    return (dataclasses.replace(first, prompts=("purple star",)), *others)


def strokes_on(
    demo: Segmenter, scene: Scene, classes: tuple[ClassPrompt, ...], count: int
) -> tuple[np.ndarray, np.ndarray, list[float], Classifier | None]:
    """Correct a scene: what was painted, the last labels, their mean IoU after each stroke."""
    embedding = demo.embed(scene.image, QUICK)
    labels = demo.classify(embedding, classes).labels
    painted = np.zeros(labels.shape, dtype=bool)
    overlaps, learned = [score(labels, scene)[1]], None
    for _ in range(count):
        stroke = next_stroke(labels, scene.labels, painted)
        assert stroke is not None
        painted |= stroke
        learned = demo.adapt(embedding, scene.labels, classes, where=painted)
        labels = demo.classify(embedding, learned).labels
        overlaps.append(score(labels, scene)[1])
    return painted, labels, overlaps, learned


def test_the_first_stroke_helps_and_more_help_more(demo: Segmenter) -> None:
    scenes = [make_scene(seed) for seed in SEEDS]
    overlaps = np.array([strokes_on(demo, scene, poor(scene), 4)[2] for scene in scenes])
    gain = overlaps - overlaps[:, :1]
    assert gain[:, 1].mean() > 0.02
    assert (gain[:, 1] > -0.01).all()
    assert gain[:, 4].mean() > 0.1


def test_learning_makes_no_vision_pass(demo: Segmenter, scene: Scene, embedding: Embedding) -> None:
    before = demo.vision.windows_computed
    seen: list[Progress] = []
    learned = demo.adapt(embedding, scene.labels, scene.classes, progress=seen.append)
    demo.classify(embedding, learned)
    assert demo.vision.windows_computed == before
    assert seen[-1].done == seen[-1].total


def test_a_classifier_stands_wherever_classes_do(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    learned = demo.adapt(embedding, scene.labels, scene.classes)
    expected = demo.classify(embedding, learned)
    assert [c.name for c in expected.classes] == [c.name for c in scene.classes]
    assert expected.config.templates == "plain"
    assert demo.classify(embedding, learned, SegmentationConfig()).config.templates == "plain"
    np.testing.assert_array_equal(demo.segment(scene.image, learned, QUICK).labels, expected.labels)
    ids = np.array([*range(1, len(scene.classes)), 0])
    scores = expected.scores()
    assert (expected.labels == ids[scores.argmax(0)]).mean() > 0.9999
    drafts = []
    demo.embed_classes(learned)
    computed = demo.text.prompts_computed
    demo.embed(
        scene.image, QUICK, partial=lambda p: drafts.append(demo.classify_partial(p, learned))
    )
    assert demo.text.prompts_computed == computed
    np.testing.assert_array_equal(drafts[-1], expected.labels)


def test_examples_of_all_pixels_give_nearly_the_truth(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    everywhere = np.ones(scene.labels.shape, dtype=bool)
    learned = demo.adapt(embedding, scene.labels, poor(scene), where=everywhere)
    assert score(demo.classify(embedding, learned).labels, scene)[1] > 0.85
    assert sum(learned.example_pixels) == scene.labels.size
    assert len(learned.example_classes) == MOST_EXAMPLES


def test_examples_of_the_background(demo: Segmenter) -> None:
    scene = make_scene(SEEDS[1])
    embedding = demo.embed(scene.image, QUICK)
    classes = (*scene.classes[:-1], ClassPrompt("ground", ("green circle",), background=True))
    before = demo.classify(embedding, classes).labels
    where = np.zeros(scene.labels.shape, dtype=bool)
    where[:20] = True
    where &= scene.labels == 0
    learned = demo.adapt(embedding, scene.labels, classes, where=where)
    after = demo.classify(embedding, learned).labels
    truth = scene.labels == 0
    assert learned.example_pixels[-1] == where.sum()
    assert (after[truth] == 0).mean() > (before[truth] == 0).mean() + 0.2


def test_a_single_pixel_and_a_single_class(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    classes = poor(scene)
    y, x = np.argwhere(scene.labels == 1)[len(np.argwhere(scene.labels == 1)) // 2]
    labels = np.zeros(scene.labels.shape, dtype=np.int32)
    labels[y, x] = 1
    learned = demo.adapt(embedding, labels, classes)
    assert learned.example_pixels == (1, *[0] * (len(classes) - 1))
    assert demo.classify(embedding, learned).labels[y, x] == 1
    alone = demo.adapt(embedding, labels, "thing = red circle")
    assert (demo.classify(embedding, alone).labels == 1).all()


def test_contradictory_examples_do_no_harm(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    where = scene.labels == 1
    labels = np.where(np.arange(scene.labels.shape[1]) % 2, 1, 2) * where
    learned = demo.adapt(embedding, labels, scene.classes)
    assert np.isfinite(learned.rows).all()
    after = demo.classify(embedding, learned).labels
    outside = ~where & (scene.labels != 2)
    assert (after[outside] == scene.labels[outside]).mean() > 0.8


def test_what_was_learned_is_the_same_after_saving(
    demo: Segmenter, scene: Scene, embedding: Embedding, tmp_path: Path
) -> None:
    named = (dataclasses.replace(scene.classes[0], color="#102030"), *scene.classes[1:])
    learned = demo.adapt(embedding, scene.labels, named)
    path = tmp_path / "my leaf.json"
    learned.save(path)
    again = Classifier.load(path)
    assert again.classes == named
    assert again.to_dict() == learned.to_dict() == json.loads(json.dumps(learned.to_dict()))
    np.testing.assert_array_equal(
        demo.classify(embedding, again).labels, demo.classify(embedding, learned).labels
    )
    other = make_scene(SEEDS[1])
    where = np.zeros(other.labels.shape, dtype=bool)
    where[100:110, 100:110] = True
    picture = demo.embed(other.image, QUICK)
    marks = np.ones(other.labels.shape, dtype=np.uint8)
    gone_on = [demo.adapt(picture, marks, c, where=where) for c in (learned, again)]
    assert gone_on[0].to_dict() == gone_on[1].to_dict()
    assert gone_on[0].images == 2
    assert gone_on[0].example_pixels[0] == learned.example_pixels[0] + 100


def test_learning_goes_on_with_the_next_image(demo: Segmenter) -> None:
    """What was learned from one image is still known after another has been learned."""
    first = make_scene(SEEDS[0])
    classes = poor(first)
    _, _, overlaps, learned = strokes_on(demo, first, classes, 4)
    assert learned is not None
    other = make_scene(SEEDS[2])
    embedding = demo.embed(other.image, QUICK)
    where = np.zeros(other.labels.shape, dtype=bool)
    where[:16, :16] = other.labels[:16, :16] == 0
    more = demo.adapt(embedding, other.labels, learned, where=where)
    assert more.images == 2
    assert more.classes == learned.classes
    again = demo.classify(demo.embed(first.image, QUICK), more).labels
    assert score(again, first)[1] > overlaps[0] + 0.5 * (overlaps[-1] - overlaps[0])
    with pytest.raises(AssertionError):
        np.testing.assert_array_equal(more.rows, learned.rows)


def test_what_a_hand_drew_stays(demo: Segmenter, scene: Scene) -> None:
    painted, labels, _, _ = strokes_on(demo, scene, poor(scene), 1)
    wrong = np.where(painted, scene.labels + 1, 0)
    kept = keep_strokes(labels, wrong, painted)
    np.testing.assert_array_equal(kept[painted], wrong[painted])
    np.testing.assert_array_equal(kept[~painted], labels[~painted])
    assert kept.dtype == labels.dtype
    np.testing.assert_array_equal(keep_strokes(labels, wrong), kept)
    assert not np.shares_memory(kept, labels)


@pytest.mark.parametrize(
    ("labels", "where", "message"),
    [
        (np.zeros((5, 5), np.uint8), None, r"shape \(96, 96\).*got uint8 of shape \(5, 5\)"),
        (np.ones((96, 96)), None, "whole numbers.*got float64"),
        (np.ones((96, 96), bool), None, "whole numbers.*got bool"),
        (np.ones((96, 96), int), np.ones((5, 5), bool), r"where must be a bool.*\(5, 5\)"),
        (np.ones((96, 96), int), np.ones((96, 96)), "where must be a bool.*got float64"),
        (np.zeros((96, 96), int), None, "nothing to learn from.*give where="),
        (np.full((96, 96), 7), None, "1 red circle, 2 green square.*got 7.*same classes"),
        (np.full((96, 96), 10**9), None, "got 1000000000"),
        (np.full((96, 96), -1), None, "got -1"),
        (np.zeros((96, 96), int), np.ones((96, 96), bool), "got 0.*0 means undecided"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(
    demo: Segmenter, labels: np.ndarray, where: np.ndarray | None, message: str
) -> None:
    embedding = demo.embed(np.zeros((96, 96)), QUICK)
    with pytest.raises(ConfigError, match=message):
        demo.adapt(embedding, labels, "red circle, green square", where=where)


def test_a_classifier_of_another_model_is_refused(
    demo: Segmenter, scene: Scene, embedding: Embedding
) -> None:
    learned = demo.adapt(embedding, scene.labels, scene.classes)
    other = Segmenter.load("shapes-demo", device="cpu", attention="vanilla")
    picture = other.embed(scene.image[:96, :96], QUICK)
    for use in (
        lambda: other.classify(picture, learned),
        lambda: other.segment(scene.image, learned),
        lambda: other.embed_classes(learned),
        lambda: other.adapt(picture, scene.labels[:96, :96], learned),
    ):
        with pytest.raises(ConfigError, match=r"another model or attention mode.*learn again"):
            use()


@pytest.fixture(scope="module")
def values(demo: Segmenter) -> dict[str, Any]:
    embedding = demo.embed(np.zeros((96, 96)), QUICK)
    return demo.adapt(embedding, np.ones((96, 96), int), "red circle, background").to_dict()


@pytest.mark.parametrize(
    "change",
    [
        {"rows": "AAAA"},
        {"rows": "not base64"},
        {"rows": None},
        {"spread": ""},
        {"feature_size": 10**9},
        {"feature_size": "big"},
        {"classes": "red circle"},
        {"classes": []},
        {"classes": [{"name": "a"}]},
        {"example_pixels": [1]},
        {"templates": 5},
        {"templates": "no such set"},
        {"images": None},
        {"images": 0},
    ],
)
def test_what_is_damaged_is_refused(values: dict[str, Any], change: dict[str, Any]) -> None:
    with pytest.raises(ClassesError):
        Classifier.from_dict({**values, **change})


def test_not_finite_and_foreign_and_newer(values: dict[str, Any]) -> None:
    rows = np.frombuffer(base64.b64decode(values["rows"]), "<f4").copy()
    rows[3] = np.nan
    broken = {**values, "rows": base64.b64encode(rows.tobytes()).decode()}
    with pytest.raises(ClassesError, match="damaged"):
        Classifier.from_dict(broken)
    with pytest.raises(ClassesError, match=r"version 1; this is version 2.*Update"):
        Classifier.from_dict({**values, "version": 2})
    with pytest.raises(ClassesError, match="damaged or something else"):
        Classifier.from_dict({})
    with pytest.raises(ClassesError, match="damaged or something else"):
        Classifier.from_dict([1])  # type: ignore[arg-type]  # what a file may hold


def test_files(values: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ClassesError, match=r"Cannot read .*a\.json"):
        Classifier.load(path)
    for text in ("", "red circle, background", "[1, 2]", '{"format": "napari-sclip classes"}'):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ClassesError, match=r"a\.json.*: Expected a JSON of classes"):
            Classifier.load(path)
    path.with_suffix(".txt").write_text("red circle, background", encoding="utf-8")
    with pytest.raises(ClassesError, match=r"a\.txt has no such part"):
        Classifier.load(path.with_suffix(".txt"))
    write_class_list(path, ClassList(parse_classes("red circle, background")))
    with pytest.raises(ClassesError, match=r"a\.json has no such part"):
        Classifier.load(path)
    whole = {"format": "napari-sclip classes", "classes": values["classes"], "learned": values}
    others = [{**row, "prompts": ["blue star"]} for row in values["classes"]]
    for change, message in (
        ({"learned": {**values, "rows": "AAAA"}}, "damaged"),
        ({"classes": "red circle"}, "this is something else"),
        ({"classes": others}, "names or prompts of the classes are not those that were learned"),
    ):
        path.write_text(json.dumps({**whole, **change}), encoding="utf-8")
        with pytest.raises(ClassesError, match=rf"a\.json: .*{message}"):
            Classifier.load(path)
    turned = [{**row, "color": "red"} for row in values["classes"][::-1]]
    path.write_text(json.dumps({**whole, "classes": turned}), encoding="utf-8")
    found = Classifier.load(path)
    assert [c.name for c in found.classes] == ["background", "red circle"]
    assert [c.color for c in found.classes] == ["red", "red"]
    np.testing.assert_array_equal(found.rows[::-1], Classifier.from_dict(values).rows)
    with pytest.raises(OutputError, match="Choose another folder"):
        Classifier.from_dict(values).save(path / "b.json")
    assert isinstance(ClassesError("x"), SclipError)


def test_a_learned_file_is_no_larger_than_it_must_be(values: dict[str, Any]) -> None:
    assert len(json.dumps(values)) < 300_000

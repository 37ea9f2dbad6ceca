"""What strokes teach on synthetic scenes, for several ways to learn, and what it costs.

Writes `docs/adaptation.md`, with the bundled model. Example::

    python -m benchmarks.adaptation --output docs/adaptation.md
"""

from __future__ import annotations

import argparse
import json
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.accuracy import FIRST_SEED, SEED_STEP
from benchmarks.adaptation_methods import METHODS, OURS, TEXT, Pupil
from benchmarks.adaptation_page import STROKES, Cost, Row, Sizes, Step, Table, write_page
from benchmarks.strokes import BRUSH_PIXELS, next_stroke
from napari_sclip import (
    Classifier,
    ClassPrompt,
    Scene,
    SclipWarning,
    SegmentationConfig,
    Segmenter,
    make_scene,
)
from napari_sclip.core.adaptation import choose_places, features_at
from napari_sclip.core.axis_map import AxisMap
from napari_sclip.core.similarity import DenseMap
from napari_sclip.engine.inputs import embed_prompts
from napari_sclip.samples.painter import paint_scene
from napari_sclip.samples.shapes import COLORS, SHAPES

EVERY = 2
"""Labels are computed and compared at every second pixel of every second row."""

CROWDED = "crowded"
RUNS = 5
TEST_SCENES = 4
STROKES_TAUGHT = 8
TAUGHT = (0, 1, 2, 4)
"""After how many scenes the others are labelled."""

log = logging.getLogger("adaptation")


@dataclass(frozen=True)
class Task:
    """A scene to be corrected: classes by their place in the list."""

    pupil: Pupil
    truth: NDArray[np.integer]


@dataclass(frozen=True)
class Course:
    """Mean IoU before the first stroke, and after those of `STROKES`.

    Of each pair, the first is of the pixels that were not painted, the second of all pixels
    with the painted ones laid on top; `gain` is what the former has over the text alone on the
    same pixels.
    """

    apart: NDArray[np.floating]
    on_top: NDArray[np.floating]
    gain: NDArray[np.floating]


def classes_of(scene: Scene) -> Iterator[tuple[str, tuple[ClassPrompt, ...]]]:
    """Name a scene's classes well and badly; the same for every run."""
    rng = np.random.default_rng(scene.seed)
    classes = scene.classes
    yield "right words", classes
    odd = int(rng.integers(len(classes) - 1))
    seen = {word for item in classes for word in item.name.split()}
    colors = [color for color in COLORS if color not in seen]
    wrong = f"{colors[rng.integers(len(colors))]} {SHAPES[rng.integers(len(SHAPES))]}"
    for name, prompt in (("one vague word", "thing"), ("one wrong word", wrong)):
        changed = replace(classes[odd], prompts=(prompt,))
        yield name, (*classes[:odd], changed, *classes[odd + 1 :])
    yield (
        "no colours",
        (*(replace(c, prompts=(c.name.split()[1],)) for c in classes[:-1]), classes[-1]),
    )


class Teacher:
    """Makes tasks of scenes, and corrects them."""

    def __init__(self) -> None:
        self.segmenter = Segmenter.load("shapes-demo", device="cpu")

    def tasks(self, seed: int) -> Iterator[tuple[str, Task]]:
        """All tasks of a seed, each with the name of its kind."""
        scene = make_scene(seed)
        dense = self._dense(scene)
        for name, classes in classes_of(scene):
            yield name, self.task(scene, dense, classes)
        scene = make_scene(seed, objects=(5, 8), radius=(0.06, 0.11))
        yield CROWDED, self.task(scene, self._dense(scene), scene.classes)

    def _dense(self, scene: Scene) -> DenseMap:
        dense = self.segmenter.embed(scene.image).dense
        return DenseMap(dense.features, _thin(dense.rows), _thin(dense.columns))

    def task(self, scene: Scene, dense: DenseMap, classes: tuple[ClassPrompt, ...]) -> Task:
        """Prepare a scene for these classes."""
        with warnings.catch_warnings():
            # It knows no "thing": the point.
            warnings.simplefilter("ignore", SclipWarning)
            text = embed_prompts(classes, self.segmenter.resolve(), self.segmenter.text)
        truth = np.where(scene.labels == 0, len(classes), scene.labels).astype(np.int64) - 1
        counts = tuple(len(c.prompts) for c in classes)
        return Task(Pupil.of(dense, text.clone(), counts), truth[::EVERY, ::EVERY])

    def correct(self, method: str, task: Task) -> Course:
        """Paint strokes where labels are wrong, and learn after each."""
        truth = task.truth
        plain = labels = METHODS[TEXT](task.pupil, *_nothing(task)).argmax(0).numpy()
        painted = np.zeros(truth.shape, dtype=bool)
        start = mean_overlap(labels, truth)
        found = [(start, start, 0.0)]
        for number in range(1, STROKES[-1] + 1):
            stroke = next_stroke(labels, truth, painted, BRUSH_PIXELS / EVERY)
            if stroke is not None:
                painted |= stroke
                if method != TEXT:
                    labels = self._learn(method, task, painted)
            if number in STROKES:
                apart = mean_overlap(labels, truth, ~painted)
                on_top = mean_overlap(np.where(painted, truth, labels), truth)
                found.append((apart, on_top, apart - mean_overlap(plain, truth, ~painted)))
        return Course(*np.array(found).T)

    def _learn(self, method: str, task: Task, painted: NDArray[np.bool_]) -> NDArray[np.integer]:
        places = choose_places(task.truth, painted, self.segmenter.patch // EVERY)
        features = features_at(task.pupil.dense, places.rows, places.columns)
        scores = METHODS[method](task.pupil, features, torch.from_numpy(places.classes))
        labels: NDArray[np.integer] = scores.argmax(0).numpy()
        return labels


def mean_overlap(
    labels: NDArray[np.integer],
    truth: NDArray[np.integer],
    within: NDArray[np.bool_] | None = None,
) -> float:
    """Mean over the classes of intersection over union, within some pixels."""
    if within is not None:
        labels, truth = labels[within], truth[within]
    overlaps = []
    for k in np.unique(truth):
        found, true = labels == k, truth == k
        overlaps.append(float((found & true).sum() / (found | true).sum()))
    return float(np.mean(overlaps))


def measure(scenes: int, sets: int) -> list[Table]:
    """Correct all tasks by all methods; a table for each kind of task."""
    teacher = Teacher()
    courses: dict[str, dict[str, list[Course]]] = {}
    started = time.monotonic()
    for number in range(scenes):
        for seed in range(FIRST_SEED + number, FIRST_SEED + sets * SEED_STEP, SEED_STEP):
            for kind, task in teacher.tasks(seed):
                for method in METHODS:
                    course = teacher.correct(method, task)
                    courses.setdefault(kind, {}).setdefault(method, []).append(course)
        log.info("%d of %d scenes a set: %.0f s", number + 1, scenes, time.monotonic() - started)
    return [
        Table(kind, tuple(_row(method, found) for method, found in by_method.items()))
        for kind, by_method in courses.items()
    ]


def _row(method: str, courses: list[Course]) -> Row:
    apart, on_top, gain = (
        np.stack([getattr(course, name) for course in courses])
        for name in ("apart", "on_top", "gain")
    )
    error = apart.std(0, ddof=1) / np.sqrt(len(apart))
    gain_error = gain.std(0, ddof=1) / np.sqrt(len(gain))
    return Row(
        method=method,
        overlap=tuple(apart.mean(0).tolist()),
        error=tuple(error.tolist()),
        on_top=tuple(on_top.mean(0).tolist()),
        first_gain=float(gain[:, 1].mean()),
        first_gain_error=float(gain_error[1]),
        worse=float((gain[:, 1] < -0.01).mean()),
        worst=float(gain[:, 1].min()),
    )


class SameObjects(np.random.Generator):
    """Draws scenes of which all have objects of the same colours and shapes."""

    def __init__(self, seed: int, pairs: Sequence[int]) -> None:
        super().__init__(np.random.PCG64(seed))
        self._pairs = pairs

    def choice(self, *_arguments: object, **_keywords: object) -> NDArray[np.integer]:  # type: ignore[override]
        """Return the colours and shapes, the only thing that `paint_scene` chooses in this way."""
        return np.array(self._pairs)


def similar_scenes(seed: int, count: int) -> list[Scene]:
    """Make scenes with the same classes, else drawn anew: places, sizes, background, noise."""
    rng = np.random.default_rng(seed)
    pairs = rng.choice(len(COLORS) * len(SHAPES), size=3, replace=False).tolist()
    classes = [ClassPrompt(f"{COLORS[k // len(SHAPES)]} {SHAPES[k % len(SHAPES)]}") for k in pairs]
    scenes = []
    for number in range(count):
        painting = paint_scene(SameObjects(seed + number, pairs), (336, 448), 3, (0.10, 0.19))
        named = (*classes, make_scene(0).classes[-1])
        scenes.append(Scene(painting.image, painting.owners, named, "", seed))
    return scenes


def measure_transfer(kind: str, repeats: int, *, added: bool = False) -> list[Step]:
    """Learn on one scene after the other, and label scenes with the same classes.

    With `added` one of them is not known while learning goes on, and is there afterwards.
    """
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    found = []
    for seed in range(FIRST_SEED, FIRST_SEED + 100 * repeats, 100):
        scenes = similar_scenes(seed, max(TAUGHT) + TEST_SCENES)
        classes = dict(classes_of(scenes[0]))[kind]
        new = _well_named(classes) if added else None
        known: tuple[ClassPrompt, ...] | Classifier = classes
        if new is not None:
            known = (*classes[:new], *classes[new + 1 :])
        embedded = [segmenter.embed(scene.image) for scene in scenes[-TEST_SCENES:]]
        truths = [scene.labels for scene in scenes[-TEST_SCENES:]]
        steps = []
        for number in range(max(TAUGHT) + 1):
            if number:
                known = _teach(segmenter, scenes[number - 1], known, new)
            if number in TAUGHT:
                used: tuple[ClassPrompt, ...] | Classifier = classes
                if isinstance(known, Classifier):
                    used = segmenter.relearn(known, classes)
                labels = [segmenter.classify(e, used).labels for e in embedded]
                overlaps = [mean_overlap(*pair) for pair in zip(labels, truths, strict=True)]
                steps.append(float(np.mean(overlaps)))
        found.append(steps)
        log.info("%s, transfer from %d, added %s: %s", kind, seed, added, steps)
    values = np.array(found)
    gain = values - values[:, :1]
    errors = gain.std(0, ddof=1) / np.sqrt(len(gain))
    return [
        Step(kind, number, float(mean), float(more), float(error), added)
        for number, mean, more, error in zip(
            TAUGHT, values.mean(0), gain.mean(0), errors, strict=True
        )
    ]


def _well_named(classes: Sequence[ClassPrompt]) -> int:
    """Return the place of a class that is called by its right words, else 0."""
    return next((k for k, item in enumerate(classes) if item.prompts == (item.name,)), 0)


def _teach(
    segmenter: Segmenter,
    scene: Scene,
    known: tuple[ClassPrompt, ...] | Classifier,
    new: int | None = None,
) -> tuple[ClassPrompt, ...] | Classifier:
    """Paint strokes and learn from them, but never on the class that is still to come."""
    embedding = segmenter.embed(scene.image)
    learned = known
    truth, foreign = scene.labels, np.zeros(scene.labels.shape, dtype=bool)
    if new is not None:
        foreign = scene.labels == new + 1
        truth = np.where(scene.labels > new + 1, scene.labels - 1, scene.labels)
    painted = foreign.copy()
    for _ in range(STROKES_TAUGHT):
        labels = segmenter.classify(embedding, learned).labels
        stroke = next_stroke(labels, truth, painted)
        if stroke is not None:
            painted |= stroke
            learned = segmenter.adapt(embedding, truth, known, where=painted & ~foreign)
    return learned


def measure_costs() -> list[Cost]:
    """Time `adapt` and `classify` on an embedded image of 1024 x 1024 pixels.

    Processor time of one thread: other programs hardly change it.
    """
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    image = make_scene(FIRST_SEED, size=(1024, 1024)).image
    words = [f"{color} {shape}" for color in COLORS for shape in SHAPES]
    costs = []
    for side in (336, 672):
        embedding = segmenter.embed(image, SegmentationConfig(short_side=side))
        for count in (5, 20):
            classes = [*words[: count - 1], "background"]
            segmenter.embed_classes(classes)
            tiles = np.random.default_rng(0).integers(0, count, (64, 64)).astype(np.uint8)
            labels = tiles.repeat(16, axis=0).repeat(16, axis=1)
            for pixels in (1_000, 10_000, 100_000, 1_000_000):
                where = (np.arange(labels.size) < pixels).reshape(labels.shape)
                times = []
                for _ in range(RUNS):
                    begun = time.process_time()
                    learned = segmenter.adapt(embedding, labels, classes, where=where)
                    middle = time.process_time()
                    segmenter.classify(embedding, learned)
                    times.append((middle - begun, time.process_time() - middle))
                adapt, classify = np.array(times).min(0)
                costs.append(Cost(side, count, pixels, float(adapt), float(classify)))
                log.info("%s", costs[-1])
    return costs


def _thin(axis: AxisMap) -> AxisMap:
    return AxisMap(axis.indices[::EVERY], axis.weights[::EVERY], axis.inputs)


def _nothing(task: Task) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.empty(0, task.pupil.text.shape[1]), torch.empty(0, dtype=torch.int64)


def main() -> None:
    """Read the options, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=6, help="scenes a set")
    parser.add_argument("--sets", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=10, help="of learning image by image")
    parser.add_argument("--costs", type=Path, help="file that keeps the times, to go on from")
    parser.add_argument("--output", type=Path, default=Path("docs/adaptation.md"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    # With several threads the small steps take longer, and processor time says less.
    torch.set_num_threads(1)
    if options.costs is not None and options.costs.exists():
        costs = [Cost(**one) for one in json.loads(options.costs.read_text(encoding="utf-8"))]
    else:
        costs = measure_costs()
    if options.costs is not None:
        kept = json.dumps([asdict(cost) for cost in costs])
        options.costs.write_text(kept, encoding="utf-8")
    kinds = ("right words", "one wrong word", "no colours")
    steps = [
        step
        for added in (False, True)
        for kind in kinds
        for step in measure_transfer(kind, options.repeats, added=added)
    ]
    tables = measure(options.scenes, options.sets)
    sizes = Sizes(options.scenes, options.sets, options.repeats, TEST_SCENES, STROKES_TAUGHT)
    write_page(tables, steps, costs, sizes, OURS, options.output)


if __name__ == "__main__":
    main()

"""The page that `benchmarks.adaptation` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STROKES = (1, 2, 4, 8, 16, 32)
"""After how many strokes labels are compared with the truth."""


@dataclass(frozen=True)
class Row:
    """What one method reached in one kind of task: means over images, and standard errors.

    `overlap` and `on_top` begin before the first stroke and go on with those of `STROKES`.
    """

    method: str
    overlap: tuple[float, ...]
    error: tuple[float, ...]
    on_top: tuple[float, ...]
    first_gain: float
    first_gain_error: float
    worse: float
    worst: float


@dataclass(frozen=True)
class Table:
    """All methods in one kind of task."""

    kind: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Step:
    """Mean IoU of other scenes after learning from some."""

    kind: str
    scenes: int
    overlap: float
    gain: float
    gain_error: float
    added: bool


@dataclass(frozen=True)
class Cost:
    """Least seconds of several runs, on an embedded image."""

    short_side: int
    classes: int
    pixels: int
    adapt: float
    classify: float


@dataclass(frozen=True)
class Sizes:
    """How much was measured."""

    scenes: int
    sets: int
    repeats: int
    test_scenes: int
    strokes_taught: int


_BEFORE = """\
# Learning from strokes

What `Segmenter.adapt` gains from pixels that were labelled by hand, measured on synthetic scenes
with the bundled model, `shapes-demo`. No other model could be measured here: on photographs and
with larger models the figures will be others, and so may be the order of the methods.

## What is done

The similarity of a feature *f* with class *k* becomes *s_k(f) + shift_k · f*; the prompts of a
class all move by the same vector. The shifts are a ridge regression ("{ours}" below),
solved at once:

* One pixel stands for all examples of a class within one patch of the image, and of more than 512
  such places some of each class are taken, evenly: large strokes do not drown small ones.
* The class of an example is to lead by as much as it lags with the text alone, by no less than
  0.01 and no more than 0.1 in cosine similarity. It is raised by half of what is missing; classes
  that are in its way are lowered by the rest. What the text gets right already teaches nothing.
* The penalty is the mean square of what the shifts change in all the patches of the image: what a
  stroke does not ask for stays as the text has it. The penalty of "plain ridge" is the squared
  length of the shifts instead, and its margin is fixed.

A classifier keeps the examples and the mean of *f fᵀ*, so that those of several images add up.

## Mean IoU against strokes

Scenes as in [accuracy.md](accuracy.md), {sets} sets of {scenes}, of seeds that nothing was tuned
on; ± is the standard error over the {images} images. A stroke is a dab of a round brush of 10
pixels, so n strokes are some 80 n pixels: on the most interior point of the largest connected part
that is labelled wrongly, with the true label and not over the edge of the object. After each, the
image is labelled again. Labels are computed and compared at every second pixel of every second row.
The settings of every method are the best of a few on other scenes (seeds from 30000000 and 31000000
on); more of them were tried for "{ours}" than for the others.

IoU is taken over the pixels that were **not** painted. The text alone changes a little, since the
pixels that are painted are taken out. "Worse" is the share of images in which the first stroke made
the mean IoU of these pixels lower than the text alone by more than 0.01; "worst" is the lowest.
"""

_AFTER = """
## What was learned, on other images

Scenes with the same three classes, else drawn anew: places, sizes, background, noise. In one scene
after the other {strokes_taught} strokes are painted, and learning goes on from what was learned
before (`adapt(embedding, labels, classifier)`); then {test_scenes} scenes that nothing was learned
from are labelled. Mean of {repeats} such courses; the gain over the text with its standard error.

| classes | scenes learned from | mean IoU of other scenes | gain |
|---|---|---|---|
{steps}

### With one class more

Learned in the same way, but without one of the three classes, whose objects are then in the way and
are never painted; it is put into the table afterwards (`Segmenter.relearn`). It is one that is
called by its right words, where there is one.

| classes | scenes learned from | mean IoU of other scenes | gain |
|---|---|---|---|
{steps_added}

## Time

`adapt` and then `classify` on an embedded image of 1024 × 1024 pixels: seconds of processor time
with one thread (which other programs hardly change), the least of five runs. With more threads it
takes less. What moves the labels to the image's colours comes on top of that: with PAMR, which
the dock uses unless told otherwise, a press of *Refine from strokes* took 0.6 to 1 s on two cores,
and 0.1 s without it.

| short side | classes | example pixels | adapt | classify | both |
|---|---|---|---|---|---|
{costs}

## What follows

* "{ours}" is what `Segmenter.adapt` does. It was chosen because it is solved at once and
  because its first stroke does harm least often and least: no other method has both the share of
  worse images and the worst image as low in all five kinds of tasks taken together.
* It is not the best everywhere. Linear discriminants gain more with one stroke where one word is
  vague or wrong, and less with four strokes everywhere. Logistic regression in eight steps is as
  good or better from some four strokes on, but its first stroke does harm more often. The others
  are in `benchmarks/adaptation_methods.py`.
* With one stroke it can get worse, by up to {worst:.2f} here, mostly where small objects stand
  close and the words do not tell two classes apart ("crowded"): the one example of one class pulls
  the other one along. From the second stroke on, which falls on that one, the mean is well above.
* On other images it helps much where words do not fit, and not at all where they do. With one class
  more it helps nearly as much, but does some harm where all words fit: *Forget* in the dock goes
  back to the text.

## Reproduce

    python -m benchmarks.adaptation --scenes {scenes} --sets {sets} --repeats {repeats}
"""

_KINDS = {
    "right words": "Every class by its right words, seven prompts for the background.",
    "one vague word": "One of the classes is called by a word that the model does not know.",
    "one wrong word": "One of the classes is called by a colour and a shape that are not there.",
    "no colours": "The classes are called by their shapes alone.",
    "crowded": "Five to eight small objects, by their right words.",
}


def write_page(
    tables: Sequence[Table],
    steps: Sequence[Step],
    costs: Sequence[Cost],
    sizes: Sizes,
    ours: str,
    output: Path,
) -> None:
    """Write the tables and what they mean; `output` is replaced if it exists."""
    words = {
        "ours": ours,
        "scenes": sizes.scenes,
        "sets": sizes.sets,
        "images": sizes.scenes * sizes.sets,
    }
    parts = [_BEFORE.format(**words)]
    parts += [_table(table, ours) for table in tables]
    step_lines: dict[bool, list[str]] = {False: [], True: []}
    for step in steps:
        gain = f"{step.gain:+.3f} ± {step.gain_error:.3f} |" if step.scenes else "|"
        line = f"| {step.kind} | {step.scenes} | {step.overlap:.3f} | {gain}"
        step_lines[step.added].append(line)
    cost_lines = [
        f"| {c.short_side} | {c.classes} | {c.pixels:,} | {c.adapt:.3f} | {c.classify:.3f} "
        f"| {c.adapt + c.classify:.3f} |"
        for c in costs
    ]
    parts.append(
        _AFTER.format(
            **words,
            repeats=sizes.repeats,
            test_scenes=sizes.test_scenes,
            strokes_taught=sizes.strokes_taught,
            steps="\n".join(step_lines[False]),
            steps_added="\n".join(step_lines[True]),
            costs="\n".join(cost_lines),
            worst=-min(row.worst for table in tables for row in table.rows if row.method == ours),
        )
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("".join(parts), encoding="utf-8")


def _table(table: Table, ours: str) -> str:
    heads = ["none", *map(str, STROKES)]
    lines = [
        f"\n### {table.kind.capitalize()}\n\n{_KINDS[table.kind]}\n\n",
        f"| strokes | {' | '.join(heads)} | gain of the first | worse | worst |\n",
        f"|{'---|' * (len(heads) + 4)}\n",
    ]
    for row in table.rows:
        name = f"**{row.method}**" if row.method == ours else row.method
        values = [f"{v:.3f} ± {e:.3f}" for v, e in zip(row.overlap, row.error, strict=True)]
        lines.append(
            f"| {name} | {' | '.join(values)} | {row.first_gain:+.3f} ± {row.first_gain_error:.3f} "
            f"| {row.worse:.0%} | {row.worst:+.3f} |\n"
        )
    best = next(row for row in table.rows if row.method == ours)
    lines.append(
        f"| {ours}, all pixels, the painted ones on top | "
        f"{' | '.join(f'{v:.3f}' for v in best.on_top)} | | | |\n"
    )
    return "".join(lines)

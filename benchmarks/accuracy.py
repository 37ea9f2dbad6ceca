"""Accuracy of the bundled model on synthetic scenes, for every attention mode.

Uses the public names alone and writes `docs/accuracy.md`. Example::

    python -m benchmarks.accuracy --output docs/accuracy.md
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy_page import Figures, write_page
from napari_sclip import Scene, Segmenter, make_scene

MODES = (
    "sclip",
    "sclip-reduced",
    "vanilla",
    "maskclip",
    "clearclip",
    "naclip",
    "q-only",
    "k-only",
    "identity",
    "random-1",
    "random-4",
    "random-16",
)

FIRST_SEED = 20_000_000
SEED_STEP = 1_000_000
"""Set i has the scenes FIRST_SEED + i * SEED_STEP, and so on: none was trained on."""

log = logging.getLogger("accuracy")


def score(labels: NDArray[np.integer], scene: Scene) -> tuple[float, float]:
    """Compare predicted labels with a scene's.

    Parameters
    ----------
    labels : (H, W) integers
    scene : Scene

    Returns
    -------
    in_object : float in 0..1
        Share of the objects' pixels that have the label of their object.
    overlap : float in 0..1
        Mean over the classes and the background of intersection over union.
    """
    inside = scene.labels > 0
    in_object = float((labels[inside] == scene.labels[inside]).mean())
    overlaps = []
    for label in range(len(scene.classes)):
        found, true = labels == label, scene.labels == label
        overlaps.append(float((found & true).sum() / (found | true).sum()))
    return in_object, float(np.mean(overlaps))


def measure_mode(mode: str, scenes: int, sets: int, device: str) -> Figures:
    """Evaluate one attention mode on `sets` sets of `scenes` scenes."""
    segmenter = Segmenter.load("shapes-demo", attention=mode, device=device)
    means = []
    for index in range(sets):
        first = FIRST_SEED + index * SEED_STEP
        results = []
        for seed in range(first, first + scenes):
            scene = make_scene(seed)
            results.append(score(segmenter.segment(scene.image, scene.classes).labels, scene))
        means.append(np.mean(results, axis=0))
    table = np.array(means)
    mean, spread = table.mean(axis=0), table.std(axis=0, ddof=1 if sets > 1 else 0)
    return Figures(
        mode=mode,
        in_object=float(mean[0]),
        in_object_spread=float(spread[0]),
        overlap=float(mean[1]),
        overlap_spread=float(spread[1]),
    )


def measure(
    modes: Sequence[str], scenes: int, sets: int, device: str, partial: Path | None
) -> Iterator[list[Figures]]:
    """Evaluate modes one after the other, yielding all so far after each.

    `partial` keeps what is done should it be stopped.
    """
    done: dict[str, Figures] = {}
    protocol = {"scenes": scenes, "sets": sets}
    if partial is not None and partial.exists():
        for line in partial.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            if entry["protocol"] == protocol:
                done[entry["figures"]["mode"]] = Figures(**entry["figures"])
    for mode in modes:
        if mode in done:
            yield [done[name] for name in modes if name in done]
            continue
        start = time.monotonic()
        done[mode] = measure_mode(mode, scenes, sets, device)
        log.info("%s %.0f s", done[mode], time.monotonic() - start)
        if partial is not None:
            with partial.open("a", encoding="utf-8") as file:
                entry = {"protocol": protocol, "figures": dataclasses.asdict(done[mode])}
                file.write(json.dumps(entry) + "\n")
        yield [done[name] for name in modes if name in done]


def main() -> None:
    """Read the options, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--scenes", type=int, default=200, help="scenes a set")
    parser.add_argument("--sets", type=int, default=3)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--partial", type=Path, help="file of finished modes, to go on from")
    parser.add_argument("--output", type=Path, default=Path("docs/accuracy.md"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    for rows in measure(
        options.modes, options.scenes, options.sets, options.device, options.partial
    ):
        write_page(rows, options.scenes, options.sets, options.output)


if __name__ == "__main__":
    main()

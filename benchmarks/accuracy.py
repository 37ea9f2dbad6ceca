"""Accuracy of the bundled model on synthetic scenes, for every attention mode.

Writes `docs/accuracy.md`. The blocks before the last are the same for every mode and are run once
a scene; `--check` shows on some scenes that the labels are those of `Segmenter.segment`. Example::

    python -m benchmarks.accuracy --output docs/accuracy.md
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.accuracy_page import Figures, PatchFigures, write_page
from benchmarks.metrics import score
from napari_sclip import Scene, SegmentationConfig, Segmenter, make_scene
from napari_sclip.core.image import read_image
from napari_sclip.core.strips import WindowReader
from napari_sclip.core.vision import run_earlier_blocks, run_last_block
from napari_sclip.engine.embedding import Embedding, keep_windows, plan_windows

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
    "self-only",
    "random-1",
    "random-4",
    "random-16",
)

FIRST_SEED = 20_000_000
SEED_STEP = 1_000_000
"""Set i has the scenes FIRST_SEED + i * SEED_STEP, and so on: none was trained on."""

PATCHES = "average_on=patches"

log = logging.getLogger("accuracy")


class ManyModes:
    """Labels scenes by every attention mode, sharing what the modes have in common."""

    def __init__(self, modes: Sequence[str]) -> None:
        self.segmenters = {
            mode: Segmenter.load("shapes-demo", attention=mode, device="cpu") for mode in modes
        }
        self.first = next(iter(self.segmenters.values()))

    def label(self, scene: Scene) -> dict[str, NDArray[np.integer]]:
        """Label a scene: mode to (H, W) labels, as `Segmenter.segment` gives them."""
        config = self.first.resolve()
        tower = self.first.vision.source
        layout = plan_windows(scene.labels.shape, config, tower.patch)
        reader = WindowReader(
            read_image(scene.image), layout.rows, layout.columns, *self.first.normalisation
        )
        labels = {}
        with torch.inference_mode():
            windows = torch.stack(list(reader.windows()))
            tokens, grid = run_earlier_blocks(tower, windows)
            for mode, segmenter in self.segmenters.items():
                features = run_last_block(tower, tokens, grid, segmenter.vision.mode)
                dense = keep_windows(
                    enumerate(features), layout, tower.feature_size, scene.labels.shape
                )
                embedding = Embedding(
                    dense, config, segmenter.model, segmenter.fingerprint, layout.count
                )
                labels[mode] = segmenter.classify(embedding, scene.classes).labels
        return labels


def measure(
    modes: Sequence[str], scenes: int, sets: int, partial: Path | None
) -> tuple[list[Figures], PatchFigures]:
    """Evaluate all modes, and averaging on patches; `partial` keeps the finished scenes.

    Returns
    -------
    list of Figures
        One a mode.
    PatchFigures
        Of ``average_on="patches"`` with `sclip`.
    """
    done = {}
    if partial is not None and partial.exists():
        for line in partial.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            done[entry["seed"]] = entry
    many = ManyModes(modes)
    on_patches = SegmentationConfig(average_on="patches")
    start = time.monotonic()
    for number in range(scenes):
        for seed in range(FIRST_SEED + number, FIRST_SEED + sets * SEED_STEP, SEED_STEP):
            if seed in done:
                continue
            scene = make_scene(seed)
            labels = many.label(scene)
            entry = {"seed": seed, **{mode: score(labels[mode], scene) for mode in modes}}
            averaged = many.first.segment(scene.image, scene.classes, on_patches).labels
            same = float((averaged == labels[many.first.attention]).mean())
            entry[PATCHES] = (*score(averaged, scene), same)
            done[seed] = entry
            if partial is not None:
                with partial.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(entry) + "\n")
        log.info("%d of %d scenes a set: %.0f s", number + 1, scenes, time.monotonic() - start)

    def of_sets(name: str) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
        means = [
            np.mean([done[s][name] for s in range(f, f + scenes)], axis=0)
            for f in range(FIRST_SEED, FIRST_SEED + sets * SEED_STEP, SEED_STEP)
        ]
        return np.mean(means, axis=0), np.std(means, axis=0, ddof=1 if sets > 1 else 0)

    rows = []
    for mode in modes:
        mean, spread = of_sets(mode)
        rows.append(
            Figures(
                mode=mode,
                in_object=float(mean[0]),
                in_object_spread=float(spread[0]),
                overlap=float(mean[1]),
                overlap_spread=float(spread[1]),
            )
        )
    mean, _ = of_sets(PATCHES)
    return rows, PatchFigures(float(mean[0]), float(mean[1]), float(mean[2]))


def check(modes: Sequence[str], scenes: int) -> None:
    """Fail if the shared computation gives other labels than `Segmenter.segment`."""
    many = ManyModes(modes)
    for seed in range(FIRST_SEED, FIRST_SEED + scenes):
        scene = make_scene(seed)
        for mode, labels in many.label(scene).items():
            expected = many.segmenters[mode].segment(scene.image, scene.classes).labels
            share = float((labels == expected).mean())
            log.info("scene %d %s: %.4f of the pixels are the same", seed, mode, share)
            if share < 0.9999:
                raise SystemExit(f"{mode} differs in scene {seed}")


def main() -> None:
    """Read the options, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modes", nargs="+", default=list(MODES), choices=MODES)
    parser.add_argument("--scenes", type=int, default=200, help="scenes a set")
    parser.add_argument("--sets", type=int, default=3)
    parser.add_argument("--check", type=int, metavar="N", help="compare on N scenes, and end")
    parser.add_argument("--partial", type=Path, help="file of finished scenes, to go on from")
    parser.add_argument("--output", type=Path, default=Path("docs/accuracy.md"))
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.check:
        check(options.modes, options.check)
        return
    rows, patches = measure(options.modes, options.scenes, options.sets, options.partial)
    write_page(rows, patches, options.scenes, options.sets, options.output)


if __name__ == "__main__":
    main()

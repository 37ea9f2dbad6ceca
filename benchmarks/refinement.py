"""What refinements of the edges gain on synthetic scenes, and what they cost.

Writes `docs/refinement.md`, with the bundled model. Example::

    python -m benchmarks.refinement --output docs/refinement.md
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.accuracy import FIRST_SEED
from benchmarks.metrics import boundary_f1, score
from benchmarks.refinement_losers import LOSERS, whole_similarity
from benchmarks.refinement_page import Figures, Table, read_table, write_page
from napari_sclip import Scene, SegmentationConfig, Segmenter, make_scene
from napari_sclip.config import REFINEMENTS
from napari_sclip.core.scores import Decision
from napari_sclip.engine.embedding import Embedding

NONE = "none"
LEAST_SHARE = 200 / (336 * 448)
"""Regions and holes below this share of the image are removed, where that is measured."""

log = logging.getLogger("refinement")


@dataclass(frozen=True)
class Result:
    """What one way gave for one scene; `ratio` is its time over that of labelling alone."""

    overlap: float
    boundary: float
    ratio: float


class Ways:
    """Labels a scene in every way, from one embedding."""

    def __init__(self) -> None:
        self.segmenter = Segmenter.load("shapes-demo", device="cpu")

    def measure(self, scene: Scene) -> dict[str, Result]:
        """Label a scene in every way."""
        embedding = self.segmenter.embed(scene.image)
        self.segmenter.embed_classes(scene.classes)
        plain = self._timed(lambda: self._classify(embedding, scene, SegmentationConfig()))[1]
        results = {}
        for name, label in self._ways(embedding, scene).items():
            labels, seconds = self._timed(label)
            results[name] = Result(
                score(labels, scene)[1], boundary_f1(labels, scene), seconds / plain
            )
        return results

    def _ways(
        self, embedding: Embedding, scene: Scene
    ) -> dict[str, Callable[[], NDArray[np.integer]]]:
        least = round(LEAST_SHARE * scene.labels.size)
        configs = {}
        for name in (None, *REFINEMENTS):
            configs[name or NONE] = SegmentationConfig(refine=name)
            configs[f"{name or NONE}, regions"] = SegmentationConfig(
                refine=name, min_region_pixels=least, max_hole_pixels=least
            )
        ways: dict[str, Callable[[], NDArray[np.integer]]] = {
            name: lambda config=config: self._classify(embedding, scene, config)  # type: ignore[misc]
            for name, config in configs.items()
        }
        for name in LOSERS:
            ways[name] = lambda name=name: self._lose(name, embedding, scene)  # type: ignore[misc]
        return ways

    def _classify(
        self, embedding: Embedding, scene: Scene, config: SegmentationConfig
    ) -> NDArray[np.integer]:
        return self.segmenter.classify(embedding, scene.classes, config).labels

    def _lose(self, name: str, embedding: Embedding, scene: Scene) -> NDArray[np.integer]:
        prompts = [prompt for item in scene.classes for prompt in item.prompts]
        text = self.segmenter.text.embed(prompts, SegmentationConfig().template_sentences())
        counts = tuple(len(item.prompts) for item in scene.classes)
        decision = Decision(counts, len(counts) - 1, SegmentationConfig().logit_scale, 0.0, 0.0)
        with torch.inference_mode():
            similarity = whole_similarity(embedding.dense, text)
            return LOSERS[name](scene.image, similarity, decision)

    @staticmethod
    def _timed(work: Callable[[], NDArray[np.integer]]) -> tuple[NDArray[np.integer], float]:
        started = time.perf_counter()
        labels = work()
        return labels, time.perf_counter() - started


def measure(size: tuple[int, int], scenes: int, first_seed: int) -> Table:
    """Measure every way on scenes of a size: means, and their standard errors over scenes."""
    ways = Ways()
    ways.measure(make_scene(first_seed, size=size))
    results: dict[str, list[Result]] = {}
    started = time.monotonic()
    for seed in range(first_seed, first_seed + scenes):
        for name, result in ways.measure(make_scene(seed, size=size)).items():
            results.setdefault(name, []).append(result)
        log.info("%s: %d scenes, %.0f s", size, seed - first_seed + 1, time.monotonic() - started)

    def summary(name: str) -> Figures:
        values = np.array([(r.overlap, r.boundary) for r in results[name]])
        mean, error = values.mean(0), values.std(0, ddof=1) / np.sqrt(len(values))
        ratio = float(np.median([r.ratio for r in results[name]]))
        figures = Figures(
            name, float(mean[0]), float(error[0]), float(mean[1]), float(error[1]), ratio
        )
        log.info("%s", figures)
        return figures

    return Table(size=size, scenes=scenes, rows=tuple(summary(name) for name in results))


def main() -> None:
    """Read the options, measure, write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scenes", type=int, default=60, help="of 336 x 448 pixels")
    parser.add_argument("--large-scenes", type=int, default=10, help="of 1008 x 1344 pixels")
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--output", type=Path, default=Path("docs/refinement.md"))
    parser.add_argument("--results", type=Path, help="file of figures: used if it is there")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if options.results is not None and options.results.exists():
        tables = [read_table(values) for values in json.loads(options.results.read_text())]
    else:
        sizes = ((336, 448), options.scenes), ((1008, 1344), options.large_scenes)
        # Threads that wait for each other on a busy machine would spoil the times.
        torch.set_num_threads(1)
        tables = [measure(*size, options.first_seed) for size in sizes if size[1] > 1]
        if options.results is not None:
            options.results.write_text(json.dumps([asdict(table) for table in tables]))
    write_page(tables, options.output)


if __name__ == "__main__":
    main()

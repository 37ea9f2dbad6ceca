"""Print what a run costs the thread of the user interface, by the size of the image.

``python -m benchmarks.gui_thread`` needs a screen, or ``xvfb-run``. No engine runs: labels are made
here, and given to what draws drafts and writes results. CPU time is counted, as other programs may
keep the machine busy; napari's own part of it stands apart.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import gc
import statistics
import time
from collections.abc import Callable
from typing import Any

import napari
import numpy as np
from napari.layers import Labels
from qtpy.QtWidgets import QApplication

from napari_sclip import SegmentationConfig
from napari_sclip.engine.result import Segmentation
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels.targets import PlacedPlane
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.control.run import RunOutput
from napari_sclip.widgets.work.reporter import PlaneDraft
from napari_sclip.widgets.work.segment import DRAFT_PIXELS, SegmentJob, SegmentOutcome

SIZES = ((1000, 1000), (2000, 2000), (3024, 4032))
CLASSES = parse_classes("leaf, soil, stone, background")
IDS = (1, 2, 3, 0)
REGION = 16
"""Pixels that the side of a region of one class has."""
NOTHING: Any = None


@dataclasses.dataclass
class Times:
    """Seconds of each repeat.

    Attributes
    ----------
    ours, napari : list of float
    """

    ours: list[float] = dataclasses.field(default_factory=list)
    napari: list[float] = dataclasses.field(default_factory=list)


class Meter:
    """Counts CPU time of this thread, and how much of it calls into napari took."""

    def __init__(self) -> None:
        self.times: dict[str, Times] = {}
        self._napari = 0.0

    def watch(self, owner: Any, name: str) -> None:  # noqa: ANN401 - napari has no types
        """Count a method of napari apart."""
        method = getattr(owner, name)

        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401
            started = time.thread_time()
            try:
                return method(*arguments, **named)
            finally:
                self._napari += time.thread_time() - started

        object.__setattr__(owner, name, timed)

    def call(self, name: str, function: Callable[[], Any]) -> Any:  # noqa: ANN401 - any
        """Call a function, note what it took, and let napari draw."""
        self._napari, started = 0.0, time.thread_time()
        value = function()
        took = time.thread_time() - started
        times = self.times.setdefault(name, Times())
        times.ours.append(took - self._napari)
        times.napari.append(self._napari)
        QApplication.processEvents()
        return value


def labels_of(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Make labels in square regions."""
    small = [-(-length // REGION) for length in shape]
    ids = np.random.default_rng(seed).integers(0, len(CLASSES), small, dtype=np.uint8)
    return ids.repeat(REGION, 0).repeat(REGION, 1)[: shape[0], : shape[1]].copy()


def measure(shape: tuple[int, int], repeats: int) -> dict[str, Times]:
    """Let drafts and results be drawn: into a new layer, then into it again, corrected."""
    gc.collect()
    gc.disable()  # as long collections are put off during a run
    meter = Meter()
    viewer = napari.Viewer()
    meter.watch(viewer, "add_layer")
    image = viewer.add_image(np.zeros((*shape, 3), np.uint8), rgb=True)
    for repeat in range(repeats + 1):
        if repeat == 1:
            meter.times.clear()  # what is loaded with the first labels
        one_run(meter, viewer, image, None, "new layer", repeat)
        layer = viewer.layers[-1]
        one_run(meter, viewer, image, layer, "its second run", repeat + 100)
        layer.data[100:400, 100:400] = 1
        one_run(meter, viewer, image, layer, "corrected", repeat + 200)
        one_run(meter, viewer, image, layer, "without drafts", repeat + 300, drafts=False)
        viewer.layers.remove(layer)
    viewer.close()
    gc.enable()
    return meter.times


def one_run(
    meter: Meter,
    viewer: Any,  # noqa: ANN401 - napari has no types
    image: Any,  # noqa: ANN401
    layer: Labels | None,
    kind: str,
    seed: int,
    *,
    drafts: bool = True,
) -> None:
    """Do what the thread of the user interface does in one run."""
    request = read_request(viewer, image)
    output = meter.call(
        f"{kind}: start", lambda: RunOutput(viewer, image, request, CLASSES, IDS, layer, print)
    )
    if layer is None:
        meter.watch(output.labels, "refresh")
    meter.watch(output, "_select")  # makes the layer active: napari's controls
    labels = labels_of(request.read_shape, seed)

    def placed(labels: np.ndarray) -> PlacedPlane:
        plane: PlacedPlane = output.placer.place(0, labels)
        return plane.with_room()

    if drafts:
        height, width = request.read_shape
        step = max(1, DRAFT_PIXELS // width)
        parts = [range(height)[first : first + step] for first in range(0, height, step)]
        first, *others = [PlaneDraft(0, placed(labels), rows) for rows in parts + parts]
        meter.call(f"{kind}: first draft", lambda: output.draw(first))
        for draft in others:
            meter.call(f"{kind}: next drafts", functools.partial(output.draw, draft))
    result = Segmentation(
        labels=labels,
        classes=CLASSES,
        dropped=(),
        config=SegmentationConfig(),
        model="a-model",
        weights_sha256="ab" * 32,
        attention="sclip",
        _dense=NOTHING,
        _text=NOTHING,
        _decision=NOTHING,
    )
    job = SegmentJob(request, NOTHING, SegmentationConfig(), CLASSES, output.placer)
    outcome = SegmentOutcome(job, result, {0: labels}, {0: placed(labels)}, 0, frozenset(), None)
    meter.call(f"{kind}: finish", lambda: output.finish(outcome))


def table(all_times: dict[tuple[int, int], dict[str, Times]]) -> str:
    """Write Markdown: milliseconds, the median and the longest."""
    shapes = list(all_times)
    lines = [
        "| | " + " | ".join(f"{h} x {w}" for h, w in shapes) + " | napari, at the largest |",
        "|---|" + "---:|" * (len(shapes) + 1),
    ]
    for name in all_times[shapes[0]]:
        cells = [_cell(all_times[shape][name].ours) for shape in shapes]
        cells.append(_cell(all_times[shapes[-1]][name].napari))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(seconds: list[float]) -> str:
    return f"{1000 * statistics.median(seconds):.0f} ({1000 * max(seconds):.0f})"


def main() -> None:
    """Measure every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="measured runs of each kind")
    arguments = parser.parse_args()
    print("Milliseconds of CPU time in one call: the median (and the longest).\n")
    print(table({shape: measure(shape, arguments.repeats) for shape in SIZES}))


if __name__ == "__main__":
    main()

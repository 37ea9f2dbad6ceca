"""One press of the button, as a worker does it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.estimate import WindowCost
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.labels.chunks import Room, rows_unlike
from napari_sclip.layers.labels.examples import Strokes
from napari_sclip.layers.labels.layer import warm_up as warm_up_labels
from napari_sclip.layers.labels.targets import PlacedPlane, Placer
from napari_sclip.progress import Progress, notify
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.model import ModelSelection
from napari_sclip.widgets.work.reporter import PlaneDraft, Reporter
from napari_sclip.widgets.work.session import LastResult, Session, plane_key, result_key
from napari_sclip.widgets.work.startup import no_long_collections, warm_up

if TYPE_CHECKING:
    from napari_sclip.engine.classifier import Classifier
    from napari_sclip.engine.result import Segmentation

DRAFT_PIXELS = 2**22
"""As many are drawn at once; what else is new comes with the next draft."""


@dataclass(frozen=True, eq=False)
class SegmentJob:
    """All that a run needs; nothing of it changes while the run goes on.

    Attributes
    ----------
    request : ImageRequest
    selection : ModelSelection
    config : SegmentationConfig
    classes : tuple of ClassPrompt
    placer : Placer
        For the layer that the labels go to.
    strokes : mapping of int to Strokes
        What was painted by hand, by the number of the plane, to learn from.
    carried : Classifier or None
        What was learned from other images, of one of the classes at least.
    """

    request: ImageRequest
    selection: ModelSelection
    config: SegmentationConfig
    classes: tuple[ClassPrompt, ...]
    placer: Placer
    strokes: Mapping[int, Strokes] = field(default_factory=dict)
    carried: Classifier | None = None


OF_ANOTHER_MODEL = (
    "What was learned before is of another model or attention mode, and was not used."
)


@dataclass(frozen=True, eq=False)
class SegmentOutcome:
    """What a run gives, or has given so far.

    Attributes
    ----------
    job : SegmentJob
    result : Segmentation
        Of the last plane; its classes and settings are those of all.
    labels : dict of int to (h, w) array
        By the number of the plane.
    placed : dict of int to PlacedPlane
        The same, as they will stand in the layer.
    reused : int
        Planes that needed no vision pass.
    dropped : frozenset of str
        Classes that were dropped for their area in every plane.
    cost : WindowCost or None
        What a window took, where windows were looked at.
    learned : Classifier or None
        What was learned from the strokes, or carried; None if the classes are text alone.
    """

    job: SegmentJob
    result: Segmentation
    labels: dict[int, np.ndarray]
    placed: dict[int, PlacedPlane]
    reused: int
    dropped: frozenset[str]
    cost: WindowCost | None
    learned: Classifier | None = None


def run_segment(
    job: SegmentJob,
    session: Session,
    reporter: Reporter,
    finished: Callable[[SegmentOutcome], None] = lambda outcome: None,
) -> SegmentOutcome:
    """Read, embed (unless that has been done) and classify every plane of a request.

    Parameters
    ----------
    job : SegmentJob
    session : Session
    reporter : Reporter
    finished : callable, optional
        Given what there is so far, after each plane.

    Raises
    ------
    Stopped
        If the reporter was asked to stop.
    SclipError
        If something is not usable.
    """
    with session.lock, no_long_collections():
        reporter.progress(Progress(0, 0, "Getting ready"))
        warm_up()
        warm_up_labels()
        reporter.progress(Progress(0, 0, f"Loading {job.selection.name}"))
        segmenter = session.segmenter(job.selection, reporter.progress)
        if job.carried is not None:
            job = replace(job, carried=_taken_over(job, segmenter, reporter))
        config = segmenter.resolve(job.config)
        classes: Any = job.classes if job.carried is None else job.carried
        segmenter.embed_classes(classes, config, progress=reporter.progress)
        count = len(job.request.planes)
        labels: dict[int, np.ndarray] = {}
        placed: dict[int, PlacedPlane] = {}
        reused, dropped, cost = 0, None, None
        learned = job.carried
        # Planes with strokes come first, so that what they teach is known in the others.
        for number in sorted(range(count), key=lambda k: k not in job.strokes):
            tell = _of_all(reporter, number, count)
            tell(Progress(0, 0, "Reading the image"))
            plane = read_plane(job.request, number)
            key = plane_key(job.request, number, plane, config, segmenter.fingerprint)
            embedding = session.embedding(key)
            drafts = _Drafts(segmenter, job, number, reporter)
            if embedding is None:
                started = time.perf_counter()
                embedding = segmenter.embed(plane, config, progress=tell, partial=drafts.offer)
                seconds = time.perf_counter() - started - drafts.seconds
                cost = cost_of_run(segmenter, embedding, seconds)
                session.keep(key, embedding, job.request)
            else:
                reused += 1
            if number in job.strokes:
                lesson = job.strokes[number]
                learned = segmenter.adapt(
                    embedding,
                    lesson.labels,
                    job.classes if learned is None else learned,
                    config,
                    where=lesson.where,
                    progress=tell,
                )
            classes = job.classes if learned is None else learned
            result = segmenter.classify(embedding, classes, config, progress=tell)
            session.last = LastResult(result_key(key, classes, config), result)
            labels[number] = result.labels
            placed[number] = job.placer.place(number, result.labels).with_room(count)
            dropped = set(result.dropped) if dropped is None else dropped & set(result.dropped)
            outcome = SegmentOutcome(
                job, result, dict(labels), dict(placed), reused, frozenset(dropped), cost, learned
            )
            finished(outcome)
            if number + 1 < count and reporter.wants_draft():
                drafts.tell(placed[number])
        return outcome


def _taken_over(job: SegmentJob, segmenter: Any, reporter: Reporter) -> Classifier | None:  # noqa: ANN401
    """Turn what was learned into what it tells of the job's classes."""
    assert job.carried is not None
    if job.carried.fingerprint != segmenter.fingerprint:
        notify(OF_ANOTHER_MODEL)
        return None
    known: Classifier = segmenter.relearn(job.carried, job.classes, progress=reporter.progress)
    return known


class _Drafts:
    """Turns what an embedding holds so far into labels, when somebody will look at them."""

    def __init__(self, segmenter: Any, job: SegmentJob, number: int, reporter: Reporter) -> None:  # noqa: ANN401
        self._segmenter = segmenter
        self._job = job
        self._number = number
        self._reporter = reporter
        self.seconds = 0.0
        self._shown: np.ndarray | None = None

    def offer(self, partial: Any) -> None:  # noqa: ANN401 - a PartialEmbedding
        if partial.done < partial.total and self._reporter.wants_draft():
            started = time.perf_counter()
            classes: Any = self._job.classes if self._job.carried is None else self._job.carried
            labels = self._segmenter.classify_partial(partial, classes, self._job.config)
            placed = self._job.placer.place(self._number, labels)
            self.tell(placed)
            self.seconds += time.perf_counter() - started

    def tell(self, placed: PlacedPlane) -> None:
        """Tell the plane's labels as they are now, and in which rows they are others."""
        if self._shown is None:
            self._shown = np.zeros_like(placed.values)
            shown = placed.with_room()
        else:
            shown = replace(placed, room=Room())  # for the first, and for what is written
        rows = rows_unlike(placed.values, self._shown)
        rows = rows[: max(1, DRAFT_PIXELS // placed.values.shape[1])]
        self._shown[rows.start : rows.stop] = placed.values[rows.start : rows.stop]
        self._reporter.draft(PlaneDraft(self._number, shown, rows))


def _of_all(reporter: Reporter, number: int, count: int) -> Callable[[Progress], None]:
    """Turn the progress of one plane into that of all of them."""
    if count == 1:
        return reporter.progress

    def tell(progress: Progress) -> None:
        total = progress.total * count
        done = progress.total * number + progress.done
        text = f"{progress.message} (plane {number + 1} of {count})"
        reporter.progress(Progress(done, total, text))

    return tell


def cost_of_run(segmenter: Any, embedding: Any, seconds: float) -> WindowCost:  # noqa: ANN401
    """Tell what a window of an embedding took."""
    return WindowCost(
        seconds=seconds / embedding.windows,
        feature_bytes=round(embedding.feature_bytes / embedding.windows),
        model=segmenter.model,
        device=str(segmenter.device),
        precision=segmenter.precision,
        window=int(embedding.config.window),
    )

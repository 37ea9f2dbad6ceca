"""A closer look at one plane: scores, margin, where to look next, attention at a point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import read_plane
from napari_sclip.layers.labels.targets import spread_over_plane
from napari_sclip.progress import Progress
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.model import ModelSelection
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.work.session import LastResult, Session, plane_key, result_key
from napari_sclip.widgets.work.startup import no_long_collections, warm_up

if TYPE_CHECKING:
    from napari_sclip.config import SegmentationConfig
    from napari_sclip.core.uncertain import Spot
    from napari_sclip.engine.attention_at import AttentionMap
    from napari_sclip.engine.classifier import Classifier


@dataclass(frozen=True, eq=False)
class CloserJob:
    """What is looked at, and how.

    Attributes
    ----------
    request : ImageRequest
        Its first plane is looked at.
    selection : ModelSelection
    config : SegmentationConfig
    classes : tuple of ClassPrompt
    learned : Classifier or None
        Takes the place of the classes.
    """

    request: ImageRequest
    selection: ModelSelection
    config: SegmentationConfig
    classes: tuple[ClassPrompt, ...]
    learned: Classifier | None = None


def margin_of_plane(job: CloserJob, session: Session, reporter: Reporter) -> np.ndarray:
    """Compute the margin of a plane, (H, W) of the size that is read."""
    with session.lock, no_long_collections():
        last = _result(job, session, reporter)
        if last.margin is None:
            last.margin = last.result.margin()
        return last.margin


def scores_of_plane(job: CloserJob, session: Session, name: str, reporter: Reporter) -> np.ndarray:
    """Compute the scores of one class in a plane, (H, W) of the size that is read."""
    with session.lock, no_long_collections():
        scores: np.ndarray = _result(job, session, reporter).result.class_scores(name)
        return scores


def attention_of_plane(
    job: CloserJob,
    session: Session,
    point: tuple[float, float],
    head: int | None,
    reporter: Reporter,
) -> list[AttentionMap]:
    """Compute what a point attends to: in the mode that is used, and beside it in "vanilla".

    Parameters
    ----------
    job : CloserJob
    session : Session
    point : tuple of float
        Row and column in the pixels that are read.
    head : int or None
        Counted from 0; None for the mean of all.
    reporter : Reporter
    """
    with session.lock, no_long_collections():
        warm_up()
        segmenter = session.segmenter(job.selection, reporter.progress)
        plane = read_plane(job.request, 0)
        modes = dict.fromkeys((segmenter.attention, "vanilla"))
        return [
            segmenter.attention_at(
                plane, point, config=job.config, mode=mode, head=head, progress=reporter.progress
            )
            for mode in modes
        ]


@dataclass(frozen=True, eq=False)
class Unsure:
    """Where a plane of labels is unsure.

    Attributes
    ----------
    margin : (H, W) float32 array
        In the pixels of the labels; NaN where nothing was read.
    mask : (H, W) bool array
        The pixels that are unsure.
    """

    margin: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, eq=False)
class NextSpot:
    """Where to look next.

    Attributes
    ----------
    unsure : Unsure
    spot : Spot or None
        None where nothing is left.
    left : int
        How many there are.
    is_unsure : bool
        Whether it is unsure; else it only has not been checked yet.
    """

    unsure: Unsure
    spot: Spot | None
    left: int
    is_unsure: bool


def find_next(
    job: CloserJob,
    session: Session,
    unsure: Unsure | None,
    labels: np.ndarray,
    checked: np.ndarray,
    after: Spot | None,
    backwards: bool,
    reporter: Reporter,
) -> NextSpot:
    """Find the next unsure spot, the largest first; after all of them, the unchecked ones.

    Parameters
    ----------
    job : CloserJob
    session : Session
    unsure : Unsure or None
        Found before for the same labels.
    labels : (H, W) array
        A copy of the plane.
    checked : (H, W) bool array
        Pixels of the labels that need not be looked at.
    after : Spot or None
        Where one is now.
    backwards : bool
    reporter : Reporter
    """
    from napari_sclip.core.uncertain import find_unchecked, next_spot, spots_of, uncertain_mask

    if unsure is None:
        margin = spread_over_plane(job.request, margin_of_plane(job, session, reporter))
        reporter.progress(Progress(0, 0, "Looking for unsure regions"))
        unsure = Unsure(margin, uncertain_mask(margin))
    spots = spots_of(unsure.mask, unsure.margin, checked=checked)
    is_unsure = bool(spots)
    if not is_unsure:
        spots = find_unchecked(labels, checked=checked, margin=unsure.margin)
    if after is not None and (after.label is None) != is_unsure:
        after = None  # of the other kind: begin with the largest
    return NextSpot(unsure, next_spot(spots, after, backwards=backwards), len(spots), is_unsure)


def _result(job: CloserJob, session: Session, reporter: Reporter) -> LastResult:
    """Classify the plane, unless that was the last thing done."""
    warm_up()
    segmenter = session.segmenter(job.selection, reporter.progress)
    config = segmenter.resolve(job.config)
    plane = read_plane(job.request, 0)
    key = plane_key(job.request, 0, plane, config, segmenter.fingerprint)
    embedding = session.embedding(key)
    if embedding is None:
        embedding = segmenter.embed(plane, config, progress=reporter.progress)
        session.keep(key, embedding, job.request)
    classes: Any = job.classes
    if job.learned is not None and job.learned.fingerprint == segmenter.fingerprint:
        classes = job.learned
    named = result_key(key, classes, config)
    if session.last is None or session.last.key != named:
        result = segmenter.classify(embedding, classes, config, progress=reporter.progress)
        session.last = LastResult(named, result)
    return session.last

"""One run, from the press of the button to what is said about it at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.geometry import labels_geometry
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.examples import Strokes
from napari_sclip.layers.labels.layer import add_classes, new_labels_layer
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.targets import Placer, why_not_fitting
from napari_sclip.layers.labels.write import LabelsUpdate, update_labels
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.reporter import PlaneDraft, Reporter
from napari_sclip.widgets.work.segment import SegmentJob, SegmentOutcome, run_segment
from napari_sclip.widgets.work.session import Session, run_signature

IMAGE_REMOVED = "The image was removed from the viewer, so the run was stopped."
IMAGE_REPLACED = (
    "The image was given other pixels while it was looked at, so the result was not used. "
    "Press Segment again."
)
LABELS_REMOVED = "The labels were removed from the viewer, so the run was stopped."
LABELS_REPLACED = (
    "The labels were given other data that cannot take the result, so the run was stopped."
)


class RunOutput:
    """Watches the layers of one run, and writes to the labels.

    Parameters
    ----------
    viewer : Viewer
    image : Image layer
    request : ImageRequest
    classes : sequence of ClassPrompt
    ids : sequence of int
        Of the classes, for a new layer.
    labels : Labels or None
        The layer to update; None makes a new one.
    keep_edits : bool
        Whether what was painted by hand before the run stays.
    lost : callable
        Called with a sentence when a layer of the run goes, or the image gets other pixels.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - napari has no types
        image: Any,  # noqa: ANN401
        request: ImageRequest,
        classes: Sequence[ClassPrompt],
        ids: Sequence[int],
        labels: Labels | None,
        lost: Callable[[str], None],
        *,
        keep_edits: bool = True,
    ) -> None:
        self._viewer = viewer
        self.image = image
        self._request = request
        self._classes = classes
        self.is_new = labels is None
        self._keep_edits = keep_edits
        self._selected = set(viewer.layers.selection)
        self._lost = lost
        self._drafts: dict[int, Draft] = {}
        if labels is None:
            labels = new_labels_layer(request, classes, ids=ids)
            self._add(labels)
        else:
            add_classes(labels, classes, ids)
        self.labels: Labels = labels
        known = {row.name: row.id for row in read_legend(labels)}
        self._ids = tuple(0 if item.background else known[item.name] for item in classes)
        self.placer = Placer(labels, request, classes)
        viewer.layers.events.removed.connect(self._on_removed)
        image.events.data.connect(self._on_data)
        labels.events.data.connect(self._on_labels_data)

    def draw(self, draft: PlaneDraft) -> None:
        """Draw labels as far as they are known."""
        drawing = self._drafts.get(draft.number)
        if drawing is None:
            drawing = Draft(
                self.labels,
                self._request,
                draft.number,
                keep_edits=self._keep_edits,
                room=draft.plane.room,
            )
            self._drafts[draft.number] = drawing
        drawing.show_placed(draft.plane, draft.rows)

    def finish(self, outcome: SegmentOutcome) -> LabelsUpdate:
        """Write the result, as one step that can be undone."""
        painted = self._withdraw()
        self._unwatch()
        update = update_labels(
            self.labels,
            self._request,
            dataclasses.replace(outcome.result, classes=self._classes_as_named_now()),
            outcome.labels,
            ids=self._ids,
            keep_edits=self._keep_edits,
            placed=outcome.placed,
            painted=painted,
        )
        if self.is_new:
            self._follow_image()
            self._select()
        return update

    def give_up(self) -> None:
        """Take the drafts back; a layer made for the run goes, unless it was painted in."""
        self._unwatch()
        if self.labels not in self._viewer.layers:
            return
        self._withdraw()
        if self.is_new and not self.labels.data.any():
            self._viewer.layers.remove(self.labels)

    def _classes_as_named_now(self) -> tuple[ClassPrompt, ...]:
        """Return the classes of the run by the names that they were given meanwhile."""
        names = {row.id: row.name for row in read_legend(self.labels)}
        return tuple(
            item if k not in names or item.background else dataclasses.replace(item, name=names[k])
            for k, item in zip(self._ids, self._classes, strict=True)
        )

    def _withdraw(self) -> dict[int, np.ndarray]:
        """Take the drafts back; returns what was painted meanwhile."""
        painted = {}
        for number, drawing in self._drafts.items():
            pixels = drawing.withdraw()
            if drawing.was_painted_in:
                painted[number] = pixels
        self._drafts.clear()
        return painted

    def _unwatch(self) -> None:
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self.image.events.data.disconnect(self._on_data)
        self.labels.events.data.disconnect(self._on_labels_data)

    def _add(self, labels: Labels) -> None:
        """Add a layer without taking away the selection of the person."""
        self._viewer.add_layer(labels)
        self._viewer.layers.selection = set(self._selected)

    def _select(self) -> None:
        """Make new labels active, to be corrected at once, unless the person went elsewhere."""
        if set(self._viewer.layers.selection) == self._selected:
            self._viewer.layers.selection = {self.labels}

    def _follow_image(self) -> None:
        """Put new labels where the image lies now: it may have been moved during the run."""
        name = f"{self.image.name} labels"
        if self.image.name != self._request.name and self.labels.name != name:
            self.labels.name = name
        now = labels_geometry(self.image, self._request.grid)
        if not now.equals(self._request.geometry):
            for field, value in now.arguments().items():
                setattr(self.labels, field, value)

    def _on_removed(self, event: Any) -> None:  # noqa: ANN401
        if event.value is self.image:
            self._lost(IMAGE_REMOVED)
        elif event.value is self.labels:
            self._lost(LABELS_REMOVED)

    def _on_labels_data(self, event: Any = None) -> None:  # noqa: ANN401
        if why_not_fitting(self.labels, self._request) is not None:
            self._lost(LABELS_REPLACED)

    def _on_data(self, event: Any = None) -> None:  # noqa: ANN401
        self._lost(IMAGE_REPLACED)


class Segmenting:
    """What a run was started with, and where its labels go.

    Parameters
    ----------
    viewer : Viewer
    state : WidgetState
    session : Session
    image : Image layer
    request : ImageRequest
    classes : sequence of ClassPrompt
    labels : Labels or None
        The layer to update; None makes a new one.
    strokes : mapping of int to Strokes, optional
        To learn from, by the number of the plane.
    carried : Classifier or None
        What was learned before, of the same classes.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - napari has no types
        state: WidgetState,
        session: Session,
        image: Any,  # noqa: ANN401
        request: ImageRequest,
        classes: Sequence[ClassPrompt],
        labels: Labels | None,
        strokes: Mapping[int, Strokes] | None = None,
        carried: Any = None,  # noqa: ANN401
    ) -> None:
        self.image = image
        self.lost: Callable[[str], None] = lambda sentence: None
        self.notice = ""
        self._session = session
        self._warnings: list[str] = []
        self._output = RunOutput(
            viewer,
            image,
            request,
            classes,
            state.classes.ids(),
            labels,
            lambda sentence: self.lost(sentence),
            keep_edits=state.run.target != "replace",
        )
        self.job = SegmentJob(
            request=request,
            selection=state.model.selection(),
            config=state.detail.config(),
            classes=tuple(classes),
            placer=self._output.placer,
            strokes=strokes or {},
            carried=carried,
        )

    def work(self, reporter: Reporter) -> SegmentOutcome:
        """Do the work, in a thread."""
        return run_segment(self.job, self._session, reporter)

    def draw(self, draft: PlaneDraft) -> None:
        """Draw labels as far as they are known."""
        self._output.draw(draft)

    def warn(self, text: str) -> None:
        """Note what was done differently from what was asked."""
        if text not in self._warnings:
            self._warnings.append(text)

    def finish(self, outcome: SegmentOutcome) -> Labels:
        """Write the result; `notice` says afterwards what came of it.

        Raises
        ------
        SclipError
            If the labels cannot be written any more; what was there stays.
        """
        try:
            update = self._output.finish(outcome)
        except SclipError:
            self._output.give_up()
            raise
        labels = self._output.labels
        self.notice = " ".join([*self._told(outcome, update, labels), *self._warnings])
        return labels

    def give_up(self) -> None:
        """Take back what was drawn."""
        self._output.give_up()

    def _told(self, outcome: SegmentOutcome, update: LabelsUpdate, labels: Labels) -> list[str]:
        planes = len(outcome.labels)
        what = "Segmented" if planes == 1 else f"Segmented {planes} planes"
        how = " from the embedding, without a vision pass" if outcome.reused == planes else ""
        told = [f"{what} into “{labels.name}”{how}."]
        if outcome.job.strokes:
            told.append("It has learned from what was painted.")
        if update.kept:
            told.append(
                "What was painted by hand was left as it is: the run would have changed "
                f"{update.kept:,} pixels of it."
            )
        if not update.undoable:
            told.append("This step was too large to be undone.")
        if outcome.dropped:
            told.append(f"Dropped for their small area: {', '.join(sorted(outcome.dropped))}.")
        return told


class Seen:
    """Remembers the last run.

    Parameters
    ----------
    state : WidgetState
    """

    def __init__(self, state: WidgetState) -> None:
        self._state = state
        self._last: Any = None

    def note(self, request: ImageRequest) -> None:
        """Remember what has been embedded."""
        self._last = self._signature(request)

    def forget(self) -> None:
        """Note that no embedding is kept any more."""
        self._last = None

    def knows(self, request: ImageRequest | None) -> bool:
        """Whether a request, with the model and detail as they are, would find its embedding."""
        if request is None or self._last is None:
            return False
        return bool(self._last == self._signature(request))

    def _signature(self, request: ImageRequest) -> Any:  # noqa: ANN401
        try:
            config = self._state.detail.config()
        except SclipError:
            return None
        return run_signature(request, config), self._state.model.selection()

"""One run, from the press of the button to what is said about it at the end."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
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
MODEL_CHANGED = "Another model was chosen, so the run was not started."


@dataclass(frozen=True, eq=False)
class RunRequest:
    """What one press of Segment, or one change that is shown live, asks for.

    It is handed on to the run that comes of it. The answer to a question makes another request, so
    what was granted is granted to that run alone.

    Attributes
    ----------
    image : Image layer
    pixels : array-like
        The layer's data when the request was made.
    read : ImageRequest
    target : str
        As `RunState.target`; "auto" where it is live.
    labels : Labels or None
        The layer that is updated; None makes a new one.
    model : str
        That was chosen.
    live : bool
        Whether nobody has pressed Segment: it asks nothing, and where it would have to, nothing
        is done.
    may_replace : int
        Painted pixels that may be replaced, as many as the question named.
    may_be_large : bool
        Whether new labels may have any size.
    """

    image: Any
    pixels: Any = field(repr=False)
    read: ImageRequest
    target: str
    labels: Labels | None
    model: str
    live: bool = False
    may_replace: int = 0
    may_be_large: bool = False

    def __post_init__(self) -> None:
        if self.live and self.target != "auto":
            raise ValueError(f"A live run only updates labels; got the target {self.target!r}.")

    def why_void(self, layers: Iterable[Any], model: str) -> str:
        """Say why nothing can come of it any more, or nothing.

        Parameters
        ----------
        layers : iterable of Layer
            That are in the viewer.
        model : str
            That is chosen now.
        """
        here = set(layers)
        if self.image not in here:
            return IMAGE_REMOVED
        if self.labels is not None and self.labels not in here:
            return LABELS_REMOVED
        if self.image.data is not self.pixels:
            return IMAGE_REPLACED
        return "" if model == self.model else MODEL_CHANGED


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
        """Write the planes that there are, as one step that can be undone.

        Unless all were finished, what was painted by hand stays in any case.
        """
        painted = self._withdraw()
        self._unwatch()
        planes = self._request.planes
        numbers = sorted(outcome.labels)
        update = update_labels(
            self.labels,
            dataclasses.replace(self._request, planes=tuple(planes[n] for n in numbers)),
            dataclasses.replace(outcome.result, classes=self._classes_as_named_now()),
            {k: outcome.labels[n] for k, n in enumerate(numbers)},
            ids=self._ids,
            keep_edits=self._keep_edits or len(numbers) < len(planes),
            placed={k: outcome.placed[n] for k, n in enumerate(numbers)},
            painted={k: painted[n] for k, n in enumerate(numbers) if n in painted},
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
    request : RunRequest
    classes : sequence of ClassPrompt
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
        request: RunRequest,
        classes: Sequence[ClassPrompt],
        strokes: Mapping[int, Strokes] | None = None,
        carried: Any = None,  # noqa: ANN401
    ) -> None:
        self.request = request
        self.so_far: SegmentOutcome | None = None
        self.lost: Callable[[str], None] = lambda sentence: None
        self.notice = ""
        self._session = session
        self._warnings: list[str] = []
        self._output = RunOutput(
            viewer,
            request.image,
            request.read,
            classes,
            state.classes.ids(),
            request.labels,
            lambda sentence: self.lost(sentence),
            keep_edits=request.target != "replace",
        )
        self.job = SegmentJob(
            request=request.read,
            selection=state.model.selection(),
            config=state.detail.config(),
            classes=tuple(classes),
            placer=self._output.placer,
            strokes=strokes or {},
            carried=carried,
        )

    def work(self, reporter: Reporter) -> SegmentOutcome:
        """Do the work, in a thread."""
        return run_segment(self.job, self._session, reporter, self._on_finished_plane)

    @property
    def finished_planes(self) -> SegmentOutcome | None:
        """What there is of a run over several planes that has ended early, if any is finished."""
        return self.so_far if len(self.request.read.planes) > 1 else None

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

    def _on_finished_plane(self, outcome: SegmentOutcome) -> None:
        self.so_far = outcome

    def _told(self, outcome: SegmentOutcome, update: LabelsUpdate, labels: Labels) -> list[str]:
        planes, asked = len(outcome.labels), len(self.request.read.planes)
        what = "Segmented" if planes == 1 else f"Segmented {planes} planes"
        how = " from the embedding, without a vision pass" if outcome.reused == planes else ""
        told = [f"{what} into “{labels.name}”{how}."]
        if planes < asked:
            told = [f"{planes} of {asked} planes were finished, and are in “{labels.name}”."]
            if update.undoable:
                told.append("One undo (Ctrl+Z, with the labels active) takes them back.")
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

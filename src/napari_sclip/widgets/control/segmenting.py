"""One run, from the press of the button to what is said about it at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.examples import Strokes
from napari_sclip.layers.labels.write import LabelsUpdate
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.control.output import RunOutput
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.reporter import PlaneDraft, Reporter
from napari_sclip.widgets.work.segment import SegmentJob, SegmentOutcome, run_segment
from napari_sclip.widgets.work.session import Session


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

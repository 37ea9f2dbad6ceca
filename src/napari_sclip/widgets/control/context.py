"""What the parts of the controller that work on corrections have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.targets import Target, shown_plane
from napari_sclip.widgets.control.image import ImageFollower
from napari_sclip.widgets.control.labels import LabelsLink, colored_classes
from napari_sclip.widgets.control.tasks import Runner, Work
from napari_sclip.widgets.state.run import BUSY
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.explain import CloserJob
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.work.session import Session
from napari_sclip.widgets.worker import Listener

SAID = {
    "look": "Looking closer",
    "save": "Saving",
    "open": "Opening",
    "split": "Looking for objects",
}
"""What stands beside the progress bar before the work itself says more."""

NO_LABELS = "This image has no labels yet. Press Segment first."


@dataclass(frozen=True, eq=False)
class Desk:
    """The viewer, what is chosen, and who does the work.

    Attributes
    ----------
    viewer : Viewer
    state : WidgetState
    session : Session
    runner : Runner
    follower : ImageFollower
    link : LabelsLink
    progress, failed : callable
        What is told of work that goes on, and of work that failed.
    keep : callable
        What is told of labels that were worked on without being painted.
    bind_digits : callable
        What lets digits pick the class to paint with in a layer.
    """

    viewer: Any
    state: WidgetState
    session: Session
    runner: Runner
    follower: ImageFollower
    link: LabelsLink
    progress: Callable[[Any], None]
    failed: Callable[[Exception], None]
    keep: Callable[[Labels], None]
    bind_digits: Callable[[Labels], None]

    @property
    def labels(self) -> Labels | None:
        """The labels of the image, or None."""
        return self.link.labels_of(self.follower.layer)

    def say(self, sentence: str) -> None:
        """Say what came of something, or why it was not done."""
        self.state.run.notice = sentence

    def labels_shown(self) -> tuple[Labels, Target] | None:
        """Return the labels and the plane of them that is shown; say why if there is none."""
        labels = self.labels
        if labels is None:
            self.say(NO_LABELS)
            return None
        try:
            return labels, shown_plane(self.viewer, labels)
        except SclipError as error:
            self.say(str(error))
            return None

    def start(
        self,
        name: str,
        work: Callable[[Reporter], Any],
        done: Callable[[Any], None],
        stopped: Callable[[], None] = lambda: None,
    ) -> bool:
        """Start work in a thread, unless something runs; tell whether it was started."""
        if self.runner.is_running:
            self.say(BUSY)
            return False
        self.state.run.failure = None
        self.state.run.notice = ""
        listener = Listener(progress=self.progress, done=done, failed=self.failed, stopped=stopped)
        self.runner.start(Work(name, work, listener))
        self.state.run.message = SAID.get(name, "")
        return True

    def job(self, learned: Any) -> CloserJob | None:  # noqa: ANN401 - a Classifier
        """Take down what a closer look at the shown plane needs; say why if it cannot be had."""
        reason = self.state.why_not()
        if not reason and self.state.model.needs_download:
            reason = "The model is not on this computer. Press Segment to download it."
        if reason:
            self.say(reason)
            return None
        try:
            request: ImageRequest = self.follower.make_request(planes="current")
        except SclipError as error:
            self.state.image.problem = str(error)
            return None
        return CloserJob(
            request=request,
            selection=self.state.model.selection(),
            config=self.state.detail.config(),
            classes=colored_classes(self.state.classes),
            learned=learned,
        )

"""Finds out what this machine offers, in the background, when the widget opens."""

from __future__ import annotations

import dataclasses
import math
import platform
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qtpy.QtCore import QTimer

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.estimate import (
    WindowCost,
    estimate_bytes,
    estimate_seconds,
    measure_window,
)
from napari_sclip.engine.failures import explain_error
from napari_sclip.engine.layout import plan_windows
from napari_sclip.errors import SclipError
from napari_sclip.layers.image.read import with_labels_size
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.schema import package_versions
from napari_sclip.models.registry import MODELS
from napari_sclip.progress import Progress
from napari_sclip.widgets.control.run import RunRequest
from napari_sclip.widgets.control.tasks import Runner, Work
from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.state.run import Failure, Question
from napari_sclip.widgets.state.store import WindowCost as KeptCost
from napari_sclip.widgets.state.store import WindowCosts, WindowKey
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.recovery import LeftBehind
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.work.segment import SegmentOutcome
from napari_sclip.widgets.work.session import Session
from napari_sclip.widgets.work.startup import (
    Findings,
    bring_model,
    known_models,
    look_around,
    no_long_collections,
    warm_up,
)
from napari_sclip.widgets.worker import Listener, Task

IN_THE_WIDGET = {
    "with weights=": "as “A checkpoint of my own”",
    "as weights=": "as “A checkpoint of my own”",
}
"""What is an argument in Python is a control here."""

RECOVERY = "recover"
LABELS_OF_REGION = "Labels of the region only"


def describe_failure(error: Exception, state: WidgetState) -> Failure:
    """Turn any exception of a run into what the widget shows.

    Parameters
    ----------
    error : Exception
    state : WidgetState
        What was asked for, as far as it still stands there.
    """
    lines = [
        "".join(traceback.format_exception(error)).rstrip(),
        "",
        f"Image: {state.image.facts}",
        f"Model: {state.model.selection()}",
        f"Detail: {_settings(state)}",
        f"System: {platform.platform()}, Python {platform.python_version()}",
        *(f"{name}: {version}" for name, version in package_versions()),
    ]
    message = explain_error(error)
    for words, here in IN_THE_WIDGET.items():
        message = message.replace(words, here)
    return Failure(message, "\n".join(lines))


def _settings(state: WidgetState) -> str:
    try:
        return str(state.detail.config().to_dict())
    except SclipError as error:
        return str(error)


class Scout:
    """Imports the engine and fills in models, devices and attention modes.

    Parameters
    ----------
    state : WidgetState
    ready : callable
        Called when that is done, or has failed.

    Attributes
    ----------
    is_ready : bool
    """

    def __init__(self, state: WidgetState, ready: Callable[[], None]) -> None:
        self._state = state
        self._ready = ready
        self.is_ready = False
        state.model.choices = known_models()
        listener = Listener(
            draft=self._on_findings,
            done=self._on_findings,
            failed=self._on_failure,
            finished=self._on_finished,
        )
        self._task = Task(look_around, listener, drafts=True)
        self._task.start()

    def close(self) -> None:
        """Tell nothing more."""
        self._task.forget()

    def mark_missing(self, name: str) -> None:
        """Note that a model is not on this disk after all."""
        model = self._state.model
        model.choices = tuple(
            dataclasses.replace(c, on_disk=False) if c.name == name else c for c in model.choices
        )

    def _on_findings(self, findings: Findings) -> None:
        model = self._state.model
        model.choices = findings.choices
        if findings.devices:
            model.devices = findings.devices
            model.attentions = findings.attentions
            model.gpu_report = findings.gpu_report

    def _on_failure(self, error: Exception) -> None:
        self._state.model.problem = describe_failure(error, self._state).message

    def _on_finished(self) -> None:
        self.is_ready = True
        self._ready()


def ask_download(model: ModelState, request: RunRequest | None) -> Question:
    """Ask whether the chosen model may be downloaded.

    Parameters
    ----------
    model : ModelState
    request : RunRequest or None
        What goes on afterwards.
    """
    choice = model.choice
    assert choice is not None
    yes = ("yes", "Download") if request is None else ("segment", "Download and segment")
    return Question(
        key="download",
        text=(
            f"{choice.name} is not on this computer. Download {choice.size_mb} MB once from the "
            f"hub? Licence of the weights: {choice.licence}. Your images stay here."
        ),
        answers=(yes, ("no", "Not now")),
        about=model.name if request is None else request,
    )


def ask_replace(request: RunRequest, name: str, painted: int) -> Question:
    """Ask whether what was painted by hand may be replaced.

    Parameters
    ----------
    request : RunRequest
    name : str
        Of the labels.
    painted : int
        Pixels.
    """
    return Question(
        key="replace",
        text=(
            f"{painted:,} pixels that were painted by hand in “{name}” will be replaced too. One "
            "undo (Ctrl+Z, with the labels active) brings them back."
        ),
        answers=(("yes", "Replace them"), ("no", "Keep them")),
        about=dataclasses.replace(request, may_replace=painted),
    )


def ask_labels_size(request: RunRequest) -> Question:
    """Ask what size large labels shall have; sizes that are no smaller are not offered."""
    read = request.read
    offered = {
        "region": "Labels of this plane only" if read.is_whole_plane else LABELS_OF_REGION,
        "read": "Size of the level that is read",
    }
    smaller = tuple(
        (size, label)
        for size, label in offered.items()
        if math.prod(with_labels_size(read, request.image, size).labels_shape)
        < math.prod(read.labels_shape)
    )
    advice = "" if smaller else " For smaller ones, do nothing now, and choose a region."
    return Question(
        key="labels-size",
        text=f"{read.labels_too_large}{advice}",
        answers=(*smaller, ("image", "Full size"), ("no", "Do nothing")),
        about=request,
    )


def ask_recovery(left: tuple[LeftBehind, ...]) -> Question:
    """Ask whether labels that a session left behind shall be brought back."""
    when = time.strftime("%d %b, %H:%M", time.localtime(left[0].when))
    count = sum(len(item.files) for item in left)
    what = "one layer" if count == 1 else f"{count} layers"
    told = "napari did not end as it should."
    if all(item.was_closed for item in left):
        told = "napari was closed before these labels were saved."
    return Question(
        key=RECOVERY,
        text=f"{told} Your labels of {when} were kept ({what}).",
        answers=(("restore", "Bring back"), ("discard", "Throw away"), ("no", "Later")),
    )


class Downloading:
    """Asks, downloads, and tells how far it is.

    Parameters
    ----------
    state : WidgetState
    runner : Runner
    progress, failed : callable
        What is told besides.
    """

    def __init__(
        self,
        state: WidgetState,
        runner: Runner,
        progress: Callable[[Progress], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._state = state
        self._runner = runner
        self._progress = progress
        self._failed = failed

    def ask(self, request: RunRequest | None = None) -> None:
        """Ask whether the chosen model may be downloaded, and go on with a request then."""
        self._state.run.question = ask_download(self._state.model, request)

    def start(self, then: Callable[[], None] | None) -> None:
        """Download the chosen model; then do what was waiting for it."""
        model, run = self._state.model, self._state.run
        name = model.name

        def done(choices: Any) -> None:  # noqa: ANN401
            model.choices = choices
            run.notice = f"{name} is on this disk now."
            if then is not None:
                QTimer.singleShot(0, then)

        listener = Listener(progress=self._on_progress, done=done, failed=self._failed)
        self._runner.start(Work("download", lambda reporter: bring_model(name, reporter), listener))

    def _on_progress(self, progress: Progress) -> None:
        self._state.model.download_progress = (progress.done, progress.total)
        self._state.model.download_message = progress.message
        self._progress(progress)


class Estimates:
    """Keeps the estimate of the section "Detail" true.

    Parameters
    ----------
    state : WidgetState
    folder : Path
        Where measured windows are kept from one start to the next.
    session : Session
        Knows models that are not in the registry once they have been loaded.
    """

    def __init__(self, state: WidgetState, folder: Path, session: Session) -> None:
        self._state = state
        self._session = session
        self._costs = WindowCosts(folder)

    def update(self, request: ImageRequest | None) -> None:
        """Count the windows of what is read, and say what they cost."""
        detail = self._state.detail
        detail.problem = ""
        detail.windows, detail.estimate = None, ""
        if request is None:
            return
        try:
            count = self._count(request)
        except SclipError as error:
            detail.problem = str(error)
            return
        if count is None:
            return
        detail.windows = count * len(request.planes)
        kept = self._costs.get(self._key())
        if kept is not None:
            cost = self._restored(kept)
            seconds = estimate_seconds(detail.windows, cost)
            size = estimate_bytes(detail.windows, cost, request.read_shape, self._config())
            detail.estimate = f"about {_duration(seconds)}, {_size(size)}"

    def measuring(self, session: Session) -> Callable[[Reporter], WindowCost]:
        """Return the work that times one window of the chosen model."""
        selection, config = self._state.model.selection(), self._state.detail.config()

        def measure(reporter: Reporter) -> WindowCost:
            with session.lock, no_long_collections():
                warm_up()
                segmenter = session.segmenter(selection, reporter.progress)
                return measure_window(segmenter, config, reporter.progress)

        return measure

    def keep(self, cost: WindowCost) -> None:
        """Keep what was measured with the model and settings as they are chosen."""
        self._costs.put(self._key(), KeptCost(cost.seconds, cost.feature_bytes))

    def learn(self, outcome: SegmentOutcome) -> None:
        """Keep what the windows of a run cost."""
        # Averaged on patches, an embedding does not tell what one window takes.
        if outcome.cost is not None and outcome.job.config.average_on == "pixels":
            self.keep(outcome.cost)

    def _count(self, request: ImageRequest) -> int | None:
        sizes = self._sizes
        if sizes is None:
            return None
        return plan_windows(request.read_shape, self._config(), sizes[0]).count

    @property
    def _sizes(self) -> tuple[int, int] | None:
        """Sides of a patch and of the input, as far as they are known."""
        entry = next((e for e in MODELS if e.name == self._state.model.name), None)
        if entry is not None:
            return entry.patch, entry.input_size
        return self._session.sizes(self._state.model.selection())

    def _config(self) -> SegmentationConfig:
        config, sizes = self._state.detail.config(), self._sizes
        return config if sizes is None else config.for_input_size(sizes[1])

    def _key(self) -> WindowKey:
        # As they are chosen: what "auto" comes to is not known before the model is loaded.
        selection = self._state.model.selection()
        return WindowKey(
            model=selection.name if selection.weights is None else selection.weights,
            device=selection.device,
            precision=selection.precision,
            attention=selection.attention,
            window=int(self._config().window),
        )

    def _restored(self, kept: KeptCost) -> WindowCost:
        key = self._key()
        return WindowCost(
            seconds=kept.seconds,
            feature_bytes=kept.bytes,
            model=key.model,
            device=key.device,
            precision=key.precision,
            window=key.window,
        )


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"

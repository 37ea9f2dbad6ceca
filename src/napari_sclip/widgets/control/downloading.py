"""Brings a model to this disk when a person has agreed to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QTimer

from napari_sclip.progress import Progress
from napari_sclip.widgets.control.questions import ask_download
from napari_sclip.widgets.control.runner import Runner, Work
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.look import bring_model
from napari_sclip.widgets.worker import Listener


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

    def ask(self, *, then_segment: bool) -> None:
        """Ask whether the chosen model may be downloaded."""
        self._state.run.question = ask_download(self._state.model, then_segment=then_segment)

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

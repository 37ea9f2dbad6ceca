"""Finds out what this machine offers, in the background, when the widget opens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from napari_sclip.widgets.control.failures import describe_failure
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.look import Findings, known_models, look_around
from napari_sclip.widgets.worker import Listener, Task


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

    def mark_missing(self) -> None:
        """Note that the chosen model is not on this disk after all."""
        model = self._state.model
        model.choices = tuple(
            dataclasses.replace(c, on_disk=False) if c.name == model.name else c
            for c in model.choices
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

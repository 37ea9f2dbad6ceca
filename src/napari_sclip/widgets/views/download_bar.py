"""Brings the chosen model to this computer."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.text_labels import WrappedLabel

STEPS = 1000
"""Of the bar: bytes would not fit Qt's whole numbers."""


class DownloadBar(QWidget):
    """A button while the chosen model is not on this disk, and the progress of a download.

    Hidden where there is nothing to download.

    Parameters
    ----------
    state : ModelState
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: ModelState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._download = QPushButton(self)
        self._download.setObjectName("sclip_model_download")
        self._download.clicked.connect(self._on_download)
        self._progress = QProgressBar(self)
        self._progress.setObjectName("sclip_model_download_progress")
        self._progress.setAccessibleName("Progress of the download")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setObjectName("sclip_model_download_cancel")
        self._cancel.setToolTip("Stop the download; it goes on from here when asked again")
        self._cancel.setAccessibleName("Cancel the download")
        self._cancel.clicked.connect(self._on_cancel)
        self._message = WrappedLabel(self)
        self._message.setObjectName("sclip_model_download_message")
        bar = QHBoxLayout()
        bar.addWidget(self._progress, 1)
        bar.addWidget(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self._download)
        layout.addLayout(bar)
        layout.addWidget(self._message)
        self._show()
        follow(state.events, self._show)

    def _show(self) -> None:
        state = self._state
        choice, progress = state.choice, state.download_progress
        runs = progress is not None
        can_download = state.needs_download and not runs
        if choice is not None:
            self._download.setText(f"Do&wnload {choice.size_mb} MB")
            self._download.setToolTip(
                f"Bring {choice.name} ({choice.size_mb} MB) to this computer, once. "
                "You are asked before it starts."
            )
        had_focus = self._download.hasFocus() or self._cancel.hasFocus()
        self.setVisible(can_download or runs)
        self._download.setVisible(can_download)
        self._progress.setVisible(runs)
        self._cancel.setVisible(runs)
        if had_focus:
            (self._cancel if runs else self._download).setFocus()
        self._message.setText(self._words() if runs else "")
        if progress is None:
            return
        done, total = progress
        if total > 0:
            self._progress.setRange(0, STEPS)
            self._progress.setValue(STEPS * min(max(done, 0), total) // total)
        else:
            self._progress.setRange(0, 0)
        self._progress.setToolTip(self._words())

    def _words(self) -> str:
        done, total = self._state.download_progress or (0, 0)
        of_all = f" of {_megabytes(total)}" if total > 0 else ""
        return self._state.download_message or f"{_megabytes(done)}{of_all} MB"

    def _on_download(self) -> None:
        self._actions.download()

    def _on_cancel(self) -> None:
        self._actions.cancel()


def _megabytes(count: int) -> int:
    return round(count / 1e6)

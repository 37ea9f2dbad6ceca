"""The section "Model": which one, where it computes, and how it gets here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QSignalBlocker, QUrl
from qtpy.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from qtpy.QtWidgets import (
    QComboBox,
    QCompleter,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.model import OWN_FILE, ModelChoice, ModelState
from napari_sclip.widgets.views.choice_box import FEWEST_LETTERS, Choice, ChoiceBox
from napari_sclip.widgets.views.form import (
    ProblemLabel,
    RowLabel,
    WrappedLabel,
    bind,
    fields,
    follow,
)
from napari_sclip.widgets.views.section import Disclosure

AUTO = "auto"
AUTO_DEVICE = Choice(AUTO, "auto", "auto: a GPU if one can be used", "A GPU if one can be used")
PRECISIONS = (
    Choice(AUTO, "auto", "auto: what suits the device", "fp16 on CUDA, fp32 elsewhere"),
    Choice("fp32", "fp32", tooltip="Exact, and the slowest on a GPU"),
    Choice("fp16", "fp16", tooltip="Half the memory; fast on GPUs"),
    Choice("bf16", "bf16", tooltip="Half the memory; coarser numbers than fp16, wider range"),
)
AUTO_ATTENTION = Choice(
    AUTO, "auto", "auto: what suits the model", "The mode that is best for the chosen model"
)

STEPS = 1000
"""Of the bar: bytes would not fit Qt's whole numbers."""

ARCHITECTURES = (
    "ViT-B-16-quickgelu",
    "ViT-B-16",
    "ViT-B-32-quickgelu",
    "ViT-B-32",
    "ViT-L-14-quickgelu",
    "ViT-L-14",
)
FILTER = "Checkpoints (*.pt *.pth *.bin *.safetensors *.npz);;All files (*)"

AskForFile = Callable[[QWidget, str], str]
"""Given a parent and the folder to begin in; returns a path, or nothing if withdrawn."""

OWN = Choice(
    OWN_FILE,
    "own checkpoint",
    "A checkpoint of my own...",
    "A file on this computer that open_clip can read",
)


class DevicePart(QWidget):
    """Three rows, and why a GPU is or is not used.

    Parameters
    ----------
    state : ModelState
    parent : QWidget, optional
    """

    def __init__(self, state: ModelState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._device = self._make_box("device", "Which part of this computer computes")
        self._precision = self._make_box(
            "precision", "Bits of the numbers that the vision tower computes with"
        )
        self._attention = self._make_box(
            "attention", "The rule in the last block of the vision tower"
        )
        self._report = WrappedLabel(self)
        self._report.setObjectName("sclip_model_gpu_report")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(1, 1)
        rows = (("Device", self._device), ("Precision", self._precision))
        for row, (text, box) in enumerate((*rows, ("Attention", self._attention))):
            label = RowLabel(text, self)
            label.setBuddy(box)
            box.setAccessibleName(text)
            layout.addWidget(label, 2 * row, 0)
            layout.addWidget(box, 2 * row, 1)
        layout.addWidget(self._report, 1, 0, 1, 2)
        self._precision.show_choices(PRECISIONS, state.precision)
        bind(self._device, state, "device")
        bind(self._precision, state, "precision")
        bind(self._attention, state, "attention")
        follow(
            self._show, fields(state, "devices", "device", "attentions", "attention", "gpu_report")
        )

    @property
    def summary(self) -> str:
        """What was chosen by hand, in a few words."""
        state = self._state
        chosen = [c for c in (state.device, state.precision, state.attention) if c != AUTO]
        return ", ".join(chosen) or "automatic"

    def _make_box(self, name: str, tooltip: str) -> ChoiceBox:
        box = ChoiceBox(self)
        box.setObjectName(f"sclip_model_{name}")
        box.setToolTip(tooltip)
        return box

    def _show(self) -> None:
        state = self._state
        devices = [
            Choice(name, name, f"{name}: {text}" if text else name, text)
            for name, text in state.devices
        ]
        # Until torch has been asked, nothing is known to be missing.
        missing = "{} (not found here)" if devices else "{}"
        self._device.show_choices([AUTO_DEVICE, *devices], state.device, missing)
        attentions = [Choice(name, name, tooltip=text) for name, text in state.attentions]
        missing = "{} (unknown)" if attentions else "{}"
        self._attention.show_choices([AUTO_ATTENTION, *attentions], state.attention, missing)
        self._report.setText(state.gpu_report)


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
        self._download.clicked.connect(actions.download)
        self._progress = QProgressBar(self)
        self._progress.setObjectName("sclip_model_download_progress")
        self._progress.setAccessibleName("Progress of the download")
        self._cancel = QPushButton("Cancel", self)
        self._cancel.setObjectName("sclip_model_download_cancel")
        self._cancel.setToolTip("Stop the download; it goes on from here when asked again")
        self._cancel.setAccessibleName("Cancel the download")
        self._cancel.clicked.connect(actions.cancel)
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
        follow(
            self._show, fields(state, "choices", "name", "download_progress", "download_message")
        )

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


def _megabytes(count: int) -> int:
    return round(count / 1e6)


def ask_for_checkpoint(parent: QWidget, folder: str) -> str:
    """Ask for a file with the dialog of the system."""
    path, _ = QFileDialog.getOpenFileName(parent, "Checkpoint of a model", folder, FILTER)
    return str(path)


class OwnFile(QWidget):
    """Two rows, shown while the model is a file of one's own.

    Parameters
    ----------
    state : ModelState
    ask_for_file : callable
    parent : QWidget, optional
    """

    def __init__(
        self,
        state: ModelState,
        ask_for_file: AskForFile = ask_for_checkpoint,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._ask_for_file = ask_for_file
        self._weights = PathEdit(self)
        self._weights.setObjectName("sclip_model_weights")
        self._weights.setPlaceholderText("Drop a file here")
        bind(self._weights, state, "weights", to_value=path_of)
        self._browse = QPushButton("Browse...", self)
        self._browse.setObjectName("sclip_model_browse")
        self._browse.setToolTip("Choose the checkpoint file: .pt, .pth, .bin, .safetensors or .npz")
        self._browse.clicked.connect(self._on_browse)
        self._architecture = QComboBox(self)
        self._architecture.setObjectName("sclip_model_architecture")
        self._architecture.setEditable(True)
        self._architecture.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._architecture.addItems(ARCHITECTURES)
        self._architecture.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self._architecture.setMinimumContentsLength(FEWEST_LETTERS)
        self._architecture.setToolTip(
            "The name that open_clip has for the architecture of the file. Weights that come "
            "from OpenAI need a name that ends in -quickgelu."
        )
        completer = self._architecture.completer()
        if completer is not None:  # completing in place would write what nobody typed
            completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        self._architecture.editTextChanged.connect(self._on_architecture)
        self._arrange()
        follow(self._show, fields(state, "name", "weights", "architecture"))

    def _arrange(self) -> None:
        file_label = RowLabel("Chec&kpoint", self)
        file_label.setBuddy(self._weights)
        architecture_label = RowLabel("&Architecture", self)
        architecture_label.setBuddy(self._architecture)
        row = QHBoxLayout()
        row.addWidget(self._weights, 1)
        row.addWidget(self._browse)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnStretch(1, 1)
        layout.addWidget(file_label, 0, 0)
        layout.addLayout(row, 0, 1)
        layout.addWidget(architecture_label, 1, 0)
        layout.addWidget(self._architecture, 1, 1)

    def _show(self) -> None:
        state = self._state
        self.setVisible(state.name == OWN_FILE)
        self._weights.setToolTip(
            state.weights or "The file of the weights: type a path, browse, or drop a file here"
        )
        if self._architecture.currentText() != state.architecture:
            with QSignalBlocker(self._architecture):
                self._architecture.setEditText(state.architecture)

    def _on_browse(self) -> None:
        folder = str(Path(self._state.weights).parent) if self._state.weights else ""
        chosen = self._ask_for_file(self, folder)
        if chosen:
            self._weights.setText(chosen)

    def _on_architecture(self, text: str) -> None:
        self._state.architecture = text


class PathEdit(QLineEdit):
    """A line for a path, onto which a file can be dropped."""

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:  # noqa: N802 - Qt's name
        """Welcome files."""
        if event is not None and _dropped_file(event):
            event.acceptProposedAction()
            return
        super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent | None) -> None:  # noqa: N802 - Qt's name
        """Welcome files wherever on the line."""
        if event is not None and _dropped_file(event):
            event.acceptProposedAction()
            return
        super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent | None) -> None:  # noqa: N802 - Qt's name
        """Take the path of the first file, in place of what was there."""
        path = _dropped_file(event) if event is not None else ""
        if event is not None and path:
            event.acceptProposedAction()
            self.setText(path)
            return
        super().dropEvent(event)


def path_of(text: str) -> str:
    """Return the path in a text as file managers copy it: plain, quoted, or as an address."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    if text.startswith("file:"):
        return QUrl(text).toLocalFile() or text
    return text


def _dropped_file(event: QDropEvent) -> str:
    data = event.mimeData()
    paths = [url.toLocalFile() for url in data.urls()] if data is not None else []
    return next((path for path in paths if path), "")


class ModelView(QWidget):
    """Chooses a model.

    Parameters
    ----------
    state : ModelState
    actions : Actions
    parent : QWidget, optional
    ask_for_file : callable, optional
        Takes the place of the dialog of the system.
    """

    def __init__(
        self,
        state: ModelState,
        actions: Actions,
        parent: QWidget | None = None,
        *,
        ask_for_file: AskForFile = ask_for_checkpoint,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._name = ChoiceBox(self)
        self._name.setObjectName("sclip_model_name")
        self._name.setToolTip("The model that looks at the image")
        self._name.setPlaceholderText("Choose a model")
        bind(self._name, state, "name")
        self._about = WrappedLabel(self)
        self._about.setObjectName("sclip_model_about")
        self._download = DownloadBar(state, actions, self)
        self._own_file = OwnFile(state, ask_for_file, self)
        self._devices = DevicePart(state)
        self._disclosure = Disclosure("&Device, attention", self._devices, parent=self)
        self._disclosure.button.setObjectName("sclip_model_more")
        self._disclosure.button.setToolTip("Where and how the model computes")
        self._loaded_row = QWidget(self)
        self._loaded = WrappedLabel(self._loaded_row)
        self._loaded.setObjectName("sclip_model_loaded")
        self._embeddings = WrappedLabel(self)
        self._embeddings.setObjectName("sclip_model_embeddings")
        self._unload = QPushButton("&Unload model", self._loaded_row)
        self._unload.setObjectName("sclip_model_unload")
        self._unload.setToolTip("Give back the memory of the model and of embedded images")
        self._unload.clicked.connect(actions.unload)
        self._problem = ProblemLabel(self)
        self._problem.setObjectName("sclip_model_problem")
        self._arrange()
        follow(
            self._show,
            fields(state, "choices", "name", "loaded", "embeddings", "problem"),
            fields(state, "device", "precision", "attention"),
        )

    def _arrange(self) -> None:
        label = RowLabel("&Model", self)
        label.setBuddy(self._name)
        row = QHBoxLayout()
        row.addWidget(label)
        row.addWidget(self._name, 1)
        loaded = QHBoxLayout(self._loaded_row)
        loaded.setContentsMargins(0, 0, 0, 0)
        loaded.addWidget(self._loaded, 1)
        loaded.addWidget(self._unload)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row)
        for part in (
            self._about,
            self._download,
            self._own_file,
            self._problem,
            self._disclosure,
            self._loaded_row,
            self._embeddings,
        ):
            layout.addWidget(part)

    def _show(self) -> None:
        state = self._state
        self._name.show_choices([*map(_entry, state.choices), OWN], state.name, "{} (unknown)")
        choice = state.choice
        licence = f" Licence: {choice.licence}." if choice and choice.licence else ""
        self._about.setText(f"{choice.good_for}{licence}".strip() if choice else "")
        self._disclosure.summary = self._devices.summary
        self._loaded.setText(f"In memory: {state.loaded}" if state.loaded else "")
        self._embeddings.setText(f"Image embeddings: {state.embeddings}")
        self._loaded_row.setVisible(bool(state.loaded))
        self._embeddings.setVisible(bool(state.loaded))
        self._problem.setText(state.problem)


def _entry(choice: ModelChoice) -> Choice:
    where = "on disk" if choice.on_disk else "to download"
    return Choice(
        choice.name,
        choice.name,
        row=f"{choice.name} · {choice.size_mb} MB · {where}",
        tooltip=choice.good_for,
    )

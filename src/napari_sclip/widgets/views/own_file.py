"""A checkpoint of one's own: its file and its architecture."""

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
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from napari_sclip.widgets.state.model import OWN_FILE, ModelState
from napari_sclip.widgets.views.advanced_rows import LABEL_WIDTH
from napari_sclip.widgets.views.choice_box import FEWEST_LETTERS
from napari_sclip.widgets.views.following import follow

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
        self._weights.textChanged.connect(self._on_weights)
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
        self._show()
        follow(state.events, self._show)

    def _arrange(self) -> None:
        file_label = QLabel("Chec&kpoint", self)
        file_label.setBuddy(self._weights)
        architecture_label = QLabel("&Architecture", self)
        architecture_label.setBuddy(self._architecture)
        row = QHBoxLayout()
        row.addWidget(self._weights, 1)
        row.addWidget(self._browse)
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setColumnMinimumWidth(0, LABEL_WIDTH)
        layout.setColumnStretch(1, 1)
        layout.addWidget(file_label, 0, 0)
        layout.addLayout(row, 0, 1)
        layout.addWidget(architecture_label, 1, 0)
        layout.addWidget(self._architecture, 1, 1)

    def _show(self) -> None:
        state = self._state
        self.setVisible(state.name == OWN_FILE)
        if path_of(self._weights.text()) != state.weights:
            with QSignalBlocker(self._weights):
                self._weights.setText(state.weights)
        self._weights.setToolTip(
            state.weights or "The file of the weights: type a path, browse, or drop a file here"
        )
        if self._architecture.currentText() != state.architecture:
            with QSignalBlocker(self._architecture):
                self._architecture.setEditText(state.architecture)

    def _on_weights(self, text: str) -> None:
        self._state.weights = path_of(text)

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

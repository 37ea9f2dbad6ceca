"""The section "Model": which one, where it computes, and how it gets here."""

from __future__ import annotations

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.model import OWN_FILE, ModelChoice, ModelState
from napari_sclip.widgets.views.advanced_rows import LABEL_WIDTH
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.device_part import DevicePart
from napari_sclip.widgets.views.disclosure import Disclosure
from napari_sclip.widgets.views.download_bar import DownloadBar
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.own_file import AskForFile, OwnFile, ask_for_checkpoint
from napari_sclip.widgets.views.text_labels import ProblemLabel, WrappedLabel

OWN = Choice(
    OWN_FILE,
    "own checkpoint",
    "A checkpoint of my own...",
    "A file on this computer that open_clip can read",
)


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
        self._name.picked.connect(self._on_name)
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
        self._unload = QPushButton("&Unload model", self._loaded_row)
        self._unload.setObjectName("sclip_model_unload")
        self._unload.setToolTip("Give back the memory of the model and of embedded images")
        self._unload.clicked.connect(self._on_unload)
        self._problem = ProblemLabel(self)
        self._problem.setObjectName("sclip_model_problem")
        self._arrange()
        self._show()
        follow(state.events, self._show)

    def _arrange(self) -> None:
        label = QLabel("&Model", self)
        label.setMinimumWidth(LABEL_WIDTH)
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
        self._loaded_row.setVisible(bool(state.loaded))
        self._problem.setText(state.problem)

    def _on_name(self, name: str) -> None:
        self._state.name = name

    def _on_unload(self) -> None:
        self._actions.unload()


def _entry(choice: ModelChoice) -> Choice:
    where = "on disk" if choice.on_disk else "to download"
    return Choice(
        choice.name,
        choice.name,
        row=f"{choice.name} · {choice.size_mb} MB · {where}",
        tooltip=choice.good_for,
    )

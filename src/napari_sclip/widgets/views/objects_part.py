"""Makes an id of its own for each object of a class, and writes objects back."""

from __future__ import annotations

from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.run import IDLE
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.buttons import allow, make_button
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.correct_view import BUSY, NO_LABELS
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.text_labels import WrappedLabel

NO_OBJECTS = "Choose a layer of objects in the list of layers first."


class ObjectsPart(QWidget):
    """The controls for objects.

    Parameters
    ----------
    state : WidgetState
        Its parts `correct` and `run`.
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: WidgetState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state.correct
        self._run = state.run
        self._actions = actions
        self._chosen = ""
        self._class = ChoiceBox(self)
        self._class.setObjectName("sclip_objects_class")
        self._class.setAccessibleName("Class that is split into objects")
        self._class.setToolTip("The class that is split into objects")
        self._class.picked.connect(self._on_class)
        self._touching = QCheckBox("Part touching", self)
        self._touching.setObjectName("sclip_objects_touching")
        self._touching.setToolTip(
            "Part objects that touch each other where they are narrow (watershed); else what hangs "
            "together is one object"
        )
        self._touching.setChecked(True)
        self._split = make_button(
            "sclip_objects_split",
            "Split into objects",
            "Make a labels layer in which each object of this class has an id of its own",
            self._on_split,
            self,
        )
        self._write = make_button(
            "sclip_objects_write",
            "Write objects back",
            "Make the class in the labels what the active layer of objects shows, as one step that "
            "can be undone",
            self._on_write,
            self,
        )
        self._which = WrappedLabel(self)
        self._which.setObjectName("sclip_objects_which")
        self._arrange()
        self._show()
        follow(state.correct.events, self._show)
        follow(state.run.events, self._show)

    def _arrange(self) -> None:
        what = QHBoxLayout()
        what.addWidget(self._class, 1)
        what.addWidget(self._touching)
        act = QHBoxLayout()
        act.addWidget(self._split, 1)
        act.addWidget(self._write, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(what)
        layout.addLayout(act)
        layout.addWidget(self._which)

    def _show(self) -> None:
        state = self._state
        busy = "" if self._run.status == IDLE else BUSY
        if self._chosen not in state.names:
            self._chosen = state.names[0] if state.names else ""
        self._class.show_choices([Choice(name, name) for name in state.names], self._chosen)
        self._class.setEnabled(bool(state.names))
        allow(self._split, busy if state.labels else NO_LABELS)
        allow(self._write, busy if state.instances else NO_OBJECTS)
        self._which.setText(state.instances)

    def _on_class(self, name: str) -> None:
        self._chosen = name

    def _on_split(self) -> None:
        self._actions.split_objects(self._chosen, touching=self._touching.isChecked())

    def _on_write(self) -> None:
        self._actions.write_objects_back()

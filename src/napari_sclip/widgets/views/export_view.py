"""The section "Export": files, commands and objects."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QHBoxLayout,
    QMenu,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.run import BUSY, IDLE
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.choice_box import Choice, ChoiceBox
from napari_sclip.widgets.views.correct_view import NO_LABELS
from napari_sclip.widgets.views.form import (
    WrappedLabel,
    allow,
    ask_mask,
    ask_where,
    fields,
    follow,
    make_button,
)

NO_OBJECTS = "Choose a layer of objects in the list of layers first."

LANGUAGES = (
    ("shell", "Command line", "Copy the command that repeats this run on a file"),
    ("python", "Python", "Copy the lines of Python that repeat this run on a file"),
)


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
        follow(
            self._show,
            fields(state.correct, "labels", "names", "instances"),
            fields(state.run, "status"),
        )

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


class ExportView(QWidget):
    """Saves what is on the layer, and starts from what was saved.

    Parameters
    ----------
    state : WidgetState
        Its parts `correct`, `run` and `image`.
    actions : Actions
    parent : QWidget, optional

    Attributes
    ----------
    ask_open : callable
        Returns the path that a person chose, or nothing.
    ask_save : callable
        The same, for a file of this name, kind and ending.
    """

    def __init__(self, state: WidgetState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state.correct
        self._run = state.run
        self._image = state.image
        self._actions = actions
        self._chosen = ""
        self.ask_open: Callable[[], str] = partial(ask_mask, self)
        self.ask_save: Callable[[str, str, str], str] = partial(ask_where, self)
        self._format = ChoiceBox(self)
        self._format.setObjectName("sclip_export_format")
        self._format.setAccessibleName("Format that labels are saved in")
        self._format.setToolTip("The format that labels are saved in; docs/exporting.md tells more")
        self._format.picked.connect(self._on_format)
        self._save = make_button(
            "sclip_export_save",
            "Save...",
            "Save the labels as they are now, with what was painted, their names and colours",
            self._on_save,
            self,
        )
        self._mask = make_button(
            "sclip_export_mask",
            "Open a mask...",
            "Open a mask file as the labels of this image; its pixels count as painted by hand",
            self._on_mask,
            self,
        )
        self._adopt = make_button(
            "sclip_export_adopt",
            "Use a layer",
            "Take the labels layer that is active as the labels of this image; its pixels count as "
            "painted by hand",
            self._on_adopt,
            self,
        )
        self._make_copy()
        self._objects = ObjectsPart(state, actions, self)
        self._arrange()
        follow(
            self._show,
            fields(state.correct, "labels", "formats"),
            fields(state.run, "status"),
            fields(state.image, "facts"),
        )

    def _make_copy(self) -> None:
        self._menu = QMenu(self)
        self._menu.setToolTipsVisible(True)
        for language, text, about in LANGUAGES:
            action = self._menu.addAction(text)
            assert action is not None
            action.setObjectName(f"sclip_export_copy_{language}")
            action.setToolTip(about)
            action.triggered.connect(partial(self._on_copy, language))
        self._copy = QToolButton(self)
        self._copy.setObjectName("sclip_export_copy")
        self._copy.setText("Copy as command ▾")
        self._copy.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._copy.setToolTip("Copy what repeats this run on other files")
        self._copy.setMenu(self._menu)
        self._copy.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._copy.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self._copy.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def _arrange(self) -> None:
        save = QHBoxLayout()
        save.addWidget(self._format, 1)
        save.addWidget(self._save)
        start = QHBoxLayout()
        start.addWidget(self._mask, 1)
        start.addWidget(self._adopt, 1)
        copy = QHBoxLayout()
        copy.addWidget(self._copy)
        copy.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for row in (save, start, copy):
            layout.addLayout(row)
        layout.addWidget(self._objects)

    def _show(self) -> None:
        state = self._state
        busy = "" if self._run.status == IDLE else BUSY
        self._learn_formats()
        keys = [key for key, _ in state.formats]
        if self._chosen not in keys:
            self._chosen = keys[0] if keys else ""
        self._format.show_choices([Choice(key, text) for key, text in state.formats], self._chosen)
        allow(self._save, busy if state.labels else NO_LABELS)
        no_image = "" if self._image.facts is not None else "Open the image first."
        allow(self._mask, busy or no_image)
        allow(self._adopt, busy or no_image)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Learn what can be saved, the first time that it is seen."""
        super().showEvent(event)
        self._learn_formats()

    def _learn_formats(self) -> None:
        if not self._state.formats and self._run.status == IDLE and self.isVisible():
            self._actions.list_formats()

    def _on_format(self, key: str) -> None:
        self._chosen = key

    def _on_save(self) -> None:
        text = dict(self._state.formats).get(self._chosen, "")
        kind, _, ending = text.rpartition(" (")
        path = self.ask_save(self._state.labels, kind, ending.rstrip(")"))
        if path:
            self._actions.export(path, self._chosen)

    def _on_mask(self) -> None:
        path = self.ask_open()
        if path:
            self._actions.start_from_mask(path)

    def _on_adopt(self) -> None:
        self._actions.start_from_layer()

    def _on_copy(self, language: str, checked: bool = False) -> None:
        clipboard = QApplication.clipboard()
        assert clipboard is not None
        lines = self._actions.repeat_as(language)
        if lines:
            clipboard.setText(lines)

"""The dock widget: the sections, and the controller behind them."""

from __future__ import annotations

import atexit
import contextlib
import weakref

import napari
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.model import OWN_FILE
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.classes_view import ClassesView
from napari_sclip.widgets.views.correct_view import CorrectView
from napari_sclip.widgets.views.detail_view import DetailView
from napari_sclip.widgets.views.explain_view import ExplainView
from napari_sclip.widgets.views.export_view import ExportView
from napari_sclip.widgets.views.form import fields, follow, tab_through
from napari_sclip.widgets.views.image_view import ImageView
from napari_sclip.widgets.views.model_view import ModelView
from napari_sclip.widgets.views.run_view import RunView
from napari_sclip.widgets.views.section import Section
from napari_sclip.widgets.work.session import Session

_OPEN: weakref.WeakSet[SegmentWidget] = weakref.WeakSet()


@atexit.register
def _take_apart() -> None:
    """Delete widgets that are open when Python ends, their parts in the right order.

    PyQt6 would delete them in none, which often crashes.
    """
    if QApplication.instance() is None:
        return
    kind = QEvent.Type.DeferredDelete
    for widget in list(_OPEN):
        with contextlib.suppress(RuntimeError):  # Qt has deleted it
            widget.setParent(None)
            widget.deleteLater()
            QApplication.sendPostedEvents(widget, int(getattr(kind, "value", kind)))


class SegmentWidget(QWidget):
    """Segment an image by typing what is in it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
    session : Session, optional
        Keeps the model; a test gives its own.
    """

    def __init__(
        self,
        viewer: napari.viewer.Viewer,  # spelled so: it is by this that napari gives it
        session: Session | None = None,
    ) -> None:
        super().__init__()
        _OPEN.add(self)
        self.setObjectName("sclip_widget")
        viewer = getattr(viewer, "__wrapped__", viewer)  # commands are given a proxy
        self.state = WidgetState()
        self._had_labels = False
        self.controller = Controller(viewer, self.state, session)
        state, actions = self.state, self.controller
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Section("Image", ImageView(state.image, actions)))
        column.addWidget(Section("Classes", ClassesView(state.classes, actions)))
        self._model_section = Section("Model", ModelView(state.model, actions), folded=True)
        column.addWidget(self._model_section)
        column.addWidget(Section("Detail", DetailView(state.detail, actions)))
        self._correct_section = Section("Correct", CorrectView(state, actions), folded=True)
        column.addWidget(self._correct_section)
        column.addWidget(Section("Explain", ExplainView(state, actions), folded=True))
        column.addWidget(Section("Export", ExportView(state, actions), folded=True))
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("sclip_scroll")
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5, 6, 5, 6)
        layout.addWidget(scroll, 1)
        run = RunView(state, actions)
        run.setContentsMargins(6, 0, 6, 0)  # as the sections above
        layout.addWidget(run)
        tab_through(self)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self.controller.cancel)
        follow(
            self._summarise_model,
            fields(state.model, "name", "choices", "loaded", "problem", "download_progress"),
        )
        follow(self._on_labels, fields(state.correct, "labels"))

    def event(self, event: QEvent | None) -> bool:
        """Stop working when napari takes the widget out of its dock, or deletes it."""
        kind = None if event is None else event.type()
        taken_out = kind == QEvent.Type.ParentChange and self.parent() is None
        if taken_out or kind == QEvent.Type.DeferredDelete:
            self.controller.close()
        return bool(super().event(event))

    def _on_labels(self) -> None:
        """Show how to correct labels when there are some for the first time."""
        if self.state.correct.labels and not self._had_labels:
            self._had_labels = True
            self._correct_section.folded = False

    def _summarise_model(self) -> None:
        model = self.state.model
        name = "own checkpoint" if model.name == OWN_FILE else model.name
        where = "to download" if model.needs_download else "in memory" if model.loaded else ""
        self._model_section.summary = " · ".join(part for part in (name, where) if part)
        if model.problem or model.download_progress is not None or not model.name:
            self._model_section.folded = False

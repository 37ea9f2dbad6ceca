"""The dock widget: the sections, and the controller behind them."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import MutableMapping
from typing import Any

import napari
from napari.settings import get_settings
from napari.utils.transforms import Affine
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QObject, QPoint, QSize, Qt
from qtpy.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QApplication,
    QDockWidget,
    QFrame,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

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

DOCK_NAMES = ("SCLIP Segmentation (SCLIP)", "SCLIP Segmentation (napari-sclip)")
"""What the Plugins menu calls the dock, and what ``napari -w`` and `add_plugin_dock_widget` do."""

OURS = "QToolButton, QLineEdit, QTableView, QHeaderView, QAbstractSpinBox, QMenu, QScrollArea"
"""Kinds of widgets for which napari's style does not say the size of the font."""

SHARE = 0.35
"""Of the screen's width, which the widget asks for at most; what is wider scrolls."""
USUAL_LETTERS = 46
"""Beside one another, for which there is room at first."""
FEWEST_LINES = 11
"""Lines of text that are seen of the sections, and of a run, however low the window is."""

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


class Scroll(QScrollArea):
    """Scrolls what has no room, and asks for the width that it needs in the font that there is.

    Parameters
    ----------
    body : QWidget
    lines : int
        Height, in lines of text, that is had in any case.
    grows : bool
        Whether it asks for the height of its body, rather than for these lines.
    """

    def __init__(self, body: QWidget, *, lines: int, grows: bool) -> None:
        super().__init__()
        self._lines = lines
        self._grows = grows
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        vertical = QSizePolicy.Policy.Preferred if grows else QSizePolicy.Policy.Expanding
        self.setSizePolicy(QSizePolicy.Policy.Expanding, vertical)
        self.setWidget(body)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the width of the body, up to a part of the screen, and the fewest lines."""
        body, bar, screen = self.widget(), self.verticalScrollBar(), self.screen()
        assert body is not None
        assert bar is not None
        width = body.minimumSizeHint().width() + bar.sizeHint().width() + self._around().x()
        most = width if screen is None else int(SHARE * screen.availableSize().width())
        height = self._lines * self.fontMetrics().lineSpacing()
        if self._grows:
            height = min(height, self._whole())
        # What it needs is not known before napari's style is, and a dock keeps what was asked once.
        return QSize(min(width, most) if self.isVisible() else 0, height)

    def showEvent(self, event: QShowEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask for the width, which is known by now."""
        super().showEvent(event)
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of the body, or of the fewest lines of it."""
        least = self.minimumSizeHint()
        width = max(least.width(), USUAL_LETTERS * self.fontMetrics().averageCharWidth())
        return QSize(width, self._whole() if self._grows else least.height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask for another height in another width."""
        super().resizeEvent(event)
        self.updateGeometry()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:  # noqa: N802
        """Ask for another size when the body does."""
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def _whole(self) -> int:
        """Return the height of the whole body in the width that there is."""
        body, viewport = self.widget(), self.viewport()
        assert body is not None
        assert viewport is not None
        height = body.heightForWidth(viewport.width())
        return max(height, body.minimumSizeHint().height()) + self._around().y()

    def _around(self) -> QPoint:
        """Return what the style puts around the viewport."""
        viewport = self.viewport()
        return QPoint() if viewport is None else 2 * viewport.pos()


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
        self._viewer = weakref.ref(viewer)
        # The first layer, or transform, makes the registry of pint, which is not made for two
        # threads that do so at once: here it is made before a worker makes a layer.
        Affine(ndim=2)
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
        scroll = Scroll(body, lines=FEWEST_LINES, grows=False)
        scroll.setObjectName("sclip_scroll")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(5, 6, 5, 6)
        layout.addWidget(scroll, 1)
        run = RunView(state, actions)
        run.setContentsMargins(6, 0, 6, 0)  # as the sections above
        layout.addWidget(Scroll(run, lines=FEWEST_LINES, grows=True))
        self._appearance = get_settings().appearance
        self._appearance.events.font_size.connect(self._follow_font)
        self._follow_font()
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
            self._give_up_names()
            self.controller.close()
        elif kind == QEvent.Type.Show:
            self._take_names()
        return bool(super().event(event))

    def _take_names(self) -> None:
        """Let the menu show this dock, whoever opened it, in place of making another one."""
        place = self.parent()
        while place is not None and not isinstance(place, QDockWidget):
            place = place.parent()
        docks = self._docks()
        if place is not None and place in docks.values():
            for name in DOCK_NAMES:
                docks.setdefault(name, place)

    def _give_up_names(self) -> None:
        docks = self._docks()
        for name in DOCK_NAMES:
            dock = docks.get(name)
            if dock is not None and (dock.widget() is None or dock.isAncestorOf(self)):
                del docks[name]

    def _docks(self) -> MutableMapping[str, Any]:
        """Docks of the window by their names; none where napari keeps them otherwise."""
        viewer = self._viewer()
        window = getattr(viewer, "window", None)
        known = getattr(window, "_wrapped_dock_widgets", None)
        if known is None:  # napari 0.6.0; a later one warns of this name
            known = getattr(window, "_dock_widgets", None)
        return {} if known is None else known

    def _follow_font(self) -> None:
        """Write in napari's font size also where its style leaves that of the system."""
        if isalive(self):  # type: ignore[no-untyped-call]  # qtpy has no types
            self.setStyleSheet(f"{OURS} {{ font-size: {self._appearance.font_size}pt; }}")
            dock = self.parentWidget()
            if isinstance(dock, QDockWidget):  # else it would stay as wide as a larger font asked
                dock.setMinimumSize(0, 0)

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

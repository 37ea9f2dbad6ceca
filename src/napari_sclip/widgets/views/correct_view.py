"""The section "Correct": let strokes teach, and go from one unsure region to the next."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QHBoxLayout, QMenu, QProgressBar, QToolButton, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.correct import CorrectState, Orphan
from napari_sclip.widgets.state.run import BUSY, IDLE
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.form import (
    Panel,
    WrappedLabel,
    allow,
    fields,
    follow,
    make_button,
)
from napari_sclip.widgets.views.section import SectionBody

NO_LABELS = "There are no labels yet. Press Segment first."
HINT = "Paint where the labels are wrong, with napari's brush and the keys 1 to 9. It stays."

SINGLE_PANELS = 8
"""Of more removed classes than these, one line tells of them all."""


class OrphansPart(QWidget):
    """A line a class, with what can be done about it; of many one line, and none if there is none.

    Parameters
    ----------
    state : CorrectState
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(
        self, state: CorrectState, actions: Actions, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._shown: tuple[Orphan, ...] = ()
        self._panels: list[Panel] = []
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        follow(self._show, fields(state, "orphans"))

    def _show(self) -> None:
        self.setVisible(bool(self._state.orphans))
        if self._state.orphans == self._shown:
            return
        self._shown = self._state.orphans
        for panel in self._panels:
            self._lines.removeWidget(panel)
            panel.hide()
            for child in (panel, *panel.findChildren(QWidget)):
                child.setObjectName("")  # it lives on for a moment, and names are given again
            panel.deleteLater()
        if len(self._shown) > SINGLE_PANELS:
            self._panels = [self._make_panel_of_all()]
        else:
            self._panels = [self._make_panel(orphan) for orphan in self._shown]
        for panel in self._panels:
            self._lines.addWidget(panel)
            panel.show()

    def _make_panel(self, orphan: Orphan) -> Panel:
        return self._panel(
            f"sclip_correct_orphan_{orphan.id}",
            f"{orphan.pixels:,} pixels are painted as “{orphan.name}”, which is not in the table. "
            "They stay until you decide.",
            (
                f"sclip_correct_keep_{orphan.id}",
                "Into the table",
                "Put the class into the table again",
                partial(self._keep, orphan.id),
            ),
            (
                f"sclip_correct_release_{orphan.id}",
                "Let go",
                "Let the next run replace these pixels",
                partial(self._release, orphan.id),
            ),
        )

    def _make_panel_of_all(self) -> Panel:
        pixels = sum(orphan.pixels for orphan in self._shown)
        return self._panel(
            "sclip_correct_orphans",
            f"{len(self._shown):,} labels are not in the table ({pixels:,} pixels). They stay "
            "until you decide.",
            (
                "sclip_correct_join_all",
                "Make one class",
                "Give all these pixels one id, of a new class in the table; can be undone",
                self._join_all,
            ),
            (
                "sclip_correct_release_all",
                "Let all go",
                "Let the next run replace these pixels",
                self._release_all,
            ),
        )

    def _panel(self, name: str, text: str, *buttons: tuple[str, str, str, Any]) -> Panel:
        panel = Panel(name, self)
        told = WrappedLabel(panel)
        told.setText(text)
        row = QHBoxLayout()
        for own_name, title, about, act in buttons:
            row.addWidget(make_button(own_name, title, about, act, panel))
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(told)
        layout.addLayout(row)
        return panel

    def _join_all(self, checked: bool = False) -> None:
        self._actions.join_removed_classes()

    def _release_all(self, checked: bool = False) -> None:
        self._actions.release_removed_classes()

    def _keep(self, label: int, checked: bool = False) -> None:
        self._actions.keep_class(label)

    def _release(self, label: int, checked: bool = False) -> None:
        self._actions.release_class(label)


class CorrectView(SectionBody):
    """What was painted and checked, and the buttons that make use of it.

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
        self._painted = WrappedLabel(self)
        self._painted.setObjectName("sclip_correct_painted")
        self._learned = WrappedLabel(self)
        self._learned.setObjectName("sclip_correct_learned")
        self._carried = WrappedLabel(self)
        self._carried.setObjectName("sclip_correct_carried")
        self._make_buttons()
        self._make_review()
        self._orphans = OrphansPart(state.correct, actions, self)
        self._arrange()
        follow(
            self._show,
            fields(state.correct, "labels", "painted", "scribbled", "learn", "learned", "carried"),
            fields(state.correct, "unsure", "checked"),
            fields(state.run, "status"),
        )

    def _make_buttons(self) -> None:
        self._refine = make_button(
            "sclip_correct_refine",
            "Refine from strokes",
            "Learn from what you have painted, and label the rest anew. What you painted stays, "
            "and no vision pass is needed",
            self._on_refine,
            self,
        )
        self._forget = make_button(
            "sclip_correct_forget",
            "Forget",
            "Go by the text alone again, from the next run on",
            self._on_forget,
            self,
        )

    def _make_review(self) -> None:
        self._previous = make_button(
            "sclip_correct_previous",
            "Previous",
            "Go back to the region before (Shift+N, with the labels active)",
            self._on_previous,
            self,
        )
        self._next = make_button(
            "sclip_correct_next",
            "Next unsure",
            "Go to the next region that the model is unsure of, the largest first (N, with the "
            "labels active); after them, to what is not checked yet",
            self._on_next,
            self,
        )
        self._checked = make_button(
            "sclip_correct_checked",
            "Checked",
            "This region is right: mark it, and go on to the next (C, with the labels active)",
            self._on_checked,
            self,
        )
        self._menu = QMenu(self)
        for name, text, about, act in (
            (
                "all",
                "The whole plane is checked",
                "Mark all of the plane that is shown",
                self._on_all,
            ),
            (
                "none",
                "Nothing is checked",
                "Take all marks off the plane that is shown",
                self._on_none,
            ),
            (
                "scribbles",
                "New scribble layer",
                "Add a layer to paint examples in; it teaches, and changes no label",
                self._on_scribbles,
            ),
        ):
            action = self._menu.addAction(text)
            assert action is not None
            action.setObjectName(f"sclip_correct_{name}")
            action.setToolTip(about)
            action.triggered.connect(act)
        self._more = QToolButton(self)
        self._more.setObjectName("sclip_correct_more")
        self._more.setText(" ▾ ")  # the mark alone would be narrow to click at
        self._more.setAccessibleName("More")
        self._more.setToolTip("Mark the whole plane, or nothing of it; make a layer to scribble in")
        self._more.setMenu(self._menu)
        self._more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._more.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._more.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._share = QProgressBar(self)
        self._share.setObjectName("sclip_correct_share")
        self._share.setRange(0, 100)
        self._share.setAccessibleName("Share that is checked")
        self._share.setToolTip(
            "How much of what is labelled or unsure has been checked, in percent of its pixels"
        )
        self._left = WrappedLabel(self)
        self._left.setObjectName("sclip_correct_left")

    def _arrange(self) -> None:
        learn = QHBoxLayout()
        learn.addWidget(self._refine, 1)
        learn.addWidget(self._forget)
        review = QHBoxLayout()
        review.setSpacing(4)
        review.addWidget(self._previous)
        review.addWidget(self._next, 1)
        review.addWidget(self._checked)
        share = QHBoxLayout()
        share.addWidget(self._share, 1)
        share.addWidget(self._more)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self._painted)
        layout.addLayout(learn)
        layout.addWidget(self._learned)
        layout.addWidget(self._carried)
        layout.addWidget(self._orphans)
        layout.addLayout(review)
        layout.addLayout(share)
        layout.addWidget(self._left)

    def _show(self) -> None:
        state = self._state
        reason = NO_LABELS if not state.labels else "" if self._run.status == IDLE else BUSY
        self._painted.setText(_painted(state))
        allow(self._refine, reason)
        self._learned.setText(state.learned)
        self._carried.setText(state.carried)
        self._forget.setVisible(bool(state.learned or state.carried or state.learn))
        for button in (self._previous, self._next, self._checked):
            allow(button, reason)
        self._more.setEnabled(bool(state.labels))
        share, known = round(100 * (state.checked or 0)), state.checked is not None
        self._share.setEnabled(known)
        self._share.setValue(share)
        self._share.setFormat(f"{share} % checked" if known else "nothing to check")
        self._left.setText(_left(state.unsure))
        self.summary = state.summary()

    def _on_scribbles(self) -> None:
        self._actions.add_scribbles()

    def _on_refine(self) -> None:
        self._actions.refine_from_strokes()

    def _on_forget(self) -> None:
        self._actions.forget_learned()

    def _on_previous(self) -> None:
        self._actions.go_to_unsure(backwards=True)

    def _on_next(self) -> None:
        self._actions.go_to_unsure()

    def _on_checked(self) -> None:
        self._actions.mark_checked()

    def _on_all(self) -> None:
        self._actions.mark_all_checked(True)

    def _on_none(self) -> None:
        self._actions.mark_all_checked(False)


def _painted(state: CorrectState) -> str:
    told = []
    if state.painted:
        told.append(f"{state.painted:,} pixels of “{state.labels}” are painted by hand.")
    if state.scribbled:
        told.append(f"{state.scribbled:,} pixels are scribbled.")
    return " ".join(told) or HINT


def _left(unsure: int | None) -> str:
    if unsure is None:
        return ""
    if unsure == 0:
        return "No unsure region is left in this plane."
    return f"{unsure:,} unsure {'region is' if unsure == 1 else 'regions are'} left in this plane."

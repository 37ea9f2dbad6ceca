"""Classes that were removed from the table, and what was painted of them."""

from __future__ import annotations

from functools import partial

from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.correct import CorrectState, Orphan
from napari_sclip.widgets.views.buttons import make_button
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.panel import Panel
from napari_sclip.widgets.views.text_labels import WrappedLabel


class OrphansPart(QWidget):
    """A line a class, with what can be done about it; hidden if there is none.

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
        self._show()
        follow(state.events, self._show)

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
        self._panels = [self._make_panel(orphan) for orphan in self._shown]
        for panel in self._panels:
            self._lines.addWidget(panel)
            panel.show()

    def _make_panel(self, orphan: Orphan) -> Panel:
        panel = Panel(f"sclip_correct_orphan_{orphan.id}", self)
        text = WrappedLabel(panel)
        text.setText(
            f"{orphan.pixels:,} pixels are painted as “{orphan.name}”, which is not in the table. "
            "They stay until you decide."
        )
        row = QHBoxLayout()
        row.addWidget(
            make_button(
                f"sclip_correct_keep_{orphan.id}",
                "Into the table",
                "Put the class into the table again",
                partial(self._keep, orphan.id),
                panel,
            )
        )
        row.addWidget(
            make_button(
                f"sclip_correct_release_{orphan.id}",
                "Let go",
                "Let the next run replace these pixels",
                partial(self._release, orphan.id),
                panel,
            )
        )
        layout = QVBoxLayout(panel)
        layout.setContentsMargins(8, 6, 8, 6)
        layout.addWidget(text)
        layout.addLayout(row)
        return panel

    def _keep(self, label: int, checked: bool = False) -> None:
        self._actions.keep_class(label)

    def _release(self, label: int, checked: bool = False) -> None:
        self._actions.release_class(label)

"""The section "Detail": how finely the image is looked at, and what becomes a label."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_sclip.errors import SclipError
from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.detail import CUSTOM, LEVELS, DetailState
from napari_sclip.widgets.views.advanced_scores import ScoreControls
from napari_sclip.widgets.views.advanced_windows import WindowControls
from napari_sclip.widgets.views.disclosure import Disclosure
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.section import SectionBody
from napari_sclip.widgets.views.text_labels import ProblemLabel, WrappedLabel

NUMBERS = "numbers"


class DetailView(SectionBody):
    """Chooses how finely, and says what that costs.

    Parameters
    ----------
    state : DetailState
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: DetailState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._make_levels()
        self._numbers = WindowControls(state, self)
        self._estimate = WrappedLabel(self)
        self._estimate.setObjectName("sclip_detail_estimate")
        self._measure = QPushButton("M&easure", self)
        self._measure.setObjectName("sclip_detail_measure")
        self._measure.setToolTip("Time one window of this model, for the estimate")
        self._measure.clicked.connect(self._on_measure)
        self._problem = ProblemLabel(self)
        self._problem.setObjectName("sclip_detail_problem")
        self._scores = ScoreControls(state, self)
        self._more = Disclosure("Sc&ores", self._scores, parent=self)
        self._more.button.setObjectName("sclip_detail_more")
        self._more.button.setToolTip("Thresholds, sentences, averaging, edges and small parts")
        self._arrange()
        self._show()
        follow(state.events, self._show)

    def _make_levels(self) -> None:
        # In an exclusive group the arrow keys go from one to the next, as among radio buttons.
        self._group = QButtonGroup(self)
        self._levels: dict[str, QPushButton] = {}
        for level in (*LEVELS, CUSTOM):
            button = QPushButton(NUMBERS if level == CUSTOM else level, self)
            button.setObjectName(f"sclip_detail_{level}")
            button.setCheckable(True)
            button.setToolTip(_about(level))
            button.setAccessibleName(f"Detail: {button.text()}")
            self._group.addButton(button)
            self._levels[level] = button
        self._group.buttonToggled.connect(self._on_level)

    def _arrange(self) -> None:
        levels = QHBoxLayout()
        levels.setSpacing(2)
        for button in self._levels.values():
            levels.addWidget(button, 1)
        cost = QHBoxLayout()
        cost.addWidget(self._estimate, 1)
        cost.addWidget(self._measure, 0, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(levels)
        layout.addWidget(self._numbers)
        layout.addLayout(cost)
        layout.addWidget(self._more)
        layout.addWidget(self._problem)

    def _show(self) -> None:
        state = self._state
        chosen = self._levels.get(state.level, self._levels[CUSTOM])
        with QSignalBlocker(self._group):
            chosen.setChecked(True)
        self._numbers.setVisible(state.level == CUSTOM)
        cost = _cost(state)
        self._estimate.setText(cost)
        self._problem.setText(self._what_is_wrong())
        self._more.summary = ", ".join(self._scores.differences)
        self.summary = f"{chosen.text()} · {cost}" if cost else chosen.text()

    def _what_is_wrong(self) -> str:
        if self._state.problem:
            return self._state.problem
        try:
            self._state.config()
        except SclipError as error:
            return str(error)
        return ""

    def _on_level(self, chosen: QAbstractButton, checked: bool) -> None:
        if checked:
            self._state.level = next(k for k, button in self._levels.items() if button is chosen)

    def _on_measure(self) -> None:
        self._actions.measure()


def _about(level: str) -> str:
    if level == CUSTOM:
        return "Give short side, window and stride yourself"
    return f"Resize the image's shorter side to {LEVELS[level]} pixels"


def _cost(state: DetailState) -> str:
    windows = "" if state.windows is None else f"{state.windows} windows"
    if state.windows == 1:
        windows = "1 window"
    return " · ".join(part for part in (windows, state.estimate) if part)

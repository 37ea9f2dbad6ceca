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
from napari_sclip.widgets.state.detail import CUSTOM, LEVELS, SETTINGS, DetailState
from napari_sclip.widgets.views.choice_box import Choice
from napari_sclip.widgets.views.form import (
    NumberBox,
    ProblemLabel,
    Row,
    WrappedLabel,
    bind,
    fields,
    follow,
    make_box,
    stack,
)
from napari_sclip.widgets.views.section import Disclosure, SectionBody

PERCENT = 100
TEMPLATES = (
    Choice(
        "imagenet",
        "80 sentences",
        "80 sentences (ImageNet)",
        "'a photo of a cat.' and 79 like it",
    ),
    Choice("plain", "the plain phrase", tooltip="Faster for new classes, and coarser"),
)
AVERAGING = (
    Choice("pixels", "exact", tooltip="On pixels"),
    Choice(
        "patches",
        "on patches",
        "on patches: smaller, faster",
        "Differs near the edges of windows; takes up to four times less memory",
    ),
)


REFINE = (
    Choice("", "as they are", tooltip="As coarse as the patches that the model sees"),
    Choice("pamr", "moved to colours", "moved to colours (PAMR)", "Averages alike neighbours"),
    Choice("guided-filter", "guided filter", tooltip="Fit scores to the colours around each pixel"),
)
MOST_PIXELS = 1_000_000

LARGEST = 16384
"""Pixels; what is larger fits no machine."""
STEP = 16

NUMBERS = "numbers"


class ScoreControls(QWidget):
    """Threshold, minimum area, templates, averaging, and what is done to edges and parts.

    Parameters
    ----------
    state : DetailState
    parent : QWidget, optional
    """

    def __init__(self, state: DetailState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._threshold = NumberBox(0, 1, 0.05, decimals=2)
        self._threshold.setObjectName("sclip_detail_threshold")
        self._threshold.setToolTip("Pixels whose best score (0 to 1) is lower stay unlabelled")
        self._min_area = NumberBox(0, PERCENT, 0.5, decimals=2, unit=" %")
        self._min_area.setObjectName("sclip_detail_min_area")
        self._min_area.setToolTip(
            "Classes that cover no more than this percentage of the labelled area are dropped"
        )
        self._templates = make_box(
            "sclip_detail_templates",
            "The sentences that each class is put into for the model",
            TEMPLATES,
        )
        self._average_on = make_box(
            "sclip_detail_average_on", "Where windows that overlap are averaged", AVERAGING
        )
        self._refine = make_box(
            "sclip_detail_refine", "How labels are made to end where things end", REFINE
        )
        self._min_region = NumberBox(0, MOST_PIXELS, 16, unit=" px")
        self._min_region.setObjectName("sclip_detail_min_region")
        self._min_region.setToolTip(
            "Connected parts of a class with fewer pixels go to what surrounds them; 0 keeps all"
        )
        self._max_hole = NumberBox(0, MOST_PIXELS, 16, unit=" px")
        self._max_hole.setObjectName("sclip_detail_max_hole")
        self._max_hole.setToolTip(
            "Holes inside a class with no more pixels are filled by it; 0 fills none"
        )
        stack(
            self,
            (
                Row("&Threshold", self._threshold, parent=self),
                Row("Min. area", self._min_area, parent=self),
                Row("Sentences", self._templates, parent=self),
                Row("Averaging", self._average_on, parent=self),
                Row("Edges", self._refine, parent=self),
                Row("Small parts", self._min_region, parent=self),
                Row("Holes", self._max_hole, parent=self),
            ),
        )
        bind(self._threshold, state, "threshold")
        bind(
            self._min_area,
            state,
            "min_area_fraction",
            to_shown=lambda fraction: PERCENT * fraction,
            to_value=lambda percent: percent / PERCENT,
        )
        bind(self._templates, state, "templates")
        bind(self._average_on, state, "average_on")
        bind(self._refine, state, "refine")
        bind(self._min_region, state, "min_region_pixels")
        bind(self._max_hole, state, "max_hole_pixels")

    @property
    def differences(self) -> list[str]:
        """What differs from the default, each in a few words."""
        state = self._state
        return [
            *([f"threshold {state.threshold:g}"] if state.threshold else []),
            *([f"area above {_percent(state)} %"] if state.min_area_fraction else []),
            *(["plain phrase"] if state.templates == "plain" else []),
            *(["on patches"] if state.average_on == "patches" else []),
            *(["coarse edges"] if not state.refine else []),
            *([f"parts from {state.min_region_pixels} px"] if state.min_region_pixels else []),
            *([f"holes to {state.max_hole_pixels} px"] if state.max_hole_pixels else []),
        ]


def _percent(state: DetailState) -> str:
    return f"{PERCENT * state.min_area_fraction:g}"


class WindowControls(QWidget):
    """Short side, window and stride, in pixels of the resized image.

    Parameters
    ----------
    state : DetailState
    parent : QWidget, optional
    """

    def __init__(self, state: DetailState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._short_side = _pixel_box(
            "short_side",
            "image's own size",
            "The image's shorter side is resized to this many pixels; 0 keeps its size",
        )
        self._window = _pixel_box(
            "window",
            "model's own",
            "Side in pixels of the square that the model looks at; 0 leaves it to the model",
        )
        self._stride = _pixel_box(
            "stride",
            "model's own",
            "Pixels from one window to the next, at most a window; 0 takes half a window",
        )
        stack(
            self,
            (
                Row("Short side", self._short_side, parent=self),
                Row("Window", self._window, parent=self),
                Row("Stride", self._stride, parent=self),
            ),
        )
        bind(self._short_side, state, "short_side")
        bind(self._window, state, "window")
        bind(self._stride, state, "stride")


def _pixel_box(name: str, none_text: str, tooltip: str) -> NumberBox:
    box = NumberBox(1, LARGEST, STEP, unit=" px", none_text=none_text)
    box.setObjectName(f"sclip_detail_{name}")
    box.setToolTip(tooltip)
    return box


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
        follow(self._show, fields(state, *SETTINGS, "windows", "estimate", "problem"))

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

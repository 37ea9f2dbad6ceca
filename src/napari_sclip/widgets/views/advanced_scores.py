"""What becomes a label, and how it is computed."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_sclip.widgets.state.detail import DetailState
from napari_sclip.widgets.views.advanced_number_box import NumberBox
from napari_sclip.widgets.views.advanced_rows import Row, make_box, stack
from napari_sclip.widgets.views.choice_box import Choice
from napari_sclip.widgets.views.following import follow

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
            "sclip_detail_templates", "The sentences that each class is put into for the model"
        )
        self._average_on = make_box(
            "sclip_detail_average_on", "Where windows that overlap are averaged"
        )
        self._refine = make_box(
            "sclip_detail_refine", "How labels are made to end where things end"
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
        self._threshold.edited.connect(self._on_threshold)
        self._min_area.edited.connect(self._on_min_area)
        self._templates.picked.connect(self._on_templates)
        self._average_on.picked.connect(self._on_average_on)
        self._refine.picked.connect(self._on_refine)
        self._min_region.edited.connect(self._on_min_region)
        self._max_hole.edited.connect(self._on_max_hole)
        self._show()
        follow(state.events, self._show)

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

    def _show(self) -> None:
        state = self._state
        self._threshold.show_number(state.threshold)
        self._min_area.show_number(PERCENT * state.min_area_fraction)
        self._templates.show_choices(TEMPLATES, state.templates)
        self._average_on.show_choices(AVERAGING, state.average_on)
        self._refine.show_choices(REFINE, state.refine)
        self._min_region.show_number(state.min_region_pixels)
        self._max_hole.show_number(state.max_hole_pixels)

    def _on_threshold(self, threshold: float) -> None:
        self._state.threshold = threshold

    def _on_min_area(self, percent: float) -> None:
        self._state.min_area_fraction = percent / PERCENT

    def _on_templates(self, key: str) -> None:
        self._state.templates = key

    def _on_average_on(self, key: str) -> None:
        self._state.average_on = key

    def _on_refine(self, key: str) -> None:
        self._state.refine = key

    def _on_min_region(self, pixels: float) -> None:
        self._state.min_region_pixels = int(pixels)

    def _on_max_hole(self, pixels: float) -> None:
        self._state.max_hole_pixels = int(pixels)


def _percent(state: DetailState) -> str:
    return f"{PERCENT * state.min_area_fraction:g}"

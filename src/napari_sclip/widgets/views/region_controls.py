"""Which part of the image is read, and how large its labels are."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_sclip.widgets.state.image import ImageState
from napari_sclip.widgets.views.advanced_rows import Row, make_box, stack
from napari_sclip.widgets.views.choice_box import Choice
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.text_labels import WrappedLabel

REGIONS = (
    Choice("plane", "Whole plane"),
    Choice("view", "Current view", tooltip="What the window shows of the image"),
    Choice("shape", "Selected shape", tooltip="A rectangle, ellipse or polygon"),
)
LABELS_SIZES = (
    Choice("image", "Of the image", tooltip="As many pixels as the whole image"),
    Choice("region", "Of the region only", tooltip="The pixels of the region and current plane"),
    Choice(
        "read",
        "Of the level read",
        "Of the level that is read",
        "Smaller where the image has several levels",
    ),
)
NO_SHAPES = "Add a Shapes layer and draw a rectangle."


class RegionControls(QWidget):
    """Region, planes and the labels' size.

    Parameters
    ----------
    state : ImageState
    parent : QWidget, optional
    """

    def __init__(self, state: ImageState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._region = make_box("sclip_image_region", "The part of the plane that is segmented")
        self._shapes = make_box("sclip_image_shapes", "The Shapes layer that has the region")
        self._planes = make_box(
            "sclip_image_planes", "Which planes along the sliders are segmented"
        )
        self._labels_size = make_box(
            "sclip_image_labels_size", "How many pixels the labels layer has"
        )
        self._no_shapes = WrappedLabel(self)
        self._no_shapes.setObjectName("sclip_image_no_shapes")
        self._shapes_row = Row("Shapes layer", self._shapes, parent=self)
        self._planes_row = Row("Planes", self._planes, parent=self)
        stack(
            self,
            (
                Row("&Region", self._region, parent=self),
                self._shapes_row,
                self._no_shapes,
                self._planes_row,
                Row("Labels size", self._labels_size, parent=self),
            ),
        )
        self._region.picked.connect(self._on_region)
        self._shapes.picked.connect(self._on_shapes)
        self._planes.picked.connect(self._on_planes)
        self._labels_size.picked.connect(self._on_labels_size)
        self._show()
        follow(state.events, self._show)

    @property
    def differences(self) -> list[str]:
        """What differs from the default, each in a few words."""
        state = self._state
        planes = state.facts.planes if state.facts is not None else 1
        return [
            *{"view": ["current view"], "shape": ["selected shape"]}.get(state.region, []),
            *([f"all {planes} planes"] if state.planes == "all" and planes > 1 else []),
            *{"region": ["labels of region"], "read": ["labels of level"]}.get(
                state.labels_size, []
            ),
        ]

    def _show(self) -> None:
        state, facts = self._state, self._state.facts
        self._region.show_choices(REGIONS, state.region)
        self._labels_size.show_choices(LABELS_SIZES, state.labels_size)
        if facts is None:
            return
        # A layer that is gone counts as none chosen, for which the first one stands.
        shapes = state.shapes if state.shapes in facts.shapes else next(iter(facts.shapes), "")
        self._shapes.show_choices([Choice(name, name) for name in facts.shapes], shapes or "")
        by_shape = state.region == "shape"
        self._shapes_row.setVisible(by_shape and bool(facts.shapes))
        self._no_shapes.setText(NO_SHAPES if by_shape and not facts.shapes else "")
        self._planes.show_choices(
            (Choice("current", "Current plane"), Choice("all", f"All {facts.planes} planes")),
            state.planes,
        )
        self._planes_row.setVisible(facts.planes > 1)

    def _on_region(self, key: str) -> None:
        self._state.region = key

    def _on_shapes(self, key: str) -> None:
        self._state.shapes = key

    def _on_planes(self, key: str) -> None:
        self._state.planes = key

    def _on_labels_size(self, key: str) -> None:
        self._state.labels_size = key

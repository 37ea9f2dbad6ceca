"""The section "Image": which one is segmented, and how it is read."""

from __future__ import annotations

from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap, QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.image import ImageFacts, ImageState, Preview
from napari_sclip.widgets.views.choice_box import Choice
from napari_sclip.widgets.views.form import (
    ElidedLabel,
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

AUTO = "auto"
NONE = "none"
SHOWN = "shown"
GAP = 0.01
"""Percent that the percentiles stay apart."""

SIDE = 96
"""Pixels that neither side of the picture exceeds."""
CHANNELS = 3

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
READING = (
    "channels", "channel_axis", "channel", "contrast", "percentile_low", "percentile_high"
)  # fmt: skip
NO_SHAPES = "Add a Shapes layer and draw a rectangle."

NO_IMAGE = "No image"
OPEN_ONE = "Open one: drop a file on napari."


class ChannelControls(QWidget):
    """Channels and contrast.

    Parameters
    ----------
    state : ImageState
    parent : QWidget, optional
    """

    def __init__(self, state: ImageState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._offered: tuple[int, int | None] | None = None
        self._channels = make_box(
            "sclip_image_channels", "Whether this layer is read, or what the screen shows"
        )
        self._axis = make_box(
            "sclip_image_channel_axis", "The axis of the image that counts channels"
        )
        self._channel = make_box("sclip_image_channel", "The channel that is read, counted from 0")
        self._contrast = make_box(
            "sclip_image_contrast", "What becomes black and what becomes white"
        )
        self._low = _percent_box("low", "Percent of the plane's pixels that become black")
        self._high = _percent_box("high", "Percent of the plane's pixels below what becomes white")
        self._axis_row = Row("Channel a&xis", self._axis, parent=self)
        self._channel_row = Row("Channel", self._channel, parent=self)
        stack(
            self,
            (
                Row("Cha&nnels", self._channels, parent=self),
                self._axis_row,
                self._channel_row,
                Row("&Contrast", self._contrast, parent=self),
                Row("Percentiles", self._low, parent=self),
                Row("up to", self._high, parent=self),
            ),
        )
        bind(self._channels, state, "channels")
        bind(self._axis, state, "channel_axis", to_shown=_axis_key, to_value=_axis_of)
        bind(
            self._channel,
            state,
            "channel",
            to_shown=lambda channel: SHOWN if channel is None else str(channel),
            to_value=lambda key: None if key in (SHOWN, "") else int(key),
        )
        bind(self._contrast, state, "contrast")
        for box in (self._low, self._high):
            box.edited.connect(self._on_percentiles)
        self._low.editingFinished.connect(self._on_low_finished)
        self._high.editingFinished.connect(self._on_high_finished)
        follow(self._show, fields(state, "facts", *READING))

    @property
    def differences(self) -> list[str]:
        """What differs from the default, each in a few words."""
        state, facts = self._state, self._state.facts
        words = []
        if state.channels == "displayed":
            words.append("as displayed")
        if facts is not None and self._has_axes(facts) and state.channel_axis != AUTO:
            axis = state.channel_axis
            words.append("no channel axis" if axis is None else f"axis {axis} as channels")
        if facts is not None and facts.channels and state.channel is not None:
            words.append(f"channel {state.channel}")
        if state.contrast == "percentiles":
            words.append(f"percentiles {state.percentile_low:g}–{state.percentile_high:g}")
        elif state.contrast == "full":
            words.append("full range")
        return words

    def _has_axes(self, facts: ImageFacts) -> bool:
        # An axis of an older image must not stay chosen where nobody can see it.
        return bool(facts.axes) or isinstance(self._state.channel_axis, int)

    def _show(self) -> None:
        state, facts = self._state, self._state.facts
        self._contrast.show_choices(
            (
                Choice("limits", "Values as they are")
                if facts and facts.rgb
                else Choice("limits", "Layer's limits", "Layer's contrast limits"),
                Choice("percentiles", "Percentiles", tooltip="Of the plane, as given below"),
                Choice(
                    "full", "Full range", tooltip="From the plane's lowest value to its highest"
                ),
            ),
            state.contrast,
        )
        for box, value in (
            (self._low, state.percentile_low),
            (self._high, state.percentile_high),
        ):
            box.show_number(value)
            box.setEnabled(state.contrast == "percentiles")
        if facts is not None:
            self._show_facts(facts)

    def _show_facts(self, facts: ImageFacts) -> None:
        state = self._state
        many = "1 layer" if facts.displayed == 1 else f"{facts.displayed} layers"
        self._channels.show_choices(
            (
                Choice("layer", "RGB as it is" if facts.rgb else "This layer in grey"),
                Choice(
                    "displayed",
                    "As displayed",
                    f"As displayed ({many})",
                    "The visible image layers of the same shape, as the screen blends them",
                ),
            ),
            state.channels,
        )
        labels = {choice.axis: choice.label for choice in facts.axes}
        guessed = "none" if facts.channel_axis is None else labels.get(facts.channel_axis, "none")
        self._axis.show_choices(
            (
                Choice(AUTO, f"auto ({guessed})", tooltip="The axis that is labelled as channels"),
                Choice(NONE, "none", tooltip="The image has no channels"),
                *(Choice(str(a.axis), f"{a.label} ({a.length})") for a in facts.axes),
            ),
            _axis_key(state.channel_axis),
            "axis {} (not here)",
        )
        self._axis_row.setVisible(self._has_axes(facts))
        self._show_channels(facts.channels)
        self._channel_row.setVisible(facts.channels > 0)

    def _show_channels(self, count: int) -> None:
        chosen = self._state.channel
        if self._offered == (count, chosen):  # there may be thousands
            return
        self._offered = count, chosen
        self._channel.show_choices(
            (
                Choice(SHOWN, "the one shown", tooltip="The channel that the slider stands at"),
                *(Choice(str(k), str(k)) for k in range(count)),
            ),
            SHOWN if chosen is None else str(chosen),
            "{} (not here)",
        )

    def _on_percentiles(self) -> None:
        """Take the numbers over, unless one is being typed that will yet become larger."""
        low, high = self._low.value(), self._high.value()
        if low >= high:
            return
        # One field after the other, and never a low one above a high one.
        if low < self._state.percentile_high:
            self._state.percentile_low, self._state.percentile_high = low, high
        else:
            self._state.percentile_high, self._state.percentile_low = high, low

    def _on_low_finished(self) -> None:
        self._high.setValue(max(self._high.value(), self._low.value() + GAP))

    def _on_high_finished(self) -> None:
        self._low.setValue(min(self._low.value(), self._high.value() - GAP))


def _axis_key(axis: int | str | None) -> str:
    return NONE if axis is None else str(axis)


def _axis_of(key: str) -> int | str | None:
    return None if key == NONE else int(key) if key.isdecimal() else AUTO


def _percent_box(name: str, tooltip: str) -> NumberBox:
    low, high = (0, 100 - GAP) if name == "low" else (GAP, 100)
    box = NumberBox(low, high, 0.5, decimals=2, unit=" %")
    box.setObjectName(f"sclip_image_percentile_{name}")
    box.setToolTip(tooltip)
    box.setAccessibleName(f"{name.capitalize()} percentile")
    return box


class PreviewLabel(QLabel):
    """Always takes the same room, so that nothing moves when the picture changes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._preview: Preview | None = None
        self.setFixedSize(SIDE, SIDE)
        self.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        self.setStyleSheet("padding: 0px;")
        self.setToolTip("What the model will see")
        self.setAccessibleName("What the model will see")

    def show_preview(self, preview: Preview | None) -> None:
        """Show a picture, or nothing."""
        if preview is self._preview:
            return
        self._preview = preview
        self.setPixmap(QPixmap() if preview is None else _pixmap(preview))


def _pixmap(preview: Preview) -> QPixmap:
    width, height = preview.width, preview.height
    image = QImage(preview.rgb, width, height, CHANNELS * width, QImage.Format.Format_RGB888)
    # Pixels of one size each are sharp: small pictures grow by whole numbers only.
    longer = max(width, height)
    side = longer * (SIDE // longer) if longer <= SIDE else SIDE
    return QPixmap.fromImage(image).scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
    )


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
        self._region = make_box(
            "sclip_image_region", "The part of the plane that is segmented", REGIONS
        )
        self._shapes = make_box("sclip_image_shapes", "The Shapes layer that has the region")
        self._planes = make_box(
            "sclip_image_planes", "Which planes along the sliders are segmented"
        )
        self._labels_size = make_box(
            "sclip_image_labels_size", "How many pixels the labels layer has", LABELS_SIZES
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
        bind(self._region, state, "region")
        self._shapes.picked.connect(self._on_shapes)
        bind(self._planes, state, "planes")
        bind(self._labels_size, state, "labels_size")
        follow(self._show, fields(state, "facts", "region", "shapes", "planes"))

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

    def _on_shapes(self, key: str) -> None:
        self._state.shapes = key


class ImageView(SectionBody):
    """Shows the image, and chooses what of it the model sees.

    Parameters
    ----------
    state : ImageState
    actions : Actions
    parent : QWidget, optional
    """

    def __init__(self, state: ImageState, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._actions = actions
        self._name = ElidedLabel(self)
        self._name.setObjectName("sclip_image_name")
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._described = ElidedLabel(self)
        self._described.setObjectName("sclip_image_described")
        self._pin = QPushButton("Pin", self)
        self._pin.setObjectName("sclip_image_pin")
        self._pin.setCheckable(True)
        self._pin.setToolTip("Stay on this image when another layer becomes active")
        self._pin.setAccessibleName("Stay on this image")
        bind(self._pin, state, "pinned")
        self._suggestion = ElidedButton(self)
        self._suggestion.setObjectName("sclip_image_suggestion")
        self._suggestion.setFlat(True)
        self._suggestion.setToolTip("Take over the classes that fit this image")
        self._suggestion.clicked.connect(actions.take_suggestion)
        self._preview = PreviewLabel(self)
        self._preview.setObjectName("sclip_image_preview")
        self._make_more()
        self._warning = WrappedLabel(self)
        self._warning.setObjectName("sclip_image_warning")
        self._problem = ProblemLabel(self)
        self._problem.setObjectName("sclip_image_problem")
        self._arrange()
        follow(
            self._show,
            fields(state, "facts", "problem", "preview", *READING),
            fields(state, "region", "planes", "labels_size"),
        )

    def _make_more(self) -> None:
        body = QWidget(self)
        self._channels = ChannelControls(self._state, body)
        self._region = RegionControls(self._state, body)
        stack(body, (self._channels, self._region))
        self._more = Disclosure("Channels, contrast, reg&ion", body, parent=self)
        self._more.button.setObjectName("sclip_image_more")
        self._more.button.setToolTip("How the image is read, and which part of it")

    def _arrange(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addWidget(self._name)
        words.addWidget(self._described)
        words.addWidget(self._pin, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        top = QHBoxLayout()
        top.addLayout(words, 1)
        top.addWidget(self._preview, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(top)
        # What comes and goes stands below the controls, so that none moves under the mouse.
        for part in (self._suggestion, self._more, self._warning, self._problem):
            layout.addWidget(part)

    def _show(self) -> None:
        state, facts = self._state, self._state.facts
        self._name.setText(NO_IMAGE if facts is None else facts.name)
        self._described.setText(OPEN_ONE if facts is None else facts.described)
        for part in (self._pin, self._preview, self._more):
            part.setVisible(facts is not None)
        self._preview.show_preview(state.preview)
        self._show_suggestion(facts)
        self._more.summary = ", ".join([*self._channels.differences, *self._region.differences])
        self._warning.setText("" if facts is None else facts.warning)
        self._problem.setText(state.problem)
        self.summary = NO_IMAGE if facts is None else f"{facts.name} · {facts.described}"

    def _show_suggestion(self, facts: ImageFacts | None) -> None:
        suggestion = "" if facts is None else ", ".join(facts.suggestion.splitlines())
        self._suggestion.setVisible(bool(suggestion))
        self._suggestion.show_text(f"Use fitting classes: {suggestion}")
        if facts is not None and suggestion:
            model = f", with the model {facts.suggested_model}" if facts.suggested_model else ""
            self._suggestion.setToolTip(f"Take over these classes{model}: {suggestion}")


class ElidedButton(QPushButton):
    """A button as narrow as need be, whose text is cut where there is no room."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""

    def show_text(self, text: str) -> None:
        """Show another text, without mnemonic."""
        self._whole = text
        self.setAccessibleName(text)
        self._elide()

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a height, and hardly a width."""
        return QSize(40, super().minimumSizeHint().height())

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return a height, and hardly a width."""
        return QSize(40, super().sizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Cut the text for the new width."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        padding = 2 * self.fontMetrics().averageCharWidth()
        shown = self.fontMetrics().elidedText(
            self._whole, Qt.TextElideMode.ElideRight, self.width() - padding
        )
        self.setText(shown.replace("&", "&&"))

"""Which values of the image are read, and what becomes black and white."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_sclip.widgets.state.image import ImageFacts, ImageState
from napari_sclip.widgets.views.advanced_number_box import NumberBox
from napari_sclip.widgets.views.advanced_rows import Row, make_box, stack
from napari_sclip.widgets.views.choice_box import Choice
from napari_sclip.widgets.views.following import follow

AUTO = "auto"
NONE = "none"
SHOWN = "shown"
GAP = 0.01
"""Percent that the percentiles stay apart."""


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
        self._channels.picked.connect(self._on_channels)
        self._axis.picked.connect(self._on_axis)
        self._channel.picked.connect(self._on_channel)
        self._contrast.picked.connect(self._on_contrast)
        for box in (self._low, self._high):
            box.edited.connect(self._on_percentiles)
        self._low.editingFinished.connect(self._on_low_finished)
        self._high.editingFinished.connect(self._on_high_finished)
        self._show()
        follow(state.events, self._show)

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
            NONE if state.channel_axis is None else str(state.channel_axis),
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

    def _on_channels(self, key: str) -> None:
        self._state.channels = key

    def _on_axis(self, key: str) -> None:
        self._state.channel_axis = (
            {AUTO: AUTO, NONE: None}[key] if key in (AUTO, NONE) else int(key)
        )

    def _on_channel(self, key: str) -> None:
        self._state.channel = None if key == SHOWN else int(key)

    def _on_contrast(self, key: str) -> None:
        self._state.contrast = key

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


def _percent_box(name: str, tooltip: str) -> NumberBox:
    low, high = (0, 100 - GAP) if name == "low" else (GAP, 100)
    box = NumberBox(low, high, 0.5, decimals=2, unit=" %")
    box.setObjectName(f"sclip_image_percentile_{name}")
    box.setToolTip(tooltip)
    box.setAccessibleName(f"{name.capitalize()} percentile")
    return box

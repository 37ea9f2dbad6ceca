"""The section "Image": which one is segmented, and how it is read."""

from __future__ import annotations

from qtpy.QtCore import QSignalBlocker, QSize, Qt
from qtpy.QtGui import QResizeEvent
from qtpy.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_sclip.widgets.actions import Actions
from napari_sclip.widgets.state.image import ImageFacts, ImageState
from napari_sclip.widgets.views.advanced_rows import stack
from napari_sclip.widgets.views.channel_controls import ChannelControls
from napari_sclip.widgets.views.disclosure import Disclosure
from napari_sclip.widgets.views.following import follow
from napari_sclip.widgets.views.preview_label import PreviewLabel
from napari_sclip.widgets.views.region_controls import RegionControls
from napari_sclip.widgets.views.section import SectionBody
from napari_sclip.widgets.views.text_labels import ElidedLabel, ProblemLabel, WrappedLabel

NO_IMAGE = "No image"
OPEN_ONE = "Open one: drop a file on napari."


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
        self._pin.toggled.connect(self._on_pin)
        self._suggestion = ElidedButton(self)
        self._suggestion.setObjectName("sclip_image_suggestion")
        self._suggestion.setFlat(True)
        self._suggestion.setToolTip("Take over the classes that fit this image")
        self._suggestion.clicked.connect(self._on_suggestion)
        self._preview = PreviewLabel(self)
        self._preview.setObjectName("sclip_image_preview")
        self._make_more()
        self._warning = WrappedLabel(self)
        self._warning.setObjectName("sclip_image_warning")
        self._problem = ProblemLabel(self)
        self._problem.setObjectName("sclip_image_problem")
        self._arrange()
        self._show()
        follow(state.events, self._show)

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
        with QSignalBlocker(self._pin):
            self._pin.setChecked(state.pinned)
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

    def _on_pin(self, pinned: bool) -> None:
        self._state.pinned = pinned

    def _on_suggestion(self) -> None:
        self._actions.take_suggestion()


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

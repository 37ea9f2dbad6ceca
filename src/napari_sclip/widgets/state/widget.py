"""All that the dock widget knows."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_sclip.errors import SclipError
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.state.correct import CorrectState
from napari_sclip.widgets.state.detail import DetailState
from napari_sclip.widgets.state.image import ImageState
from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.state.run import RunState


@dataclass
class WidgetState:
    """All sections; each tells by its `events` (or signals) when it changes.

    Attributes
    ----------
    image : ImageState
    classes : ClassTable
    model : ModelState
    detail : DetailState
    run : RunState
    correct : CorrectState
    """

    image: ImageState = field(default_factory=ImageState)
    classes: ClassTable = field(default_factory=ClassTable)
    model: ModelState = field(default_factory=ModelState)
    detail: DetailState = field(default_factory=DetailState)
    run: RunState = field(default_factory=RunState)
    correct: CorrectState = field(default_factory=CorrectState)

    def why_not(self) -> str:
        """Why Segment cannot be pressed, in a person's words, or nothing."""
        if self.image.facts is None:
            return self.image.problem or "Open an image first: drop a file on napari."
        return self.image.problem or self.why_not_settings()

    def why_not_settings(self) -> str:
        """Why no image can be segmented with what is chosen, or nothing."""
        reasons = (
            self.classes.why_not() or "",
            self.model.why_not(),
            self.detail.problem or self._why_no_config(),
        )
        return next((reason for reason in reasons if reason), "")

    def _why_no_config(self) -> str:
        try:
            self.detail.config()
        except SclipError as error:
            return str(error)
        return ""

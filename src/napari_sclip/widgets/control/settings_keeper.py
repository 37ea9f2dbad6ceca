"""The choices of a person, kept from one start to the next."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import QCoreApplication

from napari_sclip.models.registry import DEFAULT_MODEL
from napari_sclip.widgets.control.single_shot import single_shot
from napari_sclip.widgets.state.store import recall, remember
from napari_sclip.widgets.state.widget import WidgetState

KEEP_MS = 1000
LASTING = {
    "model": ("name", "weights", "architecture", "device", "precision", "attention"),
    "detail": (
        "level", "short_side", "window", "stride", "threshold", "min_area_fraction", "templates",
        "average_on", "refine", "min_region_pixels", "max_hole_pixels",
    ),
    "image": ("contrast", "percentile_low", "percentile_high"),
    "run": ("partial", "live"),
}  # fmt: skip


class SettingsKeeper:
    """Brings back what was chosen last, and keeps what is chosen now.

    Parameters
    ----------
    state : WidgetState
    folder : Path
    """

    def __init__(self, state: WidgetState, folder: Path) -> None:
        self._state = state
        self._folder = folder
        state.model.name = DEFAULT_MODEL
        recall(state, folder)
        self._timer = single_shot(KEEP_MS, self.keep)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.keep)
        state.classes.changed.connect(self._soon)
        for section, names in LASTING.items():
            events = getattr(state, section).events
            for name in names:
                events[name].connect(self._soon)

    def keep(self) -> None:
        """Write the choices now; where that cannot be, they are lost at the end, and only then."""
        self._timer.stop()
        self._state.classes.keep_colors()
        remember(self._state, self._folder)

    def _soon(self) -> None:
        self._timer.start()

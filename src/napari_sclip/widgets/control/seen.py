"""Whether what is chosen now has been embedded already."""

from __future__ import annotations

from typing import Any

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.identity import run_signature


class Seen:
    """Remembers the last run.

    Parameters
    ----------
    state : WidgetState
    """

    def __init__(self, state: WidgetState) -> None:
        self._state = state
        self._last: Any = None

    def note(self, request: ImageRequest) -> None:
        """Remember what has been embedded."""
        self._last = self._signature(request)

    def forget(self) -> None:
        """Note that no embedding is kept any more."""
        self._last = None

    def knows(self, request: ImageRequest | None) -> bool:
        """Whether a request, with the model and detail as they are, would find its embedding."""
        if request is None or self._last is None:
            return False
        return bool(self._last == self._signature(request))

    def _signature(self, request: ImageRequest) -> Any:  # noqa: ANN401
        try:
            config = self._state.detail.config()
        except SclipError:
            return None
        return run_signature(request, config), self._state.model.selection()

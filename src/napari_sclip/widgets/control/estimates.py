"""How long a run will take, and how much memory, from windows that were measured."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.estimate import (
    WindowCost,
    estimate_bytes,
    estimate_seconds,
    measure_window,
)
from napari_sclip.engine.layout import plan_windows
from napari_sclip.errors import SclipError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.models.registry import MODELS
from napari_sclip.widgets.state.costs import WindowCost as KeptCost
from napari_sclip.widgets.state.costs import WindowCosts, WindowKey
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.work.segment import SegmentOutcome
from napari_sclip.widgets.work.session import Session
from napari_sclip.widgets.work.warm_up import no_long_collections, warm_up


class Estimates:
    """Keeps the estimate of the section "Detail" true.

    Parameters
    ----------
    state : WidgetState
    folder : Path
        Where measured windows are kept from one start to the next.
    session : Session
        Knows models that are not in the registry once they have been loaded.
    """

    def __init__(self, state: WidgetState, folder: Path, session: Session) -> None:
        self._state = state
        self._session = session
        self._costs = WindowCosts(folder)

    def update(self, request: ImageRequest | None) -> None:
        """Count the windows of what is read, and say what they cost."""
        detail = self._state.detail
        detail.problem = ""
        detail.windows, detail.estimate = None, ""
        if request is None:
            return
        try:
            count = self._count(request)
        except SclipError as error:
            detail.problem = str(error)
            return
        if count is None:
            return
        detail.windows = count * len(request.planes)
        kept = self._costs.get(self._key())
        if kept is not None:
            cost = self._restored(kept)
            seconds = estimate_seconds(detail.windows, cost)
            size = estimate_bytes(detail.windows, cost, request.read_shape, self._config())
            detail.estimate = f"about {_duration(seconds)}, {_size(size)}"

    def measuring(self, session: Session) -> Callable[[Reporter], WindowCost]:
        """Return the work that times one window of the chosen model."""
        selection, config = self._state.model.selection(), self._state.detail.config()

        def measure(reporter: Reporter) -> WindowCost:
            with session.lock, no_long_collections():
                warm_up()
                segmenter = session.segmenter(selection, reporter.progress)
                return measure_window(segmenter, config, reporter.progress)

        return measure

    def keep(self, cost: WindowCost) -> None:
        """Keep what was measured with the model and settings as they are chosen."""
        self._costs.put(self._key(), KeptCost(cost.seconds, cost.feature_bytes))

    def learn(self, outcome: SegmentOutcome) -> None:
        """Keep what the windows of a run cost."""
        # Averaged on patches, an embedding does not tell what one window takes.
        if outcome.cost is not None and outcome.job.config.average_on == "pixels":
            self.keep(outcome.cost)

    def _count(self, request: ImageRequest) -> int | None:
        sizes = self._sizes
        if sizes is None:
            return None
        return plan_windows(request.read_shape, self._config(), sizes[0]).count

    @property
    def _sizes(self) -> tuple[int, int] | None:
        """Sides of a patch and of the input, as far as they are known."""
        entry = next((e for e in MODELS if e.name == self._state.model.name), None)
        if entry is not None:
            return entry.patch, entry.input_size
        return self._session.sizes(self._state.model.selection())

    def _config(self) -> SegmentationConfig:
        config, sizes = self._state.detail.config(), self._sizes
        return config if sizes is None else config.for_input_size(sizes[1])

    def _key(self) -> WindowKey:
        # As they are chosen: what "auto" comes to is not known before the model is loaded.
        selection = self._state.model.selection()
        return WindowKey(
            model=selection.name if selection.weights is None else selection.weights,
            device=selection.device,
            precision=selection.precision,
            attention=selection.attention,
            window=int(self._config().window),
        )

    def _restored(self, kept: KeptCost) -> WindowCost:
        key = self._key()
        return WindowCost(
            seconds=kept.seconds,
            feature_bytes=kept.bytes,
            model=key.model,
            device=key.device,
            precision=key.precision,
            window=key.window,
        )


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "1 s"
    if seconds < 120:
        return f"{math.ceil(seconds)} s"
    return f"{math.ceil(seconds / 60)} min"


def _size(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(1, round(count / 1e6))} MB"

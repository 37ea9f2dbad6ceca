"""Time and memory that a run will take, from a few measured windows; needs no torch by itself."""

from __future__ import annotations

import dataclasses
import math
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sclip.config import ModelDefault, SegmentationConfig
from napari_sclip.core.windows import resized_shape
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback, report

if TYPE_CHECKING:
    from napari_sclip.engine.embedding import Embedding
    from napari_sclip.engine.segmenter import Segmenter

ENOUGH_SECONDS = 0.5
MOST_BATCHES = 7
"""Batches are measured until one of these is reached."""

STRIP_BYTES = 48
"""Of a pixel of a strip: three channels in float32, four times while it is resized."""

LABEL_BYTES = 4
"""Of a pixel of the image: its class and its label, 16 bits each where classes are many."""


@dataclass(frozen=True)
class WindowCost:
    """What a window costs.

    Attributes
    ----------
    seconds : float
        Of a window in a full batch.
    feature_bytes : int
        Of the features of all patches of a window.
    model, device, precision : str
        What was measured.
    window : int
        Side of the windows in pixels.
    """

    seconds: float
    feature_bytes: int
    model: str
    device: str
    precision: str
    window: int

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values that JSON can hold."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> WindowCost:
        """Make a cost of plain values, as `to_dict` gives them.

        Raises
        ------
        ConfigError
            If a value is missing, unknown or of another kind.
        """
        kinds = {
            f.name: {"float": float, "int": int, "str": str}[str(f.type)]
            for f in dataclasses.fields(cls)
        }
        sound = (
            isinstance(values, Mapping)
            and set(values) == set(kinds)
            and all(type(values[name]) is kind for name, kind in kinds.items())
            and 0 < values["seconds"] < math.inf
            and min(values["feature_bytes"], values["window"]) > 0
        )
        if not sound:
            raise ConfigError(
                f"Expected the cost of a window, with {', '.join(kinds)}; got {values!r}. "
                "Measure it again."
            )
        return cls(**values)


def measure_window(
    segmenter: Segmenter,
    config: SegmentationConfig | None = None,
    progress: ProgressCallback | None = None,
) -> WindowCost:
    """Measure what a window costs in a full batch, after one window to warm up.

    Batches of a small model, which are over in no time, are measured several times.

    Parameters
    ----------
    segmenter : Segmenter
    config : SegmentationConfig, optional
        Of the run that is to be estimated; its window counts.
    progress : callable, optional
        Raising from it stops the work.

    Returns
    -------
    WindowCost
    """
    resolved = segmenter.resolve(config)
    window, stride = resolved.window, resolved.stride
    batch = segmenter.vision.first_batch((window // segmenter.patch) ** 2)
    native = dataclasses.replace(resolved, short_side=None, average_on="pixels")
    width = window + (batch - 1) * stride
    pixels = np.random.default_rng(0).integers(0, 256, (window, width, 3), dtype=np.uint8)

    def embed(image: np.ndarray) -> Embedding:
        return segmenter.embed(
            image, native, progress=lambda _: report(progress, 0, 0, "Measuring the speed")
        )

    embed(pixels[:, :window])
    seconds: list[float] = []
    while not seconds or (sum(seconds) < ENOUGH_SECONDS and len(seconds) < MOST_BATCHES):
        started = time.perf_counter()
        embedding = embed(pixels)
        seconds.append(time.perf_counter() - started)
    return WindowCost(
        seconds=statistics.median(seconds) / embedding.windows,
        feature_bytes=embedding.dense.features.nbytes // embedding.windows,
        model=segmenter.model,
        device=str(segmenter.device),
        precision=segmenter.precision,
        window=window,
    )


def estimate_seconds(windows: int, cost: WindowCost) -> float:
    """Estimate the time of a vision pass: ``windows * cost.seconds``."""
    return windows * cost.seconds


def estimate_bytes(
    windows: int,
    cost: WindowCost,
    shape: tuple[int, int],
    config: SegmentationConfig | None = None,
) -> int:
    """Estimate the memory that an image takes, besides the image and the model.

    It is the sum of

    * the embedding: ``windows * cost.feature_bytes``. Averaged on patches, the n windows are
      taken to stand in a square, so that they cover
      ``((sqrt(n) - 1) * stride + window) ** 2`` pixels, and
      ``cost.feature_bytes / window ** 2`` is kept of each;
    * the strip of the resized image: ``STRIP_BYTES * window * width of the resized image``;
    * classes and labels: ``LABEL_BYTES * height * width of the image``.

    Parameters
    ----------
    windows : int
        Of the image, as `count_windows` gives it.
    cost : WindowCost
    shape : tuple of int
        Height and width of the image in pixels.
    config : SegmentationConfig, optional
        Of the run; the defaults if left out.

    Returns
    -------
    int
        Bytes of main memory.
    """
    config = config or SegmentationConfig()
    height, width = shape
    strip = STRIP_BYTES * cost.window * resized_shape(height, width, config.short_side)[1]
    embedding: float = windows * cost.feature_bytes
    if config.average_on == "patches":
        default = isinstance(config.stride, ModelDefault)
        stride = max(1, cost.window // 2) if default else config.stride
        side = (math.sqrt(windows) - 1) * stride + cost.window
        embedding = cost.feature_bytes * (side / cost.window) ** 2
    return round(embedding) + strip + LABEL_BYTES * height * width

"""How finely an image is looked at, and what becomes a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from psygnal import SignalGroupDescriptor

from napari_sclip.config import SegmentationConfig

CUSTOM = "custom"
LEVELS: dict[str, int] = {"coarse": 224, "medium": 336, "fine": 560}
"""Pixels that the shorter side of the image is resized to."""

SETTINGS = (
    "level", "short_side", "window", "stride", "threshold", "min_area_fraction", "templates",
    "average_on", "refine", "min_region_pixels", "max_hole_pixels",
)  # fmt: skip
"""Fields of `DetailState` that a person chooses; they last."""


@dataclass
class DetailState:
    """Choices of the section "Detail"; units are those of `SegmentationConfig`.

    Attributes
    ----------
    level : str
        A key of `LEVELS`, or `CUSTOM` for the numbers below.
    short_side : int or None
        Pixels; None keeps the image's size.
    window, stride : int or None
        Pixels; None leaves them to the model.
    threshold, min_area_fraction : float
        0..1.
    templates : str
        "imagenet" or "plain".
    average_on : str
        "pixels" or "patches".
    refine : str
        A name of `REFINEMENTS`, or nothing for none.
    min_region_pixels, max_hole_pixels : int
        Pixels of the image; 0 for none.
    windows : int or None
        Of the image as chosen, over all planes; None if unknown.
    estimate : str
        Time and memory of a run, in words for a person.
    problem : str
        Why the numbers cannot be used, or nothing.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    level: str = "medium"
    short_side: int | None = 336
    window: int | None = None
    stride: int | None = None
    threshold: float = 0.0
    min_area_fraction: float = 0.0
    templates: str = "imagenet"
    average_on: str = "pixels"
    refine: str = "pamr"
    min_region_pixels: int = 0
    max_hole_pixels: int = 0
    windows: int | None = None
    estimate: str = ""
    problem: str = ""

    def config(self) -> SegmentationConfig:
        """Return the settings of a run.

        Raises
        ------
        ConfigError
            If a number is not usable.
        """
        values: dict[str, Any] = {"short_side": LEVELS.get(self.level, self.short_side)}
        if self.level == CUSTOM:
            given = {"window": self.window, "stride": self.stride}
            values |= {name: value for name, value in given.items() if value is not None}
        return SegmentationConfig(
            threshold=self.threshold,
            min_area_fraction=self.min_area_fraction,
            templates=self.templates,
            average_on=self.average_on,
            refine=self.refine or None,
            min_region_pixels=self.min_region_pixels,
            max_hole_pixels=self.max_hole_pixels,
            nonfinite="minimum",
            **values,
        )

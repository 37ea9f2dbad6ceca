"""Settings of a segmentation, checked when they are made."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

from napari_sclip.errors import ConfigError
from napari_sclip.templates import TEMPLATE_SETS

REFINEMENTS = ("pamr", "guided-filter")
"""Names that `SegmentationConfig.refine` takes."""

AVERAGING = ("pixels", "patches")
"""Names that `SegmentationConfig.average_on` takes."""

NONFINITE = ("error", "minimum")
"""Names that `SegmentationConfig.nonfinite` takes."""


class ModelDefault(int):
    """A number of pixels that gives way to the model's own default."""


@dataclass(frozen=True, kw_only=True)
class SegmentationConfig:
    """How an image is segmented; frozen, every field checked.

    Parameters
    ----------
    short_side : int or None
        Length in pixels that the image's shorter side is resized to; None keeps its size.
    window : int
        Side in pixels (of the resized image) of the square given to the vision tower. Left
        alone, it gives way to the model's own input size where that is not 224.
    stride : int
        Pixels between two windows, 1 to `window`. Left alone, half a window.
    templates : str or sequence of str
        "imagenet" (the 80 templates of CLIP's ImageNet protocol), "plain", or sentences with
        one ``{}`` each.
    logit_scale : float
        Factor between cosine similarity and logits, above 0.
    threshold : float
        A pixel whose best score (0..1) is lower becomes 0.
    min_area_fraction : float
        Classes that cover no more than this share (0..1) of the labelled area are dropped;
        0 drops none. The background is exempt.
    refine : str or None
        Refinement that moves edges to those of the image: "pamr" (PAMR: averages similar
        neighbours again and again), "guided-filter" (fits similarities to the colours around
        each pixel), or None.
    min_region_pixels : int
        A connected part of a class with fewer pixels of the image is given to what surrounds
        it; 0 keeps all.
    max_hole_pixels : int
        A connected part of what has no class, or is background, gets the class that alone
        surrounds it, if it has no more pixels of the image than this; 0 keeps all.
    average_on : str
        Where overlapping windows are averaged: on "pixels" as the paper does, or on
        "patches": several times smaller and faster, and different near windows' edges.
    nonfinite : str
        What NaN and infinite pixels are: an "error", or the image's finite "minimum".

    Raises
    ------
    ConfigError
        If a field is of the wrong type or out of its range.
    """

    short_side: int | None = 336
    window: int = ModelDefault(224)
    stride: int = ModelDefault(112)
    templates: str | tuple[str, ...] = "imagenet"
    logit_scale: float = 40.0
    threshold: float = 0.0
    min_area_fraction: float = 0.0
    refine: str | None = None
    min_region_pixels: int = 0
    max_hole_pixels: int = 0
    average_on: str = "pixels"
    nonfinite: str = "error"

    def __post_init__(self) -> None:
        if self.short_side is not None:
            _set(self, "short_side", _pixels("short_side", self.short_side))
        _set(self, "window", _pixels("window", self.window))
        if isinstance(self.stride, ModelDefault):
            if self.stride != max(1, self.window // 2):
                _set(self, "stride", ModelDefault(max(1, self.window // 2)))
        else:
            _set(self, "stride", _pixels("stride", self.stride))
            if self.stride > self.window and not isinstance(self.window, ModelDefault):
                raise ConfigError(stride_too_large(self.stride, self.window))
        _set(self, "templates", _checked_templates(self.templates))
        _set(self, "logit_scale", _number("logit_scale", self.logit_scale))
        if self.logit_scale <= 0:
            raise ConfigError(f"logit_scale must be above 0; got {self.logit_scale}. 40 is usual.")
        for name in ("threshold", "min_area_fraction"):
            value = _number(name, getattr(self, name))
            if not 0 <= value <= 1:
                raise ConfigError(f"{name} must lie in 0..1; got {value}.")
            _set(self, name, value)
        for name in ("min_region_pixels", "max_hole_pixels"):
            _set(self, name, _pixels(name, getattr(self, name), least=0))
        _one_of("refine", self.refine, (None, *REFINEMENTS))
        _one_of("average_on", self.average_on, AVERAGING)
        _one_of("nonfinite", self.nonfinite, NONFINITE)

    def template_sentences(self) -> tuple[str, ...]:
        """Return the sentences that each prompt is wrapped in, each with one ``{}``."""
        if isinstance(self.templates, str):
            return TEMPLATE_SETS[self.templates]
        return self.templates

    def for_input_size(self, input_size: int) -> SegmentationConfig:
        """Return a copy whose window and stride, if left alone, fit a model's input size.

        Parameters
        ----------
        input_size : int
            Side in pixels that the model was trained with.

        Raises
        ------
        ConfigError
            If a stride that was given is larger than the resulting window.
        """
        window = int(input_size if isinstance(self.window, ModelDefault) else self.window)
        stride = int(max(1, window // 2) if isinstance(self.stride, ModelDefault) else self.stride)
        if stride > window:
            raise ConfigError(stride_too_large(stride, window))
        return dataclasses.replace(self, window=window, stride=stride)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values that JSON can hold.

        A window and a stride that were left alone become the numbers that they stand for here.
        """
        values = dataclasses.asdict(self)
        for name in ("window", "stride"):
            values[name] = int(values[name])
        if not isinstance(self.templates, str):
            values["templates"] = list(self.templates)
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmentationConfig:
        """Make a configuration of plain values, as `to_dict` gives them.

        Raises
        ------
        ConfigError
            If a key is unknown or a value not usable.
        """
        known = [f.name for f in dataclasses.fields(cls)]
        unknown = sorted(str(name) for name in values if name not in known)
        if unknown:
            raise ConfigError(
                f"Unknown setting {', '.join(unknown)}. Known settings: {', '.join(known)}."
            )
        return cls(**values)


def stride_too_large(stride: int, window: int) -> str:
    """Say that a stride does not fit a window."""
    return (
        f"stride must lie in 1..window, so that windows leave no gap; got a stride of {stride} "
        f"for a window of {window} pixels. Half the window is usual."
    )


def check_contrast(
    limits: tuple[float, float] | None, percentiles: tuple[float, float] | None
) -> None:
    """Check which values of an image are to become black and white.

    Raises
    ------
    ConfigError
        If both are given, or one of them does not rise.
    """
    if limits is not None and percentiles is not None:
        raise ConfigError("Expected limits or percentiles; got both. Leave out one of them.")
    if limits is not None and not limits[0] < limits[1]:
        raise ConfigError(
            f"limits must rise; got {limits[0]:g} and {limits[1]:g}. Give first the value that "
            "becomes black, then the one that becomes white."
        )
    if percentiles is not None and not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise ConfigError(
            f"percentiles must rise and lie in 0..100; got {percentiles[0]:g} and "
            f"{percentiles[1]:g}. 1 and 99 are usual."
        )


def _set(config: SegmentationConfig, name: str, value: object) -> None:
    object.__setattr__(config, name, value)


def _pixels(name: str, value: object, least: int = 1) -> int:
    if isinstance(value, ModelDefault):
        return value
    try:
        pixels = None if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        pixels = None
    if pixels is None:
        raise ConfigError(f"{name} must be a whole number of pixels; got {value!r}.")
    if pixels < least:
        pixel = "1 pixel" if least == 1 else f"{least} pixels"
        raise ConfigError(f"{name} must be at least {pixel}; got {pixels}.")
    return pixels


def _number(name: str, value: object) -> float:
    # A numpy boolean or complex number has __float__ too, and is no Real.
    if isinstance(value, bool) or not isinstance(value, Real):
        raise ConfigError(f"{name} must be a number; got {value!r}.")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ConfigError(f"{name} must be a finite number; got {number}.")
    return number


def _one_of(name: str, value: object, known: Sequence[object]) -> None:
    # The type comes first: comparing an array gives no single answer.
    if not (value is None or isinstance(value, str)) or value not in known:
        names = ", ".join(repr(k) for k in known)
        raise ConfigError(f"{name} must be one of {names}; got {value!r}.")


def _checked_templates(templates: object) -> str | tuple[str, ...]:
    if isinstance(templates, str):
        if templates not in TEMPLATE_SETS:
            known = ", ".join(repr(k) for k in TEMPLATE_SETS)
            raise ConfigError(
                f"templates must be {known} or a tuple of sentences with {{}}; got {templates!r}."
            )
        return templates
    if not isinstance(templates, Sequence) or not templates:
        raise ConfigError(f"templates must be a tuple of at least one sentence; got {templates!r}.")
    for sentence in templates:
        if not isinstance(sentence, str) or sentence.count("{}") != 1:
            raise ConfigError(
                f"Every template must hold one {{}} where the prompt goes; got {sentence!r}. "
                "Write for example 'a photo of a {}.'."
            )
        try:
            sentence.encode()
        except UnicodeEncodeError as error:
            raise ConfigError(f"A template must be Unicode text; got {sentence!r}.") from error
    return tuple(templates)

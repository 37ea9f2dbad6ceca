"""Every field is checked, messages say what came, and defaults give way to the model's."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import pickle
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sclip.config import AVERAGING, NONFINITE, REFINEMENTS, ModelDefault, SegmentationConfig
from napari_sclip.errors import ConfigError
from napari_sclip.templates import IMAGENET_TEMPLATES, TEMPLATE_SETS

WORDS = st.text(st.characters(blacklist_characters="{}"), max_size=12)
SENTENCES = st.tuples(WORDS, WORDS).map("{}".join)
TEMPLATES = st.one_of(
    st.sampled_from(sorted(TEMPLATE_SETS)), st.lists(SENTENCES, min_size=1, max_size=4).map(tuple)
)


def make(**fields: object) -> SegmentationConfig:
    """Make a configuration of fields of any type."""
    return SegmentationConfig(**fields)  # type: ignore[arg-type]


@st.composite
def configs(draw: st.DrawFn) -> SegmentationConfig:
    window = draw(st.integers(1, 2000))
    return SegmentationConfig(
        short_side=draw(st.none() | st.integers(1, 10_000)),
        window=window,
        stride=draw(st.integers(1, window)),
        templates=draw(TEMPLATES),
        logit_scale=draw(st.floats(1e-3, 1e3)),
        threshold=draw(st.floats(0, 1)),
        min_area_fraction=draw(st.floats(0, 1)),
        refine=draw(st.sampled_from((None, *REFINEMENTS))),
        min_region_pixels=draw(st.integers(0, 10_000)),
        max_hole_pixels=draw(st.integers(0, 10_000)),
        average_on=draw(st.sampled_from(AVERAGING)),
        nonfinite=draw(st.sampled_from(NONFINITE)),
    )


def test_defaults() -> None:
    config = SegmentationConfig()
    assert dataclasses.asdict(config) == {
        "short_side": 336,
        "window": 224,
        "stride": 112,
        "templates": "imagenet",
        "logit_scale": 40.0,
        "threshold": 0.0,
        "min_area_fraction": 0.0,
        "refine": None,
        "min_region_pixels": 0,
        "max_hole_pixels": 0,
        "average_on": "pixels",
        "nonfinite": "error",
    }


def test_it_is_frozen_hashable_and_takes_keywords_only() -> None:
    config = make(templates=["a {}."])
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.threshold = 0.5  # type: ignore[misc]
    assert {config: 1}[SegmentationConfig(templates=("a {}.",))] == 1
    with pytest.raises(TypeError):
        SegmentationConfig(336)  # type: ignore[call-arg]


@pytest.mark.parametrize("field", ["short_side", "window", "stride"])
@pytest.mark.parametrize("value", [0, -1, -(10**30)])
def test_too_few_pixels(field: str, value: int) -> None:
    with pytest.raises(ConfigError, match=rf"{field} must be at least 1 pixel; got {value}"):
        make(**{field: value})


@pytest.mark.parametrize("field", ["short_side", "window", "stride"])
@pytest.mark.parametrize(
    "value", [True, np.True_, 224.0, "224", math.nan, 1j, [224], np.array([1, 2]), object()]
)
def test_no_whole_number_of_pixels(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be a whole number of pixels; got"):
        make(**{field: value})


@pytest.mark.parametrize("field", ["window", "stride"])
def test_only_the_short_side_may_be_none(field: str) -> None:
    assert SegmentationConfig(short_side=None).short_side is None
    with pytest.raises(ConfigError, match=f"{field} must be a whole number of pixels; got None"):
        make(**{field: None})


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.int64])
def test_numpys_integers_become_pythons(kind: type[np.integer[Any]]) -> None:
    config = make(short_side=kind(96), window=kind(64), stride=kind(32))
    assert [type(v) for v in (config.short_side, config.window, config.stride)] == [int] * 3
    assert (config.short_side, config.window, config.stride) == (96, 64, 32)


@pytest.mark.parametrize("field", ["logit_scale", "threshold", "min_area_fraction"])
@pytest.mark.parametrize(
    "value", ["0.5", None, True, np.True_, 1j, np.complex128(0.5), [0.5], np.array([0.1, 0.2])]
)
def test_no_number(field: str, value: object) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be a number; got"):
        make(**{field: value})


@pytest.mark.parametrize("field", ["logit_scale", "threshold", "min_area_fraction"])
@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, pytest.param(10**400, id="too large for a float")]
)
def test_no_finite_number(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be a finite number; got"):
        make(**{field: value})


@pytest.mark.parametrize("field", ["threshold", "min_area_fraction"])
@pytest.mark.parametrize("value", [-0.001, 1.001, 50])
def test_no_share(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=rf"{field} must lie in 0\.\.1; got {value}"):
        make(**{field: value})


@pytest.mark.parametrize("value", [0, 1, Fraction(1, 2), np.float32(0.5), np.int64(1)])
def test_every_kind_of_real_number_becomes_a_float(value: float) -> None:
    config = make(threshold=value, min_area_fraction=value)
    assert type(config.threshold) is float
    assert config.threshold == config.min_area_fraction == float(value)


@pytest.mark.parametrize("value", [0, 0.0, -40])
def test_logit_scale_is_above_zero(value: float) -> None:
    with pytest.raises(ConfigError, match="logit_scale must be above 0; got"):
        SegmentationConfig(logit_scale=value)


@pytest.mark.parametrize(
    ("field", "known"),
    [("average_on", AVERAGING), ("nonfinite", NONFINITE), ("refine", (None, "pamr"))],
)
@pytest.mark.parametrize("value", ["", "nonsense", 1, b"pixels"])
def test_a_name_that_is_not_known(field: str, known: tuple[object, ...], value: object) -> None:
    with pytest.raises(ConfigError, match=f"{field} must be one of") as caught:
        make(**{field: value})
    assert all(repr(name) in str(caught.value) for name in known)
    assert repr(value) in str(caught.value)


def test_names_that_are_known() -> None:
    for name in AVERAGING:
        assert SegmentationConfig(average_on=name).average_on == name
    for name in NONFINITE:
        assert SegmentationConfig(nonfinite=name).nonfinite == name
    for refinement in (None, "pamr", "guided-filter"):
        assert SegmentationConfig(refine=refinement).refine == refinement


def test_a_set_of_templates_that_is_not_known() -> None:
    with pytest.raises(ConfigError, match="'imagenet', 'plain' or a tuple of sentences") as caught:
        SegmentationConfig(templates="a photo of a {}.")
    assert "'a photo of a {}.'" in str(caught.value)


@pytest.mark.parametrize("value", [(), [], None, 7, {"a {}."}, iter(["a {}."]), b""])
def test_no_sequence_of_templates(value: object) -> None:
    with pytest.raises(ConfigError, match="templates must be a tuple of at least one sentence"):
        make(templates=value)


@pytest.mark.parametrize("sentence", ["a photo.", "", "{} and {}", "{0}", "{prompt}", None, 3])
def test_a_template_without_one_place_for_the_prompt(sentence: object) -> None:
    with pytest.raises(ConfigError, match=r"Every template must hold one \{\}") as caught:
        make(templates=("a photo of a {}.", sentence))
    assert repr(sentence) in str(caught.value)


def test_template_sentences() -> None:
    assert SegmentationConfig().template_sentences() == IMAGENET_TEMPLATES
    assert SegmentationConfig(templates="plain").template_sentences() == ("{}",)
    assert SegmentationConfig(templates=("a {}.", "{}")).template_sentences() == ("a {}.", "{}")


def test_the_imagenet_templates_are_the_80_of_clip() -> None:
    assert len(IMAGENET_TEMPLATES) == 80
    assert len(set(IMAGENET_TEMPLATES)) == 80
    assert all(t.count("{}") == 1 and t.strip() == t for t in IMAGENET_TEMPLATES)


@pytest.mark.parametrize(("window", "stride"), [(64, 65), (224, 1000), (1, 2)])
def test_a_stride_that_leaves_gaps(window: int, stride: int) -> None:
    with pytest.raises(
        ConfigError, match=f"got a stride of {stride} for a window of {window} pixels"
    ):
        SegmentationConfig(window=window, stride=stride)


def test_a_stride_beyond_the_default_window_waits_for_the_model() -> None:
    config = SegmentationConfig(stride=300)
    assert config.for_input_size(336).stride == 300
    with pytest.raises(ConfigError, match="stride of 300 for a window of 224"):
        config.for_input_size(224)


def test_the_stride_is_half_of_a_window_that_is_given() -> None:
    assert SegmentationConfig(window=448).stride == 224
    assert SegmentationConfig(window=225).stride == 112
    assert SegmentationConfig(window=1).stride == 1
    assert dataclasses.replace(SegmentationConfig(), window=64).stride == 32
    assert dataclasses.replace(SegmentationConfig(stride=50), window=64).stride == 50


@pytest.mark.parametrize(
    ("given_fields", "window", "stride"),
    [
        ({}, 336, 168),
        ({"window": 224}, 224, 112),
        ({"window": 112}, 112, 56),
        ({"stride": 112}, 336, 112),
        ({"window": 448, "stride": 100}, 448, 100),
    ],
)
def test_the_models_input_size_where_nothing_was_given(
    given_fields: dict[str, int], window: int, stride: int
) -> None:
    resolved = make(**given_fields, threshold=0.25).for_input_size(336)
    assert (resolved.window, resolved.stride, resolved.threshold) == (window, stride, 0.25)
    # What was resolved for one model stays for the next.
    assert type(resolved.window) is int
    assert type(resolved.stride) is int
    assert resolved.for_input_size(64) == resolved


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c)), dataclasses.replace],
)
def test_a_copy_still_gives_way_to_the_model(
    copied: Callable[[SegmentationConfig], SegmentationConfig],
) -> None:
    config = copied(SegmentationConfig(threshold=0.5))
    assert config == SegmentationConfig(threshold=0.5)
    assert isinstance(config.window, ModelDefault)
    assert config.for_input_size(64).stride == 32


@given(st.integers(1, 4000), st.none() | st.integers(1, 4000), st.none() | st.integers(1, 4000))
def test_resolving_gives_a_usable_window_or_says_why(
    input_size: int, window: int | None, stride: int | None
) -> None:
    fields = {k: v for k, v in (("window", window), ("stride", stride)) if v is not None}
    if stride is not None and stride > (window or input_size):
        with pytest.raises(ConfigError, match="stride must lie in"):
            make(**fields).for_input_size(input_size)
        return
    resolved = make(**fields).for_input_size(input_size)
    assert resolved.window == (window or input_size)
    assert resolved.stride == (stride or max(1, resolved.window // 2))
    assert 1 <= resolved.stride <= resolved.window


@given(configs())
def test_round_trip_through_json(config: SegmentationConfig) -> None:
    again = SegmentationConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config
    assert again.template_sentences() == config.template_sentences()


def test_plain_values() -> None:
    values = SegmentationConfig(templates=("{}",)).to_dict()
    assert type(values["window"]) is int
    assert values["templates"] == ["{}"]
    assert set(values) == {f.name for f in dataclasses.fields(SegmentationConfig)}


def test_from_dict_takes_what_is_left_out_from_the_defaults() -> None:
    assert SegmentationConfig.from_dict({"threshold": 0.5}) == SegmentationConfig(threshold=0.5)
    assert isinstance(SegmentationConfig.from_dict({}).window, ModelDefault)


@pytest.mark.parametrize("values", [{"treshold": 0.5}, {"Window": 3, "treshold": 1}, {7: 1}])
def test_from_dict_names_what_it_does_not_know(values: dict[Any, Any]) -> None:
    with pytest.raises(ConfigError, match="Unknown setting") as caught:
        SegmentationConfig.from_dict(values)
    assert all(str(name) in str(caught.value) for name in values)
    assert "min_area_fraction" in str(caught.value)


def test_from_dict_checks_values() -> None:
    with pytest.raises(ConfigError, match="threshold must lie in"):
        SegmentationConfig.from_dict({"threshold": 3})


@pytest.mark.parametrize("value", [["pixels"], {"a": 1}, np.array(["a", "b"])])
def test_a_choice_that_is_no_string_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="average_on must be one of 'pixels', 'patches'"):
        SegmentationConfig(average_on=value)  # type: ignore[arg-type]  # the point


@pytest.mark.parametrize("field", ["min_region_pixels", "max_hole_pixels"])
def test_pixels_of_regions_and_holes(field: str) -> None:
    for value in (0, 1, np.int64(7), 10**12):
        assert getattr(make(**{field: value}), field) == value
    with pytest.raises(ConfigError, match=f"{field} must be at least 0 pixels; got -1"):
        make(**{field: -1})
    for no_number in (True, 3.0, "3", None):
        with pytest.raises(ConfigError, match=f"{field} must be a whole number of pixels"):
            make(**{field: no_number})


def test_templates_are_unicode_text() -> None:
    with pytest.raises(ConfigError, match="Unicode"):
        SegmentationConfig(templates=("caf\udce9 {}",))

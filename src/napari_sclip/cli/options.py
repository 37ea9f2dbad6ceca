"""Options that become a model, classes and a `SegmentationConfig`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sclip.class_files import ClassList, read_class_list
from napari_sclip.config import (
    AVERAGING,
    NONFINITE,
    REFINEMENTS,
    SegmentationConfig,
    check_contrast,
)
from napari_sclip.models.registry import DEFAULT_MODEL
from napari_sclip.prompts import ClassPrompt, parse_classes
from napari_sclip.templates import TEMPLATE_SETS

if TYPE_CHECKING:
    from napari_sclip.engine.classifier import Classifier

UNSET = argparse.SUPPRESS


def add_class_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what to label."""
    group = parser.add_argument_group("classes").add_mutually_exclusive_group(required=True)
    group.add_argument(
        "--classes",
        metavar="TEXT",
        help='for example "cat, grass = lawn | meadow, background = wall | floor"',
    )
    group.add_argument(
        "--classes-file",
        metavar="FILE",
        type=Path,
        help="the same in a text file, one class a line; a table (CSV); the _classes.json of an "
        "earlier run; or what the dock widget saved, with what was learned from strokes",
    )


def add_contrast_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what becomes black and white; one of them at most."""
    about = "what becomes black and white (default: the range of the dtype, and 0 and 1 of floats)"
    group = parser.add_argument_group("contrast", about).add_mutually_exclusive_group()
    group.add_argument(
        "--rescale",
        action="store_true",
        help="each image's smallest and largest value: for floats beyond 0..1, and for integers "
        "that use part of their range",
    )
    group.add_argument(
        "--limits",
        nargs=2,
        type=_finite,
        metavar=("LOW", "HIGH"),
        help="these values, in all images; what lies beyond them is clipped",
    )
    group.add_argument(
        "--percentiles",
        nargs=2,
        type=_finite,
        metavar=("LOW", "HIGH"),
        help="these percentiles of each image (0..100), for example 1 99",
    )


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what computes."""
    group = parser.add_argument_group("model")
    group.add_argument(
        "--model",
        metavar="NAME",
        default=DEFAULT_MODEL,
        help="a name from 'napari-sclip models', an architecture of open_clip together with "
        "--weights, or hf-hub:organisation/name (default: %(default)s)",
    )
    group.add_argument("--weights", metavar="FILE", type=Path, help="checkpoint on this disk")
    group.add_argument(
        "--device", default="auto", help="auto, cpu, cuda, cuda:N or mps (default: auto)"
    )
    group.add_argument(
        "--precision", default="auto", help="auto, fp32, fp16 or bf16 (default: auto)"
    )
    group.add_argument(
        "--attention",
        metavar="MODE",
        help="attention mode of the last block, for example sclip, sclip-reduced, naclip or "
        "vanilla; an unknown one lists all (default: the one that suits the model)",
    )


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add one option for each field of `SegmentationConfig`."""
    group = parser.add_argument_group("settings")

    def add(flag: str, text: str, **more: Any) -> None:  # noqa: ANN401 - argparse's own keywords
        group.add_argument(flag, default=UNSET, help=text, **more)

    add(
        "--short-side",
        "pixels that the shorter side is resized to, or 'native' (default: 336)",
        type=_pixels_or_native,
        metavar="N",
    )
    add("--window", "side of the window in pixels (default: the model's)", type=int, metavar="N")
    add("--stride", "pixels between windows (default: half a window)", type=int, metavar="N")
    add(
        "--templates",
        f"{', '.join(TEMPLATE_SETS)}, or a sentence such as 'a photo of a {{}}.'; give the option "
        "again for more sentences (default: imagenet)",
        action="append",
        metavar="TEXT",
    )
    add("--logit-scale", "factor of the similarities (default: 40)", type=float, metavar="X")
    add("--threshold", "best scores under this become 0 (0..1)", type=float, metavar="X")
    add(
        "--min-area-fraction",
        "classes that cover no more of the labelled area are dropped (0..1)",
        type=float,
        metavar="X",
    )
    add(
        "--refine",
        f"move edges to those of the image: {', '.join(REFINEMENTS)} or none (default: none)",
        type=_name_or_none,
        metavar="NAME",
    )
    add(
        "--min-region-pixels",
        "connected parts of a class with fewer pixels are given to what surrounds them "
        "(default: 0, none)",
        type=int,
        metavar="N",
    )
    add(
        "--max-hole-pixels",
        "holes within a class of no more pixels are filled (default: 0, none)",
        type=int,
        metavar="N",
    )
    add(
        "--average-on",
        f"where windows are averaged: {' or '.join(AVERAGING)} (default: pixels)",
        metavar="NAME",
    )
    add(
        "--nonfinite",
        f"what NaN and infinite pixels are: {' or '.join(NONFINITE)} (default: error)",
        metavar="NAME",
    )


def read_class_options(arguments: argparse.Namespace) -> ClassList:
    """Read the classes that were asked for.

    Raises
    ------
    ClassesError
        If the file cannot be read, or the classes are not usable.
    """
    if arguments.classes_file is not None:
        return read_class_list(arguments.classes_file)
    return ClassList(parse_classes(arguments.classes))


def read_known(arguments: argparse.Namespace) -> tuple[ClassPrompt, ...] | Classifier:
    """Read the classes that were asked for, with what was learned if the file holds that.

    Raises
    ------
    ClassesError
        As `read_class_options`, and if what was learned is damaged.
    """
    known = read_class_options(arguments)
    if known.learned is None:
        return known.classes
    from napari_sclip.engine.classifier import Classifier

    return Classifier.from_list(known, arguments.classes_file) or known.classes


def read_config(arguments: argparse.Namespace) -> SegmentationConfig:
    """Make the configuration of the options that were given.

    Raises
    ------
    ConfigError
        If a value is out of its range.
    """
    fields = SegmentationConfig.__dataclass_fields__
    given = {name: value for name, value in vars(arguments).items() if name in fields}
    if "templates" in given:
        sentences: list[str] = given["templates"]
        alone = len(sentences) == 1 and sentences[0] in TEMPLATE_SETS
        given["templates"] = sentences[0] if alone else tuple(sentences)
    return SegmentationConfig(**given)


def read_contrast(arguments: argparse.Namespace) -> dict[str, tuple[float, float]] | None:
    """Make what `napari_sclip.core.contrast.rescale` is given; None where values stay.

    Raises
    ------
    ConfigError
        If the values cannot be used.
    """
    for name in ("limits", "percentiles"):
        values = getattr(arguments, name)
        if values is not None:
            given = {"limits": None, "percentiles": None, name: tuple(values)}
            check_contrast(**given)
            return {name: tuple(values)}
    return {} if arguments.rescale else None


def _finite(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"expected a finite number; got {text!r}")
    return number


def _pixels_or_native(text: str) -> int | None:
    try:
        return None if text == "native" else int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"expected a whole number of pixels or 'native'; got {text!r}"
        ) from error


def _name_or_none(text: str) -> str | None:
    return None if text == "none" else text

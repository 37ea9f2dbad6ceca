"""The lines that repeat a run of the widget on other files."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from napari_sclip.config import SegmentationConfig
from napari_sclip.errors import ClassesError
from napari_sclip.prompts import ClassPrompt, parse_classes
from napari_sclip.widgets.state.model import ModelSelection

OUTPUT = "labels"
"""Folder that the lines write to."""

RESCALE_OPTIONS = {"limits": "--limits", "percentiles": "--percentiles", "full": "--rescale"}


@dataclass(frozen=True)
class FileContrast:
    """What the lines make black and white of the values of a file.

    Attributes
    ----------
    rule : str
        "limits", "percentiles" or "full", as those of `ReadOptions`.
    values : tuple of float
        The limits or the percentiles; empty for "full".
    """

    rule: str
    values: tuple[float, ...] = ()

    def texts(self) -> list[str]:
        """Write the values so that they read back equal."""
        return [_plain_number(value) for value in self.values]


def shell_lines(
    selection: ModelSelection,
    config: SegmentationConfig,
    classes: Sequence[ClassPrompt],
    image: str,
    file: str = "",
    contrast: FileContrast | None = None,
) -> str:
    """Write the command of the command line.

    Parameters
    ----------
    selection : ModelSelection
    config : SegmentationConfig
    classes : sequence of ClassPrompt
    image : str
        File or files to put in.
    file : str
        File of classes to read instead; it may hold what was learned.
    contrast : FileContrast or None
        None where values are read by the range of their dtype.
    """
    words = ["napari-sclip", "segment", image, "--output", OUTPUT]
    words += ["--classes-file", file] if file else ["--classes", class_text(classes)]
    if contrast is not None:
        words += [RESCALE_OPTIONS[contrast.rule], *contrast.texts()]
    words += ["--model", selection.name]
    if selection.weights is not None:
        words += ["--weights", selection.weights]
    for name in ("device", "precision", "attention"):
        value = getattr(selection, name)
        if value != "auto":
            words += [f"--{name}", value]
    for name, value in _changed(config).items():
        shown = "native" if value is None and name == "short_side" else str(value)
        words += [f"--{name.replace('_', '-')}", shown]
    return shlex.join(words)


def python_lines(
    selection: ModelSelection,
    config: SegmentationConfig,
    classes: Sequence[ClassPrompt],
    image: str,
    file: str = "",
    contrast: FileContrast | None = None,
) -> str:
    """Write the lines of Python; parameters are those of `shell_lines`.

    In the file there has to be something that was learned.
    """
    names = "Classifier, " if file else "ClassPrompt, "
    loaded = "".join(
        f", {name}={value!r}"
        for name, value in (
            ("weights", selection.weights),
            ("device", selection.device),
            ("precision", selection.precision),
            ("attention", selection.attention),
        )
        if value not in (None, "auto")
    )
    settings = ", ".join(f"{name}={value!r}" for name, value in _changed(config).items())
    if file:
        what = [f"classes = Classifier.load({file!r})"]
    else:
        what = ["classes = [", *(f"    {_class(item)}," for item in classes), "]"]
    return "\n".join(
        [
            "from pathlib import Path",
            "",
            "import imageio.v3 as iio",
            "",
            f"from napari_sclip import {names}SegmentationConfig, Segmenter",
            *(["from napari_sclip.core.contrast import rescale"] if contrast else []),
            "from napari_sclip.export import ExportItem, write_results",
            "",
            *what,
            f"segmenter = Segmenter.load({selection.name!r}{loaded})",
            f"config = SegmentationConfig({settings})",
            f"for file in [Path({image!r})]:",
            f"    image = {_read_call(contrast)}",
            "    result = segmenter.segment(image, classes, config)",
            "    item = ExportItem.from_result(result, image, image_file=file.name)",
            f"    print(*write_results(Path({OUTPUT!r}), file.stem, item), sep='\\n')",
            "",
        ]
    )


def class_text(classes: Sequence[ClassPrompt]) -> str:
    """Write classes in a line; nothing if a line cannot hold them."""
    parts = [
        item.name if item.prompts == (item.name,) else f"{item.name} = {' | '.join(item.prompts)}"
        for item in classes
    ]
    text = ", ".join(parts)
    try:
        read = parse_classes(text)
    except ClassesError:
        return ""
    same = [(c.name, c.prompts, c.background) for c in read] == [
        (c.name, c.prompts, c.background) for c in classes
    ]
    return text if same else ""


def _plain_number(value: float) -> str:
    # Of numbers below 0 the command line understands -0.00001, but not -1e-05.
    text = repr(float(value)).removesuffix(".0")
    return format(Decimal(text), "f") if value < 0 else text


def _read_call(contrast: FileContrast | None) -> str:
    read = "iio.imread(file)"
    if contrast is None:
        return read
    values = f", {contrast.rule}=({', '.join(contrast.texts())})" if contrast.values else ""
    return f"rescale({read}{values}, nonfinite=config.nonfinite)"


def _changed(config: SegmentationConfig) -> dict[str, object]:
    """Return the settings that differ from what they are when left alone."""
    usual = SegmentationConfig()
    return {
        name: getattr(config, name)
        for name in config.to_dict()
        if getattr(config, name) != getattr(usual, name)
    }


def _class(item: ClassPrompt) -> str:
    parts = [repr(item.name)]
    if item.prompts != (item.name,):
        parts.append(repr(item.prompts))
    if item.background:
        parts.append("background=True")
    if item.color is not None:
        parts.append(f"color={item.color!r}")
    return f"ClassPrompt({', '.join(parts)})"

"""Gives the lines that repeat a run of the widget on other files."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sclip.class_files import ClassList, write_class_list
from napari_sclip.config import SegmentationConfig
from napari_sclip.core.contrast import natural_limits
from napari_sclip.errors import ClassesError, SclipError
from napari_sclip.paths import config_dir
from napari_sclip.prompts import ClassPrompt, format_classes
from napari_sclip.widgets.control.context import Desk
from napari_sclip.widgets.control.labels import colored_classes
from napari_sclip.widgets.control.learn import Teaching
from napari_sclip.widgets.state.model import ModelSelection

if TYPE_CHECKING:
    from napari_sclip.layers.image.request import ImageRequest

OUTPUT = "labels"
"""Folder that the lines write to."""

RESCALE_OPTIONS = {"limits": "--limits", "percentiles": "--percentiles", "full": "--rescale"}

IMAGE = "IMAGE.png"
"""Stands for the file where the image is not from one."""

FOLDER = "copied"


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
    names = [
        "Classifier" if file else "ClassPrompt",
        *("ExportItem", "SegmentationConfig", "Segmenter", "read_image_file"),
        *(["rescale"] if contrast else []),
        "write_results",
    ]
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
            "from napari_sclip import (",
            *(f"    {name}," for name in names),
            ")",
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
    try:
        return format_classes(classes)
    except ClassesError:
        return ""


def _plain_number(value: float) -> str:
    # Of numbers below 0 the command line understands -0.00001, but not -1e-05.
    text = repr(float(value)).removesuffix(".0")
    return format(Decimal(text), "f") if value < 0 else text


def _read_call(contrast: FileContrast | None) -> str:
    read = "read_image_file(file)"
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


class Repeating:
    """What "Copy as command" does.

    Parameters
    ----------
    desk : Desk
    teaching : Teaching
    """

    def __init__(self, desk: Desk, teaching: Teaching) -> None:
        self._desk = desk
        self._teaching = teaching

    def lines(self, language: str) -> str:
        """Return the lines that repeat this run: "shell" or "python"; nothing if they cannot be.

        What a line cannot hold, above all what was learned, is put into a file that it names.
        """
        state = self._desk.state
        classes = colored_classes(state.classes)
        learned = self._teaching.for_classes(classes)
        selection = state.model.selection()
        left = self._teaching.why_not(classes)
        if learned is not None and not self._desk.session.is_of(learned.fingerprint, selection):
            learned = None
            left = "What was learned is of another model or attention, and is not in it."
        file = ""
        if learned is not None or (language == "shell" and not class_text(classes)):
            known = ClassList(classes, learned=None if learned is None else learned.to_dict())
            try:
                file = str(_keep(known))
            except SclipError as error:
                self._desk.failed(error)
                return ""
        source = getattr(self._desk.follower.layer, "source", None)
        path = getattr(source, "path", None)
        write = shell_lines if language == "shell" else python_lines
        what = "The classes" if learned is None else "The classes and what was learned"
        where = f" {what} are in {file}." if file else ""
        contrast, read = self._reading()
        left = f" {left}" if left else ""
        self._desk.say(f"Copied. Put your own files where the image is named.{where}{left}{read}")
        return write(
            selection,
            state.detail.config(),
            classes,
            str(path or IMAGE),
            file,
            contrast,
        )

    def _reading(self) -> tuple[FileContrast | None, str]:
        """Find what makes black and white of a file; and say what is read otherwise than here."""
        if self._desk.follower.layer is None:
            return None, ""
        try:
            request = self._desk.follower.make_request()
        except SclipError as error:
            return None, f" The contrast is not in it: {error}"
        contrast = file_contrast(request)
        said = ""
        if contrast is not None and contrast.rule == "limits" and request.mode != "rgb":
            low, high = contrast.texts()
            said = f" Every image is read with the contrast limits of this layer, {low} to {high}."
        lost = left_out(request)
        return contrast, f"{said} It cannot repeat {'; nor '.join(lost)}." if lost else said


def file_contrast(request: ImageRequest) -> FileContrast | None:
    """Find what makes of the values of a file what the widget reads of the layer.

    Parameters
    ----------
    request : ImageRequest

    Returns
    -------
    FileContrast or None
        None where a file is read so anyway: by the range of its dtype.
    """
    rule = request.contrast
    if rule.rule == "percentiles":
        return FileContrast("percentiles", rule.percentiles)
    if rule.rule == "full":
        return FileContrast("full")
    source = next((s for s in request.sources if s.name == request.name), None)
    if source is None:
        return None
    natural = natural_limits(source.array.dtype)
    if source.rgb:
        return FileContrast("limits", (0.0, 1.0)) if natural is None else None
    return None if source.look.limits == natural else FileContrast("limits", source.look.limits)


def left_out(request: ImageRequest) -> list[str]:
    """Name what is read of the layer in a way that no line can tell."""
    axes, shape = request.axes, request.shape
    others = [*axes.sliders, *(() if axes.channel is None else (axes.channel,))]
    lost = {
        "the layers as displayed, with their colours and gamma": request.mode == "blend",
        "the region: it takes all of each image": request.region.kind != "plane",
        "the choice of a plane or channel: save it as a file of its own": any(
            shape[axis] > 1 for axis in others
        ),
        "the view with rows and columns exchanged": axes.rows > axes.columns,
        "the coarser level of the image that is read: it takes the finest": (
            max(request.factors) > 1
        ),
    }
    return [what for what, is_so in lost.items() if is_so]


def _keep(known: ClassList) -> Path:
    """Write classes to a file that is named by what it holds."""
    content = json.dumps([_plain(known.classes), known.learned], sort_keys=True, default=str)
    name = hashlib.sha256(content.encode()).hexdigest()[:8]
    path = config_dir() / FOLDER / f"classes_{name}.json"
    write_class_list(path, known)
    return path


def _plain(classes: Sequence[ClassPrompt]) -> list[list[object]]:
    return [[c.name, list(c.prompts), c.color, c.background] for c in classes]

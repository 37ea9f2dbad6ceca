"""Gives the lines that repeat a run of the widget on other files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_sclip.class_files import Preset, write_preset
from napari_sclip.errors import SclipError
from napari_sclip.paths import config_dir
from napari_sclip.widgets.control.desk import Desk
from napari_sclip.widgets.control.labels_link import colored_classes
from napari_sclip.widgets.control.teaching import Teaching
from napari_sclip.widgets.state.repeat import (
    FileContrast,
    class_text,
    python_lines,
    shell_lines,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_sclip.layers.image.request import ImageRequest, Source
    from napari_sclip.prompts import ClassPrompt

IMAGE = "IMAGE.png"
"""Stands for the file where the image is not from one."""

FOLDER = "copied"


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
            preset = Preset(classes, learned=None if learned is None else learned.to_dict())
            try:
                file = str(_keep(preset))
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
    natural = _natural(source)
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


def _natural(source: Source) -> tuple[float, float] | None:
    """Return the limits that a file of this dtype is read with; None if it may be refused."""
    dtype = np.dtype(source.array.dtype)
    if dtype.kind == "b":
        return 0.0, 1.0
    if dtype.kind in "iu":
        return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)
    return None


def _keep(preset: Preset) -> Path:
    """Write classes to a file that is named by what it holds."""
    content = json.dumps([_plain(preset.classes), preset.learned], sort_keys=True, default=str)
    name = hashlib.sha256(content.encode()).hexdigest()[:8]
    path = config_dir() / FOLDER / f"classes_{name}.json"
    write_preset(path, preset)
    return path


def _plain(classes: Sequence[ClassPrompt]) -> list[list[object]]:
    return [[c.name, list(c.prompts), c.color, c.background] for c in classes]

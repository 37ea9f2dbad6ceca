"""Gives the lines that repeat a run of the widget on other files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_sclip.errors import SclipError
from napari_sclip.paths import config_dir
from napari_sclip.widgets.control.desk import Desk
from napari_sclip.widgets.control.labels_link import colored_classes
from napari_sclip.widgets.control.teaching import Teaching
from napari_sclip.widgets.state.presets import Preset, write_preset
from napari_sclip.widgets.state.repeat import class_text, python_lines, shell_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

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
        self._desk.say(f"Copied. Put your own files where the image is named.{where}")
        return write(
            state.model.selection(), state.detail.config(), classes, str(path or IMAGE), file
        )


def _keep(preset: Preset) -> Path:
    """Write classes to a file that is named by what it holds."""
    content = json.dumps([_plain(preset.classes), preset.learned], sort_keys=True, default=str)
    name = hashlib.sha256(content.encode()).hexdigest()[:8]
    path = config_dir() / FOLDER / f"classes_{name}.json"
    write_preset(path, preset)
    return path


def _plain(classes: Sequence[ClassPrompt]) -> list[list[object]]:
    return [[c.name, list(c.prompts), c.color, c.background] for c in classes]

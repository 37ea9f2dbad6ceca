"""What the dock widget remembers between sessions.

Kept are choices that make sense for another image too. Nothing that is wrong with the file is
an error: each field is checked, and one that is missing or wrong stays as it is in the state.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from napari_sclip.config import REFINEMENTS, SegmentationConfig
from napari_sclip.errors import ClassesError, ConfigError
from napari_sclip.layers.image.options import CONTRASTS
from napari_sclip.models.registry import MODELS
from napari_sclip.paths import atomic_write
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.state.classes_rows import MAX_NAME
from napari_sclip.widgets.state.detail import CUSTOM, LEVELS
from napari_sclip.widgets.state.model import OWN_FILE
from napari_sclip.widgets.state.widget import WidgetState

MAX_BYTES = 2**20
"""A larger file is none of ours."""

STATE_FILE = "widget.json"
MAX_PIXELS = 100_000
"""More than any control can be set to."""
MAX_AREA = 1_000_000
MAX_TEXT = 4096

Check = Callable[[object], bool]

COSTS_FILE = "window_costs.json"
MAX_COSTS = 200
"""Beyond these the ones measured longest ago are dropped."""
LARGEST = 2**50
"""A larger number in the file was not measured."""
TEXTS = ("model", "device", "precision", "attention")


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever is in the file
    """Return what a file holds; None if it is missing, too large, or not JSON."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        return None if len(content) > MAX_BYTES else json.loads(content)
    except (OSError, ValueError, RecursionError):
        return None


def write_json(path: Path, values: object) -> str | None:
    """Write plain values, whole or not at all.

    Returns
    -------
    str or None
        Why the file could not be written, for a person; None if it was.
    """
    text = json.dumps(values, indent=1)
    try:
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        return f"{path} could not be written: {error.strerror or error}."
    return None


def remember(state: WidgetState, folder: Path) -> str | None:
    """Keep the choices that make sense for another image too.

    Parameters
    ----------
    state : WidgetState
    folder : Path
        Made if it is missing.

    Returns
    -------
    str or None
        Why they could not be written, for a person; None if they were.
    """
    kept: dict[str, Any] = {
        section: {name: getattr(getattr(state, section), name) for name in checks}
        for section, checks in FIELDS.items()
    }
    kept["classes"] = [
        {
            "name": row.name,
            "prompts": list(row.prompts),
            "color": row.color,
            "background": row.background,
            "visible": row.visible,
        }
        for row in state.classes.rows
    ]
    kept["colors"] = state.classes.kept_colors()
    return write_json(folder / STATE_FILE, kept)


def recall(state: WidgetState, folder: Path) -> None:
    """Take over what `remember` kept, as far as it is there and right.

    Parameters
    ----------
    state : WidgetState
        Changed in place.
    folder : Path
    """
    kept = read_json(folder / STATE_FILE)
    if not isinstance(kept, dict):
        return
    for section, checks in FIELDS.items():
        values = kept.get(section)
        if not isinstance(values, dict):
            continue
        target = getattr(state, section)
        for name, is_right in checks.items():
            if name in values and is_right(values[name]):
                setattr(target, name, values[name])
    if isinstance(kept.get("colors"), dict):
        state.classes.recall_colors(dict(filter(_is_kept_color, kept["colors"].items())))
    if isinstance(kept.get("classes"), list):
        _recall_classes(state.classes, kept["classes"])


def _recall_classes(table: ClassTable, entries: list[object]) -> None:
    read = [pair for pair in map(_class_of, entries) if pair is not None]
    table.replace([item for item, _ in read])
    for row, (_, visible) in zip(table.rows, read, strict=True):
        if not visible:
            table.set(row.key, visible=False)


def _class_of(entry: object) -> tuple[ClassPrompt, bool] | None:
    """Return a class and whether it is visible; None without a name that can be used."""
    if not isinstance(entry, dict):
        return None
    name = entry.get("name")
    if not isinstance(name, str):
        return None
    try:
        item = ClassPrompt(name, background=entry.get("background") is True)
    except ClassesError:
        return None
    phrases = entry.get("prompts")
    prompts = [p for p in phrases if _is_prompt(p)] if isinstance(phrases, list) else []
    color = entry.get("color")
    if not isinstance(color, str) or not _is_color(color):
        color = None
    item = ClassPrompt(item.name, tuple(prompts), background=item.background, color=color)
    return item, entry.get("visible") is not False


def _is_prompt(value: object) -> bool:
    return isinstance(value, str) and _accepts(ClassPrompt, name="class", prompts=(value,))


def _is_color(value: str) -> bool:
    return _accepts(ClassPrompt, name="class", color=value)


def _is_kept_color(entry: tuple[str, object]) -> bool:
    name, color = entry
    usable = len(name) <= MAX_NAME and _accepts(ClassPrompt, name=name)
    return usable and isinstance(color, str) and re.fullmatch("#[0-9a-f]{6}", color) is not None


def _accepts(make: Callable[..., object], **values: object) -> bool:
    try:
        make(**values)
    except (ClassesError, ConfigError):
        return False
    return True


def _setting(name: str) -> Check:
    return lambda value: _accepts(SegmentationConfig, **{name: value})


def _pixels_or_none(name: str) -> Check:
    is_setting = _setting(name)
    return lambda value: (
        value is None or (isinstance(value, int) and value <= MAX_PIXELS and is_setting(value))
    )


def _pixels(name: str) -> Check:
    is_setting = _setting(name)
    return lambda value: isinstance(value, int) and value <= MAX_AREA and is_setting(value)


def _one_of(*known: str) -> Check:
    return lambda value: isinstance(value, str) and value in known


def _like(pattern: str) -> Check:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= MAX_TEXT and "\0" not in value


def _is_bool(value: object) -> bool:
    return isinstance(value, bool)


def _is_percentile(value: object) -> bool:
    # NaN is between nothing.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


FIELDS: Mapping[str, Mapping[str, Check]] = {
    "model": {
        "name": _one_of(*(entry.name for entry in MODELS), OWN_FILE),
        "weights": _is_text,
        "architecture": _is_text,
        "device": _like(r"auto|cpu|mps|cuda(:\d{1,3})?"),
        "precision": _one_of("auto", "fp32", "fp16", "bf16"),
        "attention": _like(r"[\w.:-]{1,80}"),
    },
    "detail": {
        "level": _one_of(*LEVELS, CUSTOM),
        "short_side": _pixels_or_none("short_side"),
        "window": _pixels_or_none("window"),
        "stride": _pixels_or_none("stride"),
        "threshold": _setting("threshold"),
        "min_area_fraction": _setting("min_area_fraction"),
        "templates": _one_of("imagenet", "plain"),
        "average_on": _setting("average_on"),
        "refine": _one_of("", *REFINEMENTS),
        "min_region_pixels": _pixels("min_region_pixels"),
        "max_hole_pixels": _pixels("max_hole_pixels"),
    },
    "image": {
        "contrast": _one_of(*CONTRASTS),
        "percentile_low": _is_percentile,
        "percentile_high": _is_percentile,
    },
    "run": {"partial": _is_bool, "live": _is_bool},
}
"""What is kept of each section, and how a value is told to be right."""


@dataclass(frozen=True)
class WindowKey:
    """What the cost of a window depends on.

    Attributes
    ----------
    model, device, precision, attention : str
        As they came to be used, not "auto".
    window : int
        Side in pixels.
    """

    model: str
    device: str
    precision: str
    attention: str
    window: int


@dataclass(frozen=True)
class WindowCost:
    """What was measured.

    Attributes
    ----------
    seconds : float
        A window.
    bytes : int
        Of memory, a window.
    """

    seconds: float
    bytes: int


class WindowCosts:
    """Costs of windows, kept in a small file; what is wrong in the file counts as not measured.

    Parameters
    ----------
    folder : Path
        Need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / COSTS_FILE
        self._costs = _read(self._path)

    def get(self, key: WindowKey) -> WindowCost | None:
        """Return what was measured, or None."""
        return self._costs.get(key)

    def put(self, key: WindowKey, cost: WindowCost) -> str | None:
        """Keep a measurement; it is known from now on even where the file cannot be written.

        Returns
        -------
        str or None
            Why the file could not be written; None if it was.
        """
        # Another window of napari may have measured something meanwhile.
        costs = self._costs | _read(self._path)
        costs.pop(key, None)
        costs[key] = cost
        self._costs = dict(list(costs.items())[-MAX_COSTS:])
        entries = [
            dataclasses.asdict(key) | dataclasses.asdict(cost) for key, cost in self._costs.items()
        ]
        return write_json(self._path, entries)


def _read(path: Path) -> dict[WindowKey, WindowCost]:
    entries = read_json(path)
    if not isinstance(entries, list):
        return {}
    return dict(pair for pair in map(_checked, entries) if pair is not None)


def _checked(entry: object) -> tuple[WindowKey, WindowCost] | None:
    if not isinstance(entry, dict):
        return None
    model, device, precision, attention = (entry.get(name) for name in TEXTS)
    window, seconds, size = (entry.get(name) for name in ("window", "seconds", "bytes"))
    if not (
        isinstance(model, str)
        and isinstance(device, str)
        and isinstance(precision, str)
        and isinstance(attention, str)
    ):
        return None
    if not (_is_number(window) and _is_number(seconds) and _is_number(size)):
        return None
    if not (isinstance(window, int) and isinstance(size, int) and window and seconds):
        return None
    key = WindowKey(model, device, precision, attention, window)
    return key, WindowCost(float(seconds), size)


def _is_number(value: object) -> TypeGuard[int | float]:
    # True is an int in Python, and none here; NaN is below nothing.
    return isinstance(value, int | float) and value is not True and 0 <= value < LARGEST

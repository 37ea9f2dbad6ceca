"""What one window costs on this machine, as it was measured."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from napari_sclip.widgets.state.json_file import read_json, write_json

COSTS_FILE = "window_costs.json"
MAX_COSTS = 200
"""Beyond these the ones measured longest ago are dropped."""
LARGEST = 2**50
"""A larger number in the file was not measured."""
TEXTS = ("model", "device", "precision", "attention")


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

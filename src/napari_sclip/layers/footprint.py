"""Lets napari note all that a stroke went over, also where nothing seemed to change.

napari leaves out of a stroke what has its label already. Where it has that label only because a
partial result is drawn there, the person's pixel would go when the partial result goes.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any

import numpy as np

METHODS = ("paint", "paint_polygon", "data_setitem")
"""Public methods of a Labels layer, by which all of its tools but the filling one paint."""

Meet = Callable[[Any, range | None], AbstractContextManager[None]]
"""Takes the label and, where they are known, the indices along the axis of the rows."""


def watch(layer: Any, row_axis: int, meeting: Callable[[], list[Meet]]) -> None:  # noqa: ANN401
    """Call a layer's painting methods within what `meeting` gives, until `unwatch`."""
    for name in METHODS:
        method = getattr(type(layer), name, None)
        if method is not None:
            setattr(layer, name, functools.partial(_call, layer, method, row_axis, meeting))


def unwatch(layer: Any) -> None:  # noqa: ANN401
    """Call them as they are."""
    for name in METHODS:
        vars(layer).pop(name, None)


def _call(
    layer: Any,  # noqa: ANN401
    method: Callable[..., None],
    row_axis: int,
    meeting: Callable[[], list[Meet]],
    *arguments: Any,  # noqa: ANN401 - what napari's method takes
    **named: Any,  # noqa: ANN401
) -> None:
    called = inspect.signature(method).bind(layer, *arguments, **named)
    called.apply_defaults()
    _, where, label = list(called.arguments.values())[:3]
    if layer.preserve_labels or np.ndim(label) > 0:
        method(*called.args, **called.kwargs)
        return
    refresh = called.arguments.get("refresh", True)
    if "refresh" in called.arguments:
        called.arguments["refresh"] = False
    rows = _rows(layer, method.__name__, where, row_axis)
    own = {name: vars(layer).pop(name) for name in METHODS if name in vars(layer)}
    try:
        with ExitStack() as stack:
            for meet in meeting():
                stack.enter_context(meet(label, rows))
            method(*called.args, **called.kwargs)
    finally:
        vars(layer).update(own)
    if refresh:
        layer.refresh()


def _rows(layer: Any, name: str, where: Any, axis: int) -> range | None:  # noqa: ANN401
    if name == "paint":
        reach = int(layer.brush_size) // 2 + 2
        return range(int(where[axis]) - reach, int(where[axis]) + reach + 1)
    if name == "data_setitem" and np.size(where[axis]):
        return range(int(np.min(where[axis])), int(np.max(where[axis])) + 1)
    return None

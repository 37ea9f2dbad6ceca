"""The Tab key goes the way that the eye goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLayout, QScrollArea, QWidget


def tab_through(root: QWidget) -> None:
    """Let the Tab key visit the controls in the order of the layouts, from top to bottom.

    Parameters
    ----------
    root : QWidget
    """
    stops = [w for w in _in_layout_order(root) if w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    for one, following in itertools.pairwise(stops):
        QWidget.setTabOrder(one, following)


def _in_layout_order(widget: QWidget) -> Iterator[QWidget]:
    yield widget
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if inner is not None:
        yield from _in_layout_order(inner)
    layout = widget.layout()
    if layout is not None:
        yield from _of_layout(layout)


def _of_layout(layout: QLayout) -> Iterator[QWidget]:
    for index in range(layout.count()):
        item = layout.itemAt(index)
        if isinstance(item, QLayout):
            yield from _of_layout(item)
        elif item is not None and (widget := item.widget()) is not None:
            yield from _in_layout_order(widget)

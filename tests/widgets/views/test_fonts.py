"""The dock widget in the sizes of napari's font, on a small screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.settings import get_settings
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QPoint, QRect
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTableView,
    QWidget,
)

from napari_sclip.widgets.dock import SegmentWidget
from napari_sclip.widgets.state.run import RUNNING
from napari_sclip.widgets.work.session import Session
from tests.widgets.views.hands import THEMES, control, show_changes
from tests.widgets.views.test_narrow_dock import show_much, unfold

SIZES = (9, 14, 18)
WINDOW = 1366, 740
CONTROLS = QAbstractButton, QAbstractSpinBox, QComboBox, QLineEdit, QTableView
FOLLOWERS = (
    "sclip_section_image",
    "sclip_image_more",
    "sclip_classes_line",
    "sclip_classes_table",
    "sclip_classes_presets",
    "sclip_image_percentile_low",
)


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Iterator[Any]:
    viewer = make_napari_viewer(show=True)
    viewer.window._qt_window.resize(*WINDOW)
    viewer.add_image(np.zeros((40, 60, 3), np.uint8))
    before = get_settings().appearance.font_size
    yield viewer
    get_settings().appearance.font_size = before


@pytest.fixture
def widget(viewer: Any, fake_session: Session, qtbot: QtBot) -> Iterator[SegmentWidget]:
    made = SegmentWidget(viewer, fake_session)
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    viewer.window.add_dock_widget(made, name="SCLIP Segmentation", area="right")
    qtbot.waitUntil(made.isVisible)
    made.controller.close()
    show_changes(made)
    yield made
    made.controller.close()


def scroll_around(part: QWidget, outermost: QWidget) -> QScrollArea:
    """The area that a part scrolls with."""
    parent = part.parentWidget()
    while parent is not None and parent is not outermost:
        if isinstance(parent, QScrollArea):
            return parent
        parent = parent.parentWidget()
    raise AssertionError(f"{part.objectName()} does not scroll")


def cut_off(widget: SegmentWidget) -> list[str]:
    """Say what is smaller than it needs to be, or cannot be scrolled to."""
    found = []
    for part in widget.findChildren(QWidget):
        shown = isinstance(part, CONTROLS) or (isinstance(part, QLabel) and part.text())
        name = part.objectName()
        if not part.isVisible() or not shown or not name.startswith("sclip_"):
            continue
        area = scroll_around(part, widget)
        body, room = area.widget(), area.viewport()
        assert body is not None
        assert room is not None
        if not body.rect().contains(QRect(part.mapTo(body, QPoint()), part.size())):
            found.append(f"{name} sticks out")
        for bar, most in (
            (area.horizontalScrollBar(), body.width() - room.width()),
            (area.verticalScrollBar(), body.height() - room.height()),
        ):
            assert bar is not None
            if bar.maximum() < most or (most > 0 and not bar.isVisible()):
                found.append(f"{name} cannot be scrolled to")
        least = part.minimumSizeHint()
        if part.width() < least.width() or part.height() < least.height():
            found.append(f"{name} is {part.size()} and needs {least}")
        if isinstance(part, QLabel) and part.height() < part.heightForWidth(part.width()):
            found.append(f"{name} has lines that are cut")
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_nothing_is_cut_in_any_size(
    widget: SegmentWidget, viewer: Any, qtbot: QtBot, theme: str
) -> None:
    viewer.theme = theme
    for size in SIZES:
        get_settings().appearance.font_size = size
        qtbot.wait(100)
        qtbot.waitUntil(lambda: cut_off(widget) == [])
        for name in FOLLOWERS:
            assert control(widget, name).font().pointSize() in (size, size + 1), (name, size)
        height = control(widget, "sclip_classes_table").verticalHeader().defaultSectionSize()
        assert height > control(widget, "sclip_classes_table").fontMetrics().height()
    show_much(widget)
    widget.state.image.region = "view"
    widget.state.run.status = RUNNING
    unfold(widget)
    for size in reversed(SIZES):
        get_settings().appearance.font_size = size
        qtbot.wait(100)
        qtbot.waitUntil(lambda: cut_off(widget) == [])


@pytest.mark.parametrize("size", SIZES)
def test_segment_and_the_first_section_are_in_sight(
    widget: SegmentWidget, viewer: Any, qtbot: QtBot, size: int
) -> None:
    get_settings().appearance.font_size = size
    widget.state.run.notice = "What came of it, at some length. " * 12
    qtbot.wait(200)
    assert viewer.window._qt_window.height() == WINDOW[1]
    for name in ("sclip_segment", "sclip_cancel", "sclip_target", "sclip_section_image"):
        part = control(widget, name)
        assert part.visibleRegion().boundingRect() == part.rect(), name


def test_the_columns_have_room_for_their_marks(widget: SegmentWidget, qtbot: QtBot) -> None:
    table = control(widget, "sclip_classes_table")
    for size in SIZES:
        get_settings().appearance.font_size = size
        qtbot.wait(100)
        widths = [table.columnWidth(column) for column in range(6)]
        assert sum(widths) <= table.viewport().width()
        assert min(widths) >= table.fontMetrics().horizontalAdvance("255")

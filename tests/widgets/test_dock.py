"""The dock widget as a hand uses it, in a real viewer."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject, QPoint, Qt
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget

from napari_sclip.widgets.dock import SegmentWidget
from napari_sclip.widgets.state.run import IDLE, RUNNING
from napari_sclip.widgets.work.session import Session
from tests.widgets.conftest import FakeSegmenter
from tests.widgets.views.hands import show_changes

Key = Qt.Key


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer(show=True)
    rng = np.random.default_rng(0)
    viewer.add_image(rng.integers(0, 256, (40, 60, 3), dtype=np.uint8), name="photo")
    return viewer


@pytest.fixture
def widget(viewer: Any, fake_session: Session, qtbot: QtBot) -> Iterator[SegmentWidget]:
    made = SegmentWidget(viewer, fake_session)
    viewer.window.add_dock_widget(made, name="SCLIP Segmentation")
    made.state.model.name = "shapes-demo"
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    qtbot.waitUntil(made.isVisible)
    show_changes(made)
    yield made
    made.controller.close()


def control(widget: QWidget, name: str) -> Any:
    found = widget.findChild(QObject, name)
    assert found is not None, name
    return found


def labels_in(viewer: Any) -> list[Any]:
    return [layer for layer in viewer.layers if isinstance(layer, Labels)]


def wait_idle(widget: SegmentWidget, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: widget.state.run.status == IDLE, timeout=20_000)


def type_classes(widget: SegmentWidget, qtbot: QtBot, text: str) -> QLineEdit:
    line: QLineEdit = control(widget, "sclip_classes_line")
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)
    return line


def test_typing_and_shift_enter_segments(viewer: Any, widget: SegmentWidget, qtbot: QtBot) -> None:
    line = type_classes(widget, qtbot, "cat, grass = lawn | meadow, background")
    qtbot.keyClick(line, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    wait_idle(widget, qtbot)
    (labels,) = labels_in(viewer)
    assert list(labels.features["class"]) == ["background", "cat", "grass"]
    assert control(widget, "sclip_notice").text().startswith("Segmented")


def test_the_formats_are_there_once_export_is_unfolded(widget: SegmentWidget, qtbot: QtBot) -> None:
    formats = control(widget, "sclip_export_format")
    assert formats.count() == 0
    control(widget, "sclip_section_export").click()
    qtbot.waitUntil(lambda: formats.count() == 7)


def test_segment_is_disabled_with_the_reason_as_its_tooltip(
    widget: SegmentWidget, qtbot: QtBot
) -> None:
    button: QAbstractButton = control(widget, "sclip_segment")
    type_classes(widget, qtbot, "cat, cat")
    assert not button.isEnabled()
    assert "cat" in button.toolTip()
    type_classes(widget, qtbot, "cat, dog")
    assert button.isEnabled()


def test_escape_cancels(
    viewer: Any, widget: SegmentWidget, fake: FakeSegmenter, qtbot: QtBot
) -> None:
    type_classes(widget, qtbot, "cat, dog")
    fake.gate.clear()
    qtbot.mouseClick(control(widget, "sclip_segment"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: fake.arrived.acquire(blocking=False), timeout=20_000)
    assert widget.state.run.status == RUNNING
    assert control(widget, "sclip_cancel").isEnabled()
    QApplication.setActiveWindow(viewer.window._qt_window)
    qtbot.keyClick(control(widget, "sclip_cancel"), Key.Key_Escape)
    wait_idle(widget, qtbot)
    assert labels_in(viewer) == []


def test_digits_pick_the_class_to_paint_with(
    viewer: Any, widget: SegmentWidget, qtbot: QtBot
) -> None:
    line = type_classes(widget, qtbot, "cat, dog, sky")
    qtbot.keyClick(line, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    wait_idle(widget, qtbot)
    (labels,) = labels_in(viewer)
    canvas = viewer.window._qt_window._qt_viewer.canvas.native
    viewer.layers.selection.active = labels
    qtbot.keyClick(canvas, Key.Key_3)
    assert labels.selected_label == 3
    assert str(labels.mode) == "paint"
    assert "sky" in viewer.status
    qtbot.keyClick(canvas, Key.Key_9)
    assert labels.selected_label == 3
    assert "number 9" in viewer.status


def test_digits_keep_their_meaning_in_other_layers(
    viewer: Any, widget: SegmentWidget, qtbot: QtBot
) -> None:
    line = type_classes(widget, qtbot, "cat, dog")
    qtbot.keyClick(line, Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    wait_idle(widget, qtbot)
    canvas = viewer.window._qt_window._qt_viewer.canvas.native
    own = viewer.add_labels(np.zeros((40, 60), np.uint8), name="by hand")
    qtbot.keyClick(canvas, Key.Key_1)
    assert str(own.mode) == "erase"
    assert own.selected_label == 1


def test_the_dock_is_closed_in_mid_run(
    viewer: Any, widget: SegmentWidget, fake: FakeSegmenter, qtbot: QtBot
) -> None:
    type_classes(widget, qtbot, "cat, dog")
    fake.gate.clear()
    widget.controller.segment()
    qtbot.waitUntil(lambda: fake.arrived.acquire(blocking=False), timeout=20_000)
    viewer.window.remove_dock_widget(widget)
    fake.gate.set()
    assert labels_in(viewer) == []
    viewer.layers[0].name = "still there"
    again = SegmentWidget(viewer, Session(lambda name, **_: FakeSegmenter()))
    viewer.window.add_dock_widget(again)
    again.state.model.name = "shapes-demo"
    again.controller.segment()
    wait_idle(again, qtbot)
    assert len(labels_in(viewer)) == 1
    again.controller.close()


def test_the_viewer_is_closed_in_mid_run(
    viewer: Any, widget: SegmentWidget, fake: FakeSegmenter, qtbot: QtBot
) -> None:
    type_classes(widget, qtbot, "cat, dog")
    fake.gate.clear()
    widget.controller.segment()
    qtbot.waitUntil(lambda: fake.arrived.acquire(blocking=False), timeout=20_000)
    viewer.close()
    fake.gate.set()


def test_a_closed_widget_is_let_go(viewer: Any, fake_session: Session, qtbot: QtBot) -> None:
    made = SegmentWidget(viewer, fake_session)
    viewer.window.add_dock_widget(made)
    gone = weakref.ref(made.controller)
    qtbot.waitUntil(lambda: bool(gone().state.model.devices), timeout=60_000)  # type: ignore[union-attr]
    viewer.window.remove_dock_widget(made)
    made.deleteLater()
    del made
    qtbot.waitUntil(lambda: gc.collect() >= 0 and gone() is None, timeout=5000)


def test_the_last_classes_are_there_at_the_next_start(
    viewer: Any, widget: SegmentWidget, fake_session: Session, qtbot: QtBot
) -> None:
    type_classes(widget, qtbot, "moss, stone = rock | pebble")
    viewer.window.remove_dock_widget(widget)
    again = SegmentWidget(viewer, fake_session)
    assert again.state.classes.text == "moss, stone = rock | pebble"
    again.controller.close()
    again.deleteLater()


def interactive(widget: QWidget) -> list[QWidget]:
    found = widget.findChildren(QWidget)
    named = [w for w in found if w.objectName().startswith("sclip_")]
    return [w for w in named if w.focusPolicy() & Qt.FocusPolicy.TabFocus]


def test_every_control_has_a_name_and_a_tooltip(widget: SegmentWidget) -> None:
    controls = interactive(widget)
    assert len(controls) > 25
    assert not [w.objectName() for w in controls if not w.toolTip()]
    names = [w.objectName() for w in widget.findChildren(QWidget) if w.objectName()]
    own = [n for n in names if n.startswith("sclip_")]
    assert len(own) == len(set(own))


def test_the_tab_key_goes_from_top_to_bottom(widget: SegmentWidget, qtbot: QtBot) -> None:
    order, at = [], widget.nextInFocusChain()
    while at is not None and at is not widget:
        if at.isVisibleTo(widget) and at in interactive(widget):
            order.append(at)
        at = at.nextInFocusChain()
    scrolled = control(widget, "sclip_scroll").widget()

    def place(w: QWidget) -> tuple[bool, int]:
        fixed = not scrolled.isAncestorOf(w)
        return fixed, w.mapTo(widget if fixed else scrolled, QPoint(0, w.height() // 2)).y()

    places = [place(w) for w in order]
    assert [(a, b) for a, b in itertools.pairwise(places) if b < (a[0], a[1] - 20)] == []
    assert len(places) > 15


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_widget_fits_320_pixels(viewer: Any, widget: SegmentWidget, theme: str) -> None:
    viewer.theme = theme
    assert widget.minimumSizeHint().width() <= 320


def test_no_mnemonic_is_given_twice(widget: SegmentWidget) -> None:
    texts = [w.text() for w in widget.findChildren(QAbstractButton)]
    texts += [w.text() for w in widget.findChildren(QLabel)]
    letters = []
    for text in texts:
        plain = text.replace("&&", "")
        if "&" in plain:
            letters.append(plain[plain.index("&") + 1].upper())
    assert len(letters) == len(set(letters))
    assert len(letters) > 10

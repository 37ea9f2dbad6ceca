"""A napari window with the dock widget, to be used as by hand and looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

WINDOW = (1340, 780)
NEAR = 3
WIDGET_WIDTH = 320
TALL = 1400
PATIENCE_SECONDS = 120


class Stage:
    """A napari of one theme, with the dock widget and a sample image."""

    def __init__(self, theme: str, sample: str) -> None:
        import napari

        from napari_sclip.widgets.commands import open_widget
        from napari_sclip.widgets.dock import SegmentWidget

        self.viewer = napari.Viewer()
        self.viewer.theme = theme
        self.window = self.viewer.window._qt_window
        self.window.resize(*WINDOW)
        self.viewer.open_sample("napari-sclip", sample)
        self.image = next(layer for layer in self.viewer.layers if layer.visible)
        open_widget(self.viewer)
        self.widget = self.window.findChild(SegmentWidget)
        self.state = self.widget.state
        self.canvas = self.window._qt_viewer.canvas.native
        wait_until("what this machine offers", lambda: bool(self.state.model.devices))
        self._settle()
        self.viewer.reset_view()

    def close(self) -> None:
        """Close the window, and with it the widget."""
        self.viewer.close()
        from qtpy.QtWidgets import QApplication

        QApplication.processEvents()

    def find(self, name: str) -> Any:  # noqa: ANN401 - any kind of control
        """Return the control of an object name."""
        from qtpy.QtWidgets import QWidget

        found = self.widget.findChild(QWidget, name)
        if found is None:
            raise LookupError(f"The dock widget has no control {name!r}; see docs/controls.md.")
        return found

    def segment(self) -> None:
        """Press Segment, and wait for the labels."""
        self.press()
        wait_until("the labels", lambda: self.state.run.status == "idle" and self.state.run.notice)

    def press(self) -> None:
        """Press Segment once it can be pressed."""
        button = self.find("sclip_segment")
        wait_until("a Segment that can be pressed", button.isEnabled)
        button.click()

    def take_suggestion(self) -> None:
        """Take over the classes and the model that fit the image."""
        wait_until("the suggestion", lambda: self.find("sclip_image_suggestion").isVisible())
        self.find("sclip_image_suggestion").click()

    def classes(self, text: str) -> None:
        """Type classes, to be looked for by the bundled model."""
        self.state.model.name = "shapes-demo"
        self.state.classes.set_text(text)

    def unfold(self, *names: str) -> None:
        """Open these sections, or parts of them, and fold all other sections."""
        for section in ("image", "classes", "model", "detail", "correct", "explain", "export"):
            name = f"sclip_section_{section}"
            self.find(name).setChecked(name in names)
        for name in names:
            self.find(name).setChecked(True)

    def middle_of(self, name: str) -> tuple[float, float]:
        """Return the pixel in the middle of something, as the truth of the scene has it."""
        import numpy as np

        truth = next(layer for layer in self.viewer.layers if "truth" in layer.name)
        known = dict(zip(truth.features["class"], truth.features["index"], strict=True))
        rows, columns = np.nonzero(truth.data == known[name])
        return float(rows.mean()), float(columns.mean())

    def hover(self, row: float, column: float) -> tuple[int, int]:
        """Move the mouse to a pixel of the image; return where that is in the window."""
        from qtpy.QtCore import QPoint
        from qtpy.QtGui import QCursor

        place = QPoint(*self._on_canvas(row, column))
        for each in (QPoint(5, 5), place):  # it may lie there already, and would not move
            QCursor.setPos(self.canvas.mapToGlobal(each))
            self._settle()
        point = self.canvas.mapTo(self.window, place)
        return point.x(), point.y()

    def stroke(self, *pixels: tuple[float, float]) -> None:
        """Draw with the left mouse button from pixel to pixel."""
        from qtpy.QtCore import QEvent, Qt

        kinds = QEvent.Type
        places = [self._on_canvas(*pixel) for pixel in pixels]
        self._mouse(kinds.MouseMove, places[0], Qt.MouseButton.NoButton)
        self._mouse(kinds.MouseButtonPress, places[0], Qt.MouseButton.LeftButton)
        for place in places[1:]:
            self._mouse(kinds.MouseMove, place, Qt.MouseButton.LeftButton)
        self._mouse(kinds.MouseButtonRelease, places[-1], Qt.MouseButton.LeftButton)

    def click(self, row: float, column: float) -> None:
        """Click a pixel of the image, with a tool that does not paint."""
        for layer in self.viewer.layers:
            if hasattr(layer, "brush_size"):
                layer.mode = "pan_zoom"
        self.stroke((row, column))

    def refine(self) -> None:
        """Press Refine from strokes, and wait for what it teaches."""
        self.find("sclip_correct_refine").click()
        wait_until(
            "what was learned",
            lambda: self.state.run.status == "idle" and self.state.correct.learned,
        )

    def missed(self, name: str) -> tuple[float, float]:
        """Return the pixel that lies deepest in what was missed of something."""
        import numpy as np
        from scipy.ndimage import distance_transform_edt

        truth = next(layer for layer in self.viewer.layers if "truth" in layer.name)
        labels = next(layer for layer in self.viewer.layers if layer.name.endswith(" labels"))
        known = dict(zip(truth.features["class"], truth.features["index"], strict=True))
        depth = distance_transform_edt((truth.data == known[name]) & (labels.data != known[name]))
        row, column = np.unravel_index(depth.argmax(), depth.shape)
        return float(row), float(column)

    def type_key(self, key: str) -> None:
        """Press a key over the canvas."""
        from qtpy.QtTest import QTest

        click: Any = QTest.keyClick  # for a type checker its methods are not static
        self.canvas.setFocus()
        click(self.canvas, key)

    def show_from_near(self, name: str) -> None:
        """Let the canvas show something of the scene large."""
        camera = self._camera
        camera.center = self.middle_of(name)
        camera.zoom = NEAR * camera.zoom

    def make_room(self) -> None:
        """Make the window so high that nothing of the widget has to be scrolled to."""
        self._settle()
        missing = self.find("sclip_scroll").verticalScrollBar().maximum()
        self.window.resize(self.window.width(), self.window.height() + missing)
        self._settle()
        self.viewer.reset_view()

    def whole_window(self) -> Any:  # noqa: ANN401 - a QPixmap
        """Return a picture of the window once nothing in it moves any more."""
        return self._settle()

    def without_widget(self, top: int = 0) -> Any:  # noqa: ANN401
        """Return what is left of the dock widget, from a height downwards."""
        from qtpy.QtCore import QPoint

        right = self.canvas.mapTo(self.window, QPoint(self.canvas.width(), 0)).x()
        return self._settle().copy(0, top, right, self.window.height() - top)

    def widget_alone(self) -> Any:  # noqa: ANN401
        """Return the dock widget at the width that it is made for, and as high as it needs."""
        self._float()
        return self.widget.grab()

    def section(self, name: str) -> Any:  # noqa: ANN401
        """Return one section of the dock widget."""
        from napari_sclip.widgets.views.section import Section

        self._float()
        section = self.find(f"sclip_section_{name}")
        while not isinstance(section, Section):
            section = section.parentWidget()
        return self.widget.grab(self._place(section))

    def bottom(self) -> Any:  # noqa: ANN401
        """Return what stands below the sections: Segment and what it says."""
        from qtpy.QtCore import QRect

        self._float()
        top = self.find("sclip_scroll").geometry().bottom() + 1
        return self.widget.grab(QRect(0, top, self.widget.width(), self.widget.height() - top))

    @property
    def _camera(self) -> Any:  # noqa: ANN401
        return getattr(self.viewer, "scene", self.viewer).camera  # of the viewer before napari 0.9

    def _place(self, part: Any) -> Any:  # noqa: ANN401 - a QRect
        from qtpy.QtCore import QPoint, QRect

        return QRect(part.mapTo(self.widget, QPoint(0, 0)), part.size())

    def _float(self) -> None:
        from napari_sclip.widgets.views.section import Section

        dock = self.widget.parentWidget()
        while not hasattr(dock, "setFloating"):
            dock = dock.parentWidget()
        dock.setFloating(True)
        dock.resize(WIDGET_WIDTH, TALL)
        self._settle(self.widget)
        scroll = self.find("sclip_scroll")
        sections = scroll.widget().findChildren(Section)
        end = max(section.geometry().bottom() for section in sections) + 1
        dock.resize(WIDGET_WIDTH, TALL - scroll.height() + end)
        self._settle(self.widget)
        dock.resize(WIDGET_WIDTH, dock.height() + scroll.verticalScrollBar().maximum())
        self._settle(self.widget)

    def _settle(self, part: Any = None) -> Any:  # noqa: ANN401
        part = part or self.window
        pictures = [part.grab().toImage()]

        def is_still() -> bool:
            pictures.append(part.grab().toImage())
            return bool(pictures[-1] == pictures[-2])

        # In a row, as napari draws thumbnails and the status bar when it finds the time.
        for _ in range(3):
            wait_until("a window in which nothing moves", is_still)
        return part.grab()

    def _on_canvas(self, row: float, column: float) -> tuple[int, int]:
        camera = self._camera
        size = self.canvas.height(), self.canvas.width()
        world = self.image.data_to_world((row, column))
        y, x = (
            (at - middle) * camera.zoom + side / 2
            for at, middle, side in zip(world, camera.center[-2:], size, strict=True)
        )
        return round(x), round(y)

    def _mouse(self, kind: Any, place: tuple[int, int], button: Any) -> None:  # noqa: ANN401
        from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        at = QPointF(*place)
        everywhere = QPointF(self.canvas.mapToGlobal(QPoint(*place)))
        moved, released = kind == QEvent.Type.MouseMove, kind == QEvent.Type.MouseButtonRelease
        none = Qt.MouseButton.NoButton
        event = QMouseEvent(
            kind,
            at,
            everywhere,
            none if moved else button,
            none if released else button,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(self.canvas, event)
        QApplication.processEvents()


def wait_until(what: str, condition: Callable[[], object]) -> None:
    """Let the program go on until a condition holds.

    Raises
    ------
    TimeoutError
        If it does not within two minutes.
    """
    from qtpy.QtCore import QEventLoop, QTimer

    loop, timer = QEventLoop(), QTimer()
    end = time.monotonic() + PATIENCE_SECONDS
    met = False

    def look() -> None:
        nonlocal met
        met = bool(condition())
        if met or time.monotonic() > end:
            timer.stop()
            loop.quit()

    timer.timeout.connect(look)
    timer.start(20)
    loop.exec()
    if not met:
        raise TimeoutError(f"Waited {PATIENCE_SECONDS} s in vain for {what}.")


def with_pointer(picture: Any, x: int, y: int) -> Any:  # noqa: ANN401
    """Draw a mouse pointer, which a picture of a window lacks."""
    from qtpy.QtCore import QPointF, Qt
    from qtpy.QtGui import QPainter, QPen, QPolygonF

    corners = ((0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(Qt.GlobalColor.black, 1.2))
    painter.setBrush(Qt.GlobalColor.white)
    painter.drawPolygon(QPolygonF([QPointF(x + a, y + b) for a, b in corners]))
    painter.end()
    return picture

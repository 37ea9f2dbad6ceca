"""What the tests of views share: a controller that only listens, and controls by their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari._qt.qt_resources import get_stylesheet
from pytestqt.qtbot import QtBot
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt, QTimerEvent
from qtpy.QtWidgets import QAbstractButton, QApplication, QLabel, QVBoxLayout, QWidget

from napari_sclip.widgets.views.form import Redraw

LEFT = Qt.MouseButton.LeftButton
THEMES = ("dark", "light")


class Asked(list[str]):
    """Stands for the controller, and lists what it was asked for."""

    learned: Mapping[str, Any] | None = None
    listed = 0

    def segment(self) -> None:
        self.append("segment")

    def list_formats(self) -> None:
        self.listed += 1

    def cancel(self) -> None:
        self.append("cancel")

    def answer(self, key: str) -> None:
        self.append(f"answer {key}")

    def download(self) -> None:
        self.append("download")

    def unload(self) -> None:
        self.append("unload")

    def measure(self) -> None:
        self.append("measure")

    def take_suggestion(self) -> None:
        self.append("take_suggestion")

    def paint_with(self, label: int) -> None:
        self.append(f"paint_with {label}")

    def refine_from_strokes(self) -> None:
        self.append("refine_from_strokes")

    def forget_learned(self) -> None:
        self.append("forget_learned")

    def learned_values(self) -> Mapping[str, Any] | None:
        return self.learned

    def why_not_learned(self) -> str:
        return ""

    def carry_over(self, values: Mapping[str, Any] | None) -> None:
        self.append(f"carry_over {values}")

    def keep_class(self, label: int) -> None:
        self.append(f"keep_class {label}")

    def join_removed_classes(self) -> None:
        self.append("join_removed_classes")

    def release_removed_classes(self) -> None:
        self.append("release_removed_classes")

    def release_class(self, label: int) -> None:
        self.append(f"release_class {label}")

    def go_to_unsure(self, *, backwards: bool = False) -> None:
        self.append("go back" if backwards else "go on")

    def mark_checked(self) -> None:
        self.append("mark_checked")

    def mark_all_checked(self, checked: bool) -> None:
        self.append(f"mark_all_checked {checked}")

    def show_scores(self, name: str) -> None:
        self.append(f"show_scores {name}")

    def show_margin(self) -> None:
        self.append("show_margin")

    def split_objects(self, name: str, *, touching: bool) -> None:
        self.append(f"split_objects {name} {touching}")

    def write_objects_back(self) -> None:
        self.append("write_objects_back")

    def export(self, path: str, format_name: str) -> None:
        self.append(f"export {path} {format_name}")

    def start_from_mask(self, path: str) -> None:
        self.append(f"start_from_mask {path}")

    def start_from_layer(self) -> None:
        self.append("start_from_layer")

    def tell(self, sentence: str) -> None:
        self.append(f"tell {sentence}")

    def add_scribbles(self) -> None:
        self.append("add_scribbles")

    def repeat_as(self, language: str) -> str:
        return f"lines of {language}"


def control(view: QWidget, name: str) -> Any:
    """The control of a name."""
    found = view.findChild(QObject, name)
    assert found is not None, name
    return found


def show_changes(view: QWidget) -> None:
    """Let a view show each change of the state before the next line of the test."""
    redraws = view.findChildren(Redraw)

    def wait() -> None:
        # Of all events only those that end the wait: a test may be in the midst of a click.
        while waiting := [each for each in redraws if isalive(each) and each.isActive()]:
            QApplication.sendEvent(waiting[0], QTimerEvent(waiting[0].timerId()))

    for signal in {id(f.changed): f.changed for redraw in redraws for f in redraw.fields}.values():
        signal.connect(wait)  # after the view, which was made before


def put_on_screen(view: QWidget, qtbot: QtBot, width: int = 320) -> None:
    """Show a view in a window that has the focus."""
    qtbot.addWidget(view)
    view.setFixedWidth(width)
    view.show()
    show_changes(view)
    qtbot.waitExposed(view)
    QApplication.setActiveWindow(view)


def put_in_napari(view: QWidget, qtbot: QtBot, theme: str) -> QWidget:
    """Show a view, made before, within a window of napari's style."""
    host = QWidget()
    host.setStyleSheet(get_stylesheet(theme))
    layout = QVBoxLayout(host)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(view)
    put_on_screen(host, qtbot)
    return host


def mnemonics(view: QWidget) -> list[str]:
    """The letters that Alt is pressed with."""
    texts = [button.text() for button in view.findChildren(QAbstractButton)]
    texts += [label.text() for label in view.findChildren(QLabel)]
    plain = [text.replace("&&", "") for text in texts]
    return [text[text.index("&") + 1].upper() for text in plain if "&" in text]


def nameless(view: QWidget) -> list[str]:
    """Controls that lack a name, a tooltip, or words for those who cannot see them."""
    buddies = {label.buddy() for label in view.findChildren(QLabel)}
    return [
        w.objectName() or repr(w)
        for w in view.findChildren(QWidget)
        if w.window() is view.window()  # the list of a combo box is a window of its own
        and w.focusPolicy() & Qt.FocusPolicy.TabFocus
        and w.focusProxy() is None
        and not (
            w.objectName().startswith("sclip_")
            and w.toolTip()
            and (w in buddies or w.accessibleName() or isinstance(w, QAbstractButton))
        )
    ]

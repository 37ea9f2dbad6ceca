"""The section of classes as a hand uses it: the line, the problem below, and files."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtGui import QAction, QColor, QPalette
from qtpy.QtWidgets import QApplication, QLabel, QLineEdit, QTableView, QToolButton, QWidget

from napari_sclip.class_files import ClassList, read_class_list, write_class_list
from napari_sclip.colors import ERROR_REDS, contrast, error_color
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.views.classes_view import ClassesView
from tests.widgets.views.hands import show_changes

Key = Qt.Key


@dataclass
class Actions:
    """Writes down what was asked for."""

    segmented: int = 0
    painted: list[int] = field(default_factory=list)

    def segment(self) -> None:
        self.segmented += 1

    told: list[str] = field(default_factory=list)

    def tell(self, sentence: str, /) -> None:
        self.told.append(sentence)

    learned: Mapping[str, Any] | None = None
    carried: Mapping[str, Any] | None = None
    why_not: str = ""

    def learned_values(self) -> Mapping[str, Any] | None:
        return self.learned

    def why_not_learned(self) -> str:
        return self.why_not

    def carry_over(self, values: Mapping[str, Any] | None, /) -> None:
        self.carried = values

    def paint_with(self, label: int, /) -> None:
        self.painted.append(label)


@pytest.fixture
def table() -> ClassTable:
    return ClassTable()


@pytest.fixture
def actions() -> Actions:
    return Actions()


@pytest.fixture
def view(qtbot: QtBot, table: ClassTable, actions: Actions) -> ClassesView:
    view = ClassesView(table, actions)
    qtbot.addWidget(view)
    show_changes(view)
    view.resize(320, 300)
    with qtbot.waitActive(view):
        view.show()
        view.activateWindow()
    return view


@pytest.fixture
def line(view: ClassesView, qtbot: QtBot) -> QLineEdit:
    line = view.findChild(QLineEdit, "sclip_classes_line")
    assert isinstance(line, QLineEdit)
    line.setFocus()
    qtbot.waitUntil(line.hasFocus)
    return line


@pytest.fixture
def problem(view: ClassesView) -> QLabel:
    label = view.findChild(QLabel, "sclip_classes_problem")
    assert isinstance(label, QLabel)
    return label


def act(view: ClassesView, name: str) -> None:
    action = view.presets.findChild(QAction, f"sclip_classes_{name}")
    assert isinstance(action, QAction)
    action.trigger()


def paste(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    clipboard.setText(text)
    qtbot.keyClick(line, Key.Key_V, Qt.KeyboardModifier.ControlModifier)


def names(table: ClassTable) -> list[str]:
    return [row.name for row in table.rows]


def test_an_empty_section_is_calm(view: ClassesView, line: QLineEdit, problem: QLabel) -> None:
    assert line.placeholderText() == "cat, grass = lawn | meadow, background"
    assert problem.isHidden()
    assert view.summary == ""
    buttons = {b.objectName(): b.isEnabled() for b in view.findChildren(QToolButton)}
    assert {k: v for k, v in buttons.items() if k.startswith("sclip_classes")} == {
        "sclip_classes_add": True,
        "sclip_classes_remove": False,
        "sclip_classes_up": False,
        "sclip_classes_down": False,
        "sclip_classes_presets": True,
    }


def test_typing(qtbot: QtBot, table: ClassTable, view: ClassesView, line: QLineEdit) -> None:
    qtbot.keyClicks(line, "cat, grass = lawn | meadow, background")
    assert line.text() == table.text == "cat, grass = lawn | meadow, background"
    assert names(table) == ["cat", "grass", "background"]
    assert table.ids() == (1, 2, 0)
    assert view.summary == "cat, grass, background"


def test_typing_in_the_middle_leaves_the_cursor_there(
    qtbot: QtBot, table: ClassTable, line: QLineEdit
) -> None:
    qtbot.keyClicks(line, "cat, dog")
    for _ in range(5):
        qtbot.keyClick(line, Key.Key_Left)
    qtbot.keyClicks(line, ", cow")
    assert line.text() == "cat, cow, dog"
    assert line.cursorPosition() == 8
    assert names(table) == ["cat", "cow", "dog"]
    assert table.ids() == (1, 3, 2)


def test_undo_in_the_line(qtbot: QtBot, table: ClassTable, line: QLineEdit) -> None:
    qtbot.keyClicks(line, "cat, dog")
    qtbot.keyClick(line, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(line, Key.Key_Delete)
    assert table.rows == ()
    qtbot.keyClick(line, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert line.text() == "cat, dog"
    assert names(table) == ["cat", "dog"]


def test_a_list_is_pasted(qtbot: QtBot, table: ClassTable, line: QLineEdit) -> None:
    qtbot.keyClicks(line, "cat, ")
    paste(qtbot, line, "dog\r\nblue sky,\n\ncow\n")
    assert line.text() == "cat, dog, blue sky, cow"
    assert names(table) == ["cat", "dog", "blue sky", "cow"]
    paste(qtbot, line, ", red hen")
    assert line.text() == "cat, dog, blue sky, cow, red hen"


def test_enter_commits_and_shift_enter_segments(
    qtbot: QtBot, table: ClassTable, line: QLineEdit, actions: Actions
) -> None:
    qtbot.keyClicks(line, "cat,")
    qtbot.keyClick(line, Key.Key_Return)
    assert actions.segmented == 0
    assert line.text() == "cat,"
    assert line.hasFocus()
    for key in (Key.Key_Return, Key.Key_Enter):
        qtbot.keyClick(line, key, Qt.KeyboardModifier.ShiftModifier)
    assert actions.segmented == 2
    assert names(table) == ["cat"]


def test_the_line_follows_the_table(table: ClassTable, line: QLineEdit) -> None:
    table.set_text("cat, dog")
    assert line.text() == "cat, dog"
    table.move(table.rows[1].key, 0)
    assert line.text() == "dog, cat"
    line.setCursorPosition(5)
    table.move(table.rows[1].key, 0)
    assert line.cursorPosition() == 5
    line.clearFocus()
    table.set_text(", ".join(f"class {k}" for k in range(40)))
    assert line.cursorPosition() == 0  # so that its beginning is shown


def test_the_line_can_only_be_read_when_it_cannot_hold_a_name(
    qtbot: QtBot, table: ClassTable, line: QLineEdit
) -> None:
    table.set_text("salt, cat")
    table.set(table.rows[0].key, name="salt, pepper")
    assert line.isReadOnly()
    assert "comma" in line.toolTip()
    qtbot.keyClicks(line, "x")
    assert names(table) == ["salt, pepper", "cat"]
    table.set(table.rows[0].key, name="salt")
    assert not line.isReadOnly()
    qtbot.keyClick(line, Key.Key_End)
    qtbot.keyClicks(line, "s")
    assert names(table) == ["salt", "cats"]


def test_a_problem_is_told_when_typing_pauses(
    qtbot: QtBot, table: ClassTable, line: QLineEdit, problem: QLabel
) -> None:
    qtbot.keyClicks(line, "cat, cat")
    assert problem.isHidden()
    qtbot.keyClicks(line, "s")
    assert table.why_not() is None
    qtbot.keyClick(line, Key.Key_Backspace)
    qtbot.waitUntil(problem.isVisible)
    assert problem.text() == table.why_not()
    qtbot.keyClicks(line, "s")
    assert problem.isHidden()


def test_semicolons_are_told_beside_the_line(
    qtbot: QtBot, table: ClassTable, line: QLineEdit, problem: QLabel
) -> None:
    qtbot.keyClicks(line, "cat;grass;sky")
    qtbot.waitUntil(problem.isVisible)
    hint = "Separate classes by commas, not by semicolons: 'cat, grass, sky'."
    assert problem.text() == table.why_not() == hint
    assert line.text() == "cat;grass;sky"
    assert not line.isReadOnly()


def test_a_problem_that_was_mended_is_not_told_later(
    qtbot: QtBot, view: ClassesView, line: QLineEdit, problem: QLabel
) -> None:
    qtbot.keyClicks(line, "cat, cat")
    with qtbot.waitSignal(view._soon.timeout, raising=False, timeout=0):
        qtbot.keyClicks(line, "s")
    assert not view._soon.isActive()
    assert problem.isHidden()


def test_only_the_background_is_told(table: ClassTable, view: ClassesView, problem: QLabel) -> None:
    table.set_text("background")
    assert problem.isVisible()
    assert problem.text() == "Add a class besides the background."


@pytest.mark.parametrize("background", ["#23242b", "#ebe7e6", "#000000", "#ffffff"])
def test_the_red_is_readable(view: ClassesView, problem: QLabel, background: str) -> None:
    view.setStyleSheet(f"QWidget {{ background-color: {background}; }}")
    view.ensurePolished()
    written = QColor(problem.styleSheet().removeprefix("color: ").removesuffix(";"))
    behind = QColor(background)
    assert view.palette().color(QPalette.ColorRole.Window) == behind
    assert contrast(rgb(written), rgb(behind)) > 4.5


def rgb(color: QColor) -> tuple[int, int, int]:
    return color.red(), color.green(), color.blue()


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.01)
    assert contrast((255, 255, 255), (119, 119, 119)) == pytest.approx(4.48, abs=0.01)
    assert {error_color((g, g, g)) for g in (0, 60, 190, 255)} == set(ERROR_REDS)


def test_every_control_says_what_it_does(view: ClassesView, line: QLineEdit) -> None:
    table = view.findChild(QTableView, "sclip_classes_table")
    buttons = [b for b in view.findChildren(QToolButton) if b.objectName().startswith("sclip_")]
    assert len(buttons) == 5
    for control in [line, table, *buttons]:
        assert isinstance(control, QWidget)
        assert control.toolTip(), control.objectName()
        assert control.accessibleName(), control.objectName()
    assert all(a.toolTip() for a in view.presets.actions() if not a.isSeparator())


def test_the_section_is_narrow(view: ClassesView, table: ClassTable) -> None:
    table.set_text(", ".join(f"a class with a long name {k}" for k in range(12)))
    assert view.minimumSizeHint().width() <= 300


def test_save_and_load(view: ClassesView, table: ClassTable, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    view.presets.ask_save = lambda: str(path)
    view.presets.ask_open = lambda: str(path)
    table.set_text("cat, wall = brick | stone")
    table.set(table.rows[1].key, background=True)
    table.set(table.rows[0].key, visible=False, color="red")
    before = table.classes()
    act(view, "save")
    assert read_class_list(path) == ClassList(before, frozenset({"cat"}))
    act(view, "clear")
    assert table.rows == ()
    act(view, "load")
    assert table.classes() == before
    assert table.hidden() == {"cat"}
    assert view.line.text() == "cat, wall = brick | stone"


def test_it_is_told_what_a_file_keeps(
    view: ClassesView, table: ClassTable, actions: Actions, tmp_path: Path
) -> None:
    path = tmp_path / "mine.json"
    view.presets.ask_save = lambda: str(path)
    table.set_text("cat")
    act(view, "save")
    actions.why_not = "Press Segment first."
    act(view, "save")
    actions.learned = {"version": 1}
    act(view, "save")
    assert actions.told == [
        f"The classes are in {path}.",
        f"The classes are in {path}. Press Segment first.",
        f"The classes and what was learned are in {path}.",
    ]


def test_no_file_chosen(view: ClassesView, table: ClassTable, problem: QLabel) -> None:
    view.presets.ask_save = view.presets.ask_open = lambda: ""
    table.set_text("cat")
    act(view, "save")
    act(view, "load")
    assert names(table) == ["cat"]
    assert problem.isHidden()


def test_what_is_wrong_with_a_file_is_told_and_changes_nothing(
    view: ClassesView, table: ClassTable, problem: QLabel, tmp_path: Path
) -> None:
    path = tmp_path / "classes.txt"
    path.write_text("cat\ngrass =\n")
    view.presets.ask_open = lambda: str(path)
    table.set_text("sun")
    act(view, "load")
    assert problem.isVisible()
    assert "classes.txt, line 2" in problem.text()
    assert names(table) == ["sun"]
    write_class_list(path, ClassList((ClassPrompt("cat"),)))
    act(view, "load")
    assert problem.isHidden()
    assert names(table) == ["cat"]


def test_a_table_with_a_problem_is_not_saved(
    view: ClassesView, table: ClassTable, problem: QLabel, tmp_path: Path
) -> None:
    view.presets.ask_save = lambda: str(tmp_path / "mine.json")
    table.set_text("cat, cat")
    act(view, "save")
    assert problem.text().startswith("Not saved. 'cat' is there twice.")
    assert not list(tmp_path.glob("*.json"))
    (tmp_path / "file").touch()
    view.presets.ask_save = lambda: str(tmp_path / "file" / "mine.json")
    table.set_text("cat")
    assert problem.isHidden()
    act(view, "save")
    assert problem.text().startswith("Cannot write")


def test_the_menu_opens_by_keyboard(qtbot: QtBot, view: ClassesView) -> None:
    button = view.findChild(QToolButton, "sclip_classes_presets")
    assert isinstance(button, QToolButton)
    shown: list[bool] = []
    view.presets.aboutToShow.connect(lambda: shown.append(True))
    view.presets.aboutToShow.connect(lambda: close_soon(view))
    qtbot.keyClick(button, Key.Key_Space)
    qtbot.waitUntil(lambda: bool(shown))


def close_soon(view: ClassesView) -> None:
    view._soon.singleShot(0, view.presets.close)


def test_a_view_that_is_gone_hears_nothing(qtbot: QtBot, actions: Actions) -> None:
    table = ClassTable()
    view = ClassesView(table, actions)
    with qtbot.waitSignal(view.destroyed):
        view.deleteLater()
    table.set_text("cat")
    assert view.summary == ""


def test_views_that_python_collects(actions: Actions) -> None:
    table = ClassTable()
    for number in range(20):
        view = ClassesView(table, actions)
        gone = weakref.ref(view)
        vars(view)["cycle"] = view
        del view
        gc.collect()
        assert gone() is None
        table.set_text(f"class {number}")
    assert len(table.changed) == 0

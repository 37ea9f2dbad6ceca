"""The table of classes as a hand uses it, with the mouse and without."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QItemSelectionModel, QModelIndex, QPoint, Qt
from qtpy.QtGui import QAction, QColor, QContextMenuEvent, QImage
from qtpy.QtWidgets import (
    QApplication,
    QColorDialog,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
)

from napari_sclip.widgets.state.classes import ClassTable
from napari_sclip.widgets.views.classes_table import ClassesModel, ClassesTable, Column
from napari_sclip.widgets.views.classes_view import ClassesView
from tests.widgets.views.hands import show_changes

Key = Qt.Key
ALT = Qt.KeyboardModifier.AltModifier


class Actions:
    """Writes down what was asked for."""

    def __init__(self) -> None:
        self.painted: list[int] = []

    def segment(self) -> None:
        raise AssertionError("not asked for")

    learned: Mapping[str, Any] | None = None
    carried: Mapping[str, Any] | None = None
    why_not: str = ""

    def learned_values(self) -> Mapping[str, Any] | None:
        return self.learned

    def why_not_learned(self) -> str:
        return self.why_not

    def carry_over(self, values: Mapping[str, Any] | None, /) -> None:
        self.carried = values

    def tell(self, sentence: str, /) -> None:
        raise AssertionError(sentence)  # no test of these saves a preset

    def paint_with(self, label: int, /) -> None:
        self.painted.append(label)


class Hand:
    """Clicks and types."""

    def __init__(self, qtbot: QtBot, view: ClassesTable) -> None:
        self.qtbot, self.view = qtbot, view

    def index(self, row: int, column: Column = Column.NAME) -> QModelIndex:
        model = self.view.model()
        assert model is not None
        return model.index(row, column)

    def place(self, row: int, column: Column) -> QPoint:
        return self.view.visualRect(self.index(row, column)).center()

    def click(self, row: int, column: Column = Column.NAME, **keys: Any) -> None:
        self.qtbot.mouseClick(
            self.view.viewport(),
            Qt.MouseButton.LeftButton,
            keys.get("keys", Qt.KeyboardModifier.NoModifier),
            pos=self.place(row, column),
        )

    def double_click(self, row: int, column: Column = Column.NAME) -> None:
        self.click(row, column)
        place = self.place(row, column)
        self.qtbot.mouseDClick(self.view.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def go_to(self, row: int, column: Column = Column.NAME) -> None:
        self.view.setCurrentIndex(self.index(row, column))

    def press(self, key: Qt.Key, keys: Any = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key where the focus is, as a hand must."""
        focused = QApplication.focusWidget()
        assert focused is not None
        self.qtbot.keyClick(focused, key, keys)
        QApplication.processEvents()  # editors are closed when the key has been handled

    def type(self, text: str) -> None:
        focused = QApplication.focusWidget()
        assert isinstance(focused, QLineEdit), focused
        self.qtbot.keyClicks(focused, text)

    def menu(self, row: int, column: Column = Column.NAME) -> QMenu:
        """Open the menu of a cell with the mouse."""
        viewport = self.view.viewport()
        assert viewport is not None
        place = self.place(row, column)
        self.qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place)
        reason = QContextMenuEvent.Reason.Mouse
        event = QContextMenuEvent(reason, place, viewport.mapToGlobal(place))
        QApplication.sendEvent(viewport, event)
        return self.open_menu()

    def open_menu(self) -> QMenu:
        self.qtbot.waitUntil(lambda: bool(self.view.findChildren(QMenu)))
        (menu,) = self.view.findChildren(QMenu)
        self.qtbot.waitUntil(menu.isVisible)
        return menu

    def choose(self, menu: QMenu, name: str) -> None:
        action = menu.findChild(QAction, f"sclip_classes_{name}")
        assert isinstance(action, QAction)
        self.qtbot.mouseClick(
            menu, Qt.MouseButton.LeftButton, pos=menu.actionGeometry(action).center()
        )


@pytest.fixture
def table() -> ClassTable:
    table = ClassTable()
    table.set_text("cat, grass = lawn | meadow, sky")
    return table


@pytest.fixture
def actions() -> Actions:
    return Actions()


@pytest.fixture
def section(qtbot: QtBot, table: ClassTable, actions: Actions) -> ClassesView:
    section = ClassesView(table, actions)
    qtbot.addWidget(section)
    show_changes(section)
    section.resize(320, 360)
    with qtbot.waitActive(section):
        section.show()
        section.activateWindow()
    section.table_view.native_dialogs = False
    section.table_view.setFocus()
    qtbot.waitUntil(section.table_view.hasFocus)
    return section


@pytest.fixture
def view(section: ClassesView) -> ClassesTable:
    return section.table_view


@pytest.fixture
def hand(qtbot: QtBot, view: ClassesTable) -> Hand:
    return Hand(qtbot, view)


def names(table: ClassTable) -> list[str]:
    return [row.name for row in table.rows]


def shown(view: ClassesTable, column: Column) -> list[str]:
    model = view.model()
    assert model is not None
    return [str(model.index(row, column).data() or "") for row in range(model.rowCount())]


def selected(view: ClassesTable, table: ClassTable) -> list[str]:
    keys = view.selected_keys()
    return [row.name for row in table.rows if row.key in keys]


# --- what is shown ---------------------------------------------------------------------------


def test_what_is_shown(view: ClassesTable, table: ClassTable) -> None:
    assert shown(view, Column.NAME) == ["cat", "grass", "sky"]
    assert shown(view, Column.PROMPTS) == ["", "lawn | meadow", ""]
    assert shown(view, Column.ID) == ["1", "2", "3"]
    table.set_text("dog, background")
    assert shown(view, Column.NAME) == ["dog", "background"]
    assert shown(view, Column.ID) == ["1", "0"]


def test_long_prompts_are_told_whole(table: ClassTable, hand: Hand) -> None:
    table.set_text("grass = " + " | ".join(f"a long phrase {k}" for k in range(9)))
    tip = hand.index(0, Column.PROMPTS).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == " | ".join(f"a long phrase {k}" for k in range(9))


def test_a_wrong_cell_says_why(table: ClassTable, hand: Hand) -> None:
    table.set_text("cat, sky, cat, grass =")
    reason = "'cat' is there twice. Give each class a name of its own."
    for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleDescriptionRole):
        assert hand.index(0).data(role) == hand.index(2).data(role) == reason
        assert "phrase" in hand.index(3, Column.PROMPTS).data(role)
    assert hand.index(1).data(Qt.ItemDataRole.AccessibleDescriptionRole) is None


def test_every_cell_and_header_says_something(view: ClassesTable, hand: Hand) -> None:
    model = view.model()
    assert model is not None
    for column in Column:
        for role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            assert model.headerData(column, Qt.Orientation.Horizontal, role), column
        assert hand.index(1, column).data(Qt.ItemDataRole.ToolTipRole), column
        assert hand.index(1, column).data(Qt.ItemDataRole.AccessibleTextRole), column


def pixels(view: ClassesTable, index: QModelIndex) -> set[str]:
    picture = view.viewport().grab(view.visualRect(index)).toImage()  # type: ignore[union-attr]
    assert isinstance(picture, QImage)
    return {
        picture.pixelColor(x, y).name()
        for x in range(picture.width())
        for y in range(picture.height())
    }


def is_reddish(name: str) -> bool:
    color = QColor(name)
    return color.red() > color.green() + 15 and color.red() > color.blue() + 15


def test_cells_are_painted(view: ClassesTable, table: ClassTable, hand: Hand) -> None:
    view.clearSelection()
    table.set_text("cat, sky, background, cat")
    colors = table.colors()
    assert colors[table.rows[1].key] in pixels(view, hand.index(1, Column.COLOR))
    # The background stays clear in the labels, unless it has a colour of its own for pictures.
    background = table.rows[2].key
    assert colors[background] not in pixels(view, hand.index(2, Column.COLOR))
    table.set(background, color="#123456")
    assert "#123456" in pixels(view, hand.index(2, Column.COLOR))
    assert not any(map(is_reddish, pixels(view, hand.index(1))))
    # Wrong is red also where the row is selected.
    assert all(map(is_reddish, pixels(view, hand.index(0))))
    hand.click(0, Column.PROMPTS)
    assert all(map(is_reddish, pixels(view, hand.index(0))))
    for column in (Column.VISIBLE, Column.BACKGROUND):
        before = pixels(view, hand.index(1, column))
        table.set(table.rows[1].key, visible=False, background=True)
        assert pixels(view, hand.index(1, column)) != before
        table.set(table.rows[1].key, visible=True, background=False)


def test_the_height_follows_the_rows(view: ClassesTable, table: ClassTable) -> None:
    heights, scrolls = [], []
    bar = view.verticalScrollBar()
    assert bar is not None
    for count in (1, 5, 6, 8, 20):
        table.set_text(", ".join(map(str, range(count))))
        QApplication.processEvents()
        heights.append(view.height())
        scrolls.append(bar.maximum() > 0)
    assert heights[0] == heights[1] < heights[2] < heights[3] == heights[4]
    assert scrolls == [False, False, False, False, True]


def test_the_columns_fit(view: ClassesTable, table: ClassTable) -> None:
    viewport, header = view.viewport(), view.horizontalHeader()
    assert viewport is not None
    assert header is not None
    assert header.length() <= viewport.width() <= 320
    assert header.sectionSize(Column.ID) < header.sectionSize(Column.NAME)
    assert header.sectionSize(Column.NAME) > 80


# --- rows ------------------------------------------------------------------------------------


def test_add_by_keyboard(table: ClassTable, hand: Hand) -> None:
    hand.go_to(0)
    hand.press(Key.Key_Insert)
    hand.type("dog")
    hand.press(Key.Key_Return)
    assert names(table) == ["cat", "dog", "grass", "sky"]
    assert table.rows[1].id == 4
    assert hand.view.hasFocus()


def test_add_by_mouse(
    qtbot: QtBot, section: ClassesView, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    button = section.findChild(QToolButton, "sclip_classes_add")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    hand.type("dog")
    hand.press(Key.Key_Return)
    assert names(table) == ["cat", "grass", "sky", "dog"]
    assert selected(view, table) == ["dog"]


def test_a_new_row_is_given_up(table: ClassTable, hand: Hand) -> None:
    hand.go_to(2)
    hand.press(Key.Key_Insert)
    hand.type("do")
    hand.press(Key.Key_Escape)
    assert names(table) == ["cat", "grass", "sky"]
    # A row of old is not taken away so.
    hand.go_to(1)
    hand.press(Key.Key_F2)
    hand.press(Key.Key_Escape)
    assert names(table) == ["cat", "grass", "sky"]


def test_a_new_row_without_a_name_stays_and_is_wrong(table: ClassTable, hand: Hand) -> None:
    hand.go_to(2)
    hand.press(Key.Key_Insert)
    hand.press(Key.Key_Return)
    assert names(table) == ["cat", "grass", "sky", ""]
    assert table.why_not() == "Give this class a name, or remove it."
    assert hand.index(3).data() == "(no name)"


def test_remove(
    qtbot: QtBot, section: ClassesView, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    hand.go_to(0)
    hand.press(Key.Key_Delete)
    assert names(table) == ["grass", "sky"]
    assert selected(view, table) == ["grass"]
    hand.go_to(1)
    button = section.findChild(QToolButton, "sclip_classes_remove")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert names(table) == ["grass"]
    assert selected(view, table) == ["grass"]
    view.setFocus()
    hand.press(Key.Key_Backspace)
    assert names(table) == []
    hand.press(Key.Key_Delete)
    assert not button.isEnabled()


def test_several_are_removed_at_once(table: ClassTable, hand: Hand, view: ClassesTable) -> None:
    told = []
    table.changed.connect(lambda: told.append(1))
    hand.click(0)
    hand.click(2, keys=Qt.KeyboardModifier.ControlModifier)
    hand.press(Key.Key_Delete)
    assert names(table) == ["grass"]
    assert len(told) == 1


def test_moving_keeps_the_selection(
    qtbot: QtBot, section: ClassesView, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    hand.go_to(2, Column.PROMPTS)
    hand.press(Key.Key_Up, ALT)
    assert names(table) == ["cat", "sky", "grass"]
    assert table.ids() == (1, 3, 2)
    assert selected(view, table) == ["sky"]
    assert (view.currentIndex().row(), view.currentIndex().column()) == (1, Column.PROMPTS)
    hand.press(Key.Key_Up, ALT)
    hand.press(Key.Key_Up, ALT)
    assert names(table) == ["sky", "cat", "grass"]
    hand.press(Key.Key_Down, ALT)
    assert names(table) == ["cat", "sky", "grass"]
    down = section.findChild(QToolButton, "sclip_classes_down")
    assert down is not None
    qtbot.mouseClick(down, Qt.MouseButton.LeftButton)
    assert names(table) == ["cat", "grass", "sky"]
    assert selected(view, table) == ["sky"]
    assert not down.isEnabled()
    up = section.findChild(QToolButton, "sclip_classes_up")
    assert up is not None
    qtbot.mouseClick(up, Qt.MouseButton.LeftButton)
    assert names(table) == ["cat", "sky", "grass"]


def test_several_move_together(table: ClassTable, hand: Hand, view: ClassesTable) -> None:
    hand.click(1)
    hand.click(2, keys=Qt.KeyboardModifier.ShiftModifier)
    hand.press(Key.Key_Up, ALT)
    assert names(table) == ["grass", "sky", "cat"]
    assert selected(view, table) == ["grass", "sky"]


def test_typing_in_the_line_keeps_the_selection(
    qtbot: QtBot, section: ClassesView, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    hand.click(1)
    section.line.setFocus()
    qtbot.keyClick(section.line, Key.Key_Home)
    qtbot.keyClicks(section.line, "dog, ")
    assert names(table) == ["dog", "cat", "grass", "sky"]
    assert selected(view, table) == ["grass"]


# --- cells -----------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", [Key.Key_F2, Key.Key_Return, Key.Key_Enter])
def test_rename_by_keyboard(table: ClassTable, hand: Hand, begin: Qt.Key) -> None:
    told = []
    table.renamed.connect(lambda old, new: told.append((old, new)))
    hand.go_to(0)
    hand.press(begin)
    hand.type(" feline ")
    hand.press(Key.Key_Return)
    assert names(table) == ["feline", "grass", "sky"]
    assert told == [("cat", "feline")]
    assert table.text == "feline, grass = lawn | meadow, sky"


def test_rename_by_mouse_and_by_just_typing(table: ClassTable, hand: Hand) -> None:
    hand.double_click(2)
    hand.type("heaven")
    hand.press(Key.Key_Return)
    hand.press(Key.Key_H)  # typing opens the editor
    hand.type("en")
    hand.press(Key.Key_Return)
    assert names(table) == ["cat", "grass", "hen"]


def test_escape_leaves_a_name_alone(table: ClassTable, hand: Hand) -> None:
    hand.go_to(0)
    hand.press(Key.Key_F2)
    hand.type("dog")
    hand.press(Key.Key_Escape)
    assert names(table) == ["cat", "grass", "sky"]


def test_prompts(table: ClassTable, hand: Hand) -> None:
    hand.double_click(1, Column.PROMPTS)
    hand.type("turf| green  field |")
    hand.press(Key.Key_Return)
    assert table.rows[1].prompts == ("turf", "green field")
    assert table.text == "cat, grass = turf | green field, sky"
    hand.go_to(1, Column.PROMPTS)
    hand.press(Key.Key_F2)
    hand.press(Key.Key_Delete)
    hand.press(Key.Key_Return)
    assert not table.rows[1].prompts


def test_an_editor_that_is_closed_as_it_was_changes_nothing(table: ClassTable, hand: Hand) -> None:
    table.set(table.rows[0].key, prompts=["a | b"])
    hand.go_to(0, Column.PROMPTS)
    hand.press(Key.Key_F2)
    hand.press(Key.Key_Return)
    assert table.rows[0].prompts == ("a | b",)


@pytest.mark.parametrize(
    ("column", "on"),
    [
        (Column.BACKGROUND, lambda row: row.background),
        (Column.VISIBLE, lambda row: not row.visible),
    ],
)
def test_marks(
    table: ClassTable, hand: Hand, column: Column, on: Callable[[Any], bool], qtbot: QtBot
) -> None:
    hand.click(0, column)
    assert [on(row) for row in table.rows] == [True, False, False]
    hand.press(Key.Key_Space)
    assert not any(on(row) for row in table.rows)
    hand.press(Key.Key_Return)
    assert on(table.rows[0])
    hand.click(0, Column.NAME)
    assert on(table.rows[0])
    qtbot.mouseClick(hand.view.viewport(), Qt.MouseButton.RightButton, pos=hand.place(0, column))
    assert on(table.rows[0])
    hand.click(1, column, keys=Qt.KeyboardModifier.ControlModifier)  # selects one more
    assert not on(table.rows[1])


def test_a_class_named_background_cannot_be_another(table: ClassTable, hand: Hand) -> None:
    table.set_text("cat, background")
    hand.click(1, Column.BACKGROUND)
    hand.press(Key.Key_Space)
    assert table.ids() == (1, 0)
    assert table.text == "cat, background"
    tip = hand.index(1, Column.BACKGROUND).data(Qt.ItemDataRole.ToolTipRole)
    assert tip == "A class of this name is always the background."


def color_dialog(qtbot: QtBot, view: ClassesTable) -> QColorDialog:
    qtbot.waitUntil(lambda: bool(view.findChildren(QColorDialog)))
    (dialog,) = view.findChildren(QColorDialog)
    qtbot.waitUntil(dialog.isVisible)
    return dialog


def choose_red(qtbot: QtBot, view: ClassesTable) -> None:
    dialog = color_dialog(qtbot, view)
    dialog.setCurrentColor(QColor("red"))
    (ok,) = [b for b in dialog.findChildren(QPushButton) if "OK" in b.text()]
    with qtbot.waitSignal(dialog.destroyed):
        qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)


def test_a_colour_is_chosen(
    qtbot: QtBot, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    heard = []
    table.look_changed.connect(lambda: heard.append("look"))
    by_name = table.colors()[table.rows[0].key]
    hand.double_click(0, Column.COLOR)
    assert color_dialog(qtbot, view).currentColor() == QColor(by_name)
    choose_red(qtbot, view)
    assert table.rows[0].color == "#ff0000"
    assert heard == ["look"]
    menu = hand.menu(0)
    hand.choose(menu, "color_by_name")
    assert table.rows[0].color is None
    hand.go_to(1, Column.COLOR)
    hand.press(Key.Key_Space)
    choose_red(qtbot, view)
    assert [row.color for row in table.rows] == [None, "#ff0000", None]


def test_a_colour_for_a_class_that_went_meanwhile(
    qtbot: QtBot, table: ClassTable, hand: Hand, view: ClassesTable
) -> None:
    hand.go_to(0, Column.COLOR)
    hand.press(Key.Key_Return)
    dialog = color_dialog(qtbot, view)
    assert dialog.windowTitle() == "Colour of cat"
    table.set_text("dog, hen, cow, owl")
    table.remove([row.key for row in table.rows])
    choose_red(qtbot, view)
    assert table.rows == ()


def test_paint_with_a_class(table: ClassTable, hand: Hand, actions: Actions) -> None:
    table.move(table.rows[2].key, 0)
    hand.double_click(0, Column.ID)
    assert actions.painted == [3]
    hand.go_to(1, Column.ID)
    hand.press(Key.Key_Space)
    hand.choose(hand.menu(2), "paint")
    assert actions.painted == [3, 1, 2]


def test_the_menu(qtbot: QtBot, table: ClassTable, hand: Hand, view: ClassesTable) -> None:
    menu = hand.menu(1)
    enabled = {a.text(): a.isEnabled() for a in menu.actions()}
    assert enabled == {
        "Change the name": True,
        "Choose a colour...": True,
        "Colour by name": False,
        "Paint with this class": True,
        "Remove": True,
    }
    hand.choose(menu, "edit")
    hand.type("turf")
    hand.press(Key.Key_Return)
    assert names(table) == ["cat", "turf", "sky"]
    hand.choose(hand.menu(0), "color")
    choose_red(qtbot, view)
    assert table.rows[0].color == "#ff0000"


def test_remove_by_the_menu_is_of_the_row_it_was_opened_on(table: ClassTable, hand: Hand) -> None:
    hand.click(0)
    hand.choose(hand.menu(2), "remove_one")
    assert names(table) == ["cat", "grass"]


def test_the_menu_by_keyboard(table: ClassTable, hand: Hand, view: ClassesTable) -> None:
    hand.go_to(1)
    reason = QContextMenuEvent.Reason.Keyboard
    QApplication.sendEvent(view, QContextMenuEvent(reason, QPoint(0, 0), QPoint(0, 0)))
    hand.choose(hand.open_menu(), "remove_one")
    assert names(table) == ["cat", "sky"]


def test_no_menu_where_there_is_no_class(view: ClassesTable, hand: Hand) -> None:
    viewport = view.viewport()
    assert viewport is not None
    place = QPoint(5, viewport.height() - 3)
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, place, viewport.mapToGlobal(place))
    QApplication.sendEvent(viewport, event)
    assert view.findChildren(QMenu) == []


# --- focus -----------------------------------------------------------------------------------


def test_tab_leaves_the_table(section: ClassesView, view: ClassesTable, hand: Hand) -> None:
    hand.go_to(0)
    hand.press(Key.Key_Tab)
    focused = QApplication.focusWidget()
    assert isinstance(focused, QWidget)
    assert focused.objectName() == "sclip_classes_add"
    view.setFocus()
    hand.press(Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert section.line.hasFocus()
    view.clearSelection()
    hand.press(Key.Key_Tab)
    assert view.hasFocus()
    assert len(view.selected_keys()) == 1


def test_the_editor_keeps_its_keys(table: ClassTable, hand: Hand) -> None:
    hand.go_to(1)
    hand.press(Key.Key_F2)
    for key in (Key.Key_Insert, Key.Key_Backspace):
        hand.press(key)
    hand.type("turf")
    hand.press(Key.Key_Tab)
    assert names(table) == ["cat", "turf", "sky"]
    hand.type("a lawn")  # Tab goes on to the prompts
    hand.press(Key.Key_Return)
    assert table.rows[1].prompts == ("a lawn",)


def test_keys_are_not_taken_by_shortcuts_around(
    qtbot: QtBot, section: ClassesView, table: ClassTable, hand: Hand
) -> None:
    taken: list[str] = []
    for keys in ("Del", "Ins", "Alt+Up", "Space", "Return", "Shift+Return", "Esc"):
        action = QAction(section)
        action.setShortcut(keys)
        action.triggered.connect(lambda _checked=False, keys=keys: taken.append(keys))
        section.addAction(action)
    hand.go_to(2, Column.VISIBLE)
    for key, modifier in [
        (Key.Key_Up, ALT),
        (Key.Key_Space, Qt.KeyboardModifier.NoModifier),
        (Key.Key_Return, Qt.KeyboardModifier.NoModifier),
        (Key.Key_Delete, Qt.KeyboardModifier.NoModifier),
    ]:
        hand.press(key, modifier)
    assert names(table) == ["cat", "grass"]
    hand.go_to(0)
    hand.press(Key.Key_F2)
    hand.press(Key.Key_Escape)
    section.line.setFocus()
    hand.press(Key.Key_Return)
    assert taken == []
    hand.press(Key.Key_Escape)
    assert taken == ["Esc"]


# --- the model -------------------------------------------------------------------------------


def test_the_model_keeps_qts_rules(qtmodeltester: ModelTester, table: ClassTable) -> None:
    model = ClassesModel(table)
    qtmodeltester.check(model)
    for text in ("sky, dog, cat", "", "a, b, cat, cat, c = ", "c, a, background"):
        table.set_text(text)
        model.refresh()
        rows = [model.index(n, 0).data(Qt.ItemDataRole.EditRole) for n in range(model.rowCount())]
        assert rows == names(table)
    qtmodeltester.check(model)


def test_indices_follow_their_classes(table: ClassTable, view: ClassesTable, hand: Hand) -> None:
    flags = QItemSelectionModel.SelectionFlag
    selection = view.selectionModel()
    assert selection is not None
    view.select_keys([table.rows[0].key, table.rows[2].key])
    assert selected(view, table) == ["cat", "sky"]
    table.set_text("sky, dog, cat, hen")
    assert selected(view, table) == ["sky", "cat"]
    table.set_text("dog, cat")
    assert selected(view, table) == ["cat"]
    selection.select(hand.index(0), flags.Select | flags.Rows)
    assert selected(view, table) == ["dog", "cat"]

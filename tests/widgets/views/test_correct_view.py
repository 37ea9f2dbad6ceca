"""The sections "Correct", "Explain" and "Export", as a hand uses them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog, QLabel, QVBoxLayout, QWidget

from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.image import ImageFacts
from napari_sclip.widgets.state.run import BUSY, IDLE, RUNNING
from napari_sclip.widgets.state.widget import WidgetState
from napari_sclip.widgets.views.correct_view import CorrectView
from napari_sclip.widgets.views.explain_view import ExplainView
from napari_sclip.widgets.views.export_view import ExportView
from napari_sclip.widgets.views.form import ask_where
from tests.widgets.views.hands import Asked, control, nameless, put_on_screen, show_changes

LEFT = Qt.MouseButton.LeftButton
FORMATS = (("labels", "PNG mask (.png)"), ("coco", "COCO annotations (.json)"))


class Sections(QWidget):
    """The three views below one another."""

    def __init__(self, state: WidgetState, actions: Asked) -> None:
        super().__init__()
        self.correct = CorrectView(state, actions, self)
        self.explain = ExplainView(state, actions, self)
        self.export = ExportView(state, actions, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for view in (self.correct, self.explain, self.export):
            layout.addWidget(view)


@pytest.fixture
def state() -> WidgetState:
    return WidgetState()


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def view(state: WidgetState, asked: Asked, qtbot: QtBot) -> Sections:
    made = Sections(state, asked)
    put_on_screen(made, qtbot)
    return made


@pytest.fixture
def full(state: WidgetState, view: Sections) -> WidgetState:
    state.image.facts = ImageFacts(name="photo", described="RGB", rgb=True, shape=(40, 60))
    correct = state.correct
    correct.labels = "photo labels"
    correct.painted = 512
    correct.checked = 0.34
    correct.unsure = 7
    correct.names = ("leaf", "soil")
    correct.formats = FORMATS
    return state


BUTTONS = (
    "sclip_correct_refine", "sclip_correct_previous", "sclip_correct_next",
    "sclip_correct_checked", "sclip_explain_scores", "sclip_explain_margin", "sclip_export_save",
    "sclip_objects_split",
)  # fmt: skip


def test_without_labels_every_button_says_why_it_cannot_be_pressed(view: Sections) -> None:
    for name in BUTTONS:
        button = control(view, name)
        assert not button.isEnabled()
        assert "no labels yet" in button.toolTip()
    assert "no labels yet" in view.correct.summary


def test_during_a_run_the_buttons_wait(view: Sections, full: WidgetState) -> None:
    assert all(control(view, name).isEnabled() for name in BUTTONS)
    full.run.status = RUNNING
    for name in BUTTONS:
        assert not control(view, name).isEnabled()
        assert control(view, name).toolTip() == BUSY


def test_the_buttons_ask_for_what_they_say(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    for name in BUTTONS[:6]:
        qtbot.mouseClick(control(view, name), LEFT)
    assert asked == [
        "refine_from_strokes", "go back", "go on", "mark_checked", "show_scores leaf",
        "show_margin",
    ]  # fmt: skip
    asked.clear()
    qtbot.keyClick(control(view, "sclip_explain_class"), Qt.Key.Key_Down)
    qtbot.mouseClick(control(view, "sclip_explain_scores"), LEFT)
    qtbot.keyClick(control(view, "sclip_objects_class"), Qt.Key.Key_Down)
    qtbot.keyClick(control(view, "sclip_objects_touching"), Qt.Key.Key_Space)
    qtbot.mouseClick(control(view, "sclip_objects_split"), LEFT)
    control(view, "sclip_correct_all").trigger()
    control(view, "sclip_correct_none").trigger()
    assert asked == [
        "show_scores soil", "split_objects soil False", "mark_all_checked True",
        "mark_all_checked False",
    ]  # fmt: skip


def test_what_was_painted_learned_and_checked_is_said(view: Sections, full: WidgetState) -> None:
    assert "512 pixels" in control(view, "sclip_correct_painted").text()
    assert control(view, "sclip_correct_share").text() == "34 % checked"
    assert "7 unsure regions are left" in control(view, "sclip_correct_left").text()
    assert view.correct.summary == "512 px painted · 34 % checked"
    forget = control(view, "sclip_correct_forget")
    assert not forget.isVisible()
    full.correct.learned = "Learned from 512 pixels in 2 classes."
    assert forget.isVisible()
    assert control(view, "sclip_correct_learned").text().startswith("Learned from 512")
    full.correct.checked = None
    assert control(view, "sclip_correct_share").text() == "nothing to check"


def test_proposed_names_can_be_used_on_every_system(
    view: Sections, monkeypatch: pytest.MonkeyPatch
) -> None:
    proposed: list[str] = []

    def answer(dialog: QFileDialog) -> int:
        proposed.append(Path(dialog.selectedFiles()[0]).name)
        return 0

    monkeypatch.setattr(QFileDialog, "exec", answer)
    ask_where(view, 'Scene 2: a/b "c" labels', "PNG mask", ".png")
    assert proposed == ["Scene 2_ a_b _c_ labels.png"]


def test_many_removed_classes_are_one_line(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    before = len(view.findChildren(QWidget))
    full.correct.orphans = tuple(Orphan(k, f"label {k}", 10) for k in range(1, 2001))
    assert len(view.findChildren(QWidget)) - before < 10
    panel = control(view, "sclip_correct_orphans")
    (told,) = panel.findChildren(QLabel)
    assert "2,000 labels are not in the table" in told.text()
    qtbot.mouseClick(control(view, "sclip_correct_join_all"), LEFT)
    qtbot.mouseClick(control(view, "sclip_correct_release_all"), LEFT)
    assert asked == ["join_removed_classes", "release_removed_classes"]


def test_a_removed_class_waits_for_a_decision(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    full.correct.orphans = (Orphan(3, "moss", 37), Orphan(5, "bark", 2))
    for label in (3, 5):
        assert control(view, f"sclip_correct_orphan_{label}").isVisible()
    assert any("37 pixels" in text.text() for text in view.findChildren(QLabel) if text.isVisible())
    qtbot.mouseClick(control(view, "sclip_correct_keep_3"), LEFT)
    qtbot.mouseClick(control(view, "sclip_correct_release_5"), LEFT)
    assert asked == ["keep_class 3", "release_class 5"]
    full.correct.orphans = (Orphan(5, "bark", 2),)
    assert view.findChild(QWidget, "sclip_correct_keep_3") is None
    full.correct.orphans = ()
    assert view.findChild(QWidget, "sclip_correct_release_5") is None


def test_attention_and_its_head(view: Sections, full: WidgetState, qtbot: QtBot) -> None:
    head = control(view, "sclip_explain_head")
    assert not head.isEnabled()
    assert head.text() == "mean"
    qtbot.mouseClick(control(view, "sclip_explain_attention"), LEFT)
    assert full.correct.attention
    full.correct.heads = 5
    qtbot.keyClick(head, Qt.Key.Key_Up)
    assert full.correct.head == 1
    assert head.maximum() == 5


def test_formats_are_asked_for_when_they_are_first_seen(
    state: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    made = ExportView(state, asked)
    qtbot.addWidget(made)
    show_changes(made)
    state.correct.labels = "photo labels"
    assert asked.listed == 0
    state.run.status = RUNNING
    made.show()
    assert asked.listed == 0
    state.run.status = IDLE
    assert asked.listed == 1
    state.correct.formats = FORMATS
    state.correct.labels = "other labels"
    assert asked.listed == 1
    assert control(made, "sclip_export_format").count() == len(FORMATS)


def test_labels_are_saved_where_a_person_says(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    answers = ["", "/tmp/leaf.json"]
    seen = []

    def ask(*proposed: str) -> str:
        seen.append(proposed)
        return answers.pop(0)

    view.export.ask_save = ask
    qtbot.keyClick(control(view, "sclip_export_format"), Qt.Key.Key_Down)
    save = control(view, "sclip_export_save")
    qtbot.mouseClick(save, LEFT)
    qtbot.mouseClick(save, LEFT)
    assert seen == [("photo labels", "COCO annotations", ".json")] * 2
    assert asked == ["export /tmp/leaf.json coco"]


def test_starting_from_what_is_there(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    answers = ["", "/tmp/mask.png"]
    view.export.ask_open = lambda: answers.pop(0)
    for _ in range(2):
        qtbot.mouseClick(control(view, "sclip_export_mask"), LEFT)
    qtbot.mouseClick(control(view, "sclip_export_adopt"), LEFT)
    assert asked == ["start_from_mask /tmp/mask.png", "start_from_layer"]


def test_objects_are_written_back_only_from_a_layer_of_objects(
    view: Sections, full: WidgetState, asked: Asked, qtbot: QtBot
) -> None:
    write = control(view, "sclip_objects_write")
    assert not write.isEnabled()
    full.correct.instances = "Objects of “leaf”: leaf instances"
    assert "leaf instances" in control(view, "sclip_objects_which").text()
    qtbot.mouseClick(write, LEFT)
    assert asked == ["write_objects_back"]


@pytest.mark.parametrize("language", ["shell", "python"])
def test_the_lines_are_copied(view: Sections, full: WidgetState, language: str) -> None:
    control(view, f"sclip_export_copy_{language}").trigger()
    clipboard = QApplication.clipboard()
    assert clipboard is not None
    assert clipboard.text() == f"lines of {language}"


def test_every_control_has_a_name_and_a_tooltip(view: Sections, full: WidgetState) -> None:
    full.correct.orphans = (Orphan(3, "moss", 37),)
    assert nameless(view) == []
    assert view.minimumSizeHint().width() <= 320

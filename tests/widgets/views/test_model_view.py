from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from napari._qt.qt_resources import get_stylesheet
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent, QPalette, QWheelEvent
from qtpy.QtWidgets import QApplication, QStyleOptionViewItem, QWidget

from napari_sclip.colors import contrast, parse_color
from napari_sclip.models.registry import MODELS
from napari_sclip.widgets.state.model import OWN_FILE, ModelChoice, ModelState
from napari_sclip.widgets.views.model_view import ModelView
from tests.widgets.views.hands import (
    LEFT,
    THEMES,
    Asked,
    control,
    mnemonics,
    nameless,
    put_in_napari,
    put_on_screen,
)

Key = Qt.Key
CHOICES = (
    ModelChoice("shapes-demo", 3, True, "BSD-3-Clause", "Knows coloured shapes."),
    ModelChoice("ViT-B-16/openai", 599, False, "MIT", "Real photos."),
)
SHAPES, PHOTOS = (choice.name for choice in CHOICES)


@pytest.fixture
def state() -> ModelState:
    return ModelState(choices=CHOICES, name=SHAPES)


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def files() -> list[str]:
    """What the dialog for files answers, one after another."""
    return []


@pytest.fixture
def view(state: ModelState, asked: Asked, files: list[str], qtbot: QtBot) -> ModelView:
    made = ModelView(state, asked, ask_for_file=lambda parent, folder: files.pop(0))
    put_on_screen(made, qtbot)
    return made


# Which model


def rows_as_drawn(box: Any) -> list[str]:
    """What the list of a combo box draws."""
    texts = []
    for index in range(box.count()):
        option = QStyleOptionViewItem()
        box.itemDelegate().initStyleOption(option, box.model().index(index, 0))
        texts.append(str(option.text))
    return texts


def test_the_list_tells_sizes_and_what_is_on_disk(view: ModelView) -> None:
    box = control(view, "sclip_model_name")
    assert box.currentText() == "shapes-demo"
    assert rows_as_drawn(box) == [
        "shapes-demo · 3 MB · on disk",
        "ViT-B-16/openai · 599 MB · to download",
        "A checkpoint of my own...",
    ]


def test_the_list_is_as_wide_as_its_rows(state: ModelState, asked: Asked, qtbot: QtBot) -> None:
    view = ModelView(state, asked)
    put_on_screen(view, qtbot, width=220)
    box = control(view, "sclip_model_name")
    box.showPopup()
    row = "ViT-B-16/openai · 599 MB · to download"
    assert box.view().viewport().width() >= box.view().fontMetrics().horizontalAdvance(row)
    assert box.view().width() > box.width()
    box.hidePopup()


def test_a_model_is_chosen_by_keys(view: ModelView, state: ModelState, qtbot: QtBot) -> None:
    box, about = control(view, "sclip_model_name"), control(view, "sclip_model_about")
    assert about.text() == "Knows coloured shapes. Licence: BSD-3-Clause."
    qtbot.keyClick(box, Key.Key_Down)
    assert state.name == PHOTOS
    assert about.text() == "Real photos. Licence: MIT."
    qtbot.keyClick(box, Key.Key_Down)
    assert state.name == OWN_FILE
    assert not about.isVisible()


def test_the_list_follows_the_state(view: ModelView, state: ModelState) -> None:
    box = control(view, "sclip_model_name")
    state.name = PHOTOS
    assert box.currentText() == PHOTOS
    state.choices = CHOICES[:1]
    assert (box.currentText(), state.name) == ("ViT-B-16/openai (unknown)", PHOTOS)
    state.choices = tuple(
        ModelChoice(c.name, c.size_mb, True, c.licence, c.good_for) for c in CHOICES
    )
    assert rows_as_drawn(box)[1] == "ViT-B-16/openai · 599 MB · on disk"
    assert (box.currentText(), box.count()) == (PHOTOS, 3)
    state.name = ""
    assert box.currentIndex() == -1
    assert state.name == ""


def turn_wheel(box: QWidget) -> None:
    middle = QPointF(box.rect().center())
    turned = QWheelEvent(
        middle, QPointF(box.mapToGlobal(box.rect().center())), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(box, turned)


def test_who_scrolls_past_does_not_choose(view: ModelView, state: ModelState) -> None:
    box = control(view, "sclip_model_name")
    control(view, "sclip_model_more").setFocus()
    turn_wheel(box)
    assert state.name == SHAPES
    box.setFocus()
    turn_wheel(box)
    assert state.name == PHOTOS


# Download


def test_a_model_that_is_not_here_can_be_downloaded(
    view: ModelView, state: ModelState, asked: Asked, qtbot: QtBot
) -> None:
    button = control(view, "sclip_model_download")
    assert not button.isVisible()
    state.name = PHOTOS
    assert button.isVisible()
    assert button.text().replace("&", "") == "Download 599 MB"
    qtbot.mouseClick(button, LEFT)
    assert asked == ["download"]
    state.choices = CHOICES[:1]
    assert not button.isVisible()


def test_a_download_shows_bytes_and_can_be_cancelled(
    view: ModelView, state: ModelState, asked: Asked, qtbot: QtBot
) -> None:
    state.name = PHOTOS
    control(view, "sclip_model_download").setFocus()
    bar = control(view, "sclip_model_download_progress")
    message = control(view, "sclip_model_download_message")
    assert not bar.isVisible()
    state.download_progress = (0, 0)
    assert (bar.minimum(), bar.maximum()) == (0, 0)
    state.download_progress = (120_000_000, 600_000_000)
    assert bar.isVisible()
    assert bar.value() / bar.maximum() == 0.2
    assert message.text() == "120 of 600 MB"
    state.download_message = "Downloading: 120 MB of 600 MB, 3 MB/s"
    assert message.text() == "Downloading: 120 MB of 600 MB, 3 MB/s"
    assert not control(view, "sclip_model_download").isVisible()
    cancel = control(view, "sclip_model_download_cancel")
    assert cancel.hasFocus()
    qtbot.keyClick(cancel, Key.Key_Space)
    assert asked == ["cancel"]
    state.download_progress = None
    assert not bar.isVisible()
    assert not cancel.isVisible()
    assert not message.isVisible()
    assert control(view, "sclip_model_download").hasFocus()


def test_a_download_is_seen_whatever_is_chosen_meanwhile(
    view: ModelView, state: ModelState
) -> None:
    state.download_progress = (2**33, 2**34)  # more than Qt's whole numbers hold
    bar = control(view, "sclip_model_download_progress")
    for name in (SHAPES, OWN_FILE, ""):
        state.name = name
        assert bar.isVisible()
        assert bar.value() / bar.maximum() == 0.5


# A file of one's own


@pytest.fixture
def own(view: ModelView, state: ModelState) -> ModelView:
    state.name = OWN_FILE
    return view


def test_the_rows_of_an_own_file_are_there_when_they_are_needed(
    view: ModelView, state: ModelState
) -> None:
    names = ("sclip_model_weights", "sclip_model_browse", "sclip_model_architecture")
    assert not any(control(view, name).isVisible() for name in names)
    state.name = OWN_FILE
    assert all(control(view, name).isVisible() for name in names)


def test_typing_a_path_never_loses_the_cursor(
    own: ModelView, state: ModelState, qtbot: QtBot
) -> None:
    line = control(own, "sclip_model_weights")
    qtbot.keyClicks(line, "/data/.pt")
    line.setCursorPosition(6)
    qtbot.keyClicks(line, "clip")
    assert state.weights == "/data/clip.pt"
    assert line.cursorPosition() == 10
    qtbot.keyClick(line, Key.Key_End)
    qtbot.keyClicks(line, "  x")
    assert state.weights == "/data/clip.pt  x"
    state.weights = "/other.pt"
    assert line.text() == "/other.pt"
    assert line.toolTip() == "/other.pt"


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        (' "/data/my clip.pt" ', "/data/my clip.pt"),
        ("'/data/clip.pt'", "/data/clip.pt"),
        ("file:///data/my%20clip.pt", "/data/my clip.pt"),
        ("file:", "file:"),
        ('"', '"'),
    ],
)
def test_paths_as_file_managers_copy_them(
    typed: str, path: str, own: ModelView, state: ModelState, qtbot: QtBot
) -> None:
    line = control(own, "sclip_model_weights")
    qtbot.keyClicks(line, typed)
    assert state.weights == path
    assert line.text() == typed


def test_browsing_takes_the_file_that_was_chosen(
    own: ModelView, state: ModelState, files: list[str], qtbot: QtBot
) -> None:
    files += ["/data/clip.pt", ""]
    browse = control(own, "sclip_model_browse")
    qtbot.mouseClick(browse, LEFT)
    assert state.weights == "/data/clip.pt"
    qtbot.mouseClick(browse, LEFT)
    assert files == []
    assert state.weights == "/data/clip.pt"


def drop(line: QWidget, data: QMimeData) -> bool:
    """Drag data onto a line and let go of it; tell whether it was welcome."""
    where, copy = line.rect().center(), Qt.DropAction.CopyAction
    entering = QDragEnterEvent(where, copy, data, LEFT, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(line, entering)
    if entering.isAccepted():
        dropping = QDropEvent(QPointF(where), copy, data, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(line, dropping)
    return entering.isAccepted()


def test_a_file_can_be_dropped(own: ModelView, state: ModelState, tmp_path: Path) -> None:
    state.weights = "/before.pt"
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/clip.pt"), QUrl.fromLocalFile(str(tmp_path / "a b"))])
    assert drop(control(own, "sclip_model_weights"), data)
    assert Path(state.weights) == tmp_path / "a b"


def test_an_architecture_is_typed_or_chosen(
    own: ModelView, state: ModelState, qtbot: QtBot
) -> None:
    box = control(own, "sclip_model_architecture")
    assert box.currentText() == "ViT-B-16-quickgelu"
    box.lineEdit().selectAll()
    qtbot.keyClicks(box.lineEdit(), "ViT-B-16")
    assert state.architecture == box.currentText() == "ViT-B-16"
    box.completer().popup().hide()
    qtbot.keyClick(box, Key.Key_Down)
    qtbot.keyClick(box, Key.Key_Down)
    assert state.architecture == "ViT-B-32-quickgelu"
    state.architecture = "EVA02-B-16"
    assert box.currentText() == "EVA02-B-16"


# Device, attention


@pytest.fixture
def opened(view: ModelView, qtbot: QtBot) -> ModelView:
    qtbot.mouseClick(control(view, "sclip_model_more"), LEFT)
    return view


def test_devices_are_folded_away_until_somebody_opens_them(view: ModelView, qtbot: QtBot) -> None:
    more, device = control(view, "sclip_model_more"), control(view, "sclip_model_device")
    assert not device.isVisible()
    name = control(view, "sclip_model_name")
    name.setFocus()
    qtbot.keyClick(name, Key.Key_Tab)
    assert more.hasFocus()
    qtbot.keyClick(more, Key.Key_Space)
    assert device.isVisible()
    qtbot.keyClick(more, Key.Key_Space)
    assert not device.isVisible()


def test_the_choices_of_device_precision_and_attention(
    opened: ModelView, state: ModelState, qtbot: QtBot
) -> None:
    state.devices = (("cuda:0", "RTX, 24 GB"), ("cpu", "two cores"))
    state.attentions = (("sclip", "softmax(q qT) v"), ("naclip", "neighbours"))
    device, precision, attention = (
        control(opened, f"sclip_model_{name}") for name in ("device", "precision", "attention")
    )
    assert rows_as_drawn(device)[1:] == ["cuda:0: RTX, 24 GB", "cpu: two cores"]
    assert [precision.itemText(k) for k in range(4)] == ["auto", "fp32", "fp16", "bf16"]
    assert rows_as_drawn(attention) == [
        "auto: what suits the model", "sclip", "naclip",
    ]  # fmt: skip
    assert attention.itemData(2, Qt.ItemDataRole.ToolTipRole) == "neighbours"
    for box in (device, precision, attention):
        qtbot.keyClick(box, Key.Key_Down)
    assert (state.device, state.precision, state.attention) == ("cuda:0", "fp32", "sclip")
    state.device = "auto"
    assert device.currentIndex() == 0


def test_the_folded_part_tells_what_is_not_left_open(view: ModelView, state: ModelState) -> None:
    assert control(view, "sclip_model_more").parent().summary == "automatic"
    state.device, state.attention = "cuda:0", "naclip"
    assert control(view, "sclip_model_more").parent().summary == "cuda:0, naclip"


def test_a_remembered_device_that_is_not_here_is_said(opened: ModelView, state: ModelState) -> None:
    box = control(opened, "sclip_model_device")
    state.device = "cuda:1"
    assert box.currentText() == "cuda:1"
    state.devices = (("cpu", "two cores"),)
    assert box.currentText() == "cuda:1 (not found here)"
    assert state.device == "cuda:1"
    state.device = "cpu"
    assert box.keys() == ["auto", "cpu"]


def test_the_report_on_gpus_is_shown(opened: ModelView, state: ModelState) -> None:
    report = control(opened, "sclip_model_gpu_report")
    assert not report.isVisible()
    state.gpu_report = "No GPU is used: this torch was built without CUDA."
    assert report.isVisible()
    assert report.text() == state.gpu_report


def test_the_model_in_memory_can_be_unloaded(
    view: ModelView, state: ModelState, asked: Asked, qtbot: QtBot
) -> None:
    button = control(view, "sclip_model_unload")
    assert not button.isVisible()
    state.loaded = "shapes-demo on cpu, fp32"
    assert button.isVisible()
    assert control(view, "sclip_model_loaded").text() == "In memory: shapes-demo on cpu, fp32"
    state.embeddings = "120 MB of at most 512 MB"
    text = "Image embeddings: 120 MB of at most 512 MB"
    assert control(view, "sclip_model_embeddings").text() == text
    qtbot.mouseClick(button, LEFT)
    assert asked == ["unload"]
    state.loaded = ""
    assert not button.isVisible()


# Looks


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("from_the_start", [True, False])
def test_a_problem_is_read_easily(
    from_the_start: bool, theme: str, state: ModelState, asked: Asked, qtbot: QtBot
) -> None:
    problem = "There is no such file."
    state.problem = problem if from_the_start else ""
    view = ModelView(state, asked)
    host = put_in_napari(view, qtbot, theme)
    label = control(view, "sclip_model_problem")
    assert label.isVisible() == from_the_start
    state.problem = problem
    assert label.isVisible()
    for another in (None, *THEMES):
        if another is not None:
            host.setStyleSheet(get_stylesheet(another))
        text = label.palette().color(QPalette.ColorRole.WindowText).name()
        behind = host.palette().color(QPalette.ColorRole.Window).name()
        assert contrast(parse_color(text), parse_color(behind)) > 4.5
        assert text != host.palette().color(QPalette.ColorRole.WindowText).name()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", [SHAPES, PHOTOS, OWN_FILE])
def test_it_fits_a_narrow_dock(
    name: str, theme: str, state: ModelState, asked: Asked, qtbot: QtBot
) -> None:
    view = ModelView(state, asked)
    host = put_in_napari(view, qtbot, theme)
    control(view, "sclip_model_more").click()
    state.choices = tuple(ModelChoice(m.name, 599, False, m.licence, m.good_for) for m in MODELS)
    state.name, state.loaded = name, "ViT-L-14-336/openai on cuda:0, fp16"
    state.problem = state.gpu_report = state.weights = "/somewhere/" * 20
    state.device, state.devices = "cuda:1", (("cuda:0", "A very long name of a GPU, 24 GB"),)
    state.attention = "a-mode-with-a-long-name-" * 3
    state.download_progress, state.download_message = (3, 9), "Downloading " * 9
    assert host.minimumSizeHint().width() <= 300


def test_letters_names_and_tooltips(opened: ModelView, state: ModelState) -> None:
    state.name, state.loaded, state.download_progress = PHOTOS, "shapes-demo on cpu", (1, 2)
    letters = mnemonics(opened)
    assert sorted(letters) == sorted(set(letters) & set("MDWAKUY"))
    assert nameless(opened) == []

"""Corrections survive a killed process, and a closed one if they were not saved."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from napari.layers import Labels
from pytestqt.qtbot import QtBot

from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.snapshot import read_kept, take_down, write_kept
from napari_sclip.paths import cache_dir
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.control import recovery as autosave
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.control.recovery import autosave_of
from napari_sclip.widgets.work import recovery
from napari_sclip.widgets.work.recovery import LOCK, RecoveryFolder, find_left_behind
from napari_sclip.widgets.work.session import Session

KILLED = """
import os, signal
import napari, numpy as np
from qtpy.QtWidgets import QApplication
from napari_sclip.layers.labels.objects import make_instances_layer
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.layers.image.read import read_request
from napari_sclip.paths import cache_dir
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.control.recovery import autosave_of
from napari_sclip.widgets.state.widget import WidgetState

viewer = napari.Viewer(show=False)
image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo", scale=(2, 2))
labels = new_labels_layer(read_request(viewer, image), parse_classes("leaf, soil"))
viewer.add_layer(labels)
kill = lambda: os.kill(os.getpid(), signal.SIGKILL)
state = WidgetState()
state.correct.learn = True
watching = autosave_of(viewer, cache_dir() / "recovery")
watching.attach(state)
watching.saved = kill
labels.brush_size = 3
labels.paint((5, 5), 2)
objects = make_instances_layer(labels, 2)
viewer.add_layer(objects)
objects.paint((20, 20), 2)
QApplication.exec()
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autosave, "SAVE_MS", 10)


def kept_files() -> list[Path]:
    return sorted((cache_dir() / "recovery").glob("*/*.npz"))


def painted_labels(viewer: Any) -> Labels:
    """Add labels with one stroke to a viewer."""
    image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo")
    labels = new_labels_layer(read_request(viewer, image), parse_classes("leaf, soil"))
    viewer.add_layer(labels)
    labels.paint((5, 5), 2)
    return labels


def wait_for_question(controller: Controller, qtbot: QtBot) -> str:
    run = controller.state.run
    qtbot.waitUntil(lambda: run.question is not None, timeout=10_000)
    assert run.question is not None
    return run.question.text


def test_corrections_come_back_after_a_killed_process(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot,
) -> None:  # fmt: skip
    killed = subprocess.run(
        [sys.executable, "-c", KILLED], check=False, capture_output=True, timeout=120
    )
    assert killed.returncode < 0, killed.stderr.decode()
    left = kept_files()
    controller = make_controller(fake_session)
    run = controller.state.run
    assert "(2 layers)" in wait_for_question(controller, qtbot)
    controller.answer("restore")
    qtbot.waitUntil(lambda: "photo labels" in viewer.layers, timeout=10_000)
    labels = viewer.layers["photo labels"]
    assert [row.name for row in read_legend(labels)] == ["leaf", "soil"]
    assert labels.data[5, 5] == 2
    assert viewer.layers["soil instances"].data[20, 20] == 2
    assert controller.state.correct.learn
    image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo", scale=(2, 2))
    painted = hand_edits(labels, read_request(viewer, image))
    np.testing.assert_array_equal(painted, labels.data == 2)
    # It is kept anew before the old file goes.
    qtbot.waitUntil(lambda: not any(file.exists() for file in left), timeout=10_000)
    assert len(kept_files()) == 2
    viewer.layers.selection = {image}
    controller.segment()
    qtbot.waitUntil(lambda: "Segmented" in run.notice, timeout=20_000)
    assert labels.data[5, 5] == 2
    assert labels.data[0, 0] not in (0, 2)


def test_what_was_left_behind_can_be_thrown_away_or_left(
    make_controller: Callable[[Session], Controller], fake_session: Session, qtbot: QtBot
) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False, capture_output=True, timeout=120)
    assert len(kept_files()) == 2
    for answer, files in (("no", 2), ("discard", 0)):
        controller = make_controller(fake_session)
        wait_for_question(controller, qtbot)
        controller.answer(answer)
        assert len(kept_files()) == files
        controller.close()


@pytest.mark.usefixtures("quick")
def test_only_what_a_hand_did_is_kept_and_undo_takes_it_away(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot,
) -> None:  # fmt: skip
    controller = make_controller(fake_session)
    image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo")
    viewer.layers.selection = {image}
    saves: list[int] = []
    autosave_of(viewer, cache_dir() / "recovery").saved = lambda: saves.append(len(kept_files()))

    def last_is(files: list[int]) -> bool:
        return saves[-1:] == files

    controller.segment()
    qtbot.waitUntil(lambda: saves[-1:] == [0], timeout=20_000)
    labels = viewer.layers["photo labels"]
    labels.paint((5, 5), 2 if labels.data[5, 5] == 1 else 1)
    qtbot.waitUntil(lambda: saves[-1:] == [1], timeout=10_000)
    labels.undo()
    qtbot.waitUntil(lambda: saves[-1:] == [0], timeout=10_000)
    labels.redo()
    qtbot.waitUntil(lambda: saves[-1:] == [1], timeout=10_000)
    labels.undo()
    qtbot.waitUntil(lambda: saves[-1:] == [0], timeout=10_000)
    for checked, files in ((True, [1]), (False, [0]), (True, [1])):
        controller.mark_all_checked(checked)
        qtbot.waitUntil(partial(last_is, files), timeout=10_000)
    viewer.layers.remove(labels)
    assert kept_files() == []


@pytest.mark.usefixtures("quick")
def test_what_is_painted_after_the_widget_was_closed_is_kept_too(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot,
) -> None:  # fmt: skip
    first = make_controller(fake_session)
    first.state.correct.learn = True
    labels = painted_labels(viewer)
    first.close()  # before it was written
    qtbot.waitUntil(lambda: len(kept_files()) == 1, timeout=10_000)
    (file,) = kept_files()

    def kept_is_shown() -> bool:
        return np.array_equal(read_kept(file).data, labels.data)

    labels.paint((20, 20), 1)
    qtbot.waitUntil(kept_is_shown, timeout=10_000)
    assert read_kept(file).record["learn"]
    make_controller(fake_session)
    labels.paint((30, 30), 2)
    qtbot.waitUntil(kept_is_shown, timeout=10_000)
    assert kept_files() == [file]


CLOSED_BY_HAND = """
import napari, numpy as np
from qtpy.QtCore import QTimer
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.prompts import parse_classes
viewer = napari.Viewer(show=False)
_, widget = viewer.window.add_plugin_dock_widget("napari-sclip")
image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo")
labels = new_labels_layer(read_request(viewer, image), parse_classes("leaf, soil"))
viewer.add_layer(labels)
labels.paint((5, 5), 2)

def leave():
    if {remove}:
        viewer.layers.remove(labels)
    viewer.window._qt_window.close()
    napari._qt.qt_event_loop.get_qapp().quit()

QTimer.singleShot(0, leave)
napari.run(force=True)
"""


@pytest.mark.parametrize("remove", [False, True])
def test_what_was_not_saved_comes_back_after_napari_was_closed(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot, remove: bool,
) -> None:  # fmt: skip
    script = CLOSED_BY_HAND.format(remove=remove)
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, timeout=120
    )
    assert ended.returncode == 0, ended.stderr.decode()
    assert len(kept_files()) == (0 if remove else 1)
    if remove:
        return
    controller = make_controller(fake_session)
    told = wait_for_question(controller, qtbot)
    assert "closed before these labels were saved" in told
    controller.answer("restore")
    qtbot.waitUntil(lambda: "photo labels" in viewer.layers, timeout=10_000)
    assert viewer.layers["photo labels"].data[5, 5] == 2


def test_what_is_saved_is_not_offered(viewer: Any) -> None:
    labels = painted_labels(viewer)
    keeper = autosave_of(viewer, cache_dir() / "recovery")
    keeper.keep_soon(labels)
    keeper.keep_now()
    assert len(kept_files()) == 1
    keeper.saved_as_file(labels)
    assert kept_files() == []
    labels.paint((20, 20), 1)
    keeper.keep_now()
    assert len(kept_files()) == 1


def test_the_widget_saves_and_offers_it_no_more(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot, tmp_path: Path,
) -> None:  # fmt: skip
    controller = make_controller(fake_session)
    image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo")
    viewer.layers.selection = {image}
    controller._follower.refresh()
    controller.segment()
    qtbot.waitUntil(lambda: "Segmented" in controller.state.run.notice, timeout=20_000)
    labels = viewer.layers["photo labels"]
    labels.paint((5, 5), 2)
    autosave_of(viewer, cache_dir() / "recovery").keep_now()
    assert len(kept_files()) == 1
    controller.export(str(tmp_path / "photo.png"), "labels")
    qtbot.waitUntil(lambda: "Saved" in controller.state.run.notice, timeout=20_000)
    assert kept_files() == []


def test_nothing_is_written_when_the_session_has_ended(viewer: Any) -> None:
    labels = painted_labels(viewer)
    root = cache_dir() / "recovery"
    folder = RecoveryFolder(root)
    folder.keep("a", take_down(labels))
    assert len(kept_files()) == 1
    folder.saved("a")
    folder.close()
    folder.keep("a", take_down(labels))
    assert list(root.iterdir()) == []


def test_a_layer_that_went_while_it_was_written_is_not_kept(
    viewer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = painted_labels(viewer)
    folder = RecoveryFolder(cache_dir() / "recovery")

    def write_slowly(path: Path, kept: Any) -> None:
        write_kept(path, kept)
        folder.forget("a")

    monkeypatch.setattr(recovery, "write_kept", write_slowly)
    folder.keep("a", take_down(labels))
    assert kept_files() == []
    folder.close()


def test_what_was_left_is_found_again_where_a_lock_takes_its_file_along(viewer: Any) -> None:
    labels = painted_labels(viewer)
    root = cache_dir() / "recovery"
    folder = RecoveryFolder(root)
    folder.keep("a", take_down(labels))
    (file,) = kept_files()
    left = root / "of-a-killed-session"
    left.mkdir()
    shutil.copy(file, left)
    for _ in range(2):
        (found,) = find_left_behind(root)
        assert found.folder == left
        (left / LOCK).unlink()
    folder.close()


ENDING = """
import napari
viewer = napari.Viewer(show={show})
viewer.window.add_plugin_dock_widget("napari-sclip")
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("raise ValueError('of a script')", 1)])
@pytest.mark.parametrize("show", [True, False])
def test_a_script_that_ends_without_closing_the_viewer_ends_as_it_should(
    show: bool, end: str, code: int
) -> None:
    script = ENDING.format(show=show, end=end)
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, timeout=120
    )
    said = ended.stderr.decode()
    assert "RuntimeError" not in said
    assert ended.returncode == code, said


def test_a_session_that_goes_on_is_not_taken_for_a_killed_one(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(autosave, "SAVE_MS", 10)
    make_controller(fake_session)
    painted_labels(viewer)
    qtbot.waitUntil(lambda: len(kept_files()) == 1, timeout=10_000)
    assert find_left_behind(cache_dir() / "recovery") == ()


def test_a_folder_that_cannot_be_written_is_told(
    viewer: Any, make_controller: Callable[[Session], Controller], fake_session: Session,
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(autosave, "SAVE_MS", 10)
    cache_dir().mkdir(parents=True, exist_ok=True)
    (cache_dir() / "recovery").write_text("in the way")
    controller = make_controller(fake_session)
    image = viewer.add_image(np.zeros((40, 60), np.uint8), name="photo")
    viewer.layers.selection = {image}
    controller.segment()
    qtbot.waitUntil(lambda: "photo labels" in viewer.layers, timeout=20_000)
    qtbot.waitUntil(lambda: "Segmented" in controller.state.run.notice, timeout=20_000)
    viewer.layers["photo labels"].paint((5, 5), 2)
    qtbot.waitUntil(lambda: "could not be kept" in controller.state.run.notice, timeout=10_000)

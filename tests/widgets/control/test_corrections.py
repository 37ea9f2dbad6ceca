"""The loop of correcting, with the bundled model on a scene whose truth is known."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imageio.v3 as iio
import numpy as np
import pytest
from napari.layers import Image, Labels
from napari.layers._layer_actions import _duplicate_layer
from pytestqt.qtbot import QtBot
from scipy import ndimage

from napari_sclip.class_files import ClassList, write_class_list
from napari_sclip.cli import main
from napari_sclip.engine.classifier import Classifier
from napari_sclip.layers.io.open import labels_layer_from_mask
from napari_sclip.layers.io.save import save_labels
from napari_sclip.layers.labels.annotations import prediction_log
from napari_sclip.layers.labels.examples import scribbles_over
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.snapshot import make_layer, take_down
from napari_sclip.layers.maps import map_kind
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.state.run import IDLE
from napari_sclip.widgets.work.session import Session

Do = Callable[[Callable[[], Any]], None]
SCENE = "scene_2"
HAS = re.compile(r"has ([\d,]+) pixels")
TWO_CLASSES = "thing = green cell | cyan star, background = yellow circle | plain background"


@pytest.fixture
def desk(viewer: Any, make_controller: Callable[[Session], Controller]) -> Controller:
    """A controller at a scene, with the bundled model and poor words for what is in it."""
    viewer.open_sample("napari-sclip", SCENE)
    made = make_controller(Session())
    made._follower.refresh()
    made.take_suggestion()
    made.state.detail.refine = ""
    return made


@pytest.fixture
def do(desk: Controller, qtbot: QtBot) -> Do:
    """Do something, and wait until nothing runs."""

    def act(what: Callable[[], Any]) -> None:
        what()
        qtbot.waitUntil(lambda: desk.state.run.status == IDLE, timeout=60_000)
        assert desk.state.run.failure is None, desk.state.run.failure.message

    return act


def is_outlined(labels: Labels) -> bool:
    return bool(labels._overlays["selection_box"].visible)


def test_the_outline_goes_with_the_dock_and_with_a_new_run(desk: Controller, do: Do) -> None:
    do(desk.segment)
    labels = labels_in(desk.corrections.desk.viewer)
    do(desk.go_to_unsure)
    assert is_outlined(labels)
    do(desk.segment)
    assert not is_outlined(labels)
    do(desk.go_to_unsure)
    desk.close()
    assert not is_outlined(labels)


def truth_in(viewer: Any) -> np.ndarray:
    (layer,) = [x for x in viewer.layers if x.name.endswith("ground truth")]
    return np.asarray(layer.data)


def labels_in(viewer: Any) -> Any:
    (layer,) = [x for x in viewer.layers if isinstance(x, Labels) and x.name.endswith(" labels")]
    return layer


def correct_once(labels: Any, truth: np.ndarray) -> None:
    """Paint a disc of the true class where most is wrong."""
    parts, _ = ndimage.label(labels.data != truth)
    largest = parts == np.argmax(np.bincount(parts.ravel())[1:]) + 1
    inner = ndimage.distance_transform_edt(largest)
    labels.brush_size = 7
    labels.paint(np.unravel_index(inner.argmax(), inner.shape), int(truth[inner == inner.max()][0]))


def test_a_stroke_teaches_and_stays(viewer: Any, desk: Controller, do: Do, qtbot: QtBot) -> None:
    # The star is called by another name, so the words alone find little of it.
    text = desk.state.classes.text.replace("cyan star", "cyan star = brown ring")
    desk.state.classes.set_text(text)
    do(desk.segment)
    labels, truth = labels_in(viewer), truth_in(viewer)
    before = (labels.data == truth).mean()
    star = truth == 4
    found_before = (labels.data[star] == 4).mean()
    rows, columns = np.nonzero(ndimage.binary_erosion(star, iterations=6))
    shown = labels.data.copy()
    labels.brush_size = 7
    labels.paint((rows[0], columns[0]), 4)
    painted = labels.data.copy()
    mine = painted != shown
    do(desk.refine_from_strokes)
    assert desk.state.correct.learned.startswith("Learned from ")
    assert "learned from what was painted" in desk.state.run.notice
    assert "without a vision pass" in desk.state.run.notice
    assert (labels.data[star] == 4).mean() > found_before + 0.1
    assert (labels.data == truth).mean() > before
    np.testing.assert_array_equal(labels.data[mine], 4)
    labels.undo()
    np.testing.assert_array_equal(labels.data, painted)
    labels.redo()
    do(desk.forget_learned)
    assert desk.state.correct.learned == ""
    do(desk.segment)
    assert "learned" not in desk.state.run.notice
    np.testing.assert_array_equal(labels.data[mine], 4)


def test_without_strokes_there_is_nothing_to_learn(desk: Controller, do: Do) -> None:
    do(desk.segment)
    desk.refine_from_strokes()
    assert "Nothing has been painted" in desk.state.run.notice
    assert not desk.state.correct.learn


def test_live_learns_from_every_stroke(viewer: Any, desk: Controller, do: Do, qtbot: QtBot) -> None:
    do(desk.segment)
    labels, truth = labels_in(viewer), truth_in(viewer)
    desk.state.correct.learn = True
    desk.state.run.live = True
    qtbot.waitUntil(lambda: desk.state.run.status == IDLE, timeout=20_000)
    correct_once(labels, truth)
    qtbot.waitUntil(lambda: desk.state.correct.learned != "", timeout=20_000)
    qtbot.waitUntil(lambda: desk.state.run.status == IDLE, timeout=20_000)
    # The same pixels in another label teach something else.
    desk.corrections.tally.count()
    first, painted = desk.corrections.teaching.learned, desk.state.correct.painted
    row, column = np.argwhere(prediction_log(labels).edited_everywhere(labels.data))[0]
    labels.brush_size = 1
    labels.paint((row, column), labels.data[row, column] % 4 + 1)
    qtbot.waitUntil(lambda: desk.corrections.teaching.learned is not first, timeout=20_000)
    qtbot.waitUntil(lambda: desk.state.run.status == IDLE, timeout=20_000)
    assert desk.state.correct.painted == painted


def test_a_removed_class_keeps_what_was_painted_until_the_person_decides(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    labels.brush_size = 5
    labels.paint((5, 5), 3)
    painted = int((labels.data[:12, :12] == 3).sum())
    table = desk.state.classes
    (row,) = [r for r in table.rows if r.name == "orange triangle"]
    table.remove([row.key])
    do(desk.segment)
    desk.corrections.tally.count()
    assert int((labels.data == 3).sum()) == painted
    (orphan,) = desk.state.correct.orphans
    assert (orphan.id, orphan.name, orphan.pixels) == (3, "orange triangle", painted)
    desk.keep_class(3)
    desk.corrections.tally.count()
    assert desk.state.correct.orphans == ()
    assert [r.name for r in table.rows][-1] == "orange triangle"
    assert dict(zip([r.name for r in table.rows], table.ids(), strict=True))["orange triangle"] == 3
    table.remove([table.rows[-1].key])
    desk.release_class(3)
    do(desk.segment)
    assert not (labels.data == 3).any()


def test_a_label_that_was_painted_without_a_class_is_not_given_to_a_new_one(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    labels, table = labels_in(viewer), desk.state.classes
    unknown = max(table.ids()) + 1
    labels.paint((5, 5), unknown)
    desk.corrections.tally.count()
    table.add("purple square")
    assert dict(zip([r.name for r in table.rows], table.ids(), strict=True))["purple square"] == (
        unknown + 1
    )
    painted = labels.data == unknown
    do(desk.segment)
    np.testing.assert_array_equal(labels.data == unknown, painted)
    assert {row.id: row.name for row in read_legend(labels)}[unknown + 1] == "purple square"
    # What was painted of a class before its first run is that class.
    table.add("red square")
    labels.paint((9, 9), unknown + 2)
    do(desk.segment)
    assert {row.id: row.name for row in read_legend(labels)}[unknown + 2] == "red square"


def test_scribbles_teach_and_change_no_label(
    viewer: Any, desk: Controller, do: Do, qtbot: QtBot
) -> None:
    table = desk.state.classes
    table.set_text(table.text.replace("cyan star", "cyan star = brown ring"))
    do(desk.segment)
    labels, truth = labels_in(viewer), truth_in(viewer)
    star = next(row.id for row in read_legend(labels) if row.name == "cyan star")
    missed = (truth == star) & (labels.data != star)
    before, wrong = labels.data.copy(), (labels.data != truth).sum()
    desk.add_scribbles()
    scribbles = viewer.layers.selection.active
    assert scribbles.name == f"{labels.name} scribbles"
    {str(key): act for key, act in scribbles.keymap.items()}[str(star)](scribbles)
    assert (scribbles.selected_label, str(scribbles.mode)) == (star, "paint")
    inner = ndimage.distance_transform_edt(missed)
    scribbles.brush_size = 5
    scribbles.paint(np.unravel_index(inner.argmax(), inner.shape), star)
    qtbot.waitUntil(lambda: desk.state.correct.scribbled > 0)
    np.testing.assert_array_equal(labels.data, before)
    assert desk.state.correct.painted == 0
    do(desk.refine_from_strokes)
    assert (labels.data != truth).sum() < wrong
    assert (missed & (labels.data != star)).sum() < missed.sum() - 100
    assert "1 class" in desk.state.correct.learned
    # They are kept for the case of a crash, and known by name when they are brought back.
    back = make_layer(take_down(scribbles))
    viewer.layers.remove(scribbles)
    assert scribbles_over(labels, viewer.layers) == ()
    viewer.add_layer(back)
    assert scribbles_over(labels, viewer.layers) == (back,)
    np.testing.assert_array_equal(back.data, scribbles.data)


def test_painting_with_a_label_of_no_class_is_said_to_teach_nothing(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    labels_in(viewer).paint((5, 5), 9)
    do(desk.refine_from_strokes)
    assert "teaches nothing" in desk.state.run.notice
    assert desk.state.correct.learned == ""


def test_corrections_are_those_of_the_labels_that_a_person_turns_to(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    first = labels_in(viewer)
    desk.state.run.target = "new"
    do(desk.segment)
    desk.state.run.target = "update"
    second = viewer.layers[-1]
    assert desk.state.correct.labels == second.name != first.name
    viewer.layers.selection = {first}
    assert desk.state.correct.labels == first.name
    first.paint((5, 5), 2)
    before = second.data.copy()
    do(desk.refine_from_strokes)
    assert desk.state.correct.learned
    np.testing.assert_array_equal(second.data, before)
    (truth,) = [x for x in viewer.layers if x.name.endswith("ground truth")]
    viewer.layers.selection = {truth}
    assert desk.state.correct.labels == first.name


def test_a_mask_that_napari_opens_is_gone_on_with(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path
) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    labels.paint((5, 5), 2)
    painted = labels.data == 2
    do(lambda: desk.export(str(tmp_path / "leaf"), "labels"))
    viewer.layers.remove(labels)
    viewer.open(str(tmp_path / "leaf_classes.json"), plugin="napari-sclip")
    back = viewer.layers[-1]
    viewer.layers.selection = {desk._follower.layer}
    desk._follower.refresh()
    assert desk.state.correct.labels == back.name == "leaf"
    desk.state.classes.set_text("yellow circle, green cell = nothing | void")
    do(desk.segment)
    assert [x for x in viewer.layers if isinstance(x, Labels) and read_legend(x)] == [back]
    assert (back.data[5, 5], painted[5, 5]) == (2, True)


def test_a_duplicated_layer_knows_what_is_painted_and_checked(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    labels.brush_size = 9
    row, column = np.argwhere(labels.data == 1)[50]
    labels.paint((row, column), 0)
    labels.paint((5, 5), 2)
    desk.mark_all_checked(True)
    viewer.layers.selection = {labels}
    _duplicate_layer(viewer.layers)
    (copy,) = (x for x in viewer.layers if isinstance(x, Labels) and x.name.endswith("copy"))
    painted = prediction_log(labels).edited_everywhere(labels.data)
    np.testing.assert_array_equal(prediction_log(copy).edited_everywhere(copy.data), painted)
    assert painted.any()
    viewer.layers.selection = {copy}
    assert desk.state.correct.labels == copy.name
    assert desk.state.correct.checked == 1
    do(desk.segment)
    np.testing.assert_array_equal(copy.data, labels.data)


def test_what_was_learned_of_one_image_is_not_used_to_look_at_another(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    first = desk._follower.layer
    correct_once(labels_in(viewer), truth_in(viewer))
    do(desk.refine_from_strokes)
    learned = desk.state.correct.learned
    assert learned
    other = viewer.add_image(np.asarray(first.data)[::-1], rgb=True, name="another")
    viewer.layers.selection = {other}
    desk._follower.refresh()
    assert (desk.state.correct.learned, desk.state.run.notice) == ("", "")
    assert desk.learned_values() is not None  # a preset keeps it
    viewer.layers.selection = {first}
    desk._follower.refresh()
    assert desk.state.correct.learned == learned


def test_what_was_learned_goes_along_when_a_class_with_prompts_is_renamed(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path
) -> None:
    text = desk.state.classes.text.replace("cyan star", "star = cyan star")
    desk.state.classes.set_text(text)
    do(desk.segment)
    correct_once(labels_in(viewer), truth_in(viewer))
    do(desk.refine_from_strokes)
    table = desk.state.classes
    rows = {row.name: row.key for row in table.rows}
    table.set(rows["star"], name="asterisk")
    values = desk.learned_values()
    assert values is not None
    assert "asterisk" in {row["name"] for row in values["classes"]}
    file = tmp_path / "mine.json"
    write_class_list(file, ClassList(table.classes(), learned=values))
    assert Classifier.load(file).images == 1
    do(desk.show_margin)
    table.set(rows["green cell"], name="lime cell")  # whose name is what is looked for
    assert desk.learned_values() is None
    assert "press Segment" in desk.why_not_learned()
    assert "--classes-file" not in desk.repeat_as("shell")
    assert "press Segment" in desk.state.run.notice
    do(desk.segment)
    values = desk.learned_values()
    assert values is not None
    assert "lime cell" in {row["name"] for row in values["classes"]}
    assert desk.why_not_learned() == ""


def test_what_a_preset_has_taught_is_used_with_one_class_more_or_less(
    viewer: Any, desk: Controller, do: Do
) -> None:
    table = desk.state.classes
    text = table.text.replace("cyan star", "cyan star = brown ring")
    table.set_text(text)
    do(desk.segment)
    before = labels_in(viewer).data.copy()
    correct_once(labels_in(viewer), truth_in(viewer))
    do(desk.refine_from_strokes)
    taught = desk.learned_values()
    for changed in (f"{text}, red ring", text.replace("green cell, ", "")):
        viewer.layers.remove(labels_in(viewer))
        table.set_text(changed)
        desk.carry_over(None)
        desk.state.correct.learn = False
        do(desk.segment)
        by_text = labels_in(viewer).data.copy()
        viewer.layers.remove(labels_in(viewer))
        desk.carry_over(taught)
        do(desk.segment)
        assert "not used" not in desk.state.run.notice
        assert "Learned from" in desk.state.correct.learned
        assert (labels_in(viewer).data != by_text).sum() > 100
    assert before.any()
    table.set_text("leaf, soil")
    desk.carry_over(taught)
    do(desk.segment)
    assert "is of other classes" in desk.state.run.notice
    assert desk.state.correct.learned == ""


def test_what_was_learned_with_another_attention_mode_is_passed_over(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    correct_once(labels_in(viewer), truth_in(viewer))
    do(desk.refine_from_strokes)
    values = desk.learned_values()
    desk.state.model.attention = "vanilla"
    do(desk.show_margin)
    do(desk.go_to_unsure)
    desk.carry_over(values)
    desk.state.correct.learn = False
    do(desk.segment)
    assert "of another model or attention mode" in desk.state.run.notice
    assert desk.state.correct.learned == ""


def test_a_class_that_comes_after_the_run_can_be_painted_with_at_once(
    viewer: Any, desk: Controller, do: Do, qtbot: QtBot
) -> None:
    do(desk.segment)
    labels, table = labels_in(viewer), desk.state.classes
    table.set_text(f"{table.text}, fern, moss, fern")
    known = read_legend(labels)
    labels.selected_label = table.rows[-1].id  # there twice, and so not a class
    assert read_legend(labels) == known
    table.remove([table.rows[-1].key])
    labels.selected_label = 99
    assert read_legend(labels) == known
    numbers = {row.name: row.id for row in table.rows}
    colors = {row.name: table.colors()[row.key] for row in table.rows}
    labels.selected_label = numbers["fern"]
    labels.paint((5, 5), numbers["fern"])
    desk.paint_with(numbers["moss"])
    labels.paint((25, 25), numbers["moss"])
    found = {row.name: row for row in read_legend(labels)}
    for name in ("fern", "moss"):
        assert (found[name].id, found[name].color) == (numbers[name], colors[name])
        assert name in list(labels.features["class"])
    qtbot.waitUntil(lambda: {"fern", "moss"} <= set(desk.state.correct.names), timeout=5000)
    assert labels.selected_label == numbers["moss"]
    do(desk.segment)
    assert (labels.data == numbers["moss"]).any()
    rows = {row.name: row.id for row in read_legend(labels)}
    assert {name: rows[name] for name in ("fern", "moss")} == {
        name: numbers[name] for name in ("fern", "moss")
    }


def test_a_class_that_is_back_in_the_table_can_be_chosen_again(
    viewer: Any, desk: Controller, do: Do, qtbot: QtBot
) -> None:
    table, names = desk.state.classes, desk.state.correct
    text = table.text
    do(desk.segment)
    assert "green cell" in names.names
    table.set_text(text.replace("green cell, ", ""))
    do(desk.segment)
    qtbot.waitUntil(lambda: "green cell" not in names.names, timeout=5000)
    table.set_text(text)
    qtbot.waitUntil(lambda: "green cell" in names.names, timeout=5000)


def test_a_class_is_renamed_in_the_labels_of_every_image(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    first = labels_in(viewer)
    other = viewer.add_image(np.asarray(desk._follower.layer.data)[::-1], rgb=True, name="another")
    viewer.layers.selection = {other}
    do(desk.segment)
    second = viewer.layers["another labels"]
    assert desk.state.correct.labels == second.name
    table = desk.state.classes
    table.set(table.rows[1].key, name="lime cell")
    for labels in (first, second):
        assert [row.name for row in read_legend(labels)].count("lime cell") == 1
        assert "green cell" not in {row.name for row in read_legend(labels)}


def test_keys_lead_from_region_to_region_until_all_is_checked(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    correct = desk.state.correct
    viewer.layers.selection = {labels}
    places: list[tuple[float, ...]] = []
    told: list[str] = []
    keys = {str(key).casefold(): act for key, act in labels.keymap.items()}
    for _ in range(200):
        do(lambda: keys["c" if places else "n"](labels))
        if correct.checked == 1:
            break
        places.append(tuple(viewer.camera.center))
        assert is_outlined(labels)
        told.append(desk.state.run.notice)
    assert correct.checked == 1
    for kind in ("unsure region", "none unsure"):  # the largest first, of each kind
        areas = [int(m[1].replace(",", "")) for n in told if kind in n and (m := HAS.search(n))]
        assert areas == sorted(areas, reverse=True)
        assert len(areas) > 1
    assert len(set(places)) == len(places) > 2
    assert "All of this plane is checked" in desk.state.run.notice
    desk.tell("")
    desk.mark_checked()
    assert "All of this plane is checked" in desk.state.run.notice
    assert not is_outlined(labels)
    desk.mark_all_checked(False)
    assert correct.checked == 0


def test_scores_and_margin_are_shown_and_not_taken_for_the_image(
    viewer: Any, desk: Controller, do: Do
) -> None:
    do(desk.segment)
    image = desk._follower.layer
    name = desk.state.correct.names[0]
    do(lambda: desk.show_scores(name))
    do(lambda: desk.show_scores(name))
    do(desk.show_margin)
    maps = [x for x in viewer.layers if isinstance(x, Image) and map_kind(x)]
    assert [map_kind(x) for x in maps] == ["scores", "margin"]
    scores = maps[0]
    assert scores.colormap.name == "magma"
    assert tuple(scores.contrast_limits) == (0, 1)
    found = labels_in(viewer).data == 1
    assert np.asarray(scores.data)[found].mean() > 0.5 > np.asarray(scores.data)[~found].mean()
    viewer.layers.selection = {scores}
    desk._follower.refresh()
    assert desk._follower.layer is image


def test_attention_at_a_click(viewer: Any, desk: Controller, do: Do) -> None:
    do(desk.segment)
    desk.state.correct.attention = True
    assert desk.corrections.explaining._on_mouse in viewer.mouse_drag_callbacks
    click(viewer, (200.0, 250.0))
    do(lambda: None)
    shown = [x for x in viewer.layers if isinstance(x, Image) and map_kind(x) == "attention"]
    assert len(shown) == 2
    image = desk._follower.layer
    over, beside = (x.extent.world[:, -1] for x in shown)
    assert over[0] >= image.extent.world[0, -1] - 1
    assert beside[0] > image.extent.world[1, -1]
    assert {x.metadata["napari_sclip"]["of"] for x in shown} >= {"vanilla"}
    assert desk.state.correct.heads > 1
    before = np.array(shown[0].data)
    do(lambda: setattr(desk.state.correct, "head", 1))
    assert not np.array_equal(before, shown[0].data)
    labels = labels_in(viewer)
    desk.state.correct.attention = False
    viewer.layers.selection = {labels}
    labels.mode = "paint"
    desk.state.correct.attention = True
    assert str(labels.mode) == "pan_zoom"
    labels.mode = "paint"
    before = np.array(shown[0].data)
    click(viewer, (20.0, 25.0))
    assert "pan/zoom" in desk.state.run.notice
    np.testing.assert_array_equal(shown[0].data, before)
    desk.state.correct.attention = False
    assert desk.corrections.explaining._on_mouse not in viewer.mouse_drag_callbacks


def click(viewer: Any, place: tuple[float, ...]) -> None:
    """Press and release the mouse at a place of the world."""

    class Event:
        type = "mouse_press"
        pos = (10, 10)
        position = place
        button = 1
        modifiers = ()

    event = Event()
    for callback in list(viewer.mouse_drag_callbacks):
        steps = callback(viewer, event)
        if steps is not None:
            next(steps, None)
            event.type = "mouse_release"
            next(steps, None)


def test_live_typing_leaves_no_classes_behind(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path, qtbot: QtBot
) -> None:
    do(desk.segment)
    text = desk.state.classes.text
    for half in (f"{text}, zzz", f"{text}, zzz qqq"):
        desk.state.classes.set_text(half)
        do(desk.segment)
    desk.state.classes.set_text(text)
    do(desk.segment)
    labels = labels_in(viewer)
    labels.data[labels.data > 4] = 0
    qtbot.waitUntil(lambda: not desk.corrections.tally.is_behind, timeout=5000)
    names = {row.name for row in desk.state.classes.rows if not row.background}
    assert set(desk.state.correct.names) == names
    saved = save_labels(labels, tmp_path / "leaf.png", "labels")[0]
    legend = read_legend(labels_layer_from_mask(saved))
    assert {row.name for row in legend if row.id} == names


def test_objects_there_and_back(viewer: Any, desk: Controller, do: Do) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    name = desk.state.correct.names[0]
    do(lambda: desk.split_objects(name, touching=True))
    objects = viewer.layers[-1]
    assert (np.asarray(objects.data) > 0).sum() == (labels.data == 1).sum()
    viewer.layers.selection = {objects}
    assert name in desk.state.correct.instances
    before = labels.data.copy()
    objects.data[:4, :4] = 1
    desk.write_objects_back()
    assert (labels.data[:4, :4] == 1).all()
    labels.undo()
    np.testing.assert_array_equal(labels.data, before)


def test_export_and_start_again_from_the_file(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path
) -> None:
    do(desk.segment)
    labels = labels_in(viewer)
    labels.paint((5, 5), 2)
    do(lambda: desk.export(str(tmp_path / "leaf"), "labels"))
    assert "Saved leaf.png" in desk.state.run.notice
    assert {path.name for path in tmp_path.glob("leaf*")} == {
        "leaf.png", "leaf_classes.json", "leaf.png_prediction.npz",
    }  # fmt: skip
    saved = labels.data.copy()
    painted = prediction_log(labels).edited_everywhere(labels.data)
    assert painted.any()
    legend = read_legend(labels)
    viewer.layers.remove(labels)
    do(lambda: desk.start_from_mask(str(tmp_path / "leaf.png")))
    back = viewer.layers[-1]
    np.testing.assert_array_equal(back.data, saved)
    assert [(r.id, r.name, r.color) for r in read_legend(back)] == [
        (r.id, r.name, r.color) for r in legend
    ]
    # The prediction was saved beside it, so what was predicted is still free.
    np.testing.assert_array_equal(prediction_log(back).edited_everywhere(back.data), painted)
    desk.state.classes.set_text("yellow circle, green cell = nothing | void")
    do(desk.segment)
    np.testing.assert_array_equal(back.data[painted], saved[painted])
    assert (back.data[saved == 3] != 3).all()


def test_labels_from_elsewhere_are_taken_as_a_starting_point(
    viewer: Any, desk: Controller, do: Do
) -> None:
    data = np.zeros(truth_in(viewer).shape, np.int32)
    data[10:20, 10:20] = 7
    other = viewer.add_labels(data, name="mine")
    viewer.layers.selection = {other}
    desk.start_from_layer()
    assert {row.id for row in read_legend(other)} == {0, 7} or {
        row.id for row in read_legend(other)
    } == {7}
    do(desk.segment)
    assert (other.data[10:20, 10:20] == 7).all()
    assert (other.data != 0).sum() > 100


def test_the_run_can_be_repeated_from_the_lines_that_are_copied(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(desk.segment)
    shown = labels_in(viewer).data
    monkeypatch.chdir(tmp_path)
    iio.imwrite("IMAGE.png", np.asarray(desk._follower.layer.data))
    words = shlex.split(desk.repeat_as("shell"))
    assert words[0] == "napari-sclip"
    assert main(words[1:]) == 0
    np.testing.assert_array_equal(iio.imread("labels/IMAGE_labels.png", mode="P"), shown)
    names = json.loads(Path("labels/IMAGE_classes.json").read_text())["classes"]
    assert len(names) == len(desk.state.classes.rows)
    for path in Path("labels").iterdir():
        path.unlink()
    exec(compile(desk.repeat_as("python"), "copied", "exec"), {})
    np.testing.assert_array_equal(iio.imread("labels/IMAGE_labels.png", mode="P"), shown)


def test_what_was_learned_is_in_the_lines_that_are_copied(
    viewer: Any, desk: Controller, do: Do, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = desk.state.classes
    table.set_text(table.text.replace("cyan star", "cyan star = brown ring"))
    do(desk.segment)
    before = labels_in(viewer).data.copy()
    correct_once(labels_in(viewer), truth_in(viewer))
    do(desk.refine_from_strokes)
    labels = labels_in(viewer)
    painted = prediction_log(labels).edited_everywhere(labels.data)
    monkeypatch.chdir(tmp_path)
    iio.imwrite("IMAGE.png", np.asarray(desk._follower.layer.data))
    for language in ("shell", "python"):
        lines = desk.repeat_as(language)
        assert "what was learned" in desk.state.run.notice
        if language == "shell":
            assert main(shlex.split(lines)[1:]) == 0
        else:
            exec(compile(lines, "copied", "exec"), {})
        found = iio.imread("labels/IMAGE_labels.png", mode="P")
        np.testing.assert_array_equal(found[~painted], labels.data[~painted])
        assert (found != before).sum() > 100
        for path in Path("labels").iterdir():
            path.unlink()
    attention = desk.state.model.attention
    desk.state.model.attention = "vanilla"
    assert "--classes-file" not in desk.repeat_as("shell")
    assert "is of another model" in desk.state.run.notice
    desk.state.model.attention, desk.state.model.device = attention, "cpu"
    assert "--classes-file" in desk.repeat_as("shell")
    table.set_text("leaf, soil")  # of which nothing was learned
    assert "--classes-file" not in desk.repeat_as("shell")


def test_classes_that_no_line_can_hold_are_copied_as_a_file(
    viewer: Any, desk: Controller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = desk.state.classes
    table.set(table.rows[0].key, name="circle, yellow = round")
    words = shlex.split(desk.repeat_as("shell"))
    monkeypatch.chdir(tmp_path)
    iio.imwrite("IMAGE.png", np.asarray(desk._follower.layer.data))
    assert main(words[1:]) == 0
    names = json.loads(Path("labels/IMAGE_classes.json").read_text())["classes"]
    assert names[0]["name"] == "circle, yellow = round"
    assert "Classifier" not in desk.repeat_as("python")


def test_where_all_is_checked_the_key_says_so(
    viewer: Any, controller: Controller, image: Any, run: Callable[[], None]
) -> None:
    run()
    controller.mark_checked()
    assert "Go to a region first" in controller.state.run.notice
    controller.mark_all_checked(True)
    controller.mark_checked()
    assert controller.state.run.notice == "All of this plane is checked."
    labels_in(viewer).paint((5, 5), 0)
    controller.mark_all_checked(False)
    controller.mark_checked()
    assert "Go to a region first" in controller.state.run.notice

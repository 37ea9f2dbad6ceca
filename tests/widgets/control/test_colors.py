"""What the labels show a class in, and go on to show it in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.widgets.control.controller import Controller
from napari_sclip.widgets.work.session import Session

Press = Callable[[], None]


def legend_colors(controller: Controller) -> dict[str, str]:
    return {row.name: row.color for row in read_legend(controller._link.current)}


def table_colors(controller: Controller) -> dict[str, str]:
    table = controller.state.classes
    return {row.name: table.colors()[row.key] for row in table.rows}


def test_classes_of_the_labels_keep_their_colours(
    controller: Controller, image: Any, run: Press
) -> None:
    table = controller.state.classes
    table.set_text("cat, dog, background")  # which by name want the same
    run()
    labels: Any = controller._link.current
    before = legend_colors(controller)
    shown = {k: tuple(c) for k, c in labels.colormap.color_dict.items()}
    table.shift({table.rows[1].key}, -1)
    assert legend_colors(controller) == before
    table.set_text("dog, background")
    assert legend_colors(controller) == before
    run()
    assert legend_colors(controller) == before
    assert {k: tuple(c) for k, c in labels.colormap.color_dict.items()} == shown
    table.set_text("dog, background, bird, hen, cow, fox, owl, elk, cat")
    assert table_colors(controller)["cat"] == before["cat"]
    others = [c for name, c in table_colors(controller).items() if name != "cat"]
    assert before["cat"] not in others
    assert len(set(others)) == len(others)


def test_a_class_that_was_the_background_for_a_while(
    controller: Controller, image: Any, run: Press
) -> None:
    table = controller.state.classes
    table.set_text("cat, dog, bird")
    run()
    before = table_colors(controller)
    key = table.rows[0].key
    table.set(key, background=True)
    run()
    assert "cat (was 1)" in legend_colors(controller)
    table.add("cow")
    assert before["cat"] not in [table_colors(controller)[n] for n in ("dog", "bird", "cow")]
    table.set(key, background=False)
    assert {n: c for n, c in table_colors(controller).items() if n != "cow"} == before


def test_colours_at_the_next_start(
    make_controller: Callable[[Session], Controller], fake_session: Session
) -> None:
    first = make_controller(fake_session)
    first.state.classes.set_text("dog")
    first.state.classes.set_text("cat, dog, background")
    before = table_colors(first)
    first.state.classes.set_text("grass")
    first.close()
    second = make_controller(fake_session)
    second.state.classes.set_text("dog, cat, grass")
    assert {n: c for n, c in table_colors(second).items() if n != "grass"} == {
        n: c for n, c in before.items() if n != "background"
    }

"""The guide and the list of controls, held against the dock widget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from npe2 import PluginManifest
from pytestqt.qtbot import QtBot
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

import napari_sclip
from napari_sclip.widgets import commands
from napari_sclip.widgets.dock import SegmentWidget
from napari_sclip.widgets.state.correct import Orphan
from napari_sclip.widgets.state.run import Question
from napari_sclip.widgets.work.session import Session
from tests.widgets.views.hands import show_changes

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guide.md").read_text(encoding="utf-8")
CONTROLS = (DOCS / "controls.md").read_text(encoding="utf-8")
LASTING, _, PASSING = CONTROLS.partition("## What comes and goes")
FRAME = {"sclip_widget", "sclip_scroll"}


@pytest.fixture
def viewer(make_napari_viewer: Any) -> Any:
    viewer = make_napari_viewer()
    viewer.add_image(np.zeros((40, 60, 3), np.uint8), name="photo")
    return viewer


@pytest.fixture
def widget(viewer: Any, fake_session: Session, qtbot: QtBot) -> Iterator[SegmentWidget]:
    made = SegmentWidget(viewer, fake_session)
    viewer.window.add_dock_widget(made, name="SCLIP Segmentation")
    qtbot.waitUntil(lambda: bool(made.state.model.devices), timeout=60_000)
    show_changes(made)
    yield made
    made.controller.close()


def listed(page: str) -> list[str]:
    """Names in the first column of the tables of a page."""
    return re.findall(r"^\| `(sclip_\w+)` \|", page, flags=re.MULTILINE)


def named(parent: QObject) -> set[str]:
    """Names of all that can be found in a part of the user interface."""
    names = {found.objectName() for found in parent.findChildren(QObject)}
    return {name for name in names if name.startswith("sclip_")}


def test_the_list_has_the_names_of_all_controls(widget: SegmentWidget) -> None:
    names = listed(LASTING)
    assert len(names) == len(set(names)) > 70
    assert set(names) == named(widget) - FRAME


def test_the_list_names_the_frame_of_the_widget(widget: SegmentWidget) -> None:
    assert {widget.objectName()} | named(widget) >= FRAME
    assert all(f"`{name}`" in PASSING for name in FRAME)


def test_the_list_has_the_names_that_come_and_go(widget: SegmentWidget) -> None:
    lasting = named(widget)
    widget.state.classes.set_text("cat")
    table: Any = widget.findChild(QObject, "sclip_classes_table")
    index = table.model().index(0, 0)
    menu = table.context_menu(index)
    passing = {action.objectName() for action in menu.actions()}
    menu.deleteLater()
    table.native_dialogs = False
    table.choose_color(index)
    for key in (
        "yes",
        "segment",
        "region",
        "read",
        "image",
        "restore",
        "discard",
        "no",
    ):
        widget.state.run.question = Question("test", "Which?", ((key, "This one"),))
        passing |= named(widget) - lasting
    for orphans in ([3], range(1, 200)):
        widget.state.correct.orphans = tuple(Orphan(k, "moss", 37) for k in orphans)
        passing |= named(widget) - lasting
    dialog: Any = table.findChild(QWidget, "sclip_classes_color_dialog")
    dialog.reject()
    assert set(listed(PASSING)) == passing


def test_every_section_of_the_widget_is_one_of_the_pages(widget: SegmentWidget) -> None:
    for name in named(widget):
        if name.startswith("sclip_section_"):
            title = name.removeprefix("sclip_section_").capitalize()
            assert f"\n## {title}\n" in CONTROLS
            assert f"\n## {title}\n" in GUIDE


def test_the_pages_know_the_commands() -> None:
    manifest = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")
    known = {
        c.id: c.title
        for c in manifest.contributions.commands or ()
        if (c.python_name or "").startswith(commands.__name__)
    }
    assert set(re.findall(r"^\| `(napari-sclip\.\w+)` \|", CONTROLS, re.MULTILINE)) == set(known)
    flat = " ".join(GUIDE.split())
    assert all(f"*{title}*" in flat for title in known.values())
    assert f"**Plugins > {commands.DOCK_NAME}**" in flat


def test_the_guide_knows_the_sample_data() -> None:
    manifest = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")
    first, *_ = [sample.display_name for sample in manifest.contributions.sample_data or ()]
    assert f"**File > Open Sample > SCLIP > {first}**" in " ".join(GUIDE.split())


def pictures(page: str) -> list[str]:
    """Every address of a picture in a page."""
    return re.findall(r'(?:src|srcset)="([^"]+)"', page) + re.findall(
        r"!\[[^]]*\]\(([^)]+)\)", page
    )


def test_the_pictures_of_the_guide_are_there_in_both_themes() -> None:
    names = pictures(GUIDE)
    assert len(names) >= 20
    for name in names:
        assert (DOCS / name).is_file(), name
        assert (DOCS / name).stat().st_size < 250_000
    for dark, light in zip(names[::2], names[1::2], strict=True):
        assert dark.replace("_dark", "_light") == light


def test_no_picture_of_the_guide_is_left_over() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    used = {Path(name).name for name in pictures(GUIDE) + pictures(readme)}
    there = {path.name for path in (DOCS / "images").glob("guide_*")}
    assert there <= used


def anchors(page: str) -> set[str]:
    """Anchors that GitHub gives the headings of a page."""
    heads = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("name", ["guide.md", "controls.md", "architecture.md", "../README.md"])
def test_the_links_of_a_page_lead_somewhere(name: str) -> None:
    page = (DOCS / name).resolve()
    text = page.read_text(encoding="utf-8")
    found = [
        link for link in re.findall(r"(?<!!)\[[^]]*\]\(([^)\s]+)\)", text) if "://" not in link
    ]
    assert found
    for link in found:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), link


def test_the_key_of_the_example_can_be_bound(viewer: Any) -> None:
    (example,) = re.findall(r"```python\n(from napari_sclip.*?)```", CONTROLS, flags=re.DOTALL)
    exec(compile(example, "docs/controls.md", "exec"), {"viewer": viewer})
    assert commands.segment_active_layer in viewer.keymap.values()


def test_the_example_finds_a_control(
    widget: SegmentWidget, monkeypatch: pytest.MonkeyPatch
) -> None:
    example = re.findall(r"```python\n(.*?)```", CONTROLS, flags=re.DOTALL)[0]

    class Window:
        def add_plugin_dock_widget(self, plugin: str, name: str) -> tuple[None, SegmentWidget]:
            assert (plugin, name) == ("napari-sclip", "SCLIP Segmentation")
            return None, widget

    class Viewer:
        window = Window()

    exec(compile(example, "docs/controls.md", "exec"), {"viewer": Viewer()})
    assert widget.state.detail.level == "fine"

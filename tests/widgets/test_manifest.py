"""The manifest: its menus, commands and widget, in a real napari."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import napari
import pytest
from napari._app_model import get_app_model
from napari.components import ViewerModel
from napari.plugins import menu_item_template
from npe2 import PluginManifest
from npe2.manifest.utils import import_python_name
from pytestqt.qtbot import QtBot
from qtpy.QtWidgets import QDockWidget

import napari_sclip
from napari_sclip.errors import SclipError
from napari_sclip.widgets import commands
from napari_sclip.widgets.dock import DOCK_NAMES, SegmentWidget

MANIFEST = PluginManifest.from_file(Path(napari_sclip.__file__).parent / "napari.yaml")
COMMANDS = {command.id: command for command in MANIFEST.contributions.commands or ()}
WIDGET = (MANIFEST.contributions.widgets or [])[0]
FUNCTIONS = [
    c.id for c in COMMANDS.values() if (c.python_name or "").partition(":")[0] == commands.__name__
]
SEGMENT_MENU = "napari/layers/segment"


@pytest.fixture
def viewer(npe2pm: Any, make_napari_viewer: Callable[[], Any]) -> Iterator[Any]:
    """Make a viewer that knows no plugin but this one."""
    with npe2pm.tmp_plugin(manifest=MANIFEST):
        yield make_napari_viewer()


@dataclass
class Watch:
    """Whom widgets were made for, and what they were asked to do."""

    viewers: list[Any] = field(default_factory=list)
    calls: list[tuple[str, SegmentWidget]] = field(default_factory=list)


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Note what widgets that are made from now on are asked to do, which they then leave."""
    watch = Watch()
    make = SegmentWidget.__init__

    @functools.wraps(make)  # napari reads the signature
    def make_and_watch(self: SegmentWidget, viewer: Any) -> None:
        make(self, viewer)
        watch.viewers.append(viewer)
        for name in ("segment", "cancel"):
            monkeypatch.setattr(self.controller, name, lambda n=name: watch.calls.append((n, self)))

    monkeypatch.setattr(SegmentWidget, "__init__", make_and_watch)
    return watch


def run(command: str) -> None:
    """Run a command as the palette does."""
    get_app_model().commands.execute_command(f"napari-sclip.{command}").result()


def widgets(viewer: Any) -> list[SegmentWidget]:
    return list(viewer.window._qt_window.findChildren(SegmentWidget))


def dock_of(widget: SegmentWidget) -> Any:
    """Find the dock of a widget, which is napari's kind of a QDockWidget."""
    found: Any = widget
    while not isinstance(found, QDockWidget):
        found = found.parent()
    return found


def titles(menu: str) -> list[str]:
    return [item.command.title for item in get_app_model().menus.get_menu(menu)]


def menu_action(viewer: Any, title: str) -> Any:
    """Find an entry of the Plugins menu."""
    viewer.window.plugins_menu.aboutToShow.emit()
    return next(a for a in viewer.window.plugins_menu.actions() if a.text() == title)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leads_to_something(command: str) -> None:
    python_name = COMMANDS[command].python_name
    assert python_name is not None
    assert callable(import_python_name(python_name))


def test_the_widget_is_in_the_menus(viewer: Any) -> None:
    assert commands.DOCK_NAME in titles("napari/plugins")
    segment = titles(SEGMENT_MENU)
    assert commands.DOCK_NAME in segment
    assert "Segment the active layer (SCLIP)" in segment


def test_the_dock_is_named_as_in_the_plugins_menu() -> None:
    assert commands.DOCK_NAME in DOCK_NAMES
    name = menu_item_template.format(MANIFEST.display_name, WIDGET.display_name)
    assert name == commands.DOCK_NAME


def test_the_palette_offers_the_commands(viewer: Any) -> None:
    app = get_app_model()
    offered = titles(app.menus.COMMAND_PALETTE_ID)
    for command in FUNCTIONS:
        assert f"{COMMANDS[command].title} ({MANIFEST.display_name})" in offered


def test_the_plugins_menu_opens_the_widget(viewer: Any) -> None:
    menu_action(viewer, commands.DOCK_NAME).trigger()
    (widget,) = widgets(viewer)
    assert dock_of(widget).name == commands.DOCK_NAME


@pytest.mark.parametrize("sample", MANIFEST.contributions.sample_data or (), ids=lambda s: s.key)
def test_samples_open_in_a_window(viewer: Any, sample: Any) -> None:
    assert sample.display_name in titles("napari/file/samples/napari-sclip")
    layers = viewer.open_sample("napari-sclip", sample.key)
    assert layers == list(viewer.layers)
    assert layers[0].name == sample.display_name


def test_napari_opens_the_widget_by_its_name(viewer: Any) -> None:
    _, widget = viewer.window.add_plugin_dock_widget("napari-sclip", "SCLIP Segmentation")
    assert isinstance(widget, SegmentWidget)


def test_segment_opens_the_widget_once(
    viewer: Any,
    watch: Watch,
) -> None:
    run("segment_active_layer")
    (widget,) = widgets(viewer)
    run("segment_active_layer")
    run("open_widget")
    assert widgets(viewer) == [widget]
    assert watch.calls == [("segment", widget)] * 2


@pytest.mark.parametrize("by", ["menu", "name"])
def test_segment_takes_the_widget_that_is_there(
    viewer: Any,
    watch: Watch,
    by: str,
) -> None:
    if by == "menu":
        menu_action(viewer, commands.DOCK_NAME).trigger()
    else:
        viewer.window.add_plugin_dock_widget("napari-sclip")
    (widget,) = widgets(viewer)
    run("segment_active_layer")
    assert widgets(viewer) == [widget]
    assert watch.calls == [("segment", widget)]


def test_the_menu_hides_what_a_command_opened(viewer: Any, qtbot: QtBot) -> None:
    viewer.window.show()
    run("open_widget")
    (widget,) = widgets(viewer)
    dock = dock_of(widget)
    qtbot.waitUntil(dock.isVisible)
    menu_action(viewer, commands.DOCK_NAME).trigger()
    assert widgets(viewer) == [widget]
    assert not dock.isVisible()
    run("open_widget")
    assert dock.isVisible()


def test_the_menu_shows_what_was_opened_at_the_start(viewer: Any, qtbot: QtBot) -> None:
    viewer.window.show()
    viewer.window.add_plugin_dock_widget("napari-sclip")  # as `napari -w napari-sclip` does
    (widget,) = widgets(viewer)
    qtbot.waitUntil(widget.isVisible)
    menu_action(viewer, commands.DOCK_NAME).trigger()
    assert widgets(viewer) == [widget]
    menu_action(viewer, commands.DOCK_NAME).trigger()
    assert widgets(viewer) == [widget]
    assert dock_of(widget).isVisible()


def test_what_the_menu_opened_is_found_by_the_name_of_the_plugin(viewer: Any, qtbot: QtBot) -> None:
    viewer.window.show()
    menu_action(viewer, commands.DOCK_NAME).trigger()
    (widget,) = widgets(viewer)
    qtbot.waitUntil(widget.isVisible)
    assert viewer.window.add_plugin_dock_widget("napari-sclip")[1] is widget
    viewer.window.remove_dock_widget("all")
    menu_action(viewer, commands.DOCK_NAME).trigger()
    (other,) = widgets(viewer)
    assert other is not widget
    qtbot.waitUntil(other.isVisible)
    dock_of(other).destroyOnClose()
    viewer.window.add_plugin_dock_widget("napari-sclip")
    (third,) = widgets(viewer)
    assert third not in (widget, other)


def test_a_closed_widget_is_made_anew(viewer: Any) -> None:
    run("open_widget")
    (widget,) = widgets(viewer)
    viewer.window.remove_dock_widget(dock_of(widget))
    run("open_widget")
    (other,) = widgets(viewer)
    assert other is not widget


def test_cancel_reaches_the_widget_and_opens_none(
    viewer: Any,
    watch: Watch,
) -> None:
    run("cancel")
    assert widgets(viewer) == []
    run("open_widget")
    run("cancel")
    assert watch.calls == [("cancel", widgets(viewer)[0])]


def test_commands_run_without_napari_s_palette(
    npe2pm: Any,
    viewer: Any,
    watch: Watch,
) -> None:
    npe2pm.commands.execute("napari-sclip.segment_active_layer")
    npe2pm.commands.execute("napari-sclip.segment_active_layer", (viewer,))
    npe2pm.commands.execute("napari-sclip.cancel", kwargs={"viewer": viewer})
    (widget,) = widgets(viewer)
    assert watch.calls == [("segment", widget), ("segment", widget), ("cancel", widget)]


def test_the_widget_has_the_viewer_itself(viewer: Any, watch: Watch) -> None:
    run("open_widget")
    (given,) = watch.viewers
    assert type(given) is type(viewer)
    assert given is viewer


@pytest.mark.parametrize("command", FUNCTIONS)
def test_without_a_viewer_a_command_says_what_to_do(npe2pm: Any, command: str) -> None:
    assert napari.current_viewer() is None
    with npe2pm.tmp_plugin(manifest=MANIFEST):
        for arguments in ((), (ViewerModel(),)):
            with pytest.raises(SclipError, match=r"open napari window; found none\. Open napari"):
                npe2pm.commands.execute(command, arguments)

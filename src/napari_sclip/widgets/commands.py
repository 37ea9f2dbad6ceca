"""Commands of the manifest: what napari's menus and its command palette call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import napari

from napari_sclip.errors import SclipError

if TYPE_CHECKING:
    from napari_sclip.widgets.dock import SegmentWidget

DOCK_NAME = "SCLIP Segmentation (SCLIP)"
"""The name that the Plugins menu gives to the dock."""


def open_widget(viewer: napari.viewer.Viewer | None = None) -> None:
    """Open the dock widget, or show the one that is there.

    Parameters
    ----------
    viewer : Viewer, optional
        The current one if left out.

    Raises
    ------
    SclipError
        If there is no viewer with a window.
    """
    _open(viewer)


def segment_active_layer(viewer: napari.viewer.Viewer | None = None) -> None:
    """Press Segment in the dock widget, which is opened if it is not there.

    Parameters
    ----------
    viewer : Viewer, optional
        The current one if left out.

    Raises
    ------
    SclipError
        If there is no viewer with a window.
    """
    _open(viewer).controller.segment()


def cancel(viewer: napari.viewer.Viewer | None = None) -> None:
    """Stop what runs, if anything does.

    Parameters
    ----------
    viewer : Viewer, optional
        The current one if left out.

    Raises
    ------
    SclipError
        If there is no viewer with a window.
    """
    widget = _find(_window_of(_choose(viewer)))
    if widget is not None:
        widget.controller.cancel()


def _open(viewer: Any) -> SegmentWidget:  # noqa: ANN401 - napari has no types
    viewer = _choose(viewer)
    window = _window_of(viewer)
    widget = _find(window)
    if widget is None:
        from napari_sclip.widgets.dock import SegmentWidget

        widget = SegmentWidget(viewer)
        # `add_plugin_dock_widget` names docks otherwise than the Plugins menu does, and the menu
        # would then open a second one.
        window.add_dock_widget(widget, name=DOCK_NAME)
        return widget
    dock = _dock_of(widget)
    dock.show()
    dock.raise_()
    return widget


def _choose(viewer: Any) -> Any:  # noqa: ANN401
    chosen = napari.current_viewer() if viewer is None else viewer
    # napari hands a proxy to commands; the widget takes the viewer itself.
    return getattr(chosen, "__wrapped__", chosen)


def _window_of(viewer: Any) -> Any:  # noqa: ANN401
    window = getattr(viewer, "window", None)
    if window is None:
        raise SclipError(
            "Expected an open napari window; found none. Open napari first, or make a viewer with "
            "napari.Viewer()."
        )
    return window


def _find(window: Any) -> SegmentWidget | None:  # noqa: ANN401
    from napari_sclip.widgets.dock import SegmentWidget

    # Docks have one name or another, as they were opened; not every napari lists them.
    found: SegmentWidget | None = window._qt_window.findChild(SegmentWidget)
    return found


def _dock_of(widget: Any) -> Any:  # noqa: ANN401
    from qtpy.QtWidgets import QDockWidget

    place = widget.parent()
    while not isinstance(place, QDockWidget):
        place = place.parent()
    return place

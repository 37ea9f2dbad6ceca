"""Leads from one unsure region to the next, and notes what is checked."""

from __future__ import annotations

import functools
import weakref
from typing import Any

from napari.layers import Labels

from napari_sclip.layers.labels.annotations import checked_pixels, mark_checked, unmark_checked
from napari_sclip.layers.navigate import clear_outline, go_to, outline
from napari_sclip.widgets.control.desk import Desk
from napari_sclip.widgets.control.tally import Tally
from napari_sclip.widgets.control.teaching import Teaching
from napari_sclip.widgets.work.closer import NextSpot, Unsure, find_next

KEYS = {"n": "next", "Shift-N": "previous", "c": "checked"}


class Reviewing:
    """What the keys and buttons of the review do.

    Parameters
    ----------
    desk : Desk
    teaching : Teaching
    tally : Tally
    """

    def __init__(self, desk: Desk, teaching: Teaching, tally: Tally) -> None:
        self._desk = desk
        self._teaching = teaching
        self._tally = tally
        self._bound: weakref.WeakSet[Any] = weakref.WeakSet()
        self._at: Any = None
        self._of: tuple[Any, Any] | None = None
        self._unsure: Unsure | None = None
        self._outlined: weakref.ref[Any] | None = None
        desk.viewer.dims.events.current_step.connect(self._clear_outline)

    def bind(self, labels: Labels) -> None:
        """Let the keys lead through these labels while they are active."""
        if labels in self._bound:
            return
        self._bound.add(labels)
        for key, what in KEYS.items():
            labels.bind_key(key, self._doing(what), overwrite=True)

    def close(self) -> None:
        """Give the keys back, and let go of the viewer."""
        self._desk.viewer.dims.events.current_step.disconnect(self._clear_outline)
        self._clear_outline()
        for labels in list(self._bound):
            for key in KEYS:
                labels.bind_key(key, None)
        self._bound.clear()

    def forget(self) -> None:
        """Other labels have been written: what was unsure is not known any more."""
        self._clear_outline()
        self._unsure = self._at = self._of = None
        self._tally.unsure_mask = None
        self._desk.state.correct.unsure = None
        self._tally.soon()

    def go(self, *, backwards: bool = False) -> None:
        """Go to the next unsure spot, or to the one before."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        labels, plane = shown
        place = (id(labels), str(plane.index))
        if self._of != place:
            self._unsure = self._at = None
        job = self._desk.job(self._teaching.learned)
        if job is None:
            return
        self._of = place
        checked = checked_pixels(labels, plane)
        work = functools.partial(
            find_next,
            job,
            self._desk.session,
            self._unsure,
            plane.view(labels.data).copy(),
            checked,
            self._at,
            backwards,
        )
        self._desk.start("look", work, functools.partial(self._on_found, labels, place))

    def mark(self) -> None:
        """Note that the spot that was gone to is right, and go on."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        labels, plane = shown
        if self._at is None or self._of != (id(labels), str(plane.index)):
            self._desk.say("Go to a region first: Next, or N with the labels active.")
            return
        mark_checked(labels, plane, self._at)
        self._desk.keep(labels)
        self._tally.count()
        self.go()

    def mark_all(self, checked: bool) -> None:
        """Note that the whole plane is right, or that nothing of it is known to be."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        (mark_checked if checked else unmark_checked)(*shown)
        self._desk.keep(shown[0])
        self._tally.count()
        self._desk.state.correct.unsure = 0 if checked else None
        self._clear_outline()

    def _on_found(self, labels: Labels, place: tuple[Any, Any], found: NextSpot) -> None:
        shown = self._desk.labels_shown()
        if shown is None or self._of != place or place != (id(shown[0]), str(shown[1].index)):
            return
        self._unsure, self._at = found.unsure, found.spot
        self._tally.unsure_mask = found.unsure.mask
        self._desk.state.correct.unsure = found.left if found.is_unsure else 0
        self._tally.count()
        self._clear_outline()
        if found.spot is None:
            self._desk.say("All of this plane is checked.")
            return
        go_to(self._desk.viewer, labels, shown[1], found.spot)
        outline(self._desk.viewer, labels, shown[1], found.spot)
        self._outlined = weakref.ref(labels)
        self._desk.viewer.layers.selection = {labels}
        which = "region" if found.left == 1 else "regions"
        what = f"unsure {which} left" if found.is_unsure else f"{which} not checked, none unsure"
        self._desk.say(
            f"{found.left:,} {what}. This one has {found.spot.area:,} pixels: correct it, or press "
            "Checked (C)."
        )

    def _clear_outline(self, event: Any = None) -> None:  # noqa: ANN401
        labels = None if self._outlined is None else self._outlined()
        self._outlined = None
        if labels is not None:
            clear_outline(labels)

    def _doing(self, what: str) -> Any:  # noqa: ANN401 - a function, as napari wants one
        own = weakref.ref(self)

        def act(layer: Labels) -> None:
            reviewing = own()
            if reviewing is None:
                return
            if what == "checked":
                reviewing.mark()
            else:
                reviewing.go(backwards=what == "previous")

        return act

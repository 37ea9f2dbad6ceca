"""Takes labels elsewhere, and from elsewhere: files, objects."""

from __future__ import annotations

from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.labels.annotations import KEPT_PREDICTION, prediction_log
from napari_sclip.layers.labels.layer import add_classes
from napari_sclip.layers.labels.objects import (
    find_instances,
    instances_class,
    join_ids,
    make_instances_layer,
    source_labels,
    take_class,
    write_instances_back,
)
from napari_sclip.layers.labels.partial import data_without_drafts
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.snapshot import ENDING
from napari_sclip.layers.labels.undo import undo_steps
from napari_sclip.paths import cache_dir
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.control.context import NO_LABELS, Desk
from napari_sclip.widgets.control.recovery import autosave_of
from napari_sclip.widgets.work.reporter import Reporter

if TYPE_CHECKING:
    from napari_sclip.layers.io.save import LayerData


TABLE_ROWS = 50
"""Of labels with more ids than these, which are objects and no classes, the table takes none."""

JOINED = "object"


class Taking:
    """What the section "Export" does, and what becomes of classes that were removed.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # Files; what reads and writes them is loaded when it is first needed

    def list_formats(self) -> None:
        """Say in the state which formats labels can be saved in."""
        from napari_sclip.layers.io.save import LAYER_FORMATS

        self._desk.state.correct.formats = tuple(
            (known.name, f"{known.title} ({known.suffixes[0]})") for known in LAYER_FORMATS
        )

    def export(self, path: str, format_name: str) -> None:
        """Save the labels as they are in the layer."""
        labels = self._desk.labels
        if labels is None:
            self._desk.say(NO_LABELS)
            return
        _, attributes, kind = labels.as_layer_data_tuple()
        own = labels.data
        steps = [id(step) for step in undo_steps(labels)]
        given: LayerData = (data_without_drafts(labels), attributes, kind)
        image = self._desk.follower.layer
        beside = None if image is None else image.as_layer_data_tuple()

        def work(reporter: Reporter) -> tuple[Path, ...]:
            from napari_sclip.layers.io.save import save_layer_data

            return save_layer_data(
                given, Path(path), format_name, image=beside, overwrite=True, data=own
            )

        def done(files: tuple[Path, ...]) -> None:
            names = ", ".join(file.name for file in files[:4])
            more = f" and {len(files) - 4} more" if len(files) > 4 else ""
            self._desk.say(f"Saved {names}{more} in {files[0].parent}.")
            whole = any(file.name.endswith(ENDING) for file in files)
            if whole and steps == [id(step) for step in undo_steps(labels)]:
                autosave_of(self._desk.viewer, cache_dir() / "recovery").saved_as_file(labels)

        self._desk.start("save", work, done)

    def start_from_mask(self, path: str) -> None:
        """Make labels of a file."""
        image = self._desk.follower.layer

        def work(reporter: Reporter) -> Labels:
            from napari_sclip.layers.io.open import labels_layer_from_mask

            return labels_layer_from_mask(Path(path), image)

        def done(labels: Labels) -> None:
            yours = "what was painted by hand is known"
            if KEPT_PREDICTION not in labels.metadata:
                yours = "all its pixels count as painted by hand"
            self._desk.viewer.add_layer(labels)
            self._belongs(labels, image)
            self._desk.say(
                f"“{labels.name}” is the starting point: {yours}, and runs fill the rest."
            )

        self._desk.start("open", work, done)

    def start_from_layer(self) -> None:
        """Take the active Labels layer as that of the image."""
        from napari_sclip.layers.io.open import adopt_labels, why_not_starting

        active = self._desk.viewer.layers.selection.active
        image = self._desk.follower.layer
        if not isinstance(active, Labels) or instances_class(active) is not None:
            self._desk.say("Choose a Labels layer in the list of layers first.")
            return
        if image is None:
            self._desk.say("Open the image that the labels are of first.")
            return
        request = self._desk.follower.request
        reason = "" if request is None else why_not_starting(active, request)
        if reason:
            self._desk.say(reason)
            return
        try:
            adopt_labels(active, image=image)
        except SclipError as error:
            self._desk.failed(error)
            return
        self._belongs(active, image)
        self._desk.say(f"“{active.name}” has the labels of “{image.name}” now.")

    def _belongs(self, labels: Labels, image: Any) -> None:  # noqa: ANN401 - napari has no types
        if image is not None:
            self._desk.link.remember(image, labels)
        table = self._desk.state.classes
        legend = read_legend(labels)
        if not any(row.name for row in table.rows) and len(legend) <= TABLE_ROWS:
            table.replace(
                [
                    ClassPrompt(row.name, row.prompts, row.background, row.color or None)
                    for row in legend
                ]
            )
        self._desk.link.follow(image)
        self._desk.bind_digits(labels)

    # Objects

    def split_objects(self, name: str, *, touching: bool) -> None:
        """Make a layer with an id for each object of a class."""
        shown = self._desk.labels_shown()
        if shown is None:
            return
        labels, plane = shown
        label = next((row.id for row in read_legend(labels) if row.name == name), None)
        if label is None:
            self._desk.say(f"The labels have no class “{name}”.")
            return
        axes = [k for k, part in enumerate(plane.index) if isinstance(part, slice)]
        try:
            taken = take_class(labels, label, (axes[0], axes[1]))
        except SclipError as error:
            self._desk.failed(error)
            return

        def work(reporter: Reporter) -> np.ndarray:
            return find_instances(taken, split_touching=touching)

        def done(found: np.ndarray) -> None:
            if labels not in self._desk.viewer.layers:
                return
            made = make_instances_layer(labels, label, found)
            self._desk.viewer.add_layer(made)
            number = int(found.max(initial=0))
            what = "object" if number == 1 else "objects"
            self._desk.say(f"{number:,} {what} of “{name}”, in “{made.name}”.")

        self._desk.start("split", work, done)

    def write_objects_back(self) -> None:
        """Write the objects of the active layer into the labels that they come from."""
        active = self._desk.viewer.layers.selection.active
        if not isinstance(active, Labels) or instances_class(active) is None:
            self._desk.say("Choose a layer of objects in the list of layers first.")
            return
        labels = source_labels(active, self._desk.viewer.layers)
        if labels is None:
            self._desk.say("The labels that these objects come from are not in the viewer.")
            return
        try:
            written = write_instances_back(active, labels)
        except SclipError as error:
            self._desk.failed(error)
            return
        self._desk.say(
            f"“{labels.name}” has {written.added:,} pixels more of this class, and "
            f"{written.removed:,} less."
        )

    # Classes that are not in the table any more

    def keep_class(self, label: int) -> None:
        """Put a class of the labels back into the table."""
        labels = self._desk.labels
        row = None if labels is None else _row_of(labels, label)
        if row is None:
            return
        table = self._desk.state.classes
        key = table.add(row.name)
        prompts = () if row.prompts == (row.name,) else row.prompts
        table.set(key, prompts=prompts, color=row.color)

    def release_class(self, label: int) -> None:
        """Let the next run replace what was painted of a class."""
        labels = self._desk.labels
        row = None if labels is None else _row_of(labels, label)
        if labels is None or row is None:
            return
        freed = self._release(labels, [label])
        self._desk.say(f"{freed:,} pixels of “{row.name}” are free: the next run replaces them.")

    def release_removed_classes(self) -> None:
        """Let the next run replace what was painted of all of them."""
        labels = self._desk.labels
        if labels is None:
            return
        freed = self._release(labels, [o.id for o in self._desk.state.correct.orphans])
        self._desk.say(f"{freed:,} pixels are free: the next run replaces them.")

    def join_removed_classes(self) -> None:
        """Make one class of all of them, as one step that can be undone."""
        labels = self._desk.labels
        ids = [orphan.id for orphan in self._desk.state.correct.orphans]
        if labels is None or not ids:
            return
        table = self._desk.state.classes
        legend = read_legend(labels)
        names = {row.name for row in legend} | {row.name for row in table.rows}
        numbered = (f"{JOINED} {k}" for k in count(2))
        name = next(n for n in chain([JOINED], numbered) if n not in names)
        number = max({row.id for row in legend} | set(table.ids())) + 1
        if number > np.iinfo(labels.data.dtype).max:
            self._desk.say(
                f"Expected labels that can hold {number}; “{labels.name}” is of dtype "
                f"{labels.data.dtype}. Convert its data type (right click in the list of layers)."
            )
            return
        add_classes(labels, [ClassPrompt(name)], [number])
        joined = join_ids(labels, ids, number)
        table.add(name)
        self._desk.link.follow(self._desk.follower.layer)
        self._desk.say(
            f"{len(ids):,} labels are the class “{name}” now ({joined:,} pixels). Rename it in the "
            "table."
        )

    def _release(self, labels: Labels, ids: list[int]) -> int:
        log = prediction_log(labels)
        painted = log.edited_everywhere(labels.data) & np.isin(labels.data, ids)
        log.release(painted, labels.data)
        return int(np.count_nonzero(painted))


def _row_of(labels: Labels, label: int) -> Any:  # noqa: ANN401 - a LegendRow or None
    return next((row for row in read_legend(labels) if row.id == label), None)

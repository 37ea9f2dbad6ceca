"""Which Labels layer belongs to which image, and how it is dressed."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from napari.layers import Labels

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import give_back_ids, know_what_the_twin_knows
from napari_sclip.layers.labels.layer import (
    add_classes,
    hidden_classes,
    rename_class,
    set_class_colors,
)
from napari_sclip.layers.labels.schema import KEY, has_legend, read_legend
from napari_sclip.layers.labels.targets import why_not_fitting
from napari_sclip.layers.labels.write import why_not_updating
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.classes import ClassTable

_OWNERS: weakref.WeakKeyDictionary[Any, tuple[weakref.ref[Any], str | None]] = (
    weakref.WeakKeyDictionary()
)
"""The image that labels were made for, and its file."""


def _path(image: Any) -> str | None:  # noqa: ANN401 - napari has no types
    path = getattr(getattr(image, "source", None), "path", None)
    return None if path is None else str(path)


class LabelsLink:
    """Finds the labels of an image, and keeps their look as the table of classes has it.

    Parameters
    ----------
    viewer : Viewer
    table : ClassTable
    """

    def __init__(self, viewer: Any, table: ClassTable) -> None:  # noqa: ANN401 - napari has no types
        self._viewer = viewer
        self._table = table
        self._labels_of: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = (
            weakref.WeakKeyDictionary()
        )
        self._current: weakref.ref[Any] | None = None
        table.changed.connect(self._dress)
        table.renamed.connect(self._rename)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def close(self) -> None:
        """Let go of the table and the viewer."""
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._table.changed.disconnect(self._dress)
        self._table.renamed.disconnect(self._rename)
        self._speak_of(None)

    def _on_inserted(self, event: Any) -> None:  # noqa: ANN401
        know_what_the_twin_knows(event.value, self._viewer.layers)

    def remember(self, image: Any, labels: Any) -> None:  # noqa: ANN401
        """Note that these labels belong to an image."""
        self._labels_of[image] = weakref.ref(labels)
        _OWNERS[labels] = weakref.ref(image), _path(image)

    def labels_of(self, image: Any) -> Labels | None:  # noqa: ANN401
        """Return the labels of an image that are in the viewer, or None."""
        if image is None:
            return None
        linked = self._labels_of.get(image)
        labels = None if linked is None else linked()
        if labels is not None and labels in self._viewer.layers:
            return labels
        # Made before the widget was opened, or read from a file.
        for layer in reversed(self._viewer.layers):
            owner, _ = _OWNERS.get(layer, (None, None))
            if owner is not None and owner() is image:
                return layer  # by whatever names the two are called now
        for layer in reversed(self._viewer.layers):
            if isinstance(layer, Labels) and has_legend(layer):
                source = layer.metadata[KEY].get("source") or {}
                if source.get("image") == image.name and self._is_free(layer, image):
                    return layer
        return None

    def prefer(self, labels: Any, image: Any) -> bool:  # noqa: ANN401
        """Take these labels for those of an image if they are of it; tell whether that is new."""
        if image is None or not isinstance(labels, Labels) or labels is self.current:
            return False
        if not has_legend(labels):
            return False
        source = labels.metadata[KEY].get("source") or {}
        if source.get("image") != image.name or not self._is_free(labels, image):
            return False
        self.remember(image, labels)
        return True

    def _is_free(self, labels: Any, image: Any) -> bool:  # noqa: ANN401
        """Whether labels are not those of another image that has, or had, the same name."""
        owner, path = _OWNERS.get(labels, (None, None))
        if owner is None or owner() is image:
            return True
        return owner() not in self._viewer.layers and path is not None and path == _path(image)

    def target(
        self,
        image: Any,  # noqa: ANN401
        request: ImageRequest,
        classes: Sequence[ClassPrompt],
    ) -> Labels | None:
        """Return the layer that a run may update, or None where a new one must be made."""
        labels = self.labels_of(image)
        if labels is None:
            return None
        if has_legend(labels) and why_not_fitting(labels, request) is None:
            give_back_ids(labels, self._wanted())
        if why_not_updating(labels, request, classes, self._table.ids()) is not None:
            return None
        return labels

    def follow(self, image: Any) -> Labels | None:  # noqa: ANN401
        """Make the labels of an image the ones that the table speaks of."""
        labels, before = self.labels_of(image), self._current
        self._speak_of(labels)
        if labels is not None:
            if image not in self._labels_of:
                self._take_colors(labels)
                self._lay_over(labels, image)
            self.remember(image, labels)
            known = {row.name: row.id for row in read_legend(labels) if row.id != 0}
            self._table.adopt(known, again=before is not None and before() is labels)
            self._dress()
        elif before is not None:
            self._table.adopt({})
        return labels

    def _speak_of(self, labels: Labels | None) -> None:
        before = self.current
        if before is not labels:
            if before is not None:
                before.events.selected_label.disconnect(self._on_selected)
            if labels is not None:
                labels.events.selected_label.connect(self._on_selected)
        self._current = None if labels is None else weakref.ref(labels)

    def _on_selected(self, event: Any) -> None:  # noqa: ANN401
        self.know(event.source, int(event.source.selected_label))

    def know(self, labels: Labels, number: int) -> None:
        """Name an id in labels that the table has a class for, but no run has had yet."""
        if labels is not self.current:
            return
        known = {row.id: row.name for row in read_legend(labels)}
        sound = {item.name: item for item in colored_classes(self._table)}
        for row in self._table.rows:
            if row.id != number or row.background or row.name not in sound:
                continue
            if known.get(number) not in (None, row.name):
                give_back_ids(labels, self._wanted())
            if row.name not in known.values():
                add_classes(labels, [sound[row.name]], [number])

    def _wanted(self) -> dict[int, str]:
        return {row.id: row.name for row in self._table.rows if row.name and not row.background}

    @property
    def current(self) -> Labels | None:
        """The labels that the table speaks of."""
        return None if self._current is None else self._current()

    def _take_colors(self, labels: Labels) -> None:
        """Let labels that come from elsewhere keep the colours that they had."""
        shown, rows = self._table.colors(), {row.name: row for row in self._table.rows}
        for known in read_legend(labels):
            row = rows.get(known.name)
            if row is None or row.background or row.color is not None:
                continue
            if shown[row.key] != known.color:
                self._table.set(row.key, color=known.color)

    def _lay_over(self, labels: Labels, image: Any) -> None:  # noqa: ANN401
        """Lay labels that were there before their image over it, as it hides them."""
        layers = self._viewer.layers
        if image in layers and layers.index(labels) < layers.index(image):
            layers.move(layers.index(labels), layers.index(image) + 1)

    def _dress(self) -> None:
        labels = self.current
        if labels is None:
            return
        known = {row.name for row in read_legend(labels)}
        classes = [item for item in colored_classes(self._table) if item.name in known]
        hidden = self._table.hidden() & {item.name for item in classes}
        set_class_colors(labels, classes, hidden=hidden | self._hidden_elsewhere(labels))
        self._table.adopt_colors(
            {
                # As long as the class is the background it has this name, see `make_legend`.
                row.name.removesuffix(f" (was {row.id})"): row.color
                for row in read_legend(labels)
                if row.id != 0 and row.color
            }
        )

    def _hidden_elsewhere(self, labels: Labels) -> frozenset[str]:
        """Names of hidden classes that the table does not have any more."""
        return hidden_classes(labels) - {row.name for row in self._table.rows}

    def _rename(self, old: str, new: str) -> None:
        """Rename a class in the labels that are shown, and in those of the other images."""
        labels = self.current
        if labels is not None:
            rename_class(labels, old, new)
        for linked in list(self._labels_of.values()):
            other = linked()
            if other is None or other is labels or other not in self._viewer.layers:
                continue
            names = {row.name for row in read_legend(other)}
            if old in names and new not in names:
                rename_class(other, old, new)


def colored_classes(table: ClassTable) -> tuple[ClassPrompt, ...]:
    """Return the sound rows of a table as classes, in the colours that it shows."""
    problems, colors = table.problems(), table.colors()
    return tuple(
        ClassPrompt(row.name, row.prompts, background=row.background, color=colors[row.key])
        for row in table.rows
        if not problems.get(row.key)
    )

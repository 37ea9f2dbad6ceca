"""Make and update the Labels layer of an image; for the GUI thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import Prediction, PredictionLog, prediction_log
from napari_sclip.layers.labels.chunks import Pixels, Room, put, slabs
from napari_sclip.layers.labels.layer import (
    colormap,
    features,
    hidden_classes,
    ids_lut,
    label_lut,
    new_labels_layer,
)
from napari_sclip.layers.labels.schema import (
    KEY,
    LegendRow,
    choose_ids,
    describe,
    has_legend,
    make_legend,
    read_legend,
)
from napari_sclip.layers.labels.targets import (
    LabelsMismatchError,
    PlacedPlane,
    Target,
    check_fitting,
    find_target,
    why_not_fitting,
)
from napari_sclip.layers.labels.undo import Change, write_changes
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    from napari_sclip.engine.result import Segmentation


@dataclass(frozen=True, eq=False)
class Difference:
    """A new prediction beside what is in the layer.

    Attributes
    ----------
    changed : int
        Pixels that take another id.
    kept : int
        Pixels of a person for which another id was predicted.
    by_hand : Pixels
        Those of the person.
    free : Pixels or None
        Those that take what is predicted; None for all.
    box : tuple of (int or slice) or None
        Index of the smallest part of the layer's data that holds all changed pixels; None if there
        are none.
    """

    changed: int
    kept: int
    by_hand: Pixels
    free: Pixels | None
    box: tuple[int | slice, ...] | None


def find_difference(
    data: np.ndarray,
    target: Target,
    new: np.ndarray,
    log: PredictionLog | None,
    painted: np.ndarray | None,
) -> Difference:
    """Compare what was predicted with what is in a layer; nothing is written.

    Parameters
    ----------
    data : array
        The layer's.
    target : Target
    new : (h, w) array
        The prediction, in ids of the layer.
    log : PredictionLog or None
        Tells what a person painted; None if that is not to be kept.
    painted : (h, w) bool array or None
        Pixels that are the person's in any case.
    """
    old = target.view(data)
    height, width = old.shape
    predicted, marks = (None, None) if log is None else log.look(target)
    by_hand, free = Pixels(old.shape), Pixels(old.shape)
    changed = kept = 0
    in_rows, in_columns = np.zeros(height, dtype=bool), np.zeros(width, dtype=bool)
    for rows in slabs(range(height), width):
        differs = old[rows] != new[rows]
        hand = None if predicted is None else old[rows] != predicted[rows]
        for more in (marks, painted):
            if more is not None:
                hand = more[rows] if hand is None else hand | more[rows]
        mask = None if target.mask is None else target.mask[rows]
        if mask is not None:
            differs &= mask
            hand = None if hand is None else hand & mask
        if hand is not None:
            by_hand[rows] = hand
            if hand.any():
                kept += int(np.count_nonzero(differs & hand))
                mask = ~hand if mask is None else mask & ~hand
                differs &= mask
        free[rows] = np.array(True) if mask is None else mask
        changed += int(np.count_nonzero(differs))
        in_rows[rows] = differs.any(axis=1)
        in_columns |= differs.any(axis=0)
    box = target.part(_span(in_rows), _span(in_columns)) if changed else None
    takes_all = target.mask is None and not by_hand
    return Difference(changed, kept, by_hand, None if takes_all else free, box)


def _span(found: np.ndarray) -> slice:
    places = np.flatnonzero(found)
    return slice(int(places[0]), int(places[-1]) + 1)


@dataclass(frozen=True)
class LabelsUpdate:
    """What an update did.

    Attributes
    ----------
    changed : int
        Pixels that have another id now.
    kept : int
        Pixels that a person had painted and that were left as they are.
    undoable : bool
        Whether one undo takes the update back; not so where the old labels would fill the
        memory.
    """

    changed: int
    kept: int
    undoable: bool


def make_labels_layer(
    request: ImageRequest,
    result: Segmentation,
    labels: Mapping[int, np.ndarray] | None = None,
    *,
    ids: Sequence[int] | None = None,
) -> Labels:
    """Make the Labels layer of an image from what the engine found.

    Parameters
    ----------
    request : ImageRequest
    result : Segmentation
        Of a plane of the request; its classes and settings are noted in the layer.
    labels : mapping of int to (h, w) array, optional
        ``Segmentation.labels`` by the number of the plane; left out, those of `result` are the
        first plane's.
    ids : sequence of int, optional
        As `new_labels_layer`.

    Returns
    -------
    Labels
        Named after the image, placed over it, with `features`, colours and
        ``metadata["napari_sclip"]``; not yet in any viewer.

    Raises
    ------
    ClassesError
        If the ids do not fit the classes.
    LabelsMismatchError
        If the labels are not of the size that was read.
    """
    layer = new_labels_layer(request, result.classes, ids=ids)
    lut = label_lut(layer, result.classes)
    predictions = []
    for number, plane in _planes(request, result, labels).items():
        target = find_target(request, number)
        new = lut[target.spread(plane)]
        put(target.view(layer.data), new, target.mask)
        predictions.append(Prediction(target, new, target.mask, Pixels(new.shape)))
    prediction_log(layer).record(predictions, [])
    _note(layer, request, result)
    layer.refresh()
    return layer


def why_not_updating(
    layer: Labels,
    request: ImageRequest,
    classes: Sequence[ClassPrompt],
    ids: Sequence[int] | None = None,
) -> str | None:
    """Say why `update_labels` cannot write these classes into a layer, or None if it can.

    Parameters
    ----------
    layer : Labels
    request : ImageRequest
    classes : sequence of ClassPrompt
    ids : sequence of int, optional
        Of those that the layer does not know.
    """
    reason = why_not_fitting(layer, request)
    if reason is not None:
        return reason
    if not has_legend(layer):
        return f"The layer {layer.name!r} was not made by this plugin. Write to a new layer."
    largest = max(choose_ids(classes, read_legend(layer), ids))
    if np.iinfo(layer.data.dtype).max < largest:
        return (
            f"Expected labels that can hold {largest}; layer {layer.name!r} is of dtype "
            f"{layer.data.dtype}. Write to a new layer."
        )
    return None


def update_labels(
    layer: Labels,
    request: ImageRequest,
    result: Segmentation,
    labels: Mapping[int, np.ndarray] | None = None,
    *,
    ids: Sequence[int] | None = None,
    keep_edits: bool = True,
    placed: Mapping[int, PlacedPlane] | None = None,
    painted: Mapping[int, np.ndarray] | None = None,
) -> LabelsUpdate:
    """Write what the engine found into an existing layer, as one undo step.

    Only the request's planes and region are written to. Classes that the layer knows keep their
    ids, and hidden ones stay hidden.

    Parameters
    ----------
    layer : Labels
    request : ImageRequest
    result : Segmentation
    labels : mapping of int to (h, w) array, optional
        As `make_labels_layer`.
    ids : sequence of int, optional
        Of the classes, 0 for the background and no other; left out, classes that the layer knows
        keep theirs and new ones get the next.
    keep_edits : bool
        Whether pixels that a person painted stay as they are; those of `painted` stay in any case.
    placed : mapping of int to PlacedPlane, optional
        The same labels, placed by a worker to save the time here.
    painted : mapping of int to (h, w) bool array, optional
        Pixels that a person painted, as `Draft.withdraw` gives them, besides those that differ
        from the last prediction.

    Raises
    ------
    LabelsMismatchError
        If the labels cannot go into this layer; make a new one then.
    ClassesError
        If the ids do not fit the classes.
    """
    check_fitting(layer, request)
    planes = _planes(request, result, labels)
    before = read_legend(layer)
    chosen = choose_ids(result.classes, before) if ids is None else tuple(ids)
    legend = make_legend(result.classes, chosen, before)
    if np.iinfo(layer.data.dtype).max < max(chosen):
        raise LabelsMismatchError(
            f"Expected labels that can hold {max(chosen)}; layer {layer.name!r} is of dtype "
            f"{layer.data.dtype}. Write to a new layer."
        )
    lut = ids_lut(result.classes, chosen, layer.data.dtype)
    log = prediction_log(layer)
    changes, predictions, total, kept = [], [], 0, 0
    for number, plane in planes.items():
        target = find_target(request, number)
        ready = None if placed is None else placed.get(number)
        room = Room() if ready is None else ready.room
        if ready is not None and np.array_equal(ready.lut, lut):
            new = ready.values
        else:
            new = lut[target.spread(plane)]
        meanwhile = None if painted is None else painted.get(number)
        found = find_difference(layer.data, target, new, log if keep_edits else None, meanwhile)
        if found.changed:
            changes.append(Change(target, new, found.free, found.box, room))
        predictions.append(Prediction(target, new, found.free, found.by_hand, room))
        total += found.changed
        kept += found.kept
    atoms = write_changes(layer, changes)
    log.record(predictions, atoms)
    _note(layer, request, result, legend)
    return LabelsUpdate(changed=total, kept=kept, undoable=atoms is not None)


def _planes(
    request: ImageRequest, result: Segmentation, labels: Mapping[int, np.ndarray] | None
) -> Mapping[int, np.ndarray]:
    planes = {0: result.labels} if labels is None else labels
    for number, plane in planes.items():
        if plane.shape != request.read_shape or not 0 <= number < len(request.planes):
            raise LabelsMismatchError(
                f"Expected labels of {request.read_shape} pixels for one of "
                f"{len(request.planes)} planes; got {plane.shape} for plane {number}. The labels "
                "are of another request: segment again."
            )
    return planes


def _note(
    layer: Labels, request: ImageRequest, result: Segmentation, legend: Sequence[LegendRow] = ()
) -> None:
    before = read_legend(layer)
    hidden = hidden_classes(layer)
    legend = tuple(legend) or before
    layer.metadata = {**layer.metadata, KEY: describe(request, legend, result)}
    if legend != before:  # napari takes long to take over colours
        layer.features = features(legend)
        layer.colormap = colormap(legend, hidden)

"""What a person painted, as examples to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.edits import hand_edits
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.legend import read_legend
from napari_sclip.layers.mapping import find_target
from napari_sclip.prompts import ClassPrompt, label_ids


@dataclass(frozen=True, eq=False)
class Strokes:
    """Examples in the pixels of a plane that was read.

    Attributes
    ----------
    labels : (H, W) uint16 array
        Ids as the engine counts them.
    where : (H, W) bool array
        The examples.
    """

    labels: np.ndarray
    where: np.ndarray


def take_strokes(
    layer: Labels,
    request: ImageRequest,
    number: int,
    classes: Sequence[ClassPrompt],
    scribbles: Sequence[Labels] = (),
) -> Strokes | None:
    """Take what was painted by hand in a plane as examples; None if there is nothing.

    What was painted as a class that is not among `classes` is no example, and what was erased
    is one of the background only if there is such a class.

    Parameters
    ----------
    layer : Labels
    request : ImageRequest
    number : int
        Of the plane.
    classes : sequence of ClassPrompt
        In the order that the engine counts them.
    scribbles : sequence of Labels
        Of `scribbles_over`; where something is painted in them, that is the example.

    Raises
    ------
    LabelsMismatchError
        If the layer is not one that the request's labels go to.
    """
    painted = hand_edits(layer, request, number)
    target = find_target(request, number)
    shown = target.view(layer.data)
    for other in scribbles:
        own_view = target.view(other.data)
        scribbled = own_view != 0
        if target.mask is not None:
            scribbled &= target.mask
        if scribbled.any():
            painted |= scribbled
            shown = np.where(scribbled, own_view, shown)
    rows, columns = np.nonzero(painted)
    if not len(rows):
        return None
    ids = shown[rows, columns]
    own = _own_ids(layer, classes)
    known = np.isin(ids, list(own))
    rows, columns, ids = rows[known], columns[known], ids[known]
    if not len(rows):
        return None
    lut = np.zeros(max(own) + 1, dtype=np.uint16)
    lut[list(own)] = list(own.values())
    labels = np.zeros(request.read_shape, dtype=np.uint16)
    where = np.zeros(request.read_shape, dtype=bool)
    place = target.rows_from[rows], target.columns_from[columns]
    labels[place] = lut[ids]
    where[place] = True
    return Strokes(labels, where)


def _own_ids(layer: Labels, classes: Sequence[ClassPrompt]) -> dict[int, int]:
    """Find the engine's id for each id of the layer."""
    known = {row.name: row.id for row in read_legend(layer)}
    return {
        0 if item.background else known[item.name]: k
        for k, item in zip(label_ids(classes), classes, strict=True)
        if item.background or item.name in known
    }

"""Layers to scribble in: they teach, and change no label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.image.geometry import place_of
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.layer import colormap, features
from napari_sclip.layers.labels.schema import KEY, LegendRow, read_legend
from napari_sclip.layers.labels.targets import find_target
from napari_sclip.prompts import ClassPrompt, label_ids

FORMAT = "napari-sclip scribbles"

_SOURCES: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


def make_scribbles(labels: Labels) -> Labels:
    """Make an empty layer over labels, with their classes and in their place.

    Returns
    -------
    Labels
        Not yet in any viewer. 0 is nothing in it, and no example of the background.
    """
    legend = [row for row in read_legend(labels) if row.id != 0]
    made = Labels(
        np.zeros(labels.data.shape, dtype=labels.data.dtype),
        name=f"{labels.name} scribbles",
        features=features(legend),
        colormap=colormap(legend),
        metadata={KEY: {"format": FORMAT, "format_version": 1, "source": {"labels": labels.name}}},
        multiscale=False,
        **place_of(labels),
    )
    _SOURCES[made] = ref(labels)
    return made


def is_scribbles(layer: Any) -> bool:  # noqa: ANN401 - napari has no types
    """Tell whether a layer is one to scribble in."""
    known = layer.metadata.get(KEY)
    return isinstance(known, Mapping) and known.get("format") == FORMAT


def scribbles_over(labels: Labels, layers: Iterable[Any]) -> tuple[Labels, ...]:
    """Find the layers in which somebody scribbles over labels, the first one first.

    Parameters
    ----------
    labels : Labels
    layers : iterable of layers
        Of the viewer.
    """
    return tuple(
        layer
        for layer in layers
        if isinstance(layer, Labels)
        and is_scribbles(layer)
        and layer.data.shape == labels.data.shape
        and _is_of(layer, labels)
    )


def classes_in(layer: Any) -> tuple[LegendRow, ...]:  # noqa: ANN401
    """Read what the ids of labels mean, or of scribbles over them."""
    source = _SOURCES.get(layer)
    labels = None if source is None else source()
    return read_legend(layer if labels is None else labels)


def _is_of(layer: Labels, labels: Labels) -> bool:
    source = _SOURCES.get(layer)
    known = None if source is None else source()
    if known is None and layer.metadata[KEY]["source"]["labels"] == labels.name:
        _SOURCES[layer] = ref(labels)  # it comes from a file, or was brought back
        return True
    return known is labels


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

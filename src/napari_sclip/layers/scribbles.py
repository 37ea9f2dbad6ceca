"""Layers to scribble in: they teach, and change no label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from weakref import WeakKeyDictionary, ref

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.dress import colormap, features
from napari_sclip.layers.image.geometry import place_of
from napari_sclip.layers.legend import KEY, LegendRow, read_legend

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

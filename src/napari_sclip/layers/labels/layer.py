"""How a Labels layer shows its classes: names where the mouse is, and colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.schema import (
    KEY,
    LegendRow,
    choose_ids,
    describe,
    make_legend,
    package_versions,
    plain_rows,
    read_legend,
)
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, label_ids

UNLISTED_COLOR = (0.5, 0.5, 0.5, 1.0)


def features(legend: Sequence[LegendRow]) -> dict[str, np.ndarray]:
    """Make the table that napari shows the name of a label from."""
    rows = list(legend)
    if not any(row.id == 0 for row in rows):
        rows.insert(0, LegendRow(0, "undecided", (), "", True))
    return {
        "index": np.array([row.id for row in rows]),
        "class": np.array([row.name for row in rows], dtype=object),
        "prompts": np.array([" | ".join(row.prompts) for row in rows], dtype=object),
    }


def colormap(legend: Sequence[LegendRow], hidden: Collection[str] = ()) -> Any:  # noqa: ANN401
    """Make the colours: the background and hidden classes clear, unlisted ids grey."""
    colors: dict[int | None, Any] = {None: UNLISTED_COLOR, 0: "transparent"}
    for row in legend:
        if row.id != 0:
            colors[row.id] = "transparent" if row.name in hidden else row.color
    return DirectLabelColormap(color_dict=colors)


def hidden_classes(layer: Labels) -> frozenset[str]:
    """Names of the classes of a layer that `set_class_colors` has hidden."""
    colors = getattr(layer.colormap, "color_dict", {})
    return frozenset(
        row.name
        for row in read_legend(layer)
        if row.id != 0 and row.id in colors and colors[row.id][3] == 0
    )


def set_class_colors(
    layer: Labels, classes: Sequence[ClassPrompt], *, hidden: Collection[str] = ()
) -> None:
    """Give the classes of a layer the colours of a table; no pixel changes.

    Parameters
    ----------
    layer : Labels
    classes : sequence of ClassPrompt
        All of the table, as colours are chosen among them; those that the layer does not know
        are passed over, and those of the layer that are not given keep their colours.
    hidden : collection of str
        Names of classes that are not shown.
    """
    colors = dict(zip((c.name for c in classes), class_colors(classes), strict=True))
    legend = [
        dataclasses.replace(row, color="#{:02x}{:02x}{:02x}".format(*colors[row.name]))
        if row.name in colors
        else row
        for row in read_legend(layer)
    ]
    if legend and (tuple(legend) != read_legend(layer) or set(hidden) != hidden_classes(layer)):
        _wear(layer, legend, hidden)


def rename_class(layer: Labels, old: str, new: str) -> None:
    """Give a class of a layer another name; its pixels and its id stay.

    Nothing happens if the layer does not know the old name, or has the new one already.
    """
    legend = read_legend(layer)
    names = [row.name for row in legend]
    if old not in names or new in names:
        return
    hidden = {new if name == old else name for name in hidden_classes(layer)}
    renamed = [dataclasses.replace(row, name=new) if row.name == old else row for row in legend]
    _wear(layer, renamed, hidden)
    layer.features = features(renamed)


def add_classes(
    layer: Labels, classes: Sequence[ClassPrompt], ids: Sequence[int] | None = None
) -> None:
    """Make a layer know classes, with ids that its legend does not use yet; no pixel changes.

    Of `ids`, one a class, those of classes that it knows already are passed over.
    """
    before = read_legend(layer)
    hidden = hidden_classes(layer)
    legend = make_legend(classes, choose_ids(classes, before, ids), before)
    if legend != before:
        _wear(layer, legend, hidden)
        layer.features = features(legend)


def forget_classes(layer: Labels, ids: Collection[int]) -> None:
    """Make a layer forget what ids meant that no pixel of it has."""
    hidden = hidden_classes(layer)
    legend = [row for row in read_legend(layer) if row.id not in ids]
    _wear(layer, legend, hidden)
    layer.features = features(legend)


def _wear(layer: Labels, legend: Sequence[LegendRow], hidden: Collection[str]) -> None:
    noted = {**layer.metadata[KEY], "classes": plain_rows(legend)}
    layer.metadata = {**layer.metadata, KEY: noted}
    layer.colormap = colormap(legend, hidden)


def label_lut(layer: Labels, classes: Sequence[ClassPrompt]) -> np.ndarray:
    """Table from the ids of `Segmentation.labels` to those of a layer that knows the classes."""
    ids = {row.name: row.id for row in read_legend(layer)}
    return ids_lut(classes, [ids[c.name] for c in classes], layer.data.dtype)


def ids_lut(classes: Sequence[ClassPrompt], ids: Sequence[int], dtype: np.dtype[Any]) -> np.ndarray:
    """Make a table from the ids that the engine counts to others."""
    own = label_ids(classes)
    lut = np.zeros(max(own) + 1, dtype=dtype)
    lut[list(own)] = ids
    return lut


def warm_up() -> None:
    """Load what napari loads with its first Labels layer: up to a second, so for a worker."""
    Labels(np.zeros((2, 2), np.uint8), features=features(()), colormap=colormap(()))
    package_versions()


def new_labels_layer(
    request: ImageRequest, classes: Sequence[ClassPrompt], *, ids: Sequence[int] | None = None
) -> Labels:
    """Make the Labels layer of an image, still empty.

    Parameters
    ----------
    request : ImageRequest
    classes : sequence of ClassPrompt
    ids : sequence of int, optional
        Of the classes, 0 for the background and no other; left out, they are counted from 1.

    Returns
    -------
    Labels
        Not yet in any viewer.

    Raises
    ------
    ClassesError
        If the ids do not fit the classes.
    """
    legend = make_legend(classes, choose_ids(classes) if ids is None else ids)
    return Labels(
        np.zeros(request.labels_shape, dtype=_dtype_for(row.id for row in legend)),
        name=f"{request.name} labels",
        features=features(legend),
        colormap=colormap(legend),
        metadata={KEY: describe(request, legend, None)},
        multiscale=False,
        **request.geometry.arguments(),
    )


def _dtype_for(ids: Iterable[int]) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if max(ids) <= np.iinfo(np.uint8).max else np.uint16

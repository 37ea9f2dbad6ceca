"""What the ids of any Labels layer mean: from its legend, its features and its colours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_sclip.colors import hex_color
from napari_sclip.export.item import class_of_id, with_unknown
from napari_sclip.layers.legend import read_legend
from napari_sclip.prompts import ClassPrompt

NAMES = ("class", "name", "label_name", "label-name", "label")
"""Columns of features that may hold names, the likeliest first."""

KnownClasses = tuple[tuple[int, ClassPrompt], ...]


def known_classes(attributes: Mapping[str, Any], present: Iterable[int]) -> KnownClasses:
    """Name the ids of a Labels layer.

    Parameters
    ----------
    attributes : mapping
        Of the layer, as ``layer.as_layer_data_tuple()[1]``.
    present : iterable of int
        Ids that occur.

    Returns
    -------
    tuple of (int, ClassPrompt)
        The legend of a layer of this plugin, or the names in the column ``class`` or ``name`` of
        the features, by the column ``index``; then every other id that occurs as "label 7", in
        the colour that is shown.
    """
    ids = sorted(set(present) - {0})
    legend = read_legend(SimpleNamespace(metadata=attributes.get("metadata") or {}))
    if legend:
        known = [
            (row.id, ClassPrompt(row.name, row.prompts, row.background, row.color or None))
            for row in legend
        ]
        missing = [k for k in ids if k not in {row.id for row in legend}]
        return tuple(with_unknown(known, missing, _shown(attributes, missing)))
    names = _names(attributes.get("features"))
    colors = _shown(attributes, sorted({*ids, *names} - {0}))
    known = [(k, class_of_id(k, name, color=colors.get(k))) for k, name in names.items() if k != 0]
    return tuple(with_unknown(known, ids, colors))


def _names(features: Any) -> dict[int, str]:  # noqa: ANN401 - a table of pandas
    """Read names by id; where several ids have one name, the later ones say their id."""
    columns = () if features is None else tuple(getattr(features, "columns", ()))
    column = next((name for name in NAMES if name in columns), None)
    if column is None or "index" not in columns:
        return {}
    found: dict[int, str] = {}
    for number, value in zip(features["index"], features[column], strict=True):
        name = " ".join(value.split()) if isinstance(value, str) else ""
        if name and _is_id(number):
            k = int(number)
            found[k] = f"{name} ({k})" if name in found.values() else name
    return found


def _is_id(number: Any) -> bool:  # noqa: ANN401
    return bool(np.isfinite(number) and number == int(number) and number >= 0)


def _shown(attributes: Mapping[str, Any], ids: list[int]) -> dict[int, str]:
    """Return the colours that napari shows ids in; none where they are hidden."""
    colormap = attributes.get("colormap")
    if colormap is None or not hasattr(colormap, "map") or not ids:
        return {}
    colors = np.rint(np.asarray(colormap.map(np.array(ids))) * 255).astype(int)
    return {
        k: hex_color((int(r), int(g), int(b)))
        for k, (r, g, b, a) in zip(ids, colors.tolist(), strict=True)
        if a
    }

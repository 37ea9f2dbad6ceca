"""What the ids of a Labels layer mean, and how the labels came about."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_sclip.colors import hex_color
from napari_sclip.errors import ClassesError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, class_of_id, with_unknown

if TYPE_CHECKING:
    from napari_sclip.engine.result import Segmentation

KEY = "napari_sclip"
"""Where a layer's metadata has our part."""

FORMAT = "napari-sclip labels"
PACKAGES = ("napari-sclip", "napari", "torch", "open_clip_torch", "numpy")

NAMES = ("class", "name", "label_name", "label-name", "label")
"""Columns of features that may hold names, the likeliest first."""

KnownClasses = tuple[tuple[int, ClassPrompt], ...]


@dataclass(frozen=True)
class LegendRow:
    """One id of a Labels layer.

    Attributes
    ----------
    id : int
    name : str
    prompts : tuple of str
    color : str
        ``#rrggbb``.
    background : bool
    """

    id: int
    name: str
    prompts: tuple[str, ...]
    color: str
    background: bool


def has_legend(layer: Any) -> bool:  # noqa: ANN401 - napari has no types
    """Tell whether this plugin made or adopted a Labels layer, even if it names no id yet."""
    known = layer.metadata.get(KEY)
    return isinstance(known, Mapping) and known.get("format") == FORMAT


def read_legend(layer: Any) -> tuple[LegendRow, ...]:  # noqa: ANN401 - napari has no types
    """Read what a Labels layer's ids mean; nothing if this plugin did not make it.

    Parameters
    ----------
    layer : Labels layer
    """
    if not has_legend(layer):
        return ()
    known = layer.metadata[KEY]
    return tuple(
        LegendRow(int(c["id"]), c["name"], tuple(c["prompts"]), c["color"], bool(c["background"]))
        for c in known["classes"]
    )


def choose_ids(
    classes: Sequence[ClassPrompt],
    legend: Sequence[LegendRow] = (),
    wanted: Sequence[int] | None = None,
) -> tuple[int, ...]:
    """Give every class an id, and a class that has one the same as before.

    Parameters
    ----------
    classes : sequence of ClassPrompt
    legend : sequence of LegendRow
        Of the layer that is written to.
    wanted : sequence of int, optional
        Ids for the classes that the legend does not know, where they are free in it.

    Returns
    -------
    tuple of int
        0 for the background; for a new layer the others are counted from 1, as in
        `Segmentation.labels`.
    """
    known = {row.name.removesuffix(_suffix(row.id)): row.id for row in legend if row.id != 0}
    known |= {row.name: row.id for row in legend if row.id != 0}
    taken = {row.id for row in legend}
    following = max(taken | set(wanted or ()), default=0) + 1
    ids = []
    for item, own in zip(classes, wanted or [0] * len(classes), strict=True):
        if item.background:
            ids.append(0)
        elif item.name in known:
            ids.append(known[item.name])
        elif own > 0 and own not in taken:
            ids.append(own)
            taken.add(own)
        else:
            ids.append(following)
            following += 1
    return tuple(ids)


def make_legend(
    classes: Sequence[ClassPrompt], ids: Sequence[int], before: Sequence[LegendRow] = ()
) -> tuple[LegendRow, ...]:
    """List all ids: those of the classes, and older ones that the layer may still hold.

    Raises
    ------
    ClassesError
        If two classes have one id, or another class than the background has 0.
    """
    if len(set(ids)) != len(classes) or any(
        (k == 0) != c.background for k, c in zip(ids, classes, strict=False)
    ):
        raise ClassesError(
            f"Expected an id of its own for each of {len(classes)} classes, 0 for the background "
            f"and no other; got {list(ids)}."
        )
    colors = ("#{:02x}{:02x}{:02x}".format(*c) for c in class_colors(classes))
    rows = [
        LegendRow(k, c.name, c.prompts, color, c.background)
        for k, c, color in zip(ids, classes, colors, strict=True)
    ]
    names = {item.name for item in classes}
    for row in before:
        if row.id not in ids:
            # The class has become the background, or was: what is left of it is told by its id.
            name = _former(row) if row.name in names else row.name
            rows.append(dataclasses.replace(row, name=name))
    return tuple(sorted(rows, key=lambda row: row.id))


def _former(row: LegendRow) -> str:
    return f"{row.name.removesuffix(_suffix(row.id))}{_suffix(row.id)}"


def _suffix(label: int) -> str:
    return f" (was {label})"


def plain_rows(legend: Sequence[LegendRow]) -> list[dict[str, Any]]:
    """Return rows as plain values that JSON can hold."""
    # `asdict` copies each value, which takes long for thousands of objects.
    return [{**vars(row), "prompts": list(row.prompts)} for row in legend]


def describe(
    request: ImageRequest, legend: Sequence[LegendRow], result: Segmentation | None
) -> dict[str, Any]:
    """Describe labels in plain values that JSON can hold.

    Parameters
    ----------
    request : ImageRequest
    legend : sequence of LegendRow
    result : Segmentation or None
        None while there is none yet.
    """
    return {
        "format": FORMAT,
        "format_version": 1,
        "classes": plain_rows(legend),
        "current": [row.id for row in legend if row.name in _names_of(result)],
        "dropped": [] if result is None else list(result.dropped),
        "source": request.describe(),
        "configuration": None if result is None else result.config.to_dict(),
        "model": None if result is None else result.model,
        "weights_sha256": None if result is None else result.weights_sha256,
        "attention": None if result is None else result.attention,
        "versions": dict(package_versions()),
    }


def _names_of(result: Segmentation | None) -> frozenset[str]:
    return frozenset() if result is None else frozenset(c.name for c in result.classes)


def is_current(noted: Mapping[str, Any], label: int) -> bool:
    """Tell whether the last run looked for the class of an id; of any, where there was none.

    Parameters
    ----------
    noted : mapping
        Our part of a layer's metadata.
    label : int
    """
    current = noted.get("current")
    return not current or label in current


@functools.cache
def package_versions() -> tuple[tuple[str, str | None], ...]:
    """Look up the versions of what the labels come of."""
    return tuple((name, _version(name)) for name in PACKAGES)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


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

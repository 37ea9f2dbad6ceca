"""What the ids of a Labels layer mean, and how the labels came about."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_sclip.errors import ClassesError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    from napari_sclip.engine.result import Segmentation

KEY = "napari_sclip"
"""Where a layer's metadata has our part."""

FORMAT = "napari-sclip labels"
PACKAGES = ("napari-sclip", "napari", "torch", "open_clip_torch", "numpy")


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
    return [{**dataclasses.asdict(row), "prompts": list(row.prompts)} for row in legend]


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

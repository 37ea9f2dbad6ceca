"""A mask from the labels in an OME-Zarr."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.colors import hex_color
from napari_sclip.errors import ClassesError, ConfigError, ImageError
from napari_sclip.export.ids import class_of_id
from napari_sclip.export.read_mask import Mask
from napari_sclip.prompts import ClassPrompt

NAMES = ("class", "name", "label-name", "label")
"""What properties call the name of a label."""


def read_ome_zarr(path: Path) -> Mask:
    """Read the first labels of an OME-Zarr, or a group of labels itself, at full size.

    Raises
    ------
    ConfigError
        If the library that reads Zarr is not installed.
    ImageError
        If there are no labels in the folder.
    """
    try:
        import zarr
    except ImportError as error:
        raise ConfigError(
            "Reading OME-Zarr needs the package zarr. Install it: pip install 'napari-sclip[zarr]'."
        ) from error
    try:
        group: Any = zarr.open_group(str(path), mode="r")
        described = _attributes(group)
        if "labels" in group:
            names = _attributes(group["labels"])["labels"]
            group = group[f"labels/{names[0]}"]
        elif "labels" in described and "multiscales" not in described:
            group = group[described["labels"][0]]
        described = _attributes(group)
        scales = described["multiscales"][0]
        dataset = scales["datasets"][0]
        labels = np.asarray(group[dataset["path"]][...])
        axes = [a if isinstance(a, dict) else {"name": a} for a in scales.get("axes", ())]
        sizes, origin = _transformations(dataset.get("coordinateTransformations", ()))
        classes = _classes(described.get("image-label", {}))
    except (OSError, KeyError, IndexError, TypeError, ValueError, ClassesError) as error:
        raise ImageError(
            f"Expected a folder of OME-Zarr with labels in it; {path} is something else."
        ) from error
    whole = len(axes) == labels.ndim == len(sizes)
    return Mask(
        labels,
        classes,
        axes="".join(str(a["name"]) for a in axes) if len(axes) == labels.ndim else "",
        pixel_size=sizes if whole else (),
        units=tuple(str(a.get("unit", "pixel")) for a in axes) if whole else (),
        origin=(origin or (0.0,) * labels.ndim) if whole else (),
    )


def _attributes(group: Any) -> Mapping[str, Any]:  # noqa: ANN401 - zarr's group
    """Return what a group says of itself; from version 0.5 on, under a key of its own."""
    attributes = dict(group.attrs)
    described: Mapping[str, Any] = attributes.get("ome", attributes)
    return described


def _transformations(steps: Any) -> tuple[tuple[float, ...], tuple[float, ...]]:  # noqa: ANN401
    sizes: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    for step in steps:
        if step["type"] == "scale":
            sizes = tuple(float(v) for v in step["scale"])
        elif step["type"] == "translation":
            origin = tuple(float(v) for v in step["translation"])
    return sizes, origin


def _classes(described: Mapping[str, Any]) -> tuple[tuple[int, ClassPrompt], ...]:
    colors = {int(c["label-value"]): c["rgba"] for c in described.get("colors", ()) if "rgba" in c}
    found: dict[str, tuple[int, ClassPrompt]] = {}
    for row in described.get("properties", ()):
        k = int(row["label-value"])
        name = next((str(row[key]) for key in NAMES if str(row.get(key, "")).strip()), f"label {k}")
        name = f"{name} ({k})" if name in found else name
        red, green, blue = (int(v) for v in colors.get(k, (0, 0, 0))[:3])
        color = hex_color((red, green, blue)) if k in colors and k != 0 else None
        prompts = tuple(p for p in str(row.get("prompts", "")).split(" | ") if p.strip())
        if k != 0 or "prompts" in row:
            found[name] = (k, class_of_id(k, name, prompts, color))
    return tuple(found.values())

"""OME-Zarr 0.4: labels with their names and colours, and the image where there is one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat
from napari_sclip.export.item import AXES, ExportItem
from napari_sclip.export.ome_tiff import narrowed
from napari_sclip.export.zarr_files import output_folder, write_array, write_group

VERSION = "0.4"
LABELS_NAME = "classes"
SMALLEST_LEVEL = 512
TYPES = {"t": "time", "c": "channel"}
UNITS = re.compile(r"^(angstrom|[a-z]*meter|inch|foot|yard|mile|[a-z]*second|minute|hour|day)$")


def write_ome_zarr(path: Path, item: ExportItem, *, overwrite: bool = False) -> None:
    """Write labels, and the image if its pixels are those of the labels, as a folder.

    The labels are the group ``labels/classes``. Without an image, the labels stand in its place
    too, because every reader begins there.

    Parameters
    ----------
    path : Path
        The folder.
    item : ExportItem
        With up to five axes.
    overwrite : bool
        Whether it may exist already; only what is Zarr is replaced.

    Raises
    ------
    OutputError
        If there are too many axes or an id is too large, or the folder may not be replaced or
        cannot be written.
    """
    labels = narrowed(path, item.labels)
    if not item.axes:
        raise OutputError(
            f"Cannot write {path}: expected up to {len(AXES) + 1} axes; got {labels.ndim}. "
            "Export a part of the stack."
        )
    image, channels = _image(item)
    with output_folder(path, overwrite=overwrite) as folder:
        if image is None:
            _write_labels(folder, labels, item, source=False)
        else:
            _write_levels(folder, image, item, channels=channels, average=True)
        write_group(folder / "labels", {"labels": [LABELS_NAME]})
        _write_labels(folder / "labels" / LABELS_NAME, labels, item, source=True)


def _write_labels(folder: Path, labels: NDArray[Any], item: ExportItem, *, source: bool) -> None:
    _write_levels(folder, labels, item, more={"image-label": _image_label(item, source)})


def _image_label(item: ExportItem, source: bool) -> dict[str, Any]:
    properties = [
        {"label-value": r.id, "class": r.name, "prompts": " | ".join(r.prompts)} for r in item.rows
    ]
    colors = [{"label-value": r.id, "rgba": [*r.color, 0 if r.id == 0 else 255]} for r in item.rows]
    described: dict[str, Any] = {"version": VERSION, "colors": colors, "properties": properties}
    return described | ({"source": {"image": "../../"}} if source else {})


def _write_levels(
    folder: Path,
    array: NDArray[Any],
    item: ExportItem,
    *,
    channels: bool = False,
    average: bool = False,
    more: dict[str, Any] | None = None,
) -> None:
    """Write an array and smaller copies of it."""
    axes = f"c{item.axes}" if channels and "t" not in item.axes else item.axes
    if channels and "t" in item.axes:
        axes = item.axes.replace("t", "tc", 1)
    levels: list[dict[str, Any]] = []
    factor = 1
    write_group(folder, {})
    while True:
        write_array(folder / str(len(levels)), array)
        levels.append(_level(str(len(levels)), axes, item, factor, average))
        if max(array.shape[-2:]) <= SMALLEST_LEVEL:
            break
        array, factor = _halved(array, average), factor * 2
    multiscales = {
        "version": VERSION,
        "name": Path(item.image_file).stem or LABELS_NAME,
        "axes": [_axis(letter, item) for letter in axes],
        "datasets": levels,
    }
    write_group(folder, {"multiscales": [multiscales], **(more or {})})


def _level(path: str, axes: str, item: ExportItem, factor: int, average: bool) -> dict[str, Any]:
    scale, shift = [], []
    for letter in axes:
        at = item.axes.find(letter)
        size = item.pixel_size[at] if item.pixel_size and at >= 0 else 1.0
        origin = item.origin[at] if item.origin and at >= 0 else 0.0
        steps = factor if letter in "yx" else 1
        # An average lies in the middle of its pixels, what was picked lies where it was.
        scale.append(float(size) * steps)
        shift.append(float(origin) + (float(size) * (steps - 1) / 2 if average else 0.0))
    return {
        "path": path,
        "coordinateTransformations": [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": shift},
        ],
    }


def _axis(letter: str, item: ExportItem) -> dict[str, str]:
    axis = {"name": letter, "type": TYPES.get(letter, "space")}
    at = item.axes.find(letter)
    unit = item.units[at] if item.units and at >= 0 else ""
    return axis | ({"unit": unit} if letter != "c" and UNITS.match(unit) else {})


def _halved(array: NDArray[Any], average: bool) -> NDArray[Any]:
    if not average:
        return array[..., ::2, ::2]
    edges = [(0, 0)] * (array.ndim - 2) + [(0, n % 2) for n in array.shape[-2:]]
    whole = np.pad(array, edges, mode="edge") if any(n % 2 for n in array.shape[-2:]) else array
    parts = [whole[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
    total = np.sum([p.astype(np.float32) for p in parts], axis=0) / 4
    return np.asarray(total if array.dtype.kind == "f" else np.rint(total)).astype(array.dtype)


def _image(item: ExportItem) -> tuple[NDArray[Any] | None, bool]:
    """Return the image with its colours as an axis of channels, and whether it has one."""
    image = item.fitting_image
    if image is None or image.dtype.kind not in "uif":
        return None, False
    if image.ndim == item.labels.ndim:
        return image, False
    if "c" in item.axes:
        return None, False
    return np.moveaxis(image, -1, 1 if item.axes.startswith("t") else 0), True


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    write_ome_zarr(path, item, overwrite=overwrite)


FORMAT = ExportFormat(
    name="ome-zarr",
    summary="labels with names and colours, and the image, whole stacks (OME-Zarr 0.4)",
    default=False,
    ending=lambda classes: ".ome.zarr",
    write=_write,
    title="OME-Zarr labels",
    suffixes=(".ome.zarr", ".zarr"),
    stacks=True,
    is_folder=True,
)

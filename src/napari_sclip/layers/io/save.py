"""Save Labels layers: what napari's Save dialog and the widget call."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.class_files import read_class_ids
from napari_sclip.errors import ClassesError, OutputError
from napari_sclip.export import EXPORT_FORMATS, ExportItem, find_export_format, write_item
from napari_sclip.export.classes_json import write_classes_json
from napari_sclip.export.formats import ExportFormat, file_ending
from napari_sclip.export.item import AXES, count_ids
from napari_sclip.export.read_mask import CLASSES_ENDING
from napari_sclip.layers.labels.partial import undrafted
from napari_sclip.layers.labels.schema import KEY, KnownClasses, is_current, known_classes
from napari_sclip.layers.labels.snapshot import write_prediction

LayerData = tuple[Any, Mapping[str, Any], str]
"""Array, attributes and type of a layer, as ``layer.as_layer_data_tuple()`` gives them."""

LAYER_FORMATS: tuple[ExportFormat, ...] = tuple(known for known in EXPORT_FORMATS if known.title)
"""Formats that a layer can be saved in."""

WITH_CLASSES_JSON = ("labels", "tiff")
"""Formats that hold ids only: their names go beside them."""

WITH_PREDICTION = (*WITH_CLASSES_JSON, "ome-zarr")
"""Formats that are a project's own: what they hold can be opened again and gone on with."""


def save_labels(
    layer: Any,  # noqa: ANN401 - napari has no types
    path: Path,
    name: str,
    *,
    image: Any = None,  # noqa: ANN401
    overwrite: bool = False,
) -> tuple[Path, ...]:
    """Save a Labels layer, its names and colours included.

    Parameters
    ----------
    layer : Labels layer
    path : Path
        The file; the usual ending is added if it has none of the format's.
    name : str
        Of one of `LAYER_FORMATS`.
    image : Image layer, optional
        What the labels are of: COCO names it, OME-Zarr holds it.
    overwrite : bool
        Whether `path` may exist already.

    Returns
    -------
    tuple of Path
        The files written.

    Raises
    ------
    OutputError
        If a file may not be replaced, or cannot be written, or the format cannot hold the layer.
    """
    beside = None if image is None else image.as_layer_data_tuple()
    return save_layer_data(
        layer.as_layer_data_tuple(), path, name, image=beside, overwrite=overwrite
    )


def save_layer_data(
    labels: LayerData,
    path: Path,
    name: str,
    *,
    image: LayerData | None = None,
    overwrite: bool = False,
    data: Any = None,  # noqa: ANN401
) -> tuple[Path, ...]:
    """Save what was taken of layers, which a worker can do; as `save_labels`.

    `data` is the layer's own array, by which its last prediction is known, where `labels` has a
    copy.
    """
    own = labels[0] if data is None else data
    if data is None:
        labels = (undrafted(own), *labels[1:])
    item = export_item(labels, image)
    known = find_export_format(name)
    files = _save(known, path, item, overwrite=overwrite)
    if name in WITH_PREDICTION and (known.stacks or item.labels.ndim == 2):
        files += write_prediction(files[0], own, item.labels, labels[1].get("metadata"))
    return files


def export_item(labels: LayerData, image: LayerData | None = None) -> ExportItem:
    """Take what the formats need from layers.

    Parameters
    ----------
    labels : LayerData
    image : LayerData, optional
        Passed over where its pixels are not those of the labels, but for its name.

    Returns
    -------
    ExportItem
        Ids that no class of the layer has are named "label 7", in the colour that is shown.
    """
    attributes = labels[1]
    data = _finest(labels[0], attributes)
    noted = (attributes.get("metadata") or {}).get(KEY) or {}
    present = count_ids(data)
    # Not those that a run looked for once, and of which nothing is left.
    known = tuple(
        (k, named)
        for k, named in known_classes(attributes, present)
        if k == 0 or k in present or is_current(noted, k)
    )
    rows, columns = _shown_axes(noted.get("source") or {}, data.ndim)
    record = {k: noted[k] for k in ("weights_sha256", "attention") if noted.get(k)}
    if noted.get("model"):
        record = {"name": noted["model"], **record}
    return ExportItem(
        image=None if image is None else _finest(image[0], image[1]),
        labels=data,
        classes=tuple(c for _, c in known),
        dropped=tuple(noted.get("dropped") or ()),
        image_file=_image_name(noted, image),
        model=record,
        configuration=noted.get("configuration") or {},
        ids=tuple(k for k, _ in known),
        axes=_letters(attributes.get("axis_labels") or (), data.ndim),
        pixel_size=tuple(float(v) for v in attributes.get("scale", ())),
        units=tuple(str(unit) for unit in attributes.get("units") or ()),
        origin=tuple(float(v) for v in attributes.get("translate", ())),
        rows_axis=rows,
        columns_axis=columns,
    )


def __getattr__(name: str) -> Callable[[str, Sequence[LayerData]], list[str]]:
    """Make `write_coco` and its like, which napari.yaml names, for each format of layers."""
    for known in LAYER_FORMATS:
        if name == f"write_{known.name.replace('-', '_')}":
            return functools.partial(_write, known.name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _write(name: str, path: str, layers: Sequence[LayerData]) -> list[str]:
    labels = next(layer for layer in layers if layer[2] == "labels")
    image = next((layer for layer in layers if layer[2] == "image"), None)
    # napari's dialog has asked about the file that was typed, and about no other one.
    files = save_layer_data(labels, Path(path), name, image=image, overwrite=True)
    return [str(file) for file in files]


def _save(
    known: ExportFormat, path: Path, item: ExportItem, *, overwrite: bool
) -> tuple[Path, ...]:
    target = path
    if not path.name.lower().endswith(known.suffixes):
        target = path.with_name(f"{path.name}{known.suffixes[0]}")
    asked = overwrite and target == path and (known.stacks or item.labels.ndim == 2)
    beside = target.with_name(f"{target.name.removesuffix(file_ending(target))}{CLASSES_ENDING}")
    if known.name not in WITH_CLASSES_JSON:
        return write_item(known, target, item, overwrite=asked, replace_shared=False)
    before = _classes_of(beside)
    same = before is not None and before == tuple(zip(item.ids, item.prompts, strict=False))
    if beside.exists() and not same and not (asked and before is not None and target.exists()):
        raise OutputError(
            f"{beside} is in the way: the names of the classes belong there. Choose another name."
        )
    files = write_item(known, target, item, overwrite=asked, replace_shared=False)
    if not same:
        write_classes_json(beside, item, overwrite=True)
    return (*files, beside)


def _classes_of(path: Path) -> KnownClasses | None:
    """Read a JSON of classes; None if there is none, or another JSON."""
    try:
        return read_class_ids(path)
    except ClassesError:
        return None


def _finest(data: Any, attributes: Mapping[str, Any]) -> np.ndarray:  # noqa: ANN401
    return np.asarray(data[0] if attributes.get("multiscale") else data)


def _image_name(noted: Mapping[str, Any], image: LayerData | None) -> str:
    named = (noted.get("source") or {}).get("image") if image is None else image[1].get("name")
    return str(named or "")


def _letters(labels: Sequence[Any], ndim: int) -> str:
    """Return a letter for each axis, where the labels of the axes say them in a usable order."""
    letters = "".join(str(label)[:1].casefold() for label in labels)
    known = all(str(label).casefold() in _AXIS_NAMES for label in labels)
    order = [AXES[-1].find(letter) for letter in letters]
    if known and len(letters) == ndim and order == sorted(set(order)) and letters.endswith("yx"):
        return letters
    return ""


_AXIS_NAMES = frozenset(AXES[-1]) | {"time", "channel", "depth"}


def _shown_axes(source: Mapping[str, Any], ndim: int) -> tuple[int, int]:
    """Tell which axes of labels are shown as rows and columns; the last two, if nothing is noted.

    What is noted are axes of the image, of which the labels may lack that of the channels.
    """
    rows, columns = source.get("rows_axis"), source.get("columns_axis")
    whole = len(source.get("image_shape") or ())
    if rows is None or columns is None or whole - ndim not in (0, 1):
        return -2, -1
    channel = source.get("channel_axis")
    if whole > ndim:
        if channel is None:
            return -2, -1
        rows, columns = (a - (a > channel) for a in (rows, columns))
    return int(rows), int(columns)

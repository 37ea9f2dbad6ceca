"""OME-Zarr: labels with their names and colours, and the image where there is one."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.colors import hex_color
from napari_sclip.errors import ClassesError, ImageError, OutputError
from napari_sclip.export.formats import ExportFormat, cannot_write, exists_already, narrowed
from napari_sclip.export.item import AXES, ExportItem, Mask
from napari_sclip.prompts import ClassPrompt, class_of_id

VERSIONS = ("0.4", "0.5")
"""What is written; the first unless the other one is asked for."""

LABELS_NAME = "classes"
NAMES = ("class", "name", "label-name", "label")
"""What properties call the name of a label."""

CHUNK = 1024
MARKS = (".zgroup", ".zarray", "zarr.json")
"""One of these files is in every folder that is Zarr."""

SMALLEST_LEVEL = 512
TYPES = {"t": "time", "c": "channel"}
UNITS = re.compile(r"^(angstrom|[a-z]*meter|inch|foot|yard|mile|[a-z]*second|minute|hour|day)$")


def write_ome_zarr(
    path: Path, item: ExportItem, *, overwrite: bool = False, version: str = VERSIONS[0]
) -> None:
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
    version : str
        One of `VERSIONS`.

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
            _write_labels(folder, labels, item, version, source=False)
        else:
            _write_levels(folder, image, item, version, channels=channels, average=True)
        group = _make_group(folder / "labels", version)
        _describe(group, version, {"labels": [LABELS_NAME]})
        _write_labels(folder / "labels" / LABELS_NAME, labels, item, version, source=True)


def _write_labels(
    folder: Path, labels: NDArray[Any], item: ExportItem, version: str, *, source: bool
) -> None:
    _write_levels(folder, labels, item, version, more={"image-label": _image_label(item, source)})


def _image_label(item: ExportItem, source: bool) -> dict[str, Any]:
    properties = [
        {"label-value": r.id, "class": r.name, "prompts": " | ".join(r.prompts)} for r in item.rows
    ]
    colors = [{"label-value": r.id, "rgba": [*r.color, 0 if r.id == 0 else 255]} for r in item.rows]
    described: dict[str, Any] = {"colors": colors, "properties": properties}
    return described | ({"source": {"image": "../../"}} if source else {})


def _write_levels(
    folder: Path,
    array: NDArray[Any],
    item: ExportItem,
    version: str,
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
    group = _make_group(folder, version)
    while True:
        _write_array(group, str(len(levels)), array, axes)
        levels.append(_level(str(len(levels)), axes, item, factor, average))
        if max(array.shape[-2:]) <= SMALLEST_LEVEL:
            break
        array, factor = _halved(array, average), factor * 2
    multiscales = {
        "name": Path(item.image_file).stem or LABELS_NAME,
        "axes": [_axis(letter, item) for letter in axes],
        "datasets": levels,
    }
    _describe(group, version, {"multiscales": [multiscales], **(more or {})})


def _make_group(folder: Path, version: str) -> Any:  # noqa: ANN401 - zarr's group
    import zarr

    return zarr.create_group(str(folder), zarr_format=2 if version == "0.4" else 3)


def _describe(group: Any, version: str, described: Mapping[str, Any]) -> None:  # noqa: ANN401
    """Note what a group holds; from version 0.5 on under a key of its own."""
    if version != "0.4":
        group.attrs["ome"] = {"version": version, **described}
        return
    for part in (*described.get("multiscales", ()), described.get("image-label")):
        if part is not None:
            part["version"] = version
    group.attrs.update(described)


def _write_array(group: Any, name: str, array: NDArray[Any], axes: str) -> None:  # noqa: ANN401
    """Write an array in chunks of one plane, up to 1024 x 1024 pixels; empty ones are left out."""
    import numcodecs
    from zarr.codecs import GzipCodec

    # Compression that readers in other languages know too.
    own: dict[str, Any] = {"compressors": GzipCodec(level=1), "dimension_names": list(axes)}
    if group.metadata.zarr_format == 2:
        separator = {"name": "v2", "separator": "/"}
        own = {"compressors": numcodecs.Zlib(level=1), "chunk_key_encoding": separator}
    written = group.create_array(
        name,
        shape=array.shape,
        dtype=array.dtype.newbyteorder("<"),
        chunks=(*(1 for _ in array.shape[:-2]), *(min(CHUNK, max(1, n)) for n in array.shape[-2:])),
        fill_value=0,
        **own,
    )
    written[...] = array


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


def read_ome_zarr(path: Path, start: bytes = b"") -> Mask | None:
    """Read the first labels of an OME-Zarr, or a group of labels itself, at full size.

    None if it is no folder.

    Raises
    ------
    ImageError
        If there are no labels in the folder.
    """
    if not path.is_dir():
        return None
    import zarr

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


@contextlib.contextmanager
def output_folder(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Write a folder of Zarr whole or not at all.

    Parameters
    ----------
    path : Path
        The folder.
    overwrite : bool
        Whether it may exist already. Only what is Zarr is ever replaced.

    Yields
    ------
    Path
        A new folder to write to instead; it takes the place of `path` at the end.

    Raises
    ------
    OutputError
        If the folder may not be replaced, or cannot be written.
    """
    if path.exists():
        if not overwrite:
            raise OutputError(exists_already(path))
        if not any((path / mark).exists() for mark in MARKS):
            raise OutputError(
                f"Cannot write {path}: it is there and is no Zarr, so it was left as it is. "
                "Choose another name."
            )
    unique = uuid.uuid4().hex[:12]
    temporary = path.with_name(f".{path.name[:20]}-{unique}")
    old = path.with_name(f".{path.name[:20]}-{unique}-old")
    try:
        temporary.mkdir(parents=True)
        yield temporary
        if path.exists():
            path.rename(old)
            try:
                temporary.replace(path)
            except OSError:
                old.rename(path)
                raise
        else:
            temporary.replace(path)
    except OSError as error:
        raise OutputError(cannot_write(path, error)) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)


FORMAT = ExportFormat(
    name="ome-zarr",
    order=6,
    summary="labels with names and colours, and the image, whole stacks (OME-Zarr 0.4)",
    default=False,
    ending=lambda classes: ".ome.zarr",
    write=write_ome_zarr,
    title="OME-Zarr labels",
    suffixes=(".ome.zarr", ".zarr"),
    stacks=True,
    is_folder=True,
    read=read_ome_zarr,
)

FORMAT_0_5 = dataclasses.replace(
    FORMAT,
    name="ome-zarr-0.5",
    summary="the same as OME-Zarr 0.5, which fewer programs read yet",
    ending=lambda classes: "_0.5.ome.zarr",
    write=functools.partial(write_ome_zarr, version="0.5"),
    title="",
    suffixes=(),
    read=None,
)

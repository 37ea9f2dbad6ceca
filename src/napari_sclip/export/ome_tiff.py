"""Labels as OME-TIFF: whole stacks, in the labels' own dtype, with the size of a pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.item import AXES, ExportItem

MICROMETRES = {
    "nanometer": 1e-3,
    "micrometer": 1.0,
    "micron": 1.0,
    "millimeter": 1e3,
    "centimeter": 1e4,
    "meter": 1e6,
}
SECONDS = {"second": 1.0, "millisecond": 1e-3, "minute": 60.0, "hour": 3600.0}


def write_ome_tiff(path: Path, item: ExportItem, *, overwrite: bool = False) -> None:
    """Write labels as a compressed OME-TIFF, one page a plane.

    Parameters
    ----------
    path : Path
        The file.
    item : ExportItem
        With up to five axes. Labels of 64 bits are written in as few bits as they need.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If there are too many axes or an id is too large, or the file exists and `overwrite` is
        False, or cannot be written.
    """
    import tifffile

    labels = narrowed(path, item.labels)
    if not item.axes:
        raise OutputError(
            f"Cannot write {path}: expected up to {len(AXES) + 1} axes; got {labels.ndim}. "
            "Export a part of the stack."
        )
    sizes = physical_sizes(item)
    more: dict[str, Any] = {}
    if {"x", "y"} <= set(sizes):
        # The resolution that programs read which do not know OME.
        more = {"resolution": (1e4 / sizes["x"], 1e4 / sizes["y"]), "resolutionunit": "CENTIMETER"}
    metadata: dict[str, Any] = {"axes": item.axes.upper(), "Name": Path(item.image_file).stem}
    for axis in sizes:
        if axis in "xyz":
            metadata[f"PhysicalSize{axis.upper()}"] = sizes[axis]
            metadata[f"PhysicalSize{axis.upper()}Unit"] = "µm"
    if "t" in sizes:
        metadata |= {"TimeIncrement": sizes["t"], "TimeIncrementUnit": "s"}
    with output_file(path, overwrite=overwrite) as temporary:
        tifffile.imwrite(
            temporary,
            labels,
            ome=True,
            photometric="minisblack",
            compression="zlib",
            metadata=metadata,
            **more,
        )


def physical_sizes(item: ExportItem) -> dict[str, float]:
    """Tell how large a pixel is along those axes whose unit is one of length or time.

    Parameters
    ----------
    item : ExportItem

    Returns
    -------
    dict
        Micrometres, or seconds for time, by the axis's letter.
    """
    found = {}
    for axis, size, unit in zip(item.axes, item.pixel_size, item.units, strict=False):
        factor = (SECONDS if axis == "t" else MICROMETRES).get(unit)
        if factor is not None and size > 0:
            found[axis] = size * factor
    return found


def narrowed(path: Path, labels: NDArray[Any]) -> NDArray[Any]:
    """Take labels of 64 bits to the smallest dtype that holds them.

    Raises
    ------
    OutputError
        If that has still 64 bits.
    """
    if labels.dtype.itemsize < 8:
        return labels
    highest = int(labels.max(initial=0))
    dtype = np.min_scalar_type(highest)
    if dtype.itemsize > 4:
        raise OutputError(f"Cannot write {path}: expected ids of 32 bits; got {highest}.")
    return labels.astype(dtype)


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    write_ome_tiff(path, item, overwrite=overwrite)


FORMAT = ExportFormat(
    name="tiff",
    summary="ids of the classes, whole stacks, with the size of a pixel (OME-TIFF)",
    default=False,
    ending=lambda classes: "_labels.ome.tif",
    write=_write,
    title="OME-TIFF, names in a JSON",
    suffixes=(".ome.tif", ".ome.tiff", ".tif", ".tiff"),
    stacks=True,
)

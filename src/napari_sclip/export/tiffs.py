"""TIFF: labels of whole stacks with the size of a pixel (OME-TIFF), scores, and masks read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import ImageError, OutputError
from napari_sclip.export.formats import ExportFormat, narrowed, output_file
from napari_sclip.export.item import AXES, ExportItem, Mask

MICROMETRES = {
    "nanometer": 1e-3,
    "micrometer": 1.0,
    "micron": 1.0,
    "millimeter": 1e3,
    "centimeter": 1e4,
    "meter": 1e6,
}
SECONDS = {"second": 1.0, "millisecond": 1e-3, "minute": 60.0, "hour": 3600.0}

NO_SCORES = "Cannot write {}: a mask has no scores. Segment the image to have them."

_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


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


def read_tiff_mask(path: Path, start: bytes) -> Mask | None:
    """Read a TIFF, stacks too, with the size of a pixel if it is an OME-TIFF.

    None if it does not begin as a TIFF does.

    Raises
    ------
    ImageError
        If it shows colours.
    OSError, ValueError
        If it cannot be decoded.
    """
    if not start.startswith(_STARTS):
        return None
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        if "S" in series.axes:
            raise ImageError(
                f"Expected a mask, whose numbers are ids; {path} shows colours. Choose another "
                "file."
            )
        axes = series.axes.lower()
        labels = series.asarray()
        sizes = _physical_sizes(file) if file.is_ome else {}
    if not set("yx") <= set(sizes) or set(axes) - set("tczyx"):
        return Mask(labels, axes=axes)
    return Mask(
        labels,
        axes=axes,
        pixel_size=tuple(sizes.get(letter, 1.0) for letter in axes),
        units=tuple("micrometer" if letter in sizes else "pixel" for letter in axes),
        origin=(0.0,) * len(axes),
    )


def _physical_sizes(file: Any) -> dict[str, float]:  # noqa: ANN401 - tifffile's file
    import tifffile

    described: Any = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    pixels = (described[0] if isinstance(described, list | tuple) else described)["Pixels"]
    return {
        letter: float(pixels[f"PhysicalSize{letter.upper()}"])
        for letter in "xyz"
        if f"PhysicalSize{letter.upper()}" in pixels
        and pixels.get(f"PhysicalSize{letter.upper()}Unit", "µm") == "µm"
    }


def write_tiff(
    path: Path,
    array: NDArray[Any],
    *,
    axes: str = "YX",
    names: tuple[str, ...] = (),
    overwrite: bool = False,
) -> None:
    """Write an array as a compressed TIFF, one page a plane.

    Parameters
    ----------
    path : Path
        The file.
    array : (H, W) or (K, H, W) array
        Of a dtype that TIFF knows.
    axes : str
        What its axes are, one letter each.
    names : tuple of str
        Names of the K planes, kept in the file's description.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    import tifffile

    metadata: dict[str, Any] = {"axes": axes}
    if names:
        metadata["names"] = list(names)
    with output_file(path, overwrite=overwrite) as temporary:
        tifffile.imwrite(
            temporary, array, photometric="minisblack", compression="zlib", metadata=metadata
        )


def write_scores(
    path: Path, scores: NDArray[Any], names: tuple[str, ...] = (), *, overwrite: bool = False
) -> None:
    """Write scores as a float32 TIFF, one page a class, in the order of the classes.

    Parameters
    ----------
    path : Path
        The file.
    scores : (K, H, W) array
        Probabilities, 0..1.
    names : tuple of str
        Names of the K classes.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    planes = scores.astype(np.float32, copy=False)
    write_tiff(path, planes, axes="CYX", names=names, overwrite=overwrite)


def write_margin(path: Path, margin: NDArray[Any], *, overwrite: bool = False) -> None:
    """Write the best minus the second best score as a float32 TIFF.

    Parameters
    ----------
    path : Path
        The file.
    margin : (H, W) array
        0..1.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    write_tiff(path, margin.astype(np.float32, copy=False), overwrite=overwrite)


def _write_scores(path: Path, item: ExportItem, *, overwrite: bool) -> None:
    names = tuple(c.name for c in item.classes)
    if item.scores is None:
        raise OutputError(NO_SCORES.format(path))
    write_scores(path, item.scores(), names, overwrite=overwrite)


def _write_margin(path: Path, item: ExportItem, *, overwrite: bool) -> None:
    if item.margin is None:
        raise OutputError(NO_SCORES.format(path))
    write_margin(path, item.margin(), overwrite=overwrite)


OME_TIFF = ExportFormat(
    name="tiff",
    order=5,
    summary="ids of the classes, whole stacks, with the size of a pixel (OME-TIFF)",
    default=False,
    ending=lambda classes: "_labels.ome.tif",
    write=write_ome_tiff,
    title="OME-TIFF, names in a JSON",
    suffixes=(".ome.tif", ".ome.tiff", ".tif", ".tiff"),
    stacks=True,
    read=read_tiff_mask,
)

SCORES = ExportFormat(
    name="scores",
    order=3,
    summary="the score of every class in every pixel (float32 TIFF, one page a class)",
    default=False,
    ending=lambda classes: "_scores.tif",
    write=_write_scores,
)

MARGIN = ExportFormat(
    name="margin",
    order=4,
    summary="how clear each pixel's case is: best minus second best score (float32 TIFF)",
    default=False,
    ending=lambda classes: "_margin.tif",
    write=_write_margin,
)

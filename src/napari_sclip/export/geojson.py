"""GeoJSON as QuPath reads it: one annotation a connected region, in pixels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_sclip.errors import OutputError
from napari_sclip.export.formats import ExportFormat, output_file
from napari_sclip.export.item import ExportClass, ExportItem, Plane
from napari_sclip.export.outlines import Piece, Ring, trace_pieces


def describe_geojson(item: ExportItem) -> dict[str, Any]:
    """Describe labels as a collection of features.

    Parameters
    ----------
    item : ExportItem
        Stacks may have the axes t, c and z.

    Returns
    -------
    dict
        Coordinates are pixels, x to the right and y down, along the pixels' edges.

    Raises
    ------
    OutputError
        If it is a stack along other axes.
    """
    return {"type": "FeatureCollection", "features": list(_features(item))}


def _features(item: ExportItem) -> Iterator[dict[str, Any]]:
    rows = {row.id: row for row in item.objects}
    for plane in item.planes():
        where = _plane(plane)
        for piece in trace_pieces(plane.item.labels):
            yield _feature(piece, rows[piece.id], where)


def _plane(plane: Plane) -> dict[str, int]:
    place = dict(plane.place)
    if not set(place) <= set("tcz") or len(place) < len(plane.place):
        raise OutputError(
            "Expected labels of two axes, or a stack along time, channels or depth (t, c, z); got "
            f"{len(plane.place) + 2} axes. Choose another format, or export one plane."
        )
    return {"c": -1, "z": 0, "t": 0} | place if place else {}


def _feature(piece: Piece, row: ExportClass, where: dict[str, int]) -> dict[str, Any]:
    rings = [_closed(ring) for ring in (piece.outer, *piece.holes)]
    geometry: dict[str, Any] = {"type": "Polygon", "coordinates": rings}
    if where:
        geometry["plane"] = where
    return {
        "type": "Feature",
        "geometry": geometry,
        "properties": {
            "objectType": "annotation",
            "classification": {"name": row.name, "color": list(row.color)},
        },
    }


def _closed(ring: Ring) -> list[list[int]]:
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]


def _write(path: Path, item: ExportItem, *, overwrite: bool) -> None:
    text = json.dumps(describe_geojson(item), ensure_ascii=False)
    with output_file(path, overwrite=overwrite) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


FORMAT = ExportFormat(
    name="geojson",
    order=10,
    summary="annotations for QuPath, with class names and colours (GeoJSON)",
    default=False,
    ending=lambda classes: ".geojson",
    write=_write,
    title="GeoJSON for QuPath",
    suffixes=(".geojson",),
    stacks=True,
)

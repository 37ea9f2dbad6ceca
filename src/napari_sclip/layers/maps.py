"""Scores, the margin and attention as image layers over the image they are of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_sclip.layers.image.geometry import Geometry
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.roi import inside
from napari_sclip.layers.labels.schema import KEY
from napari_sclip.layers.labels.targets import LabelsMismatchError

if TYPE_CHECKING:
    from napari_sclip.engine.attention_at import AttentionMap

FORMAT = "napari-sclip map"
OPACITY = 0.6
BESIDE = 1.05
"""Widths of what was read, from one map to the next."""


@dataclass(frozen=True)
class _Axis:
    """Pixels along one axis of the image, in pixels of its finest level."""

    start: float  # middle of the first one
    step: float


def make_scores_layer(
    request: ImageRequest,
    scores: np.ndarray,
    class_name: str,
    *,
    number: int = 0,
    layer: Image | None = None,
) -> Image:
    """Show the scores of a class where they were computed.

    Parameters
    ----------
    request : ImageRequest
    scores : (h, w) float array
        0..1, of `ImageRequest.read_shape`: ``Segmentation.scores()[k]``.
    class_name : str
    number : int
        Of the plane.
    layer : Image, optional
        Of `find_map_layer`; takes the new values instead of a new layer, and keeps its looks.

    Returns
    -------
    Image
        Of the plane and region that were read; outside of a drawn region it is clear. A new one
        is not yet in any viewer.

    Raises
    ------
    LabelsMismatchError
        If the scores are not of the size that was read.
    """
    return _show(request, number, scores, layer, "scores", class_name, f"score {class_name}")


def make_margin_layer(
    request: ImageRequest, margin: np.ndarray, *, number: int = 0, layer: Image | None = None
) -> Image:
    """Show the margin, best minus second best score; as `make_scores_layer`."""
    return _show(request, number, margin, layer, "margin", None, "margin")


def make_attention_layers(
    request: ImageRequest,
    maps: Iterable[AttentionMap],
    *,
    number: int = 0,
    layers: Iterable[Image] = (),
) -> list[Image]:
    """Show what a point attends to, a layer an attention mode.

    The first lies over the window; the others beside the image, to the right, where their window
    would be if the image were there once more.

    Each map is shown patch by patch, from 0 to the largest weight of another patch than the one
    that attends: often that one attends to itself more than to all others.

    Parameters
    ----------
    request : ImageRequest
    maps : iterable of AttentionMap
        Of the plane as it was read: that of the current mode and that of "vanilla", say.
    number : int
        Of the plane.
    layers : iterable of Image
        Layers to show them in, where they are of the same mode; see `find_map_layers`.

    Returns
    -------
    list of Image
        In the order of the maps; which of them are new is for the caller to see.
    """
    known = {map_class(layer): layer for layer in layers if map_kind(layer) == "attention"}
    shown = []
    width = request.read_shape[1] * request.factors[request.axes.columns]
    for number_of_map, item in enumerate(maps):
        down, across = (
            _Axis(start=(e[0] + (e[1] - e[0]) / n / 2) - 0.5, step=(e[1] - e[0]) / n)
            for e, n in zip((item.rows, item.columns), item.weights.shape, strict=True)
        )
        rows = _on_image(request, request.axes.rows, down, request.rows_read[0])
        columns = _on_image(request, request.axes.columns, across, request.columns_read[0])
        columns = dataclasses.replace(columns, start=columns.start + number_of_map * BESIDE * width)
        layer = known.get(item.mode)
        made = _place(
            request, number, item.weights, rows, columns, layer, "attention", item.mode,
            f"attention {item.mode}",
        )  # fmt: skip
        if number_of_map > 0 and layer is None:
            made.opacity = 1.0  # there is nothing to be seen through it
        made.contrast_limits_range = (0.0, 1.0)
        made.contrast_limits = (0.0, _largest_of_others(item))
        head = "mean" if item.head is None else item.head
        noted = {"head": head, "patch": list(item.patch), "class_token": item.class_token}
        made.metadata = {**made.metadata, KEY: {**made.metadata[KEY], **noted}}
        shown.append(made)
    return shown


def _largest_of_others(item: AttentionMap) -> float:
    others = item.weights.copy()
    others[item.patch] = 0
    return float(others.max()) or 1.0


def map_kind(layer: Any) -> str | None:  # noqa: ANN401 - napari has no types
    """Tell which map a layer shows: "scores", "margin" or "attention"; None if no map."""
    known = layer.metadata.get(KEY)
    if not isinstance(known, Mapping) or known.get("format") != FORMAT:
        return None
    return str(known["kind"])


def map_class(layer: Any) -> str | None:  # noqa: ANN401
    """Tell of which class (or attention mode) a map is; None where it is of none."""
    of = layer.metadata[KEY]["of"] if map_kind(layer) is not None else None
    return None if of is None else str(of)


def find_map_layers(layers: Iterable[Any], request: ImageRequest, kind: str) -> list[Image]:
    """Find the maps of one kind that are shown of an image, by the image's name."""
    return [
        layer
        for layer in layers
        if map_kind(layer) == kind and layer.metadata[KEY]["source"]["image"] == request.name
    ]


def find_map_layer(
    layers: Iterable[Any], request: ImageRequest, kind: str, of: str | None = None
) -> Image | None:
    """Find the map of one kind, and of a class (or attention mode), of an image."""
    found = (m for m in find_map_layers(layers, request, kind) if map_class(m) == of)
    return next(found, None)


def _show(
    request: ImageRequest,
    number: int,
    values: np.ndarray,
    layer: Image | None,
    kind: str,
    of: str | None,
    what: str,
) -> Image:
    if values.shape != request.read_shape:
        raise LabelsMismatchError(
            f"Expected {what} of {request.read_shape} pixels, as was read; got {values.shape}. "
            "It is of another request: segment again."
        )
    rows, columns = (
        _on_image(request, axis, _Axis(0.0, 1.0), read[0])
        for axis, read in (
            (request.axes.rows, request.rows_read),
            (request.axes.columns, request.columns_read),
        )
    )
    height, width = values.shape
    mask = inside(
        request.region,
        rows.start + rows.step * np.arange(height),
        columns.start + columns.step * np.arange(width),
    )
    shown = np.asarray(values, dtype=np.float32)
    if mask is not None:
        shown = np.where(mask, shown, np.float32(np.nan))
    return _place(request, number, shown, rows, columns, layer, kind, of, what)


def _place(
    request: ImageRequest,
    number: int,
    values: np.ndarray,
    rows: _Axis,
    columns: _Axis,
    layer: Image | None,
    kind: str,
    of: str | None,
    what: str,
) -> Image:
    data, geometry = _over_image(request, number, values, rows, columns)
    noted = {"format": FORMAT, "format_version": 1, "kind": kind, "of": of}
    noted["source"] = request.describe()
    if layer is None or layer.ndim != data.ndim:
        return Image(
            data,
            name=f"{request.name} {what}",
            colormap="magma",
            contrast_limits=(0.0, 1.0),
            opacity=OPACITY,
            blending="translucent",
            interpolation2d="nearest",
            metadata={KEY: noted},
            rgb=False,
            multiscale=False,
            **geometry.arguments(),
        )
    layer.data = data
    for name, value in geometry.arguments().items():
        if not np.array_equal(getattr(layer, name), value):
            setattr(layer, name, value)
    layer.metadata = {**layer.metadata, KEY: noted}
    return layer


def _on_image(request: ImageRequest, axis: int, own: _Axis, first: int) -> _Axis:
    """From pixels of what was read to those of the image's finest level."""
    factor = request.factors[axis]
    return _Axis(start=(own.start + first + 0.5) * factor - 0.5, step=own.step * factor)


def _over_image(
    request: ImageRequest, number: int, values: np.ndarray, rows: _Axis, columns: _Axis
) -> tuple[np.ndarray, Geometry]:
    """Give values the axes of the labels, as one place along all but rows and columns."""
    grid, geometry, axes = request.grid, request.geometry, request.axes
    places = request.place(number)
    step, start = np.array(grid.step), np.array(grid.start)
    new_step, new_start = step.copy(), start.copy()
    for own, axis in enumerate(grid.axes):
        if axis == axes.rows:
            new_step[own], new_start[own] = rows.step, rows.start
        elif axis == axes.columns:
            new_step[own], new_start[own] = columns.step, columns.start
        elif axis != axes.channel:
            new_start[own] = places[axis]
    turned = geometry.rotate @ geometry.shear @ np.diag(geometry.scale)
    moved = dataclasses.replace(
        geometry,
        scale=geometry.scale * new_step / step,
        translate=geometry.translate + turned @ ((new_start - start) / step),
    )
    plane = values if axes.rows < axes.columns else values.T
    shape = iter(plane.shape)
    lengths = [next(shape) if axis in (axes.rows, axes.columns) else 1 for axis in grid.axes]
    return np.ascontiguousarray(plane).reshape(lengths), moved

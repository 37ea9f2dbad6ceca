"""Turn an image layer, as a viewer shows it, into a request; computes no pixel."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap

from napari_sclip.errors import ClassesError, ImageError
from napari_sclip.layers.image.axes import (
    PlaneAxes,
    current_index,
    guess_channel_axis,
    place_layer,
    plane_axes,
)
from napari_sclip.layers.image.geometry import LabelsGrid, labels_geometry, labels_grid
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.request import Contrast, ImageRequest, Look, Source
from napari_sclip.layers.image.roi import Region, current_view, drawn_shape, whole_plane
from napari_sclip.layers.labels.schema import KEY
from napari_sclip.layers.maps import map_kind
from napari_sclip.prompts import parse_classes

MIN_SIDE = 2


def choose_sources(viewer: Any, layer: Any, level: int, channels: str) -> tuple[Source, ...]:  # noqa: ANN401
    """Take the layer, or all layers that the screen shows in its place.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Image layer
    level : int
        Of a multiscale image; 0 otherwise.
    channels : str
        See `ReadOptions.channels`.

    Raises
    ------
    ImageError
        If none is visible.
    """
    if channels == "layer":
        return (_source(layer, level),)
    shown = [_source(other, level) for other in displayed_with(viewer, layer)]
    if not shown:
        raise ImageError(
            "Expected at least one visible image layer; got none of the size and place of "
            f"{layer.name!r}. Make it visible, or choose one layer."
        )
    return tuple(shown)


def displayed_with(viewer: Any, layer: Any) -> list[Any]:  # noqa: ANN401
    """Image layers that "as displayed" blends: visible, of a layer's shape, in its place.

    Parameters
    ----------
    viewer : ViewerModel
    layer : Image layer
        Itself one of them if it is visible.

    Returns
    -------
    list of Image layer
        From the bottom up.
    """
    place = place_layer(viewer, layer)
    found = []
    for other in viewer.layers:
        if not isinstance(other, Image) or not other.visible or map_kind(other) is not None:
            continue
        same_levels = np.array_equal(other.level_shapes, layer.level_shapes)
        if same_levels and np.dtype(other.dtype).kind in "buif":
            its = place_layer(viewer, other)
            if np.allclose(its.matrix, place.matrix) and np.allclose(its.offset, place.offset):
                found.append(other)
    return found


def _source(layer: Any, level: int) -> Source:  # noqa: ANN401
    colormap = None
    if not layer.rgb:
        own = layer.colormap
        beyond = ("nan_color", "high_color", "low_color")  # not in every napari
        colormap = Colormap(
            np.array(own.colors),
            controls=np.array(own.controls),
            interpolation=own.interpolation,
            **{name: getattr(own, name) for name in beyond if hasattr(own, name)},
        )
    low, high = layer.contrast_limits
    look = Look(
        limits=(float(low), float(high)),
        colormap=colormap,
        gamma=float(layer.gamma),
        opacity=float(layer.opacity),
        blending=str(layer.blending),
    )
    array = layer.data[level] if layer.multiscale else layer.data
    return Source(name=str(layer.name), array=array, rgb=bool(layer.rgb), look=look)


def read_request(
    viewer: Any,  # noqa: ANN401 - napari has no types
    layer: Any,  # noqa: ANN401
    options: ReadOptions | None = None,
) -> ImageRequest:
    """Take down all that is needed to read an image layer.

    Quick, for the GUI thread. What is returned keeps the layer's arrays but not the layer: the
    layer may change, or go, while the request is worked on.

    Parameters
    ----------
    viewer : ViewerModel
        Shows the layer.
    layer : Image layer
    options : ReadOptions, optional

    Returns
    -------
    ImageRequest

    Raises
    ------
    ImageError
        If the layer cannot be read like this; says what was expected, what came and what to do.
    """
    options = options or ReadOptions()
    _check_layer(viewer, layer)
    placement = place_layer(viewer, layer)
    shape = _level_shape(layer, 0)
    channel_axis = options.channel_axis
    if isinstance(channel_axis, str):
        channel_axis = guess_channel_axis(layer)
        if channel_axis in placement.displayed:
            channel_axis = None
    axes = plane_axes(placement, channel_axis)
    region = _choose_region(viewer, placement, options, (shape[axes.rows], shape[axes.columns]))
    level = _choose_level(layer, axes, region, options.short_side)
    read_shape = _level_shape(layer, level)
    channel = None
    if axes.channel is not None:
        channel = options.channel
        if channel is None:
            channel = current_index(placement, shape, axes.channel)
        if not 0 <= channel < shape[axes.channel]:
            raise ImageError(
                f"Expected a channel in 0..{shape[axes.channel] - 1}; got {channel}. Choose one "
                "that the image has."
            )
    current = None
    if options.planes == "current":
        current = tuple(current_index(placement, shape, a) for a in axes.sliders)
    factors = tuple(n / m for n, m in zip(shape, read_shape, strict=True))
    sources = choose_sources(viewer, layer, level, options.channels)
    mode = "blend" if options.channels == "displayed" else "rgb" if layer.rgb else "grey"
    planes = (current,) if current is not None else _all_planes(shape, axes)
    grid = _choose_grid(layer, shape, axes, factors, region, planes, options.labels_size)
    return ImageRequest(
        name=str(layer.name),
        mode=mode,
        sources=sources,
        contrast=Contrast(options.contrast, options.percentiles),
        axes=axes,
        shape=shape,
        factors=factors,
        channel=channel,
        planes=planes,
        region=region,
        grid=grid,
        geometry=labels_geometry(layer, grid),
    )


def with_labels_size(request: ImageRequest, layer: Any, size: str) -> ImageRequest:  # noqa: ANN401
    """Return a request for labels of another size; what is read stays the same.

    Parameters
    ----------
    request : ImageRequest
    layer : Image layer
        Of the request.
    size : str
        See `ReadOptions.labels_size`.
    """
    grid = _choose_grid(
        layer, request.shape, request.axes, request.factors, request.region, request.planes, size
    )
    return replace(request, grid=grid, geometry=labels_geometry(layer, grid))


def _choose_grid(
    layer: Any,  # noqa: ANN401
    shape: tuple[int, ...],
    axes: PlaneAxes,
    factors: tuple[float, ...],
    region: Region,
    planes: tuple[tuple[int, ...], ...],
    size: str,
) -> LabelsGrid:
    displayed = (axes.rows, axes.columns)
    step = tuple(factor if axis in displayed else 1.0 for axis, factor in enumerate(factors))
    cut = size == "region"
    return labels_grid(
        layer,
        shape,
        axes,
        step=step if size == "read" else None,
        region=region if cut else None,
        plane=planes[0] if cut and len(planes) == 1 else None,
    )


def _check_layer(viewer: Any, layer: Any) -> None:  # noqa: ANN401
    if not isinstance(layer, Image):
        raise ImageError(
            f"Expected an image layer; got {type(layer).__name__}. Choose an image in the list of "
            "layers."
        )
    if layer not in viewer.layers:
        raise ImageError(f"The layer {layer.name!r} is no longer in this viewer. Choose another.")
    if np.dtype(layer.dtype).kind not in "buif":
        raise ImageError(
            f"Expected an image of integers, booleans or floats; got dtype {layer.dtype}. Convert "
            "it first."
        )
    shape = _level_shape(layer, 0)
    if 0 in shape:
        raise ImageError(f"Expected an image with pixels; got shape {shape}. Choose another.")


def _level_shape(layer: Any, level: int) -> tuple[int, ...]:  # noqa: ANN401
    return tuple(int(n) for n in layer.level_shapes[level])


def _choose_region(
    viewer: Any,  # noqa: ANN401
    placement: Any,  # noqa: ANN401
    options: ReadOptions,
    shape: tuple[int, int],
) -> Region:
    if options.region == "view":
        region = current_view(viewer, placement, shape)
    elif options.region == "shape":
        region = drawn_shape(viewer, options.shapes, placement, shape)
    else:
        region = whole_plane(shape)
    if min(region.shape) < MIN_SIDE:
        raise ImageError(
            f"Expected at least {MIN_SIDE} x {MIN_SIDE} pixels to segment; got "
            f"{region.shape[0]} x {region.shape[1]}. Choose a larger region or another image, or "
            "roll the viewer's axes until the image's rows and columns are shown."
        )
    return region


def _choose_level(layer: Any, axes: PlaneAxes, region: Region, short_side: int | None) -> int:  # noqa: ANN401
    """Coarsest level in which the region has as many pixels as the model will use."""
    if not layer.multiscale or short_side is None:
        return 0
    finest = _level_shape(layer, 0)
    needed = max(short_side, MIN_SIDE)
    fitting = 0
    for level in range(len(layer.level_shapes)):
        shape = _level_shape(layer, level)
        sides = [
            n * shape[a] / finest[a]
            for n, a in zip(region.shape, (axes.rows, axes.columns), strict=True)
        ]
        if min(sides) >= needed:
            fitting = level
    return fitting


def _all_planes(shape: tuple[int, ...], axes: PlaneAxes) -> tuple[tuple[int, ...], ...]:
    return tuple(itertools.product(*(range(shape[a]) for a in axes.sliders)))


@dataclass(frozen=True)
class Suggestion:
    """What to look for in an image.

    Attributes
    ----------
    classes : str
        In the form that `parse_classes` reads.
    model : str or None
        Name of the registry; None leaves the model open.
    """

    classes: str
    model: str | None = None


def read_suggestion(layer: Any) -> Suggestion | None:  # noqa: ANN401 - napari has no types
    """Read what fits the image of a layer; None if nothing usable is noted.

    Parameters
    ----------
    layer : Layer
        Of any kind. Its metadata may come from a file or another program, so whatever cannot
        be used counts as missing.
    """
    own = layer.metadata.get(KEY)
    noted = own.get("suggestion") if isinstance(own, Mapping) else None
    if not isinstance(noted, Mapping) or not isinstance(noted.get("classes"), str):
        return None
    try:
        parse_classes(noted["classes"])
    except ClassesError:
        return None
    model = noted.get("model")
    return Suggestion(noted["classes"], model if isinstance(model, str) and model else None)


def suggestion_metadata(suggestion: Suggestion) -> dict[str, Any]:
    """Return the metadata of a layer from which `read_suggestion` reads the suggestion."""
    return {KEY: {"suggestion": {"classes": suggestion.classes, "model": suggestion.model}}}

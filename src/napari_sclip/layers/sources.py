"""Which layers make up the picture, and how each of them looks on the screen."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.layers import Image
from napari.utils.colormaps import Colormap

from napari_sclip.errors import ImageError
from napari_sclip.layers.axes import place_layer
from napari_sclip.layers.maps import map_kind
from napari_sclip.layers.request import Look, Source


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

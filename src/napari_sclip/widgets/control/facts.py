"""Say what an image layer is, for the section "Image"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from napari_sclip.errors import SclipError
from napari_sclip.layers.image.axes import guess_channel_axis, place_layer
from napari_sclip.layers.image.read import Suggestion, displayed_with
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.widgets.state.image import AxisChoice, ImageFacts


def describe_image(
    viewer: Any,  # noqa: ANN401 - napari has no types
    layer: Any,  # noqa: ANN401
    request: ImageRequest | None,
    shapes: tuple[str, ...],
    suggestion: Suggestion | None,
) -> ImageFacts:
    """Collect what the widget offers for an image.

    Parameters
    ----------
    viewer : Viewer
    layer : Image layer
    request : ImageRequest or None
        What would be read now; None where that cannot be.
    shapes : tuple of str
        Names of the Shapes layers.
    suggestion : Suggestion or None
        Classes that fit the image.
    """
    finest = tuple(int(n) for n in layer.level_shapes[0])
    try:
        displayed = place_layer(viewer, layer).displayed
        others = len(displayed_with(viewer, layer))
    except SclipError:
        displayed, others = (len(finest) - 2, len(finest) - 1), 1
    sliders = [axis for axis in range(len(finest)) if axis not in displayed]
    guessed = guess_channel_axis(layer)
    in_use = request.axes.channel if request is not None else None
    stack = [finest[axis] for axis in sliders if axis != in_use]
    return ImageFacts(
        name=str(layer.name),
        described=_kind(layer, finest),
        rgb=bool(layer.rgb),
        shape=request.read_shape if request is not None else (finest[-2], finest[-1]),
        axes=tuple(AxisChoice(a, str(layer.axis_labels[a]), finest[a]) for a in sliders),
        channel_axis=guessed if guessed in sliders else None,
        channels=0 if in_use is None else finest[in_use],
        displayed=others,
        planes=math.prod(stack),
        shapes=shapes,
        suggestion="" if suggestion is None else suggestion.classes,
        suggested_model=(suggestion.model or "") if suggestion is not None else "",
    )


def _kind(layer: Any, finest: tuple[int, ...]) -> str:  # noqa: ANN401
    size = " × ".join(str(n) for n in finest)
    words = [f"RGB, {size}" if layer.rgb else f"{size}, {np.dtype(layer.dtype).name}"]
    if layer.multiscale:
        words.append(f"{len(layer.level_shapes)} levels")
    return ", ".join(words)

"""By what it is known that an image was seen before."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Hashable
from typing import Any

import numpy as np

from napari_sclip.config import SegmentationConfig
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import PlaneView

VISION_FIELDS = ("short_side", "window", "stride", "average_on", "nonfinite")


def run_signature(request: ImageRequest, config: SegmentationConfig) -> Hashable:
    """Tell runs apart that need different embeddings, without looking at a pixel.

    Parameters
    ----------
    request : ImageRequest
    config : SegmentationConfig
    """
    described = request.describe()
    for name in ("image", "layers"):
        del described[name]
    looks = [
        (
            source.look.gamma,
            source.look.opacity,
            source.look.blending,
            _colors(source.look.colormap),
        )
        for source in request.sources
    ]
    vision = {name: _plain(getattr(config, name)) for name in VISION_FIELDS}
    arrays = tuple(id(source.array) for source in request.sources)
    return json.dumps([described, looks, vision, arrays], sort_keys=True)


def plane_key(
    request: ImageRequest,
    number: int,
    plane: np.ndarray | PlaneView,
    config: SegmentationConfig,
    fingerprint: str,
) -> Hashable:
    """Name the embedding of a plane: by its pixels where they are in memory.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane.
    plane : array or PlaneView
        What `read_plane` gave.
    config : SegmentationConfig
        Resolved.
    fingerprint : str
        Of the model and its attention mode.
    """
    vision = tuple(_plain(getattr(config, name)) for name in VISION_FIELDS)
    if isinstance(plane, np.ndarray):
        digest = hashlib.blake2b(np.ascontiguousarray(plane).data, digest_size=16).hexdigest()
        return plane.shape, str(plane.dtype), digest, vision, fingerprint
    one = dataclasses.replace(request, planes=(request.planes[number],))
    return run_signature(one, config), _pixels(request, plane), fingerprint


def _pixels(request: ImageRequest, plane: PlaneView) -> str:
    """Hash what is in memory and may be changed there; nothing of lazily loaded arrays."""
    digest = hashlib.blake2b(digest_size=16)
    if all(isinstance(source.array, np.ndarray) for source in request.sources):
        for band in plane.bands():
            digest.update(np.ascontiguousarray(band).data)
    return digest.hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _colors(colormap: Any) -> str | None:  # noqa: ANN401 - napari has no types
    if colormap is None:
        return None
    return hashlib.blake2b(np.asarray(colormap.colors).tobytes(), digest_size=8).hexdigest()

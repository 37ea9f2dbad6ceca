"""The image with the classes' colours over it and their names below."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat, output_file
from napari_sclip.export.ids import shown_colors
from napari_sclip.export.item import ExportItem
from napari_sclip.export.legend import draw_legend
from napari_sclip.prompts import ClassPrompt, label_ids

SMALLEST_SIDE = 512
LARGEST_SIDE = 2048
OPACITY = 0.55
FADING = 0.85
"""Share of grey in the image: its own colours must not pass for those of classes."""


def draw_overlay(
    image: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[ClassPrompt],
    *,
    opacity: float = OPACITY,
) -> NDArray[np.uint8]:
    """Blend an image with the colours of its classes, outline them, and add a legend.

    Small images are enlarged by a whole factor (longer side up to 512 pixels), large ones
    reduced by one (down to 2048). The image's own colours are
    faded; pixels of id 0 are not tinted.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) array
        Images other than uint8 are shown from their smallest to their largest finite value;
        an alpha channel is left out.
    labels : (H, W) unsigned int array
        Ids.
    classes : sequence of ClassPrompt
        The classes.
    opacity : float
        Share (0..1) of a class's colour in its pixels.

    Returns
    -------
    (h, w, 3) uint8 array
        The picture, legend included.
    """
    picture, ids = _to_display_size(_to_uint8_rgb(image), np.asarray(labels))
    colors = shown_colors(classes)
    table = np.zeros((int(ids.max(initial=0)) + 1, 3), dtype=np.float32)
    for k, color in zip(label_ids(classes), colors, strict=True):
        if 0 < k < len(table):
            table[k] = color
    weight = np.where(_outlines(ids), 1.0, opacity).astype(np.float32)
    weight[ids == 0] = 0.0
    grey = picture.mean(axis=2, keepdims=True)
    blended = picture + FADING * (grey - picture)
    blended += weight[..., None] * (table[ids] - blended)
    present = set(np.unique(labels).tolist())
    legend = draw_legend(classes, colors, present, picture.shape[1])
    body = np.full((picture.shape[0], legend.shape[1], 3), legend[0, 0], dtype=np.uint8)
    body[:, : picture.shape[1]] = np.clip(blended + 0.5, 0, 255).astype(np.uint8)
    return np.concatenate([body, legend])


def write_overlay(
    path: Path,
    image: NDArray[Any],
    labels: NDArray[Any],
    classes: Sequence[ClassPrompt],
    *,
    overwrite: bool = False,
) -> None:
    """Write `draw_overlay` as a PNG.

    Parameters
    ----------
    path : Path
        The file.
    image, labels, classes
        As for `draw_overlay`.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    from PIL import Image

    picture = Image.fromarray(draw_overlay(image, labels, classes))
    with output_file(path, overwrite=overwrite) as temporary:
        picture.save(temporary, format="PNG")


def _to_uint8_rgb(image: NDArray[Any]) -> NDArray[np.uint8]:
    values = np.asarray(image)
    values = values[..., :3] if values.ndim == 3 else values[..., None]
    if values.dtype == np.bool_:
        values = values.astype(np.uint8) * np.uint8(255)
    if values.dtype != np.uint8:
        shown = values.astype(np.float32)
        finite = np.isfinite(shown)
        low, high = (
            (float(shown[finite].min()), float(shown[finite].max())) if finite.any() else (0.0, 0.0)
        )
        span = high - low if high > low else 1.0
        shown = (np.where(finite, shown, np.float32(low)) - np.float32(low)) / np.float32(span)
        values = (np.clip(shown, 0, 1) * 255 + 0.5).astype(np.uint8)
    return np.broadcast_to(values, (*values.shape[:2], 3))


def _to_display_size(
    picture: NDArray[np.uint8], ids: NDArray[Any]
) -> tuple[NDArray[np.float32], NDArray[Any]]:
    longer = max(ids.shape)
    if longer > LARGEST_SIDE:
        from PIL import Image

        step = -(-longer // LARGEST_SIDE)
        reduced = Image.fromarray(np.ascontiguousarray(picture)).reduce(step)
        return np.asarray(reduced, dtype=np.float32), ids[::step, ::step]
    factor = max(1, SMALLEST_SIDE // longer)
    larger = picture.repeat(factor, axis=0).repeat(factor, axis=1)
    return larger.astype(np.float32), ids.repeat(factor, axis=0).repeat(factor, axis=1)


def _outlines(ids: NDArray[Any]) -> NDArray[np.bool_]:
    """Mark the pixels that are near another class."""
    edge = np.zeros(ids.shape, dtype=np.bool_)
    for reach in range(1, 1 + max(1, max(ids.shape) // 500)):
        across, down = ids[:, reach:] != ids[:, :-reach], ids[reach:] != ids[:-reach]
        edge[:, reach:] |= across
        edge[:, :-reach] |= across
        edge[reach:] |= down
        edge[:-reach] |= down
    return edge


def _write(path: Path, item: ExportItem, overwrite: bool) -> None:
    image = item.fitting_image
    if image is None:
        raise OutputError(
            f"Cannot write {path}: an overlay needs the image, with a pixel for each of the "
            "labels. Give the image as well."
        )
    write_overlay(path, image, item.counted(), item.prompts, overwrite=overwrite)


FORMAT = ExportFormat(
    name="overlay",
    summary="the image with the classes' colours over it and their names below (PNG)",
    default=True,
    ending=lambda classes: "_overlay.png",
    write=_write,
)

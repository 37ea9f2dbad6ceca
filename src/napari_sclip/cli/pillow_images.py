"""Files that Pillow reads: photos, indexed pictures, 16-bit PNG."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from napari_sclip.cli.images import several_planes

KEPT = ("L", "RGB", "RGBA", "F")
SIXTEEN_BITS = ("RGB;16B", "RGBA;16B")


def read_with_pillow(path: Path) -> NDArray[Any]:
    """Read an image, upright, as grey, RGB or RGBA.

    Raises
    ------
    PIL.UnidentifiedImageError
        If Pillow does not know the format.
    ImageError
        If the file holds several frames. (The second picture inside a phone's JPEG does not
        count: it is a depth or brightness map.)
    """
    with _any_size(), Image.open(path) as picture:
        frames = int(getattr(picture, "n_frames", 1))
        if frames > 1 and picture.format != "MPO":
            raise several_planes(path, (frames, picture.height, picture.width))
        deep = _raw_mode(picture) in SIXTEEN_BITS
        array = _to_array(ImageOps.exif_transpose(picture))
    return _sixteen_bits(path, array) if deep else array


def _to_array(picture: Image.Image) -> NDArray[Any]:
    if picture.mode.startswith("I"):
        return _small_integers(np.asarray(picture))
    if picture.mode in KEPT:
        return np.asarray(picture)
    if picture.mode in ("1", "LA", "La"):
        return np.asarray(picture.convert("L"))
    transparent = "transparency" in picture.info or picture.mode in ("PA", "RGBa")
    return np.asarray(picture.convert("RGBA" if transparent else "RGB"))


def _small_integers(values: NDArray[Any]) -> NDArray[Any]:
    """Take 16-bit values that Pillow holds in 32 bits back to 16: the range is read from it."""
    if values.dtype == np.int32 and values.min() >= 0 and values.max() <= np.iinfo(np.uint16).max:
        return values.astype(np.uint16)
    return values


def _raw_mode(picture: Any) -> str:  # noqa: ANN401 - tiles are no part of Pillow's types
    tiles = getattr(picture, "tile", None)
    return str(tiles[0][3]) if tiles and picture.format == "PNG" else ""


def _sixteen_bits(path: Path, high: NDArray[Any]) -> NDArray[np.uint16]:
    # Pillow keeps the high byte of each 16-bit colour. Told that the file's bytes are in the
    # other order, it keeps the low one.
    with _any_size(), Image.open(path) as opened:
        picture: Any = opened
        picture.tile = [(*picture.tile[0][:3], _raw_mode(picture).replace("16B", "16L"))]
        low = np.asarray(ImageOps.exif_transpose(picture))
    return np.asarray(high.astype(np.uint16) << 8 | low, dtype=np.uint16)


@contextlib.contextmanager
def _any_size() -> Iterator[None]:
    """Let Pillow read large images: scientific ones are, and they are the user's own."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before

"""Image files as arrays."""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from napari_sclip.errors import ImageError

READABLE = "PNG, JPEG, TIFF, WebP, BMP and what else imageio reads"

# What the readers raise for files that are damaged or something else.
UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    OverflowError,
    NotImplementedError,
    ImportError,
    RuntimeError,
    struct.error,
    zlib.error,
)

_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

KEPT = ("L", "RGB", "RGBA", "F")
SIXTEEN_BITS = ("RGB;16B", "RGBA;16B")

UPRIGHT = 1


def read_image_file(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an image of one plane.

    Photos are turned upright as their EXIF orientation says, so that results have the shape
    that viewers show. Indexed colours become RGB, 16 bits stay 16 bits.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    (H, W), (H, W, 3) or (H, W, 4) array
        In the file's dtype.

    Raises
    ------
    ImageError
        If the file is missing, empty, damaged, no image, or holds more than one plane.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except IsADirectoryError as error:
        raise ImageError(f"{path} is a folder, not an image.") from error
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from error
    if not start:
        raise ImageError(f"{path} is empty: 0 bytes. Copy or download it again.")
    try:
        array = _read(path, start)
    except UNREADABLE as error:
        raise ImageError(
            f"{path} is damaged, or no image that can be read ({READABLE})."
        ) from error
    except MemoryError as error:
        raise ImageError(f"{path} does not fit into memory.") from error
    return _one_plane(array, path)


def _read(path: Path, start: bytes) -> NDArray[Any]:
    if start in _TIFF_STARTS:
        return read_tiff(path)
    try:
        return read_with_pillow(path)
    except UnidentifiedImageError:
        import imageio.config
        import imageio.v3

        ending = path.suffix.lower()
        if ending in Image.registered_extensions() or ending not in imageio.config.known_extensions:
            raise
        return np.asarray(imageio.v3.imread(path))


def _one_plane(array: NDArray[Any], path: Path) -> NDArray[Any]:
    while array.ndim > 2 and array.shape[0] == 1 and not _is_colour(array):
        array = array[0]
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim != 2 and not _is_colour(array):
        raise several_planes(path, array.shape)
    return array


def _is_colour(array: NDArray[Any]) -> bool:
    return array.ndim == 3 and array.shape[2] in (3, 4)


def several_planes(path: Path, shape: tuple[int, ...]) -> ImageError:
    """Make the error for a file that is not one plane."""
    return ImageError(
        f"Expected one plane, (H, W), (H, W, 3) or (H, W, 4); {path} holds {shape}. "
        "Save the plane, frame or channel to be segmented as a file of its own."
    )


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


def read_tiff(path: Path) -> NDArray[Any]:
    """Read a TIFF of one plane; thumbnails and the lower levels of a pyramid are left out.

    Raises
    ------
    ImageError
        If the file holds several planes.
    ValueError, OSError
        If it cannot be decoded.
    """
    with tifffile.TiffFile(path) as file:
        series = [s for s in file.series if not s.keyframe.is_reduced] or list(file.series)
        if len(series) > 1:
            raise several_planes(path, (len(series), *series[0].shape))
        page = series[0].keyframe
        if _is_plain(page):
            try:
                return _channels_last(series[0].asarray(), series[0].axes)
            except ValueError:
                # A compression that tifffile leaves to another library.
                if series[0].keyframe.dtype != np.uint8:
                    raise
    return read_with_pillow(path)


def _is_plain(page: Any) -> bool:  # noqa: ANN401 - tifffile's page
    grey_or_rgb = page.photometric in (
        tifffile.PHOTOMETRIC.MINISBLACK,
        tifffile.PHOTOMETRIC.RGB,
    )
    return grey_or_rgb and page.tags.valueof("Orientation", UPRIGHT) == UPRIGHT


def _channels_last(array: NDArray[Any], axes: str) -> NDArray[Any]:
    if axes.endswith("SYX") and array.ndim == len(axes):
        return np.moveaxis(array, -3, -1)
    return array

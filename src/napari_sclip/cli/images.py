"""Image files as arrays."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

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


def read_image_file(path: Path) -> NDArray[Any]:
    """Read an image of one plane.

    Photos are turned upright as their EXIF orientation says, so that results have the shape
    that viewers show. Indexed colours become RGB, 16 bits stay 16 bits.

    Parameters
    ----------
    path : Path
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
        from napari_sclip.cli.tiff_images import read_tiff

        return read_tiff(path)
    from PIL import Image, UnidentifiedImageError

    from napari_sclip.cli.pillow_images import read_with_pillow

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

"""TIFF files: tifffile for arrays, Pillow for what only photo programs write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from napari_sclip.cli.images import several_planes

UPRIGHT = 1


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
    return _read_photo(path)


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


def _read_photo(path: Path) -> NDArray[Any]:
    from napari_sclip.cli.pillow_images import read_with_pillow

    return read_with_pillow(path)

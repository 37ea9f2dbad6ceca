"""Run lengths as COCO has them: down the columns, beginning with pixels that do not belong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import ImageError


def encode(mask: NDArray[np.bool_], top: int, left: int, shape: tuple[int, int]) -> list[int]:
    """Encode the mask of a region within an image.

    Parameters
    ----------
    mask : (h, w) bool array
        Of the region's box.
    top, left : int
        Where the box lies.
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    list of int
        Run lengths, of the pixels outside and inside by turns.
    """
    height, width = shape
    padded = np.zeros((mask.shape[1], mask.shape[0] + 2), dtype=np.int8)
    padded[:, 1:-1] = mask.T
    changes = np.diff(padded, axis=1)
    column, row = np.nonzero(changes)
    places = (left + column.astype(np.int64)) * height + top + row
    # A run that ends at the bottom of a column and one that begins at the top of the next are one.
    kept = np.ones(len(places), dtype=bool)
    joined = np.flatnonzero(places[1:] == places[:-1])
    kept[joined] = kept[joined + 1] = False
    runs = np.diff(places[kept], prepend=0, append=height * width)
    return [int(n) for n in (runs[:-1] if runs[-1] == 0 and len(runs) > 1 else runs)]


def decode(counts: str | list[int], shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Decode run lengths, as a list or in COCO's compressed text.

    Parameters
    ----------
    counts : str or list of int
    shape : tuple of int
        Height and width of the image.

    Returns
    -------
    list of (int, int)
        First place of each run inside and the one after its last, counted down the columns.

    Raises
    ------
    ImageError
        If they do not fill the image.
    """
    runs = np.array(_expand(counts) if isinstance(counts, str) else counts, dtype=np.int64)
    height, width = shape
    if (runs < 0).any() or runs.sum() != height * width:
        raise ImageError(
            f"Expected run lengths that fill {height} x {width} pixels; got {int(runs.sum())}. "
            "The file is damaged."
        )
    ends = runs.cumsum()
    return list(zip(ends[:-1:2].tolist(), ends[1::2].tolist(), strict=True))


def _expand(text: str) -> list[int]:
    """Read COCO's text: five bits a character, and differences from the fourth number on."""
    runs: list[int] = []
    characters = iter(text.encode("ascii", "replace"))
    for character in characters:
        value, shift, chunk = 0, 0, character - 48
        while True:
            value |= (chunk & 0x1F) << shift
            shift += 5
            if not chunk & 0x20:
                break
            chunk = next(characters, 48) - 48
        if chunk & 0x10:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
    return runs

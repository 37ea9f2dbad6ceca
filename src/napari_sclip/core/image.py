"""Images in any form that users have, read a band at a time as RGB in 0..1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.errors import ImageError
from napari_sclip.progress import ProgressCallback, report

BAND_ROWS = 1024
RANGE_TOLERANCE = 1e-5
LITTLE_RANGE = 1 / 8
SAMPLE_SIDE = 512
SAMPLE_BLOCKS = 4
EXPECTED = "Expected an image of shape (H, W), (H, W, 3) or (H, W, 4)"


@dataclass(frozen=True)
class ImagePlane:
    """One image, checked, and read only where it is needed.

    Attributes
    ----------
    array : numpy or dask-like array
        (H, W), (H, W, 3) or (H, W, 4); an alpha channel is left out.
    low, high : float
        The values that become 0 and 1.
    fill : float or None
        The value that NaN and infinite pixels take, where there are any.
    """

    array: Any
    low: float
    high: float
    fill: float | None

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.array.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.array.shape[1])

    def read(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Read the given rows and columns as RGB.

        Parameters
        ----------
        rows, columns : (h,) and (w,) int arrays
            Ascending.

        Returns
        -------
        (h, w, 3) float32 array
            0..1.
        """
        out = np.empty((len(rows), len(columns), 3), dtype=np.float32)
        left, right = int(columns[0]), int(columns[-1]) + 1
        first = 0
        while first < len(rows):
            top = int(rows[first])
            last = int(np.searchsorted(rows, top + BAND_ROWS))
            band = np.asarray(self.array[top : int(rows[last - 1]) + 1, left:right])
            picked = band[rows[first:last] - top][:, columns - left]
            out[first:last] = self._to_rgb(picked)
            first = last
        return out

    def _to_rgb(self, pixels: np.ndarray) -> np.ndarray:
        values = pixels[..., :3] if pixels.ndim == 3 else pixels[..., None]
        wide = values.dtype.itemsize > 4
        scaled: np.ndarray = values.astype(np.float64 if wide else np.float32)
        if self.fill is not None:
            scaled = np.where(np.isfinite(scaled), scaled, self.fill)
        if (self.low, self.high) != (0.0, 1.0):
            scaled = (scaled - np.asarray(self.low, scaled.dtype)) / (self.high - self.low)
        out: np.ndarray = np.clip(scaled, 0.0, 1.0).astype(np.float32)
        return out


def read_image(
    image: Any,  # noqa: ANN401 - any array-like
    *,
    nonfinite: str = "error",
    progress: ProgressCallback | None = None,
) -> ImagePlane:
    """Check an image and find how its values map to 0..1.

    Parameters
    ----------
    image : numpy or dask-like array
        (H, W), (H, W, 3) or (H, W, 4), of any real dtype. Integers are read by the range of
        their dtype, booleans as 0 and 1, floats must lie in 0..1.
    nonfinite : str
        "error", or "minimum": NaN and infinite pixels take the image's finite minimum.
    progress : callable, optional
        Told while the values of floats are checked; raising from it stops the reading.

    Returns
    -------
    ImagePlane

    Raises
    ------
    ImageError
        If the array is not an image that can be read; says what was expected and what came.
    """
    array = check_image(image)
    dtype = np.dtype(array.dtype)
    if dtype.kind == "b":
        return ImagePlane(array=array, low=0.0, high=1.0, fill=None)
    if dtype.kind in "ui":
        limits = np.iinfo(dtype)
        return ImagePlane(array=array, low=float(limits.min), high=float(limits.max), fill=None)
    if dtype.kind != "f":
        raise ImageError(
            f"Expected an image of integers, booleans or floats; got dtype {dtype}. "
            "Convert it first, for example with abs() for complex values."
        )
    return ImagePlane(
        array=array, low=0.0, high=1.0, fill=_check_floats(array, nonfinite, progress)
    )


def check_image(image: Any) -> Any:  # noqa: ANN401 - any array-like
    """Return an image as an array, its values still unseen; errors are those of `read_image`."""
    array = _as_array(image)
    _check_shape(tuple(int(n) for n in array.shape))
    return array


def little_range_used(image: Any) -> str | None:  # noqa: ANN401 - any array-like
    """Say that integers use little of their dtype's range, so that the model sees no contrast.

    It looks at a sample of the pixels, which costs little also where they are computed when
    they are read. An eighth of the range is where it speaks up: 12 and 13 bits in 16 are below
    it, and the darkest photos that are still of use above.

    Parameters
    ----------
    image : numpy or dask-like array
        As `read_image` takes it.

    Returns
    -------
    str or None
        One sentence with the share that is used and what to do. None for booleans and floats,
        for images of one value, and where enough of the range is used.

    Raises
    ------
    ImageError
        If the array is not an image.
    """
    array = check_image(image)
    dtype = np.dtype(array.dtype)
    if dtype.kind not in "ui":
        return None
    sample = _sample(array)
    low, high = int(sample.min()), int(sample.max())
    limits = np.iinfo(dtype)
    # Unsigned values begin at black; signed ones stand anywhere, and only their span counts.
    used = high if dtype.kind == "u" else high - low
    share = used / (int(limits.max) - int(limits.min))
    if low == high or share > LITTLE_RANGE:
        return None
    return (
        f"The image uses {_percent(share)} of the range of {dtype} ({low} to {high} of "
        f"{limits.min} to {limits.max}), so that the model sees hardly any contrast: rescale it "
        "first (--rescale), for example with (image - image.min()) / (image.max() - image.min())."
    )


def _sample(array: Any) -> np.ndarray:  # noqa: ANN401 - any array-like
    """Take pixels from all over an array in memory, and from some blocks of any other."""
    height, width = int(array.shape[0]), int(array.shape[1])
    if isinstance(array, np.ndarray):
        sample = array[:: -(-height // SAMPLE_SIDE), :: -(-width // SAMPLE_SIDE)]
        return sample[..., :3] if sample.ndim == 3 else sample
    side = SAMPLE_SIDE // SAMPLE_BLOCKS
    blocks = [
        np.asarray(array[top : top + side, left : left + side])
        for top in _spread(height, side)
        for left in _spread(width, side)
    ]
    return np.concatenate([(b[..., :3] if b.ndim == 3 else b).ravel() for b in blocks])


def _spread(length: int, side: int) -> list[int]:
    """Where blocks of a side begin that are spread over an axis."""
    return sorted({int(n) for n in np.linspace(0, max(0, length - side), SAMPLE_BLOCKS)})


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 0.001 else "less than 0.1 %"


def _as_array(image: Any) -> Any:  # noqa: ANN401 - any array-like
    if isinstance(getattr(image, "shape", None), tuple) and hasattr(image, "__getitem__"):
        try:
            np.dtype(image.dtype)
        except (AttributeError, TypeError):
            pass
        else:
            return image
    try:
        return np.asarray(image)
    except (TypeError, ValueError) as error:
        raise ImageError(f"{EXPECTED}; got {type(image).__name__}, not an array.") from error


def _check_shape(shape: tuple[int, ...]) -> None:
    colour = len(shape) == 3 and shape[2] in (3, 4)
    if len(shape) != 2 and not colour:
        hint = ""
        if len(shape) == 3 and shape[2] in (1, 2, 5):
            hint = " Choose one channel, image[..., k], or three to show as RGB."
        elif len(shape) == 3 and shape[0] in (1, 3, 4):
            hint = " Move the channels to the last axis, for example np.moveaxis(image, 0, -1)."
        elif len(shape) > 2:
            hint = " Choose one plane of it, for example image[k]."
        raise ImageError(f"{EXPECTED}; got shape {shape}.{hint}")
    if min(shape[:2]) < 2:
        raise ImageError(
            f"{EXPECTED} of at least 2 x 2 pixels; got {shape[0]} x {shape[1]}. "
            "There is nothing to segment in it."
        )


def _check_floats(
    array: Any,  # noqa: ANN401 - any array-like
    nonfinite: str,
    progress: ProgressCallback | None,
) -> float | None:
    bad, low, high = 0, np.inf, -np.inf
    rows = int(array.shape[0])
    for top in range(0, rows, BAND_ROWS):
        report(progress, top, rows, "Reading the image")
        band = np.asarray(array[top : top + BAND_ROWS])
        values = band[..., :3] if band.ndim == 3 else band
        finite = np.isfinite(values)
        bad += values.size - int(np.count_nonzero(finite))
        if finite.any():
            low = min(low, float(values.min(where=finite, initial=np.inf)))
            high = max(high, float(values.max(where=finite, initial=-np.inf)))
    if bad and (nonfinite != "minimum" or low > high):
        many = "all" if low > high else str(bad)
        raise ImageError(
            f"Expected finite values; got {many} NaN or infinite values. Replace them, or "
            "pass nonfinite='minimum' (--nonfinite minimum) to take them as the image's minimum."
        )
    if low < -RANGE_TOLERANCE or high > 1 + RANGE_TOLERANCE:
        raise ImageError(
            f"Expected floats in 0..1; got values from {low:.6g} to {high:.6g}. Rescale them "
            "(--rescale), for example with (image - image.min()) / (image.max() - image.min()), or "
            "pass integers."
        )
    return low if bad else None

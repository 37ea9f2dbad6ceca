"""Which values of an image become black and which white, before the engine reads it.

The command line, scripts and the dock widget follow these rules, so that they see the same pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_sclip.config import check_contrast

SAMPLED_PIXELS = 1_000_000
"""Percentiles are those of about as many pixels."""


def rescale(
    image: NDArray[Any],
    *,
    limits: tuple[float, float] | None = None,
    percentiles: tuple[float, float] | None = None,
    nonfinite: str = "error",
) -> NDArray[np.float32]:
    """Map values to 0..1, over all channels together, as the dock widget does.

    Without `limits` and `percentiles`, the image's smallest value becomes 0 and its largest 1.

    Parameters
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) array
        Of any real dtype. An alpha channel is left out.
    limits : tuple of float, optional
        The values that become 0 and 1.
    percentiles : tuple of float, optional
        Percentiles of the image, 0..100, that become 0 and 1.
    nonfinite : str
        "error": NaN and infinite values stay as they are, for the engine to refuse. "minimum":
        NaN becomes 0, and infinite values the limit that is nearest to them.

    Returns
    -------
    (H, W) or (H, W, 3) float32 array
        0..1, what lies beyond the limits clipped; all 0 where the image has one value only.

    Raises
    ------
    ConfigError
        If the limits or the percentiles cannot be used.
    """
    check_contrast(limits, percentiles)
    values = image[..., :3] if image.ndim == 3 else image
    step = sample_step(values.shape, percentiles)
    found = limits or find_limits([values[::step, ::step]], percentiles)
    if found is None:
        return values.astype(np.float32)
    scaled = scale_values(values, found)
    if nonfinite == "minimum":
        return np.nan_to_num(scaled)
    return np.where(np.isfinite(values), scaled, values).astype(np.float32)


def find_limits(
    parts: Iterable[NDArray[Any]], percentiles: tuple[float, float] | None = None
) -> tuple[float, float] | None:
    """Find the values that become 0 and 1; None if there is no finite one.

    Parameters
    ----------
    parts : iterable of array
        The image, piece by piece. Without `percentiles` none is kept.
    percentiles : tuple of float, optional
        0..100; left out, the smallest and the largest value are taken.
    """
    finite = (part for part in map(_finite, parts) if part.size)
    if percentiles is None:
        ends = [(part.min(), part.max()) for part in finite]
        return (float(min(e[0] for e in ends)), float(max(e[1] for e in ends))) if ends else None
    kept = list(finite)
    if not kept:
        return None
    low, high = np.percentile(np.concatenate(kept), percentiles)
    return float(low), float(high)


def sample_step(shape: Sequence[int], percentiles: tuple[float, float] | None) -> int:
    """Return every how manyth row and column `find_limits` is to be given; 1 for all."""
    if percentiles is None:
        return 1
    return max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / SAMPLED_PIXELS))))


def natural_limits(dtype: DTypeLike) -> tuple[float, float] | None:
    """Return the limits that values of a dtype have by themselves; None for floats."""
    kind = np.dtype(dtype)
    if kind.kind == "b":
        return 0.0, 1.0
    if kind.kind in "iu":
        return float(np.iinfo(kind).min), float(np.iinfo(kind).max)
    return None


def scale_values(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.float32]:
    """Map values of any real dtype to 0..1, what lies beyond the limits clipped.

    NaN stays NaN; where the limits do not rise, all is 0.
    """
    low, high = limits
    scaled: NDArray[Any] = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
    if limits != (0.0, 1.0):
        span = np.asarray(high - low if high > low else np.inf, scaled.dtype)
        with np.errstate(invalid="ignore"):
            scaled = (scaled - np.asarray(low, scaled.dtype)) / span
    out: NDArray[np.float32] = np.clip(scaled, 0.0, 1.0).astype(np.float32)
    return out


def _finite(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind == "b":
        return values.view(np.uint8).ravel()  # which has percentiles
    return values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()

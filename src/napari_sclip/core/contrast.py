"""Which values of an image become black and which white, before the engine reads it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import ConfigError

SAMPLED_PIXELS = 1_000_000
"""Percentiles are those of about as many pixels, as in the dock widget."""


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
    found = limits or _limits_of(values, percentiles)
    if found is None:
        return values.astype(np.float32)
    scaled = _scaled(values, *found)
    if nonfinite == "minimum":
        return np.nan_to_num(scaled)
    return np.where(np.isfinite(values), scaled, values).astype(np.float32)


def check_contrast(
    limits: tuple[float, float] | None, percentiles: tuple[float, float] | None
) -> None:
    """Check what `rescale` is given.

    Raises
    ------
    ConfigError
        If both are given, or one of them does not rise.
    """
    if limits is not None and percentiles is not None:
        raise ConfigError("Expected limits or percentiles; got both. Leave out one of them.")
    if limits is not None and not limits[0] < limits[1]:
        raise ConfigError(
            f"limits must rise; got {limits[0]:g} and {limits[1]:g}. Give first the value that "
            "becomes black, then the one that becomes white."
        )
    if percentiles is not None and not 0 <= percentiles[0] < percentiles[1] <= 100:
        raise ConfigError(
            f"percentiles must rise and lie in 0..100; got {percentiles[0]:g} and "
            f"{percentiles[1]:g}. 1 and 99 are usual."
        )


def _limits_of(
    values: NDArray[Any], percentiles: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Find limits in an image; None if it has no finite value."""
    if percentiles is not None:
        step = max(1, int(np.ceil(np.sqrt(values.shape[0] * values.shape[1] / SAMPLED_PIXELS))))
        values = values[::step, ::step]
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.ravel()
    if not finite.size:
        return None
    if finite.dtype.kind == "b":
        finite = finite.view(np.uint8)
    if percentiles is None:
        return float(finite.min()), float(finite.max())
    low, high = np.percentile(finite, percentiles)
    return float(low), float(high)


def _scaled(values: NDArray[Any], low: float, high: float) -> NDArray[np.float32]:
    # In the precision that napari_sclip.layers.image.rgb takes, so that a run of the widget and one
    # of the command line see the same pixels.
    scaled: NDArray[Any] = values.astype(np.float64 if values.dtype.itemsize > 4 else np.float32)
    if (low, high) != (0.0, 1.0):
        span = np.asarray(high - low if high > low else np.inf, scaled.dtype)
        with np.errstate(invalid="ignore"):
            scaled = (scaled - np.asarray(low, scaled.dtype)) / span
    out: NDArray[np.float32] = np.clip(scaled, 0.0, 1.0).astype(np.float32)
    return out

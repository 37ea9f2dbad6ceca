"""Colours as the screen shows them: contrast, gamma, colormaps and blending."""

from __future__ import annotations

import numpy as np

from napari_sclip.layers.request import Look


def scale_values(values: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Map values to 0..1.

    Parameters
    ----------
    values : array
        Of any real dtype.
    limits : tuple of float
        The values that become 0 and 1.

    Returns
    -------
    float32 array of the same shape
        NaN stays NaN.
    """
    low, high = limits
    wide = values.dtype.itemsize > 4
    scaled = values.astype(np.float64 if wide else np.float32)
    if (low, high) != (0.0, 1.0):
        span = high - low
        scaled = (scaled - np.asarray(low, scaled.dtype)) / np.asarray(
            span if span > 0 else np.inf, scaled.dtype
        )
    out: np.ndarray = np.clip(scaled, 0.0, 1.0).astype(np.float32)
    return out


def colour(values: np.ndarray, look: Look, *, rgb: bool) -> np.ndarray:
    """Give scaled values the colours of a layer.

    Parameters
    ----------
    values : (H, W) or (H, W, 3 or 4) float32 array
        0..1 or NaN.
    look : Look
    rgb : bool
        Whether the last axis holds colours.

    Returns
    -------
    (H, W, 4) float32 array
        Red, green, blue and opacity, 0..1.
    """
    if rgb:
        out = np.ones((*values.shape[:2], 4), dtype=np.float32)
        out[..., : values.shape[2]] = np.nan_to_num(values)
        if look.gamma != 1:
            out[..., :3] **= np.float32(look.gamma)
    else:
        mapped = look.colormap.map(values**look.gamma)
        out = np.nan_to_num(np.asarray(mapped, dtype=np.float32))
    out[..., 3] *= look.opacity
    return out


def blend(below: np.ndarray | None, above: np.ndarray, blending: str) -> np.ndarray:
    """Draw a layer over what lies below it, by napari's rules.

    Parameters
    ----------
    below : (H, W, 3) float32 array or None
        None for the bottom layer, which is drawn on black.
    above : (H, W, 4) float32 array
    blending : str
        One of napari's modes.

    Returns
    -------
    (H, W, 3) float32 array
    """
    colours, alpha = above[..., :3], above[..., 3:]
    if below is None:
        return colours if blending == "minimum" else colours * alpha
    if blending == "additive":
        out = colours * alpha + below
    elif blending == "minimum":
        out = np.minimum(colours, below)
    elif blending == "multiplicative":
        out = colours * below
    elif blending == "opaque":
        out = colours
    else:
        out = colours * alpha + below * (1 - alpha)
    clipped: np.ndarray = np.clip(out, 0.0, 1.0)
    return clipped

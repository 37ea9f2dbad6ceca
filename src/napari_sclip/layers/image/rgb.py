"""Read the planes of a request as RGB; for a worker: slow where the data are slow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from napari_sclip.core.contrast import find_limits, natural_limits, sample_step, scale_values
from napari_sclip.errors import ImageError
from napari_sclip.layers.image.request import ImageRequest, Look, Source

BAND_ROWS = 1024
READ_AT_ONCE = 16_000_000
"""Pixels up to which `read_plane` gives a numpy array."""


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


class PlaneView:
    """One plane as RGB, converted where it is looked at: what dask arrays are to the engine.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane.
    """

    def __init__(self, request: ImageRequest, number: int = 0) -> None:
        self._request = request
        self._places = request.place(number)
        first = request.sources[0]
        self._as_it_is = (
            request.mode == "rgb"
            and request.contrast.rule == "limits"
            and np.dtype(first.array.dtype) == np.uint8
        )
        self.shape: tuple[int, int, int] = (*request.read_shape, 3)
        self.dtype = np.dtype(np.uint8 if self._as_it_is else np.float32)
        self.ndim = 3
        self._limits = tuple(self._find_limits(source) for source in request.sources)

    def __getitem__(self, key: Any) -> np.ndarray:  # noqa: ANN401 - any index of numpy
        parts = key if isinstance(key, tuple) else (key,)
        if (
            Ellipsis in parts
            or not 1 <= len(parts) <= 2
            or not all(isinstance(p, slice) for p in parts)
        ):
            whole: np.ndarray = self[:, :][key]
            return whole
        columns = parts[1] if len(parts) == 2 else slice(None)
        return self._to_rgb(parts[0], columns)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:  # noqa: ANN401
        return np.asarray(self[:, :], dtype=dtype)

    def _to_rgb(self, rows: slice, columns: slice) -> np.ndarray:
        request = self._request
        if request.mode == "blend":
            picture: np.ndarray | None = None
            for source, limits in zip(request.sources, self._limits, strict=True):
                values = self._read(source, rows, columns)
                scaled = scale_values(values, limits)
                if source.rgb and values.shape[2] == 4:
                    scaled[..., 3] = scale_values(values[..., 3], _natural_limits(source))
                above = colour(scaled, source.look, rgb=source.rgb)
                picture = blend(picture, above, source.look.blending)
            return np.asarray(picture)
        values = self._read(request.sources[0], rows, columns)
        if self._as_it_is:
            as_it_is: np.ndarray = values[..., :3]
            return as_it_is
        shown: np.ndarray = np.nan_to_num(scale_values(values, self._limits[0]))
        if request.mode == "rgb":
            return shown[..., :3]
        return np.broadcast_to(shown[..., None], (*shown.shape, 3))

    def bands(self) -> Iterator[np.ndarray]:
        """Go through all that is read of every layer, some rows at a time, as it is stored."""
        for source in self._request.sources:
            for top in range(0, self.shape[0], BAND_ROWS):
                yield self._read(source, slice(top, top + BAND_ROWS), slice(None))

    def _read(self, source: Source, rows: slice, columns: slice) -> np.ndarray:
        """Read part of a plane of one layer: (H, W), or (H, W, 3 or 4)."""
        request = self._request
        axes = request.axes
        index: list[slice | int] = [slice(None)] * len(request.shape)
        for axis, place in self._places.items():
            last = round(request.shape[axis] / request.factors[axis]) - 1
            index[axis] = min(int((place + 0.5) / request.factors[axis]), last)
        index[axes.rows] = _within(rows, request.rows_read)
        index[axes.columns] = _within(columns, request.columns_read)
        values = np.asarray(source.array[tuple(index)])
        return values if axes.rows < axes.columns else np.swapaxes(values, 0, 1)

    def _find_limits(self, source: Source) -> tuple[float, float]:
        rule = self._request.contrast
        if rule.rule == "limits":
            as_displayed = self._request.mode == "blend"
            return source.look.limits if as_displayed else _natural_limits(source)
        percentiles = rule.percentiles if rule.rule == "percentiles" else None
        found = find_limits(self._samples(source, percentiles), percentiles)
        if found is None:
            raise ImageError(
                f"Expected finite values in layer {source.name!r}; got only NaN and infinite ones. "
                "Choose another plane or region."
            )
        return found

    def _samples(
        self, source: Source, percentiles: tuple[float, float] | None
    ) -> Iterator[np.ndarray]:
        """Go through the values that the contrast is found by, some rows at a time."""
        step = sample_step(self.shape, percentiles)
        band = BAND_ROWS * step
        for top in range(0, self.shape[0], band):
            values = self._read(source, slice(top, top + band, step), slice(None, None, step))
            yield values[..., :3] if source.rgb else values


def read_plane(request: ImageRequest, number: int = 0) -> np.ndarray | PlaneView:
    """Read a plane as the engine takes it.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane, 0 to ``len(request.planes) - 1``.

    Returns
    -------
    (H, W, 3) array
        Of `ImageRequest.read_shape`: float32 in 0..1, or uint8 where RGB is taken as it is. NaN
        is black. A large plane comes as a `PlaneView`, which is read where it is needed; either
        can be given to `Segmenter.segment` and `Segmenter.embed`.

    Raises
    ------
    ImageError
        If the plane has no finite value to find its contrast by.
    """
    view = PlaneView(request, number)
    if view.shape[0] * view.shape[1] <= READ_AT_ONCE:
        return np.asarray(view)
    return view


def preview(request: ImageRequest, number: int = 0, *, max_side: int = 96) -> np.ndarray:
    """Show in small what the model will see.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane.
    max_side : int
        Length in pixels that neither side exceeds.

    Returns
    -------
    (h, w, 3) uint8 array

    Raises
    ------
    ImageError
        As `read_plane`.
    """
    view = PlaneView(request, number)
    step = max(1, -(-max(view.shape[:2]) // max_side))
    small = view[step // 2 :: step, step // 2 :: step]
    if small.size == 0:
        small = view[::step, ::step]
    if small.dtype == np.uint8:
        return np.array(small)
    out: np.ndarray = np.rint(small * 255).astype(np.uint8)
    return out


def _within(part: slice, span: tuple[int, int]) -> slice:
    """Take a slice of the part of an axis that is read."""
    first, last, step = part.indices(span[1] - span[0])
    return slice(span[0] + first, span[0] + last, step)


def _natural_limits(source: Source) -> tuple[float, float]:
    if not source.rgb:
        return source.look.limits
    return natural_limits(source.array.dtype) or (0.0, 1.0)

"""The resized and normalised image, a strip of windows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from napari_sclip.core.axis_map import AxisMap, bilinear, identity
from napari_sclip.core.image import ImagePlane
from napari_sclip.core.windows import AxisWindows


@dataclass(frozen=True)
class WindowReader:
    """Cuts the windows of an image out of its resized, normalised pixels.

    The resized image never exists as a whole: memory holds one strip, as high as a window.

    Attributes
    ----------
    plane : ImagePlane
    rows, columns : AxisWindows
        The windows along both axes of the resized image.
    mean, std : tuple of float
        Of the model's preprocessing, one number a channel.
    """

    plane: ImagePlane
    rows: AxisWindows
    columns: AxisWindows
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @property
    def count(self) -> int:
        """Number of windows."""
        return len(self.rows.starts) * len(self.columns.starts)

    def windows(self, first: int = 0) -> Iterator[torch.Tensor]:
        """Yield windows from number `first` on, row by row: (3, h, w) float32."""
        across = len(self.columns.starts)
        row_map = _resampling(self.plane.height, self.rows.length)
        column_map = _resampling(self.plane.width, self.columns.length)
        for number in range(first // across, len(self.rows.starts)):
            top = self.rows.starts[number]
            strip = self._strip(row_map, column_map, top, top + self.rows.window)
            for place in range(first - number * across if first > number * across else 0, across):
                left = self.columns.starts[place]
                yield strip[:, :, left : left + self.columns.window]

    def _strip(self, rows: AxisMap, columns: AxisMap, start: int, stop: int) -> torch.Tensor:
        taken = np.unique(rows.indices[start:stop])
        across = np.unique(columns.indices)
        pixels = self.plane.read(taken, across)
        resized = _interpolate(pixels, rows, start, stop, taken, axis=0)
        resized = _interpolate(resized, columns, 0, columns.outputs, across, axis=1)
        mean, std = (np.asarray(values, dtype=np.float32) for values in (self.mean, self.std))
        normalised = (resized - mean) / std
        return torch.from_numpy(np.ascontiguousarray(normalised.transpose(2, 0, 1)))


def _resampling(inputs: int, outputs: int) -> AxisMap:
    return identity(inputs) if inputs == outputs else bilinear(inputs, outputs)


def _interpolate(
    pixels: np.ndarray, axis_map: AxisMap, start: int, stop: int, taken: np.ndarray, *, axis: int
) -> np.ndarray:
    """Apply outputs `start` to `stop` of a map, whose inputs are the `taken` ones, to an axis."""
    indices = np.searchsorted(taken, axis_map.indices[start:stop])
    weights = axis_map.weights[start:stop].astype(np.float32)
    if indices.shape[1] == 1:
        return np.take(pixels, indices[:, 0], axis=axis)
    shape = (-1, 1, 1) if axis == 0 else (1, -1, 1)
    low = np.take(pixels, indices[:, 0], axis=axis) * weights[:, 0].reshape(shape)
    low += np.take(pixels, indices[:, 1], axis=axis) * weights[:, 1].reshape(shape)
    return low

"""The resized and normalised image, a strip of windows at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from napari_sclip.core.axis_map import AxisMap, bilinear, identity
from napari_sclip.core.image import ImagePlane, check_image, read_image
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
        return _normalise(resized, self.mean, self.std)


def read_window(
    image: Any,  # noqa: ANN401 - any array-like
    rows: AxisWindows,
    columns: AxisWindows,
    place: tuple[int, int],
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]],
    *,
    nonfinite: str = "error",
) -> torch.Tensor:
    """Read one window of an image, and no more of the image than it needs.

    Parameters
    ----------
    image : numpy or dask-like array
        As `read_image` takes it. Of floats only those of the window are checked, unless
        `nonfinite` is "minimum", which looks at all of them.
    rows, columns : AxisWindows
        The windows along both axes of the resized image.
    place : tuple of int
        Number of the window along both.
    normalisation : tuple
        Mean and standard deviation of the model's preprocessing.
    nonfinite : str
        As `read_image` takes it.

    Returns
    -------
    (3, h, w) float32 tensor
        The same as `WindowReader.windows` gives.
    """
    array = check_image(image)
    top, left = rows.starts[place[0]], columns.starts[place[1]]
    row_map = _resampling(int(array.shape[0]), rows.length)
    column_map = _resampling(int(array.shape[1]), columns.length)
    taken = np.unique(row_map.indices[top : top + rows.window])
    across = np.unique(column_map.indices[left : left + columns.window])
    # At least two rows and columns are an image.
    first_row = min(int(taken[0]), int(array.shape[0]) - 2)
    first_column = min(int(across[0]), int(array.shape[1]) - 2)
    if nonfinite == "minimum":
        first_row = first_column = 0
        plane = read_image(array, nonfinite=nonfinite)
    else:
        last_row = max(int(taken[-1]) + 1, first_row + 2)
        last_column = max(int(across[-1]) + 1, first_column + 2)
        plane = read_image(np.asarray(array[first_row:last_row, first_column:last_column]))
    pixels = plane.read(taken - first_row, across - first_column)
    resized = _interpolate(pixels, row_map, top, top + rows.window, taken, axis=0)
    resized = _interpolate(resized, column_map, left, left + columns.window, across, axis=1)
    return _normalise(resized, *normalisation)


def _normalise(
    pixels: np.ndarray, mean: tuple[float, float, float], std: tuple[float, float, float]
) -> torch.Tensor:
    normalised = (pixels - np.asarray(mean, np.float32)) / np.asarray(std, np.float32)
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

"""Linear maps along one image axis: from the patches of all windows to the image's pixels.

Upsampling each window bilinearly, averaging where windows overlap and resampling to the
image's size are linear and act on rows and columns separately. So the whole chain is
``rows @ similarity @ columns.T`` with one sparse matrix an axis, and any rectangle of the
image can be computed alone, without the upsampled windows ever existing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from napari_sclip.core.windows import AxisWindows


@dataclass(frozen=True)
class AxisMap:
    """A sparse matrix with the same number of entries in every row.

    Attributes
    ----------
    indices : (outputs, taps) int64 array
        Which inputs each output takes.
    weights : (outputs, taps) float64 array
        With which weight; the weights of an output sum to 1.
    inputs : int
        Number of inputs.
    """

    indices: np.ndarray
    weights: np.ndarray
    inputs: int

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return int(self.indices.shape[0])

    def input_range(self, start: int, stop: int) -> tuple[int, int]:
        """First and past-the-last input that the outputs `start` to `stop` take."""
        used = self.indices[start:stop][self.weights[start:stop] != 0]
        return int(used.min()), int(used.max()) + 1

    def outputs_within(self, stop: int) -> int:
        """Count the outputs, from the first on, that take inputs below `stop` only."""
        beyond = ((self.indices >= stop) & (self.weights != 0)).any(axis=1)
        return int(beyond.argmax()) if beyond.any() else self.outputs

    def dense(self, start: int, stop: int) -> tuple[int, int, torch.Tensor]:
        """Rows `start` to `stop` as a dense matrix over the inputs that they take.

        Returns
        -------
        tuple
            First and past-the-last input, and the (stop - start, inputs taken) float32 matrix.
        """
        first, last = self.input_range(start, stop)
        indices, weights = self.indices[start:stop], self.weights[start:stop]
        matrix = np.zeros((stop - start, last - first))
        rows = np.broadcast_to(np.arange(stop - start)[:, None], indices.shape)
        taken = weights != 0
        np.add.at(matrix, (rows[taken], indices[taken] - first), weights[taken])
        return first, last, torch.from_numpy(matrix.astype(np.float32))

    def after(self, inner: AxisMap) -> AxisMap:
        """Compose: this map applied to the outputs of `inner`."""
        indices = inner.indices[self.indices].reshape(self.outputs, -1)
        weights = (self.weights[..., None] * inner.weights[self.indices]).reshape(self.outputs, -1)
        return AxisMap(indices=indices, weights=weights, inputs=inner.inputs)


def bilinear(inputs: int, outputs: int) -> AxisMap:
    """Bilinear resampling with pixel centres aligned at halves (``align_corners=False``)."""
    # (i + 0.5) inputs / outputs - 0.5 in whole numbers, the unit being 1 / (2 outputs): exact.
    position = np.maximum((2 * np.arange(outputs) + 1) * inputs - outputs, 0)
    low, rest = np.divmod(position, 2 * outputs)
    high = np.minimum(low + 1, inputs - 1)
    fraction = rest / (2 * outputs)
    return AxisMap(
        indices=np.stack([low, high], axis=1),
        weights=np.stack([1 - fraction, fraction], axis=1),
        inputs=inputs,
    )


def identity(length: int) -> AxisMap:
    """Make the map that changes nothing."""
    return AxisMap(indices=np.arange(length)[:, None], weights=np.ones((length, 1)), inputs=length)


def windows_to_pixels(windows: AxisWindows) -> AxisMap:
    """Upsample every window to its pixels and average where windows overlap.

    Returns
    -------
    AxisMap
        Inputs: the patches of the first window, then of the second, and so on; outputs: the
        pixels of the resized image.
    """
    upsample = bilinear(windows.patches, windows.window)
    coverage = windows.coverage()
    most = int(coverage.max())
    indices = np.zeros((windows.length, most, 2), dtype=np.int64)
    weights = np.zeros((windows.length, most, 2))
    filled = np.zeros(windows.length, dtype=np.int64)
    for number, start in enumerate(windows.starts):
        pixels = np.arange(start, start + windows.window)
        indices[pixels, filled[pixels]] = upsample.indices + number * windows.patches
        weights[pixels, filled[pixels]] = upsample.weights / coverage[pixels, None]
        filled[pixels] += 1
    return AxisMap(
        indices=indices.reshape(windows.length, -1),
        weights=weights.reshape(windows.length, -1),
        inputs=len(windows.starts) * windows.patches,
    )


def windows_to_image(windows: AxisWindows, length: int) -> AxisMap:
    """Map the patches of all windows to an axis of the image at its original length."""
    to_resized = windows_to_pixels(windows)
    if length == windows.length:
        return to_resized
    return bilinear(windows.length, length).after(to_resized)

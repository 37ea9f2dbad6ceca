"""What is known of an image while its windows are being computed."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from napari_sclip.core.axis_map import bilinear
from napari_sclip.core.windows import AxisWindows
from napari_sclip.engine.embedding import Embedding
from napari_sclip.engine.layout import Layout


@dataclass(frozen=True, eq=False)
class PartialEmbedding:
    """An embedding that is being made; windows that are missing count as 0.

    It shares its memory with the embedding in the making, so it holds only until the callable
    that it is given to returns.

    Attributes
    ----------
    embedding : Embedding
        Averaged on patches, it holds sums instead of averages until all windows are done.
    layout : Layout
        Where the windows stand.
    patch : int
        Side of a patch in pixels.
    done : int
        Windows that are computed, row by row from the top.
    """

    embedding: Embedding
    layout: Layout
    patch: int
    done: int

    @property
    def total(self) -> int:
        """Windows in all."""
        return self.layout.count

    @property
    def seen(self) -> tuple[tuple[slice, slice], ...]:
        """The image's pixels that windows cover so far: rows and columns of rectangles.

        There are at most two, which do not overlap: the rows of windows that are complete,
        and below them what has been begun.
        """
        height, width = self.embedding.shape
        rows, columns = self.layout.rows, self.layout.columns
        complete, begun = divmod(self.done, len(columns.starts))
        top = _pixels_within(rows, complete, height)
        found = [(slice(0, top), slice(0, width))]
        if begun:
            bottom = _pixels_within(rows, complete + 1, height)
            found.append((slice(top, bottom), slice(0, _pixels_within(columns, begun, width))))
        return tuple(place for place in found if all(part.start < part.stop for part in place))

    def scale(self) -> torch.Tensor | None:
        """Return what features are to be multiplied by: (R, C) float32, 0 where none is yet.

        None when all windows are done, and the embedding is as it will be.
        """
        if self.done == self.total:
            return None
        complete, begun = divmod(self.done, len(self.layout.columns.starts))
        averaged = self.embedding.config.average_on == "patches"
        count = self._windows_on_patches if averaged else self._windows_kept
        windows = count(complete, len(self.layout.columns.starts))
        windows += count(complete + 1, begun) - count(complete, begun)
        return torch.from_numpy(np.where(windows > 0, 1 / np.maximum(windows, 1), 0)).float()

    def _windows_on_patches(self, down: int, across: int) -> np.ndarray:
        """How many of the first `down` x `across` windows cover each patch."""
        rows, columns = _first(self.layout.rows, down), _first(self.layout.columns, across)
        covered = [axis.coverage()[:: self.patch] for axis in (rows, columns)]
        return np.outer(*covered)

    def _windows_kept(self, down: int, across: int) -> np.ndarray:
        """1 at the patches of the first `down` x `across` windows, laid side by side."""
        rows, columns = self.layout.rows, self.layout.columns
        kept = np.zeros(self.embedding.dense.features.shape[:2], dtype=np.int64)
        kept[: down * rows.patches, : across * columns.patches] = 1
        return kept


PartialCallback = Callable[[PartialEmbedding], object]
"""Called after every batch; raising from it stops the work, and the exception passes on."""


def _first(windows: AxisWindows, count: int) -> AxisWindows:
    return dataclasses.replace(windows, starts=windows.starts[:count])


def _pixels_within(windows: AxisWindows, count: int, length: int) -> int:
    """How many of the image's pixels, from the first on, the first `count` windows cover."""
    if count == 0:
        return 0
    return bilinear(windows.length, length).outputs_within(
        windows.starts[count - 1] + windows.window
    )

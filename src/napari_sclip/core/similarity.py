"""Similarities of an image with text, a rectangle of pixels at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_sclip.core.axis_map import AxisMap

RECTANGLE_VALUES = {"cpu": 1_000_000, "cuda": 32_000_000}
"""Similarities that a rectangle holds at most; on a CPU they stay in its cache."""

LEAST_SHARE = 1e-6
"""Pixels for which the features that are there weigh less have none."""


@dataclass(frozen=True)
class DenseMap:
    """Features on a grid of patches, and how they spread over the image's pixels.

    Attributes
    ----------
    features : (R, C, D) tensor
        One feature a patch of each window (or of the averaged grid).
    rows, columns : AxisMap
        From R and C to the image's height and width.
    """

    features: Tensor
    rows: AxisMap
    columns: AxisMap

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the image in pixels."""
        return self.rows.outputs, self.columns.outputs


@dataclass(frozen=True)
class Rectangle:
    """Similarities within one rectangle of the image.

    Attributes
    ----------
    rows, columns : slice
        Which pixels.
    similarity : (P, h, w) tensor
    """

    rows: slice
    columns: slice
    similarity: Tensor

    @property
    def place(self) -> tuple[slice, slice]:
        """Index of the rectangle in an (H, W) array."""
        return self.rows, self.columns


def rectangle_size(prompts: int, shape: tuple[int, int], device: str) -> tuple[int, int]:
    """Choose the height and width of the rectangles that an image is computed in.

    Parameters
    ----------
    prompts : int
    shape : tuple of int
        Height and width of the image in pixels.
    device : str
        Type of the device.
    """
    values = RECTANGLE_VALUES.get(device, RECTANGLE_VALUES["cuda"])
    down = min(shape[0], 256, max(8, values // (128 * prompts)))
    across = min(shape[1], max(64, values // (down * prompts)))
    return down, across


def rectangles(
    dense: DenseMap,
    text: Tensor,
    within: tuple[slice, slice] | None = None,
    scale: Tensor | None = None,
) -> Iterator[Rectangle]:
    """Compute the similarities of pixels with all prompts, piece by piece.

    Equal to upsampling every window bilinearly to its pixels, averaging where windows overlap
    and resampling to the image's size, since all of it is linear.

    Parameters
    ----------
    dense : DenseMap
    text : (P, D) tensor
        L2-normalised text embeddings, on the device of the features.
    within : tuple of slice, optional
        The pixels that are wanted; all of them if left out.
    scale : (R, C) tensor, optional
        What each feature is multiplied by, where some are still missing: 0. What the others
        weigh for a pixel is then brought back to 1.

    Yields
    ------
    Rectangle
        In rows from top to bottom, covering every pixel that is wanted once.
    """
    rows, columns = within or (slice(0, dense.shape[0]), slice(0, dense.shape[1]))
    device = dense.features.device
    shape = rows.stop - rows.start, columns.stop - columns.start
    down, across = rectangle_size(len(text), shape, device.type)
    lefts = range(columns.start, columns.stop, across)
    column_tiles = [(c, min(c + across, columns.stop)) for c in lefts]
    column_parts = [dense.columns.dense(*tile) for tile in column_tiles]
    for top in range(rows.start, rows.stop, down):
        bottom = min(top + down, rows.stop)
        first, last, matrix = dense.rows.dense(top, bottom)
        patches = dense.features[first:last]
        on_grid = (patches.flatten(0, 1).to(text.dtype) @ text.T).T
        on_grid = on_grid.reshape(len(text), last - first, -1)
        if scale is not None:
            part_of_scale = scale[first:last].to(on_grid)
            there = (part_of_scale > 0).to(on_grid)
            on_grid = torch.cat([on_grid * part_of_scale, there[None]])
        on_rows = matrix.to(device) @ on_grid
        for (left, right), (start, stop, part) in zip(column_tiles, column_parts, strict=True):
            similarity = on_rows[:, :, start:stop] @ part.to(device).T
            if scale is not None:
                similarity = similarity[:-1] / similarity[-1:].clamp_min(LEAST_SHARE)
            yield Rectangle(slice(top, bottom), slice(left, right), similarity)

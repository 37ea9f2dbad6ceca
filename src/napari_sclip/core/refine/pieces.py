"""Refined similarities of an image, piece by piece, so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_sclip.core.axis_map import AxisMap
from napari_sclip.core.image import ImagePlane
from napari_sclip.core.refine.base import Refinement
from napari_sclip.core.similarity import DenseMap, Rectangle, rectangle_size, rectangles
from napari_sclip.progress import ProgressCallback, report

PIECE_VALUES = 192_000_000
"""Values of 4 bytes that a band works with at most, if it has more rows than `LEAST_ROWS`."""

LEAST_ROWS = 16
CHUNK_VALUES = 2_000_000
"""Similarities that are filtered at once, so that progress is told often."""

Place = tuple[slice, slice]


@dataclass(frozen=True)
class Refiner:
    """A refinement of one image.

    The filters have fixed reaches in pixels, made for a picture as large as the one that the
    model saw. A larger one is taken apart into `phases` x `phases` pictures, each of every so
    manieth pixel, which are filtered one by one: the reach grows with the image, no pixel is
    resampled, and each picture is small.

    Attributes
    ----------
    refinement : Refinement
    plane : ImagePlane
        The image, which is read again.
    phases : int
        How many times larger the image is than what the model saw, in whole numbers.
    """

    refinement: Refinement
    plane: ImagePlane
    phases: int = 1

    def rectangles(
        self,
        dense: DenseMap,
        text: Tensor,
        wanted: Callable[[Place], bool] | None = None,
        progress: ProgressCallback | None = None,
    ) -> Iterator[Rectangle]:
        """Compute the refined similarities of pixels with all prompts, piece by piece.

        Parameters
        ----------
        dense : DenseMap
        text : (P, D) tensor
            L2-normalised text embeddings.
        wanted : callable, optional
            Told the place of a band of pixels; if it gives False, the band is left out.
        progress : callable, optional

        Yields
        ------
        Rectangle
            Rows and columns have the steps of the phases. Every pixel comes once.
        """
        tell = self._teller(dense.shape, len(text), progress)
        columns = dense.shape[1]
        for down in range(self.phases):
            rows = np.arange(down, dense.shape[0], self.phases)
            for band in self._bands(len(rows), -(-columns // self.phases), len(text)):
                strip = None
                for across in range(self.phases):
                    place = (
                        slice(int(rows[band.top]), int(rows[band.bottom - 1]) + 1, self.phases),
                        slice(across, columns, self.phases),
                    )
                    chunks = band.chunks(len(text), len(range(across, columns, self.phases)))
                    if wanted is not None and not wanted(place):
                        tell(len(chunks) * self.refinement.steps)
                        continue
                    if strip is None:
                        strip = self._read(rows[band.first : band.last], columns)
                    guide = strip[:, :, across :: self.phases].contiguous()
                    part = _of_phase(dense, down, across, self.phases)
                    similarity = self._filtered(part, text, guide, band, chunks, tell)
                    yield from _cut(similarity, place, self.phases)

    def _filtered(
        self,
        dense: DenseMap,
        text: Tensor,
        guide: Tensor,
        band: _Band,
        chunks: Sequence[slice],
        tell: Callable[[int], None],
    ) -> Tensor:
        """Refine the rows of a band: (P, rows, w)."""
        apply = self.refinement.prepare(guide)
        width = dense.shape[1]
        out = torch.empty(len(text), band.bottom - band.top, width)
        for chunk in chunks:
            within = slice(band.first, band.last), slice(0, width)
            similarity = torch.empty(chunk.stop - chunk.start, band.last - band.first, width)
            for piece in rectangles(dense, text[chunk], within):
                rows = slice(piece.rows.start - band.first, piece.rows.stop - band.first)
                similarity[:, rows, piece.columns] = piece.similarity.cpu()
            out[chunk] = apply(similarity, band.keep, lambda: tell(1))
        return out

    def _read(self, rows: np.ndarray, columns: int) -> Tensor:
        pixels = self.plane.read(rows, np.arange(columns))
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def _bands(self, height: int, width: int, prompts: int) -> list[_Band]:
        """Cut a picture into bands, so that what one works with stays within bounds."""
        halo, kept = self.refinement.halo, self.refinement.values_per_pixel
        most = PIECE_VALUES // width
        if height * (prompts + kept) <= most:
            return [_Band(0, height, 0, height)]
        rows = max(LEAST_ROWS, (most - 2 * halo * kept) // (prompts + kept))
        return [
            _Band(top, min(top + rows, height), max(0, top - halo), min(top + rows + halo, height))
            for top in range(0, height, rows)
        ]

    def _teller(
        self, shape: tuple[int, int], prompts: int, progress: ProgressCallback | None
    ) -> Callable[[int], None]:
        """Make what counts the steps of the filters, and reports them."""
        step, total, done = self.phases, 0, 0
        widths = [len(range(n, shape[1], step)) for n in range(step)]
        for down in range(step):
            height = len(range(down, shape[0], step))
            for band in self._bands(height, widths[0], prompts):
                total += sum(len(band.chunks(prompts, width)) for width in widths)
        total *= self.refinement.steps

        def tell(steps: int) -> None:
            nonlocal done
            done += steps
            report(progress, done, total, "Refining the edges")

        return tell


@dataclass(frozen=True)
class _Band:
    """Rows `top` to `bottom` of a picture, computed of the rows `first` to `last`."""

    top: int
    bottom: int
    first: int
    last: int

    @property
    def keep(self) -> slice:
        """Where the rows are within those that they are computed of."""
        return slice(self.top - self.first, self.bottom - self.first)

    def chunks(self, prompts: int, width: int) -> list[slice]:
        """Cut the prompts into those that are filtered at once."""
        most = max(1, CHUNK_VALUES // ((self.last - self.first) * width))
        return [slice(n, min(n + most, prompts)) for n in range(0, prompts, most)]


def _of_phase(dense: DenseMap, down: int, across: int, step: int) -> DenseMap:
    """Take every so manieth row and column of the image."""
    if step == 1:
        return dense

    def part(axis: AxisMap, start: int) -> AxisMap:
        return AxisMap(axis.indices[start::step], axis.weights[start::step], axis.inputs)

    return DenseMap(dense.features, part(dense.rows, down), part(dense.columns, across))


def _cut(similarity: Tensor, place: Place, step: int) -> Iterator[Rectangle]:
    """Hand on what was computed in rectangles that stay in a processor's cache."""
    prompts, height, width = similarity.shape
    block, _ = rectangle_size(prompts, (height, width), similarity.device.type)
    rows, columns = place
    for top in range(0, height, block):
        bottom = min(top + block, height)
        first, last = rows.start + top * step, rows.start + (bottom - 1) * step + 1
        yield Rectangle(slice(first, last, step), columns, similarity[:, top:bottom])

"""The guided filter (He, Sun, Tang, ECCV 2010 and TPAMI 2013), guided by colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from napari_sclip.core.refine.base import Filter, Refinement

RADIUS = 24
EPSILON = 1e-3
"""Variances of the picture (0..1) below this are smoothed over."""


def prepare_guided_filter(guide: Tensor, radius: int = RADIUS, epsilon: float = EPSILON) -> Filter:
    """Take the means and covariances of the picture's colours around each pixel.

    Within each square of the picture, similarities are taken to be ``a . colour + b`` (ridge
    regression with `epsilon`); each pixel gets the mean of what the squares over it say.

    Parameters
    ----------
    guide : (3, h, w) float32 tensor
        The picture, 0..1.
    radius : int
        Half the side of a square in pixels. Beyond the border, there is nothing.
    epsilon : float

    Returns
    -------
    Filter
    """
    # Variances are small differences of large sums.
    colours = guide.double()
    mean = _box_mean(colours, radius)
    inverse = _inverse_covariance(colours, mean, radius, epsilon)

    def apply(similarity: Tensor, keep: slice, tell: Callable[[], None]) -> Tensor:
        out = similarity.new_empty(similarity.shape[0], keep.stop - keep.start, guide.shape[2])
        values = similarity.double()
        value_mean = _box_mean(values, radius)
        tell()
        covariance = []
        for channel in range(3):
            together = _box_mean(values * colours[channel], radius)
            covariance.append(together.addcmul_(value_mean, mean[channel], value=-1))
            tell()
        filtered = torch.zeros_like(out, dtype=torch.float64)
        rest = value_mean
        for channel in range(3):
            slope = _dot(inverse[channel], covariance)
            rest = rest - slope * mean[channel]
            filtered.addcmul_(_box_mean(slope, radius)[:, keep], colours[channel][keep])
            tell()
        filtered += _box_mean(rest, radius)[:, keep]
        tell()
        return out.copy_(filtered)

    return apply


def _inverse_covariance(
    colours: Tensor, mean: Tensor, radius: int, epsilon: float
) -> list[list[Tensor]]:
    """Inverse of the 3 x 3 covariance of the colours, with `epsilon` on its diagonal."""
    s = {}
    for i, j in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)):
        product = _box_mean(colours[i] * colours[j], radius)
        s[i, j] = s[j, i] = product.addcmul_(mean[i], mean[j], value=-1) + epsilon * (i == j)

    def cofactor(i: int, j: int) -> Tensor:
        (a, b), (c, d) = ([k for k in range(3) if k != n] for n in (i, j))
        minor = s[a, c] * s[b, d] - s[a, d] * s[b, c]
        return minor if (i + j) % 2 == 0 else -minor

    cofactors = {(i, j): cofactor(i, j) for i in range(3) for j in range(i, 3)}
    determinant = _dot([s[0, j] for j in range(3)], [cofactors[0, j] for j in range(3)])
    return [[cofactors[min(i, j), max(i, j)] / determinant for j in range(3)] for i in range(3)]


def _dot(left: Sequence[Tensor], right: Sequence[Tensor]) -> Tensor:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def _box_mean(values: Tensor, radius: int) -> Tensor:
    """Mean over the part of the square around each pixel that lies in the picture."""
    for axis in (-2, -1):
        length = values.shape[axis]
        sums = values.cumsum(axis)
        index = torch.arange(length)
        last = (index + radius).clamp(max=length - 1)
        before = index - radius - 1
        total = sums.index_select(axis, last)
        inner = sums.narrow(axis, 0, int((before >= 0).sum()))
        total.narrow(axis, length - inner.shape[axis], inner.shape[axis]).sub_(inner)
        count = (last - before.clamp(min=-1)).to(values)
        values = total.div_(count if axis == -1 else count[:, None])
    return values


REFINEMENT = Refinement(
    name="guided-filter",
    summary="fits similarities to the colours around each pixel (guided filter)",
    prepare=prepare_guided_filter,
    halo=2 * RADIUS,
    steps=8,
    values_per_pixel=80,
)

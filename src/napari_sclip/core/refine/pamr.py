"""PAMR, pixel-adaptive mask refinement (Araslanov and Roth, CVPR 2020, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.functional import pad

from napari_sclip.core.refine.base import Filter, Refinement

STEPS = 10
DILATIONS = (8, 16)
"""Distances in pixels of the eight neighbours, as in the paper of SCLIP."""

SHARPNESS = 0.1
LEAST_DEVIATION = 1e-8
BLOCK_VALUES = 262_144
"""Values that are summed at once; they stay in a processor's cache."""


def prepare_pamr(guide: Tensor, dilations: Sequence[int] = DILATIONS, steps: int = STEPS) -> Filter:
    """Find how much each pixel takes of its neighbours, so that they can be averaged.

    The weights of pixel i are a softmax over its neighbours n of the mean over the channels of
    ``-|guide_i - guide_n| / (0.1 * deviation_i)``, where the deviation is that of the channel in
    the neighbourhood. Each step replaces the values by the weighted mean of the neighbours.
    Beyond the border, the picture goes on with its outermost pixels.

    Parameters
    ----------
    guide : (3, h, w) float32 tensor
        The picture. Scaling a channel or adding to it changes nothing.
    dilations : sequence of int
        Distances in pixels of the neighbours, eight each.
    steps : int

    Returns
    -------
    Filter
    """
    reach = max(dilations)
    weights = _affinities(guide, dilations)

    def apply(similarity: Tensor, keep: slice, tell: Callable[[], None]) -> Tensor:
        # Each step needs `reach` rows more than it gives: what no later step needs is left out.
        values, top = similarity, 0
        for left in reversed(range(steps)):
            first = max(0, keep.start - reach * left)
            last = min(similarity.shape[1], keep.stop + reach * left)
            values = _average(values, top, weights, (first, last), dilations)
            top = first
            tell()
        return values

    return apply


def _affinities(guide: Tensor, dilations: Sequence[int]) -> Tensor:
    """Weights of the neighbours: (8 * dilations, h, w), summing to 1."""
    surroundings = list(_shifted(guide, dilations, with_self=True))
    count = len(surroundings)
    mean = torch.zeros_like(guide)
    for values in surroundings:
        mean += values
    mean /= count
    deviation = torch.zeros_like(guide)
    for values in surroundings:
        deviation += (values - mean).square_()
    scale = deviation.div_(count - 1).sqrt_().mul_(SHARPNESS).add_(LEAST_DEVIATION)
    weights = guide.new_empty(8 * len(dilations), *guide.shape[1:])
    for weight, values in zip(weights, _shifted(guide, dilations), strict=True):
        torch.mean((guide - values).abs_().div_(scale).neg_(), dim=0, out=weight)
    weights -= weights.amax(0)
    weights.exp_()
    return weights.div_(weights.sum(0))


def _shifted(
    values: Tensor, dilations: Sequence[int], *, with_self: bool = False
) -> Iterator[Tensor]:
    """Yield what lies in each direction of the pixels: views, (..., h, w) as the values."""
    reach = max(dilations)
    height, width = values.shape[-2:]
    padded = pad(values[None], (reach,) * 4, mode="replicate")[0]
    for down, across in _offsets(dilations, with_self=with_self):
        y, x = reach + down, reach + across
        yield padded[..., y : y + height, x : x + width]


def _offsets(dilations: Sequence[int], *, with_self: bool) -> list[tuple[int, int]]:
    around = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1) if with_self or (y, x) != (0, 0)]
    return [(y * d, x * d) for d in dilations for y, x in around]


def _average(
    values: Tensor,
    top: int,
    weights: Tensor,
    rows: tuple[int, int],
    dilations: Sequence[int],
) -> Tensor:
    """Average neighbours for some rows, where `values` begin at row `top` of the picture."""
    first, last = rows
    out = values.new_empty(values.shape[0], last - first, values.shape[2])
    neighbours = list(_shifted(values, dilations))
    block = max(8, BLOCK_VALUES // (values.shape[0] * values.shape[2]))
    for start in range(first, last, block):
        stop = min(start + block, last)
        part = out[:, start - first : stop - first].zero_()
        for weight, neighbour in zip(weights, neighbours, strict=True):
            part.addcmul_(weight[start:stop], neighbour[:, start - top : stop - top])
    return out


REFINEMENT = Refinement(
    name="pamr",
    summary="averages similar neighbours again and again (PAMR, 10 steps)",
    prepare=prepare_pamr,
    halo=STEPS * max(DILATIONS),
    steps=STEPS,
    values_per_pixel=40,
)

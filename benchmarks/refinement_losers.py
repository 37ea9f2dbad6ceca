"""Refinements of the edges that were measured and are not part of the package."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import felzenszwalb, random_walker, slic

from napari_sclip.core.scores import Decision, decide
from napari_sclip.core.similarity import DenseMap, rectangles

Image = NDArray[np.uint8]
Labels = NDArray[np.integer]

SUPERPIXELS = 300
LEAST_SUPERPIXEL = 50 / (336 * 448)
SEED_DISTANCE = 10 / 336
"""Seeds lie this share of the short side inside of a label."""


def whole_similarity(dense: DenseMap, text: torch.Tensor) -> torch.Tensor:
    """Similarities of all pixels with all prompts: (P, H, W)."""
    out = torch.empty(len(text), *dense.shape)
    for piece in rectangles(dense, text):
        out[(slice(None), *piece.place)] = piece.similarity
    return out


def plain_labels(similarity: torch.Tensor, decision: Decision) -> Labels:
    """Label each pixel with its best class."""
    labels: Labels = decision.label_ids()[decide(similarity, decision)[0].numpy()]
    return labels


def vote_of_slic(image: Image, similarity: torch.Tensor, decision: Decision) -> Labels:
    """Let each SLIC superpixel have the mean similarity of its pixels."""
    regions = slic(image, n_segments=SUPERPIXELS, compactness=10, sigma=1, start_label=0)
    return plain_labels(_mean_of(regions, similarity), decision)


def vote_of_felzenszwalb(image: Image, similarity: torch.Tensor, decision: Decision) -> Labels:
    """Let each superpixel of Felzenszwalb and Huttenlocher have the mean similarity."""
    least = round(LEAST_SUPERPIXEL * image.shape[0] * image.shape[1])
    regions = felzenszwalb(image, scale=100, sigma=0.8, min_size=least)
    return plain_labels(_mean_of(regions, similarity), decision)


def walk_from_labels(image: Image, similarity: torch.Tensor, decision: Decision) -> Labels:
    """Let random walkers decide about the pixels near the edges of labels."""
    labels = plain_labels(similarity, decision)
    seeds = np.zeros(labels.shape, dtype=np.int32)
    for label in np.unique(labels):
        depth = ndimage.distance_transform_edt(labels == label)
        seeds[depth >= SEED_DISTANCE * min(labels.shape)] = label + 1
    if len(np.unique(seeds[seeds > 0])) < 2:
        return labels
    with warnings.catch_warnings():
        # It warns that pyamg or umfpack would be faster.
        warnings.simplefilter("ignore", UserWarning)
        found = random_walker(image, seeds, beta=1000, mode="cg_j", tol=1e-2, channel_axis=-1)
    return np.where(found > 0, found - 1, labels).astype(labels.dtype)


def _mean_of(regions: NDArray[np.integer], similarity: torch.Tensor) -> torch.Tensor:
    index = torch.from_numpy(regions.astype(np.int64)).reshape(-1)
    sizes = torch.bincount(index).clamp(min=1)
    sums = torch.zeros(len(similarity), len(sizes))
    sums.index_add_(1, index, similarity.reshape(len(similarity), -1))
    return (sums / sizes)[:, index].reshape(similarity.shape)


LOSERS: dict[str, Callable[[Image, torch.Tensor, Decision], Labels]] = {
    "superpixel vote (SLIC)": vote_of_slic,
    "superpixel vote (Felzenszwalb)": vote_of_felzenszwalb,
    "random walker": walk_from_labels,
}

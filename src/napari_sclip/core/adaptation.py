"""Learning from examples, in closed form: how the scores of classes should be shifted.

The similarity of a feature ``f`` with class ``k`` becomes ``s_k(f) + shift_k · f``: every text
embedding of a class is moved by the same vector, so that all that follows from similarities stays
as it is. The shifts are a ridge regression on what the similarities of the examples lack. Its
penalty is the mean square of what the shifts do to all the patches of the image (and a little to
their plain length): a shift that the examples do not ask for costs the more the more it changes.
An example is to lead by as much as it lags with the text alone; of those that the text gets right
by a little, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_sclip.core.scores import best_of_class
from napari_sclip.core.similarity import DenseMap

MARGINS = (0.01, 0.1)
"""By how much the class of an example should lead, in units of similarity: by as much as it
lagged, but no less and no more than these."""

PENALTY = 0.2
"""Weight of what changes everywhere, relative to one example."""

PLAIN_SHARE = 0.001
"""Share of the plain length of the shifts in the penalty."""

MOST_EXAMPLES = 512
"""More places than these teach hardly more."""

MOST_PATCHES = 8192
"""So many patches tell how features are spread."""


@dataclass(frozen=True)
class Places:
    """Pixels that stand for the examples around them.

    Attributes
    ----------
    rows, columns : (n,) int64 array
        The pixel of each place.
    classes : (n,) int64 array
        Which class it is an example of.
    """

    rows: np.ndarray
    columns: np.ndarray
    classes: np.ndarray


def choose_places(
    classes: np.ndarray, where: np.ndarray, cell: int, most: int = MOST_EXAMPLES
) -> Places:
    """Let one pixel of each class stand for all its examples within a square of the image.

    Pixels of one patch are nearly the same, so a large stroke counts by the patches that it
    covers, not by its pixels. It is the example nearest to the middle of the square.

    Parameters
    ----------
    classes : (H, W) integers
        Class of each example; not looked at elsewhere.
    where : (H, W) bool array
        Which pixels are examples.
    cell : int
        Side of the squares in pixels: a patch's.
    most : int
        Of more places, evenly chosen ones are kept: see `choose_evenly`.
    """
    y, x = np.nonzero(where)
    if not len(y):
        return Places(y, x, y)
    of_class = classes[y, x].astype(np.int64)
    kinds = int(of_class.max()) + 1
    rows, columns = np.arange(where.shape[0]), np.arange(where.shape[1])
    across = -(-len(columns) // cell)
    group = ((rows // cell) * across)[y]
    group += (columns // cell)[x]
    group *= kinds
    group += of_class
    # How far from the middle, and of the nearest ones the first: one number to take the least of.
    order = _from_middle(rows, cell)[y]
    order += _from_middle(columns, cell)[x]
    order *= len(y)
    order += np.arange(len(y))
    none = np.iinfo(np.int64).max
    best = np.full(-(-len(rows) // cell) * across * kinds, none)
    np.minimum.at(best, group, order)
    nearest = best[best < none] % len(y)
    kept = nearest[choose_evenly(of_class[nearest], most)]
    return Places(y[kept], x[kept], of_class[kept])


def _from_middle(positions: np.ndarray, cell: int) -> np.ndarray:
    """Square of twice the distance to the middle of the cell."""
    distance: np.ndarray = (2 * (positions % cell) + 1 - cell) ** 2
    return distance


def choose_evenly(classes: np.ndarray, most: int) -> np.ndarray:
    """Choose among examples so that no class crowds out another.

    Parameters
    ----------
    classes : (n,) int array
        Of each example.
    most : int
        How many may be chosen.

    Returns
    -------
    (m,) int64 array
        Indices, ascending; all of them if there are no more than `most`.
    """
    if len(classes) <= most:
        return np.arange(len(classes))
    found, counts = np.unique(classes, return_counts=True)
    chosen, left = [], most
    for done, at in enumerate(np.argsort(counts, kind="stable")):
        quota = min(int(counts[at]), left // (len(found) - done))
        members = np.flatnonzero(classes == found[at])
        chosen.append(members[np.linspace(0, len(members) - 1, quota).round().astype(np.int64)])
        left -= quota
    return np.sort(np.concatenate(chosen))


def features_at(dense: DenseMap, rows: np.ndarray, columns: np.ndarray) -> Tensor:
    """Features of single pixels, exactly those whose similarities `rectangles` computes.

    Parameters
    ----------
    dense : DenseMap
    rows, columns : (n,) int array
        The pixels.

    Returns
    -------
    (n, D) float32 tensor
        On the device of the features; a mean of unit vectors, not normalised again.
    """
    device = dense.features.device
    found = [torch.empty(0, dense.features.shape[2], device=device)]
    for first in range(0, len(rows), 128):
        y, x = rows[first : first + 128], columns[first : first + 128]
        down = torch.from_numpy(dense.rows.indices[y]).to(device)
        across = torch.from_numpy(dense.columns.indices[x]).to(device)
        weights = np.einsum("na,nb->nab", dense.rows.weights[y], dense.columns.weights[x])
        taps = dense.features[down[:, :, None], across[:, None, :]].flatten(1, 2).float()
        weight = torch.from_numpy(weights).to(taps).flatten(1)
        found.append(torch.bmm(weight[:, None], taps)[:, 0])
    return torch.cat(found)


def feature_spread(dense: DenseMap) -> Tensor:
    """Mean of ``f fᵀ`` over the patches of an image: (D, D) float32."""
    features = dense.features.flatten(0, 1)
    features = features[:: -(-len(features) // MOST_PATCHES)].float()
    product = features.T @ features / len(features)
    # On some processors the product differs from its transpose in the last digit, and a file of
    # classes keeps one half of it.
    return (product + product.T) / 2


def learn_shifts(
    text: Tensor,
    prompts_per_class: Sequence[int],
    features: Tensor,
    classes: Tensor,
    spread: Tensor,
) -> Tensor:
    """Learn by how much the text embeddings of each class are to be moved.

    Parameters
    ----------
    text : (P, D) tensor
        L2-normalised text embeddings, one class after the other.
    prompts_per_class : sequence of int
    features : (n, D) tensor
        Of the examples.
    classes : (n,) integer tensor
        Of the examples.
    spread : (D, D) tensor
        As `feature_spread` gives it.

    Returns
    -------
    (K, D) float32 tensor
        0 where there is nothing to learn.
    """
    size, count = text.shape[1], len(prompts_per_class)
    if not len(classes) or count < 2:
        return torch.zeros(count, size, device=text.device)
    examples = features.double()
    similarity = best_of_class(text.double() @ examples.T, prompts_per_class).T
    missing = _wanted(similarity, classes) - similarity
    level = spread.double().diagonal().mean()
    penalty = spread.double() / level + PLAIN_SHARE * torch.eye(size).to(examples)
    normal = examples.T @ examples + PENALTY / (1 + PLAIN_SHARE) * penalty
    shifts: Tensor = torch.linalg.solve(normal, examples.T @ missing).T
    return shifts.float()


def _wanted(similarity: Tensor, classes: Tensor) -> Tensor:
    """Similarities (n, K) in which the class of each example leads by the margin."""
    own = similarity.gather(1, classes[:, None])
    others = similarity.scatter(1, classes[:, None], -torch.inf).amax(1, keepdim=True)
    margin = (others - own).clamp(*MARGINS)
    raised = (own + others + margin) / 2
    lowered = torch.minimum(similarity, raised - margin)
    wanted = lowered.scatter(1, classes[:, None], raised)
    return torch.where(own - others >= margin, similarity, wanted)

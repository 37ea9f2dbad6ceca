"""Scores of classes, and the labels that follow from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from napari_sclip.core.refine.pieces import Place, Refiner
from napari_sclip.core.similarity import DenseMap, Rectangle, rectangles
from napari_sclip.progress import ProgressCallback, report


@dataclass(frozen=True)
class Decision:
    """How similarities become scores and labels.

    Attributes
    ----------
    prompts_per_class : tuple of int
        How many rows of the text embeddings each class has, one class after the other.
    background : int or None
        Which class is the background.
    logit_scale : float
        Factor between similarities and logits.
    threshold : float
        A pixel whose best score is lower is undecided.
    min_area_fraction : float
        A class other than the background with no more than this share of the area of all of
        them is dropped.
    """

    prompts_per_class: tuple[int, ...]
    background: int | None
    logit_scale: float
    threshold: float
    min_area_fraction: float

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.prompts_per_class)

    def label_ids(self) -> np.ndarray:
        """Label id of each class, then 0 for undecided: (K + 1,) uint8 or uint16."""
        dtype = np.uint8 if self.classes < 256 else np.uint16
        ids = np.zeros(self.classes + 1, dtype=dtype)
        named = [k for k in range(self.classes) if k != self.background]
        ids[named] = np.arange(1, len(named) + 1)
        return ids


def best_of_class(similarity: Tensor, prompts_per_class: Sequence[int]) -> Tensor:
    """Let the best prompt stand for its class: (P, ...) to (K, ...)."""
    if all(count == 1 for count in prompts_per_class):
        return similarity
    return torch.stack([part.amax(0) for part in torch.split(similarity, list(prompts_per_class))])


def best_class(values: Tensor) -> tuple[Tensor, Tensor]:
    """Largest value over the classes and the first class that has it.

    Equal to ``values.max(0)``, which torch computes many times slower on a CPU, since the
    classes are the slowest axis.

    Parameters
    ----------
    values : (K, ...) tensor

    Returns
    -------
    best : (...) tensor
    winner : (...) int32 tensor
    """
    best = values[0].clone()
    winner = torch.zeros(best.shape, dtype=torch.int32, device=best.device)
    for index in range(1, len(values)):
        winner.masked_fill_(values[index] > best, index)
        torch.maximum(best, values[index], out=best)
    return best, winner


def class_scores(similarity: Tensor, decision: Decision, dropped: Sequence[int] = ()) -> Tensor:
    """Softmax over all prompts, of which the best stands for its class.

    Parameters
    ----------
    similarity : (P, ...) tensor
        Cosine similarities, -1..1.
    decision : Decision
    dropped : sequence of int
        Classes whose scores are zeroed, after the softmax.

    Returns
    -------
    (K, ...) tensor
        0..1.
    """
    logits = similarity * decision.logit_scale
    log_total = torch.logsumexp(logits, dim=0)
    scores = (best_of_class(logits, decision.prompts_per_class) - log_total).exp_()
    if len(dropped):
        scores[list(dropped)] = 0
    return scores


def best_score(
    similarity: Tensor, decision: Decision, dropped: Sequence[int] = ()
) -> tuple[Tensor, Tensor]:
    """Find the best class and its score, without the scores of the others.

    Returns
    -------
    score : (...) tensor
        0..1.
    winner : (...) int32 tensor
    """
    best = best_of_class(similarity, decision.prompts_per_class)
    highest, winner = best_class(best)
    total = (similarity - highest).mul_(decision.logit_scale).exp_().sum(0)
    if not len(dropped):
        return total.reciprocal_(), winner
    best = best.clone()
    best[list(dropped)] = -torch.inf
    kept, winner = best_class(best)
    return (kept - highest).mul_(decision.logit_scale).exp_().div_(total), winner


def decide(
    similarity: Tensor, decision: Decision, dropped: Sequence[int] = ()
) -> tuple[Tensor, Tensor | None]:
    """Take the best class of each pixel, as cheaply as the threshold allows.

    Returns
    -------
    winner : (...) int32 tensor
    undecided : (...) bool tensor or None
        Where the best score is below the threshold; None where there is no threshold.
    """
    if decision.threshold > 0:
        score, winner = best_score(similarity, decision, dropped)
        return winner, score < decision.threshold
    best = best_of_class(similarity, decision.prompts_per_class)
    if len(dropped):
        best = best.clone()
        best[list(dropped)] = -torch.inf
    return best_class(best)[1], None


def small_classes(areas: np.ndarray, decision: Decision) -> list[int]:
    """Find the classes that are dropped for their area.

    Parameters
    ----------
    areas : (K,) int array
        Pixels of each class.
    """
    if decision.min_area_fraction <= 0:
        return []
    named = [k for k in range(decision.classes) if k != decision.background]
    least = decision.min_area_fraction * int(areas[named].sum())
    return [k for k in named if areas[k] <= least]


def _pieces(
    dense: DenseMap,
    text: Tensor,
    refiner: Refiner | None,
    progress: ProgressCallback | None = None,
    wanted: Callable[[Place], bool] | None = None,
) -> Iterator[Rectangle]:
    """Compute the similarities, refined where that is asked for; some may be left out."""
    if refiner is not None:
        yield from refiner.rectangles(dense, text, wanted, progress)
        return
    for piece in rectangles(dense, text):
        if wanted is None or wanted(piece.place):
            yield piece
            report(progress, piece.rows.stop, dense.shape[0], "Classifying")


def predict_labels(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    progress: ProgressCallback | None = None,
    refiner: Refiner | None = None,
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Label every pixel with its best class.

    Parameters
    ----------
    dense : DenseMap
    text : (P, D) tensor
        L2-normalised, in the order of the classes.
    decision : Decision
    progress : callable, optional
        Told after every band of rows, or every step of a refinement.
    refiner : Refiner, optional
        Refines the similarities before anything is decided.

    Returns
    -------
    labels : (H, W) uint8 or uint16 array
        Class k of the list, counted from 1 over the classes that are not the background;
        0 is background or undecided.
    dropped : tuple of int
        Classes dropped for their small area.
    """
    ids = decision.label_ids()
    winners = np.empty(dense.shape, dtype=ids.dtype)
    areas = np.zeros(decision.classes, dtype=np.int64)
    undecided = np.zeros(dense.shape, dtype=bool) if decision.threshold > 0 else None

    def run(dropped: Sequence[int]) -> None:
        def wanted(place: Place) -> bool:
            return not len(dropped) or bool(np.isin(winners[place], dropped).any())

        for piece in _pieces(dense, text, refiner, progress, wanted):
            winner, unsure = decide(piece.similarity, decision, dropped)
            chosen = winner.cpu().numpy()
            if undecided is not None and unsure is not None:
                undecided[piece.place] = unsure.cpu().numpy()
            if not len(dropped):
                areas[:] += np.bincount(chosen.ravel(), minlength=decision.classes)
            winners[piece.place] = chosen

    run(())
    dropped = small_classes(areas, decision)
    if len(dropped) == decision.classes:
        winners[:] = decision.classes
    elif areas[dropped].any():
        run(dropped)
    labels = ids[winners]
    if undecided is not None:
        labels[undecided] = 0
    return labels, tuple(dropped)


def predict_seen_labels(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    seen: Sequence[tuple[slice, slice]],
    scale: Tensor | None,
) -> np.ndarray:
    """Label the pixels that windows have covered; no class is dropped for its small area.

    Parameters
    ----------
    dense : DenseMap
    text : (P, D) tensor
        L2-normalised, in the order of the classes.
    decision : Decision
    seen : sequence of (slice, slice)
        Rectangles of the image's pixels.
    scale : (R, C) tensor or None
        As `rectangles` takes it.

    Returns
    -------
    (H, W) uint8 or uint16 array
        As `predict_labels` gives it; 0 where nothing has been seen.
    """
    ids = decision.label_ids()
    labels = np.zeros(dense.shape, dtype=ids.dtype)
    for place in seen:
        for piece in rectangles(dense, text, place, scale):
            winner, undecided = decide(piece.similarity, decision)
            found = ids[winner.cpu().numpy()]
            if undecided is not None:
                found[undecided.cpu().numpy()] = 0
            labels[piece.place] = found
    return labels


def predict_scores(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    dropped: Sequence[int] = (),
    refiner: Refiner | None = None,
) -> np.ndarray:
    """Score every pixel for every class: (K, H, W) float32, 0..1."""
    scores = np.empty((decision.classes, *dense.shape), dtype=np.float32)
    for piece in _pieces(dense, text, refiner):
        values = class_scores(piece.similarity, decision, dropped)
        scores[(slice(None), *piece.place)] = values.cpu().numpy()
    return scores


def predict_class_score(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    index: int,
    dropped: Sequence[int] = (),
    refiner: Refiner | None = None,
) -> np.ndarray:
    """Score every pixel for one class: (H, W) float32, 0..1, as `predict_scores` does."""
    score = np.empty(dense.shape, dtype=np.float32)
    for piece in _pieces(dense, text, refiner):
        score[piece.place] = class_scores(piece.similarity, decision, dropped)[index].cpu().numpy()
    return score


def predict_margin(
    dense: DenseMap,
    text: Tensor,
    decision: Decision,
    dropped: Sequence[int] = (),
    refiner: Refiner | None = None,
) -> np.ndarray:
    """Best minus second best score of every pixel: (H, W) float32, 0..1.

    Of a single class it is the score itself.
    """
    margin = np.empty(dense.shape, dtype=np.float32)
    for piece in _pieces(dense, text, refiner):
        scores = class_scores(piece.similarity, decision, dropped)
        best = scores.topk(min(2, len(scores)), dim=0).values
        difference = best[0] - best[1] if len(best) > 1 else best[0]
        margin[piece.place] = difference.cpu().numpy()
    return margin

"""Ways to learn from strokes: the one of the package, and those that lost against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.adaptation import feature_spread, learn_shifts
from napari_sclip.core.scores import best_of_class
from napari_sclip.core.similarity import DenseMap, rectangles

MARGIN = 0.05
"""By how much examples lead in the plain ridge regression."""


@dataclass(frozen=True)
class Pupil:
    """An embedded image with what text says of it.

    Attributes
    ----------
    dense : DenseMap
    text : (P, D) tensor
    counts : tuple of int
        Prompts of each class.
    spread : (D, D) tensor
        As `feature_spread` gives it.
    """

    dense: DenseMap
    text: Tensor
    counts: tuple[int, ...]
    spread: Tensor

    @classmethod
    def of(cls, dense: DenseMap, text: Tensor, counts: tuple[int, ...]) -> Pupil:
        """Prepare an image."""
        return cls(dense, text, counts, feature_spread(dense))

    def by_rows(self, rows: Tensor, counts: tuple[int, ...] | None = None) -> Tensor:
        """Similarity of each pixel with the best row of each class: (K, H, W)."""
        found = torch.empty(len(self.counts), *self.dense.shape)
        for piece in rectangles(self.dense, rows):
            best = best_of_class(piece.similarity, counts or self.counts)
            found[(slice(None), *piece.place)] = best
        return found

    def by_shifts(self, shifts: Tensor) -> Tensor:
        """Similarity after all prompts of a class have been moved by a vector: (K, H, W)."""
        return self.by_rows(self.text + shifts.repeat_interleave(torch.tensor(self.counts), dim=0))

    def similarity(self, features: Tensor) -> Tensor:
        """Similarity of features with the classes: (n, K)."""
        return best_of_class(self.text @ features.T, self.counts).T


Method = Callable[[Pupil, Tensor, Tensor], Tensor]
"""From an image, features (n, D) and classes (n,) of examples to scores (K, H, W)."""


def text_alone(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
    """Learn nothing."""
    return pupil.by_rows(pupil.text)


def ridge_on_changes(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
    """Learn as the package does."""
    return pupil.by_shifts(learn_shifts(pupil.text, pupil.counts, features, classes, pupil.spread))


def plain_ridge(penalty: float) -> Method:
    """Ridge regression on what similarities lack, towards the text: penalty on lengths."""

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        lack = _lack(pupil, features, classes)
        normal = features.T @ features + penalty * torch.eye(features.shape[1])
        return pupil.by_shifts(torch.linalg.solve(normal, features.T @ lack).T)

    return learn


def blend(trust_after: float, most: float, *, centred: bool) -> Method:
    """Text embeddings blended with the mean feature of a class, more with more examples."""

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        middle = pupil.dense.features.flatten(0, 1).mean(0) if centred else 0
        parts = list(torch.split(pupil.text, list(pupil.counts)))
        for k in classes.unique().tolist():
            own = features[classes == k]
            share = most * len(own) / (len(own) + trust_after)
            prototype = F.normalize(own.mean(0) - middle, dim=0)
            parts[k] = F.normalize((1 - share) * parts[k] + share * prototype, dim=1)
        return pupil.by_rows(torch.cat(parts))

    return learn


def more_prompts(factor: float) -> Method:
    """Add the mean feature of a class, seen from the image's, as one more prompt."""

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        middle = pupil.dense.features.flatten(0, 1).mean(0)
        parts = list(torch.split(pupil.text, list(pupil.counts)))
        for k in classes.unique().tolist():
            prototype = F.normalize(features[classes == k].mean(0) - middle, dim=0)
            parts[k] = torch.cat([parts[k], factor * prototype[None]])
        return pupil.by_rows(torch.cat(parts), tuple(len(part) for part in parts))

    return learn


def logistic(penalty: float, steps: int) -> Method:
    """Logistic regression from the text's logits, by Newton steps a class at a time.

    The penalty is that of `ridge_on_changes`.
    """

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        size, count = features.shape[1], len(pupil.counts)
        metric = pupil.spread / pupil.spread.diagonal().mean() + 0.001 * torch.eye(size)
        white = torch.linalg.solve(metric, features.T).T
        kernel = features @ white.T
        start = 40 * pupil.similarity(features)
        wanted = F.one_hot(classes, count).float()
        dual = torch.zeros(len(classes), count)
        for _ in range(steps):
            chance = torch.softmax(start + kernel @ dual, 1)
            weight = (chance * (1 - chance)).clamp_min(0.02)
            target = kernel @ dual + (wanted - chance) / weight
            new = torch.stack(
                [
                    torch.linalg.solve(
                        kernel + penalty * torch.diag(1 / weight[:, k]), target[:, k]
                    )
                    for k in range(count)
                ],
                dim=1,
            )
            dual = new if steps == 1 else (dual + new) / 2
        return pupil.by_shifts((white.T @ dual).T / 40)

    return learn


def discriminant(trust_after: float) -> Method:
    """Linear discriminants; a class' mean begins as that of the patches that text gives it."""

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        patches = pupil.dense.features.flatten(0, 1)[::2]
        guess = pupil.similarity(patches).argmax(1)
        size, level = patches.shape[1], pupil.spread.diagonal().mean()
        means, within = [], torch.zeros(size, size)
        for k in range(len(pupil.counts)):
            own, guessed = features[classes == k], patches[guess == k]
            if not len(own) + len(guessed):
                means.append(torch.full((size,), torch.nan))
                continue
            prior = guessed.mean(0) if len(guessed) else own.mean(0)
            share = len(own) / (len(own) + trust_after)
            means.append((1 - share) * prior + share * own.mean(0) if len(own) else prior)
            away = guessed - prior
            within += away.T @ away
        metric = within / len(patches) + 0.01 * level * torch.eye(size)
        centres = torch.stack(means)
        missing = centres.isnan().any(1)
        rows = torch.linalg.solve(metric, centres.nan_to_num().T).T
        offset = -0.5 * (rows * centres.nan_to_num()).sum(1)
        offset[missing] = -torch.inf
        scores: Tensor = pupil.by_rows(rows, (1,) * len(rows)) + offset[:, None, None]
        return scores

    return learn


def smoothing(width: float, penalty: float) -> Method:
    """Spread what examples lack to patches that are like them (kernel ridge, Gaussian)."""

    def learn(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
        lack = _lack(pupil, features, classes)
        unit = F.normalize(features, dim=1)
        kernel = torch.exp((unit @ unit.T - 1) / width)
        dual = torch.linalg.solve(kernel + penalty * torch.eye(len(unit)), lack)
        grid = F.normalize(pupil.dense.features, dim=-1)
        extra = torch.exp((grid @ unit.T - 1) / width) @ dual
        spread_out = DenseMap(extra, pupil.dense.rows, pupil.dense.columns)
        return pupil.by_rows(pupil.text) + Pupil.by_rows(
            Pupil(spread_out, pupil.text, (1,) * extra.shape[2], pupil.spread),
            torch.eye(extra.shape[2]),
        )

    return learn


def _lack(pupil: Pupil, features: Tensor, classes: Tensor) -> Tensor:
    """Find what similarities (n, K) lack for the class of each example to lead."""
    similarity = pupil.similarity(features)
    own = similarity.gather(1, classes[:, None])
    others = similarity.scatter(1, classes[:, None], -torch.inf).amax(1, keepdim=True)
    raised = (own + others + MARGIN) / 2
    wanted = torch.minimum(similarity, raised - MARGIN).scatter(1, classes[:, None], raised)
    return torch.where(own - others >= MARGIN, 0, wanted - similarity)


OURS = "ridge on changes"
TEXT = "text alone"

METHODS: dict[str, Method] = {
    TEXT: text_alone,
    "blend with prototypes": blend(4, 0.3, centred=True),
    "prototypes as prompts": more_prompts(0.35),
    "plain ridge": plain_ridge(1.0),
    "linear discriminants": discriminant(4),
    "logistic, one step": logistic(0.1, 1),
    "logistic, eight steps": logistic(0.03, 8),
    "smoothing by likeness": smoothing(0.1, 0.1),
    OURS: ridge_on_changes,
}
"""Their settings are the best of a few on other scenes."""

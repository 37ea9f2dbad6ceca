"""Examples of classes, and what they teach."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from napari_sclip.core.adaptation import (
    MOST_EXAMPLES,
    choose_evenly,
    choose_places,
    feature_spread,
    features_at,
    learn_shifts,
)
from napari_sclip.core.windows import resized_shape
from napari_sclip.engine.classifier import Classifier
from napari_sclip.engine.embedding import Embedding
from napari_sclip.engine.lesson import Lesson
from napari_sclip.prompts import ClassPrompt

MESSAGE = "Learning from strokes"


@dataclasses.dataclass(frozen=True)
class Examples:
    """What a classifier keeps of examples; the fields are those of `Classifier`."""

    features: np.ndarray
    classes: np.ndarray
    spread: np.ndarray
    pixels: np.ndarray
    images: int


def learn_rows(text: torch.Tensor, classes: tuple[ClassPrompt, ...], known: Examples) -> np.ndarray:
    """Move the text embeddings by what the examples teach: (P, D) float32."""
    counts = tuple(len(c.prompts) for c in classes)
    with torch.inference_mode():
        shifts = learn_shifts(
            text,
            counts,
            torch.from_numpy(known.features).to(text),
            torch.from_numpy(known.classes.astype(np.int64)).to(text.device),
            torch.from_numpy(known.spread).to(text),
        )
        repeats = torch.tensor(counts, device=text.device)
        rows: np.ndarray = (text + shifts.repeat_interleave(repeats, dim=0)).cpu().numpy()
    return rows


def gather(embedding: Embedding, lesson: Lesson, classes: int, cell: int) -> Examples:
    """Take the examples of an image, one of each class in a square whose side is `cell`."""
    dense = embedding.dense
    places = choose_places(lesson.classes, lesson.where, cell)
    features = features_at(dense, places.rows, places.columns)
    return Examples(
        # Used as they are stored, so that a saved classifier learns on in the same way.
        features=features.half().cpu().numpy(),
        classes=places.classes.astype(np.uint16),
        spread=feature_spread(dense).cpu().numpy(),
        pixels=np.bincount(lesson.classes[lesson.where], minlength=classes),
        images=1,
    )


def join(before: Classifier, new: Examples) -> Examples:
    """Add the examples of another image; of too many, those that stand for all are kept."""
    features = np.concatenate([before.example_features, new.features])
    classes = np.concatenate([before.example_classes, new.classes])
    kept = choose_evenly(classes, MOST_EXAMPLES)
    images = before.images + new.images
    return Examples(
        features=features[kept],
        classes=classes[kept],
        spread=before.spread + (new.spread - before.spread) / images,
        pixels=new.pixels + before.example_pixels,
        images=images,
    )


def pixels_of_patch(embedding: Embedding, patch: int) -> int:
    """Side of a patch in pixels of the image as it was given, at least 1."""
    seen = resized_shape(*embedding.shape, embedding.config.short_side)
    return max(1, round(patch * embedding.shape[0] / seen[0]))

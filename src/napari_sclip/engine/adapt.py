"""Learning from the pixels that a person labelled, without a vision pass."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
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
from napari_sclip.engine.reading import embed_prompts
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback, report
from napari_sclip.prompts import ClassPrompt, label_ids

MESSAGE = "Learning from strokes"


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What is to be learned from.

    Attributes
    ----------
    classes : (H, W) int array
        Index of the class of each example; not looked at elsewhere.
    where : (H, W) bool array
        Which pixels are examples.
    """

    classes: np.ndarray
    where: np.ndarray


def read_lesson(
    labels: object,
    where: object,
    classes: tuple[ClassPrompt, ...],
    shape: tuple[int, int],
) -> Lesson:
    """Check the examples that a caller gave, and find their classes.

    Raises
    ------
    ConfigError
        If shapes or kinds are wrong, an id is no class's, or there is no example.
    """
    ids = np.asarray(labels)
    if ids.shape != shape or ids.dtype.kind not in "ui":
        raise ConfigError(
            f"labels must be whole numbers of the image's shape {shape}, ids as in "
            f"Segmentation.labels; got {ids.dtype} of shape {ids.shape}. Give the ids of the "
            "pixels that were labelled by hand."
        )
    chosen = ids != 0 if where is None else np.asarray(where)
    if chosen.shape != shape or chosen.dtype.kind != "b":
        raise ConfigError(
            f"where must be a bool array of the image's shape {shape}; got {chosen.dtype} of "
            f"shape {chosen.shape}. It tells which pixels of labels are examples."
        )
    given = ids[chosen]
    if not given.size:
        raise ConfigError(
            "There is nothing to learn from: no pixel is an example. Label some pixels of at "
            "least one class; for examples of the background, give where= as well."
        )
    known = label_ids(classes)
    foreign = sorted(set(_ids_in(given)) - set(known))
    if foreign:
        names = ", ".join(f"{k} {c.name}" for k, c in zip(known, classes, strict=True))
        hint = "0 means undecided here: leave those pixels out of where" if 0 in foreign else ""
        raise ConfigError(
            f"Expected the ids of the classes ({names}); got {', '.join(map(str, foreign[:8]))}. "
            f"{hint or 'Give ids as in Segmentation.labels of the same classes'}."
        )
    indices = np.zeros(max(known) + 1, dtype=np.uint16)
    indices[list(known)] = np.arange(len(known))
    of_pixels = np.zeros(shape, dtype=np.uint16)
    of_pixels[chosen] = indices[given]
    return Lesson(of_pixels, chosen)


def adapt(
    embedding: Embedding,
    labels: np.ndarray,
    classes: tuple[ClassPrompt, ...],
    settings: SegmentationConfig,
    encoder: TextEncoder,
    patch: int,
    where: np.ndarray | None = None,
    before: Classifier | None = None,
    progress: ProgressCallback | None = None,
) -> Classifier:
    """Learn from labelled pixels what text alone does not tell; makes no vision pass.

    Always begin with what was there before the image: `Segmenter.adapt` with the classes (or
    the classifier of other images) and all examples of this image, after every stroke. With a
    classifier that has seen these examples they count twice.

    Parameters
    ----------
    embedding : Embedding
    labels : (H, W) integer array
        Ids as `Segmentation.labels` has them, of these classes.
    classes : tuple of ClassPrompt
        Those of `before`, if there is one.
    settings : SegmentationConfig
        Of which the templates are used, unless `before` has its own.
    encoder : TextEncoder
    patch : int
        Side of a patch in pixels of the resized image.
    where : (H, W) bool array, optional
        Which pixels are examples; left out, all that are not 0. Examples of the background,
        whose id is 0, need it.
    before : Classifier, optional
        What was learned from other images; its examples count as those of this one do.
    progress : callable, optional

    Returns
    -------
    Classifier

    Raises
    ------
    ConfigError
        If the arrays do not fit the image or the classes, or there is no example.
    """
    lesson = read_lesson(labels, where, classes, embedding.shape)
    if before is not None:
        settings = dataclasses.replace(settings, templates=before.templates)
    text = embed_prompts(classes, settings, encoder, progress)
    report(progress, 0, 1, MESSAGE)
    counts = tuple(len(c.prompts) for c in classes)
    with torch.inference_mode():
        text = text.to(embedding.dense.features.device)
        known = _gather(embedding, lesson, len(classes), pixels_of_patch(embedding, patch))
        if before is not None:
            known = _join(before, known)
        shifts = learn_shifts(
            text,
            counts,
            torch.from_numpy(known.features).to(text),
            torch.from_numpy(known.classes.astype(np.int64)).to(text.device),
            torch.from_numpy(known.spread).to(text),
        )
        repeats = torch.tensor(counts, device=text.device)
        rows = (text + shifts.repeat_interleave(repeats, dim=0)).cpu().numpy()
    report(progress, 1, 1, MESSAGE)
    return Classifier(
        classes=classes,
        rows=rows,
        rows_per_class=counts,
        fingerprint=embedding.fingerprint,
        model=embedding.model,
        templates=settings.templates,
        example_pixels=tuple(int(n) for n in known.pixels),
        example_features=known.features,
        example_classes=known.classes,
        spread=known.spread,
        images=known.images,
    )


@dataclasses.dataclass(frozen=True)
class _Known:
    """What a classifier keeps of examples; the fields are those of `Classifier`."""

    features: np.ndarray
    classes: np.ndarray
    spread: np.ndarray
    pixels: np.ndarray
    images: int


def _gather(embedding: Embedding, lesson: Lesson, classes: int, cell: int) -> _Known:
    dense = embedding.dense
    places = choose_places(lesson.classes, lesson.where, cell)
    features = features_at(dense, places.rows, places.columns)
    return _Known(
        # Used as they are stored, so that a saved classifier learns on in the same way.
        features=features.half().cpu().numpy(),
        classes=places.classes.astype(np.uint16),
        spread=feature_spread(dense).cpu().numpy(),
        pixels=np.bincount(lesson.classes[lesson.where], minlength=classes),
        images=1,
    )


def _join(before: Classifier, new: _Known) -> _Known:
    features = np.concatenate([before.example_features, new.features])
    classes = np.concatenate([before.example_classes, new.classes])
    kept = choose_evenly(classes, MOST_EXAMPLES)
    images = before.images + new.images
    return _Known(
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


def keep_strokes(
    labels: np.ndarray, strokes: np.ndarray, where: np.ndarray | None = None
) -> np.ndarray:
    """Lay what a hand drew back on top of labels.

    Parameters
    ----------
    labels : (H, W) unsigned array
        Of a segmentation; not changed.
    strokes : (H, W) integer array
        Ids that were drawn.
    where : (H, W) bool array, optional
        Which pixels were drawn; all that are not 0 if left out.

    Returns
    -------
    (H, W) array
        New, of the dtype of `labels`.
    """
    return np.where(strokes != 0 if where is None else where, strokes, labels).astype(labels.dtype)


def _ids_in(values: np.ndarray) -> list[int]:
    """Different ids; the usual small ones are counted, which takes no sorting."""
    if int(values.min()) >= 0 and int(values.max()) < 2**16:
        return [int(k) for k in np.flatnonzero(np.bincount(values.astype(np.int64)))]
    return [int(k) for k in np.unique(values)]

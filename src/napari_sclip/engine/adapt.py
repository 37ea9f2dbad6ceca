"""Learning from the pixels that a person labelled, without a vision pass."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.classifier import Classifier
from napari_sclip.engine.embedding import Embedding
from napari_sclip.engine.examples import MESSAGE, gather, join, learn_rows, pixels_of_patch
from napari_sclip.engine.lesson import read_lesson
from napari_sclip.engine.reading import embed_prompts
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.progress import ProgressCallback, report
from napari_sclip.prompts import ClassPrompt


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
    text = text.to(embedding.dense.features.device)
    with torch.inference_mode():
        known = gather(embedding, lesson, len(classes), pixels_of_patch(embedding, patch))
    if before is not None:
        known = join(before, known)
    rows = learn_rows(text, classes, known)
    report(progress, 1, 1, MESSAGE)
    return Classifier(
        classes=classes,
        rows=rows,
        rows_per_class=tuple(len(c.prompts) for c in classes),
        fingerprint=embedding.fingerprint,
        model=embedding.model,
        templates=settings.templates,
        example_pixels=tuple(int(n) for n in known.pixels),
        example_features=known.features,
        example_classes=known.classes,
        spread=known.spread,
        images=known.images,
    )


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

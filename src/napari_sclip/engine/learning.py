"""Learning from the pixels that a person labelled, without a vision pass."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

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
from napari_sclip.engine.inputs import embed_prompts
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback, report
from napari_sclip.prompts import ClassPrompt, label_ids

MESSAGE = "Learning from strokes"


@dataclass(frozen=True)
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


def _ids_in(values: np.ndarray) -> list[int]:
    """Different ids; the usual small ones are counted, which takes no sorting."""
    if int(values.min()) >= 0 and int(values.max()) < 2**16:
        return [int(k) for k in np.flatnonzero(np.bincount(values.astype(np.int64)))]
    return [int(k) for k in np.unique(values)]


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


def relearn(
    before: Classifier,
    classes: tuple[ClassPrompt, ...],
    encoder: TextEncoder,
    progress: ProgressCallback | None = None,
) -> Classifier:
    """Take what was learned over to other classes; needs no image.

    Examples stay with the class of their name, whatever its prompts are now. Those of a class
    that is gone are left out, and a class that is new has none: of it the text alone tells.

    Parameters
    ----------
    before : Classifier
    classes : tuple of ClassPrompt
    encoder : TextEncoder
    progress : callable, optional

    Returns
    -------
    Classifier
        With the templates of `before`, and no better than text where it has no example left.

    Raises
    ------
    ConfigError
        If none of the classes has a name that something was learned about.
    """
    same = before.arranged(classes)
    if same is not None:
        return same
    names = [c.name for c in before.classes]
    if not before.knows_any(classes):
        raise ConfigError(
            f"Expected a class that something was learned about ({', '.join(names)}); got "
            f"{', '.join(c.name for c in classes)}. Use the classes alone."
        )
    settings = SegmentationConfig(templates=before.templates)
    text = embed_prompts(classes, settings, encoder, progress)
    report(progress, 0, 1, MESSAGE)
    new = {c.name: k for k, c in enumerate(classes)}
    places = np.array([new.get(name, len(classes)) for name in names])[before.example_classes]
    kept = places < len(classes)
    pixels = dict(zip(names, before.example_pixels, strict=True))
    known = Examples(
        features=before.example_features[kept],
        classes=places[kept].astype(np.uint16),
        spread=before.spread.copy(),
        pixels=np.array([pixels.get(c.name, 0) for c in classes]),
        images=before.images,
    )
    rows = learn_rows(text, classes, known)
    report(progress, 1, 1, MESSAGE)
    return dataclasses.replace(
        before,
        classes=classes,
        rows=rows,
        rows_per_class=tuple(len(c.prompts) for c in classes),
        example_pixels=tuple(int(n) for n in known.pixels),
        example_features=known.features,
        example_classes=known.classes,
    )

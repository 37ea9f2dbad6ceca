"""The examples that a caller gives, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_sclip.errors import ConfigError
from napari_sclip.prompts import ClassPrompt, label_ids


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

"""What was learned, for other classes."""

from __future__ import annotations

import dataclasses

import numpy as np

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.classifier import Classifier
from napari_sclip.engine.examples import MESSAGE, Examples, learn_rows
from napari_sclip.engine.reading import embed_prompts
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback, report
from napari_sclip.prompts import ClassPrompt


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

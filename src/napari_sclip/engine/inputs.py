"""From classes, or a classifier, to the rows that features are compared with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.scores import Decision
from napari_sclip.engine.classifier import Classifier
from napari_sclip.engine.embedding import Embedding
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.errors import ConfigError
from napari_sclip.progress import ProgressCallback
from napari_sclip.prompts import ClassPrompt, parse_classes

Classes = str | Sequence[str | ClassPrompt] | Classifier


@dataclass(frozen=True)
class Reading:
    """Classes as they are compared with features.

    Attributes
    ----------
    classes : tuple of ClassPrompt
    rows : (P, D) float32 tensor
        One a prompt; of a classifier not of unit length.
    decision : Decision
    settings : SegmentationConfig
        What was given, with the templates that the rows were made with.
    """

    classes: tuple[ClassPrompt, ...]
    rows: torch.Tensor
    decision: Decision
    settings: SegmentationConfig


def named_classes(classes: Classes, fingerprint: str, model: str) -> tuple[ClassPrompt, ...]:
    """Return the classes that are meant; needs neither text nor vision tower.

    Raises
    ------
    ClassesError
        If they are not usable.
    ConfigError
        If a classifier is another model's.
    """
    if not isinstance(classes, Classifier):
        return parse_classes(classes)
    classes.check(fingerprint, model)
    return classes.classes


def read_rows(
    classes: Classifier | Sequence[ClassPrompt],
    settings: SegmentationConfig,
    encoder: TextEncoder,
    progress: ProgressCallback | None = None,
) -> Reading:
    """Embed the prompts of classes, or take what was learned; and say how labels follow.

    Parameters
    ----------
    classes : Classifier or sequence of ClassPrompt
        Checked by `named_classes`.
    settings : SegmentationConfig
    encoder : TextEncoder
    progress : callable, optional
    """
    if isinstance(classes, Classifier):
        parsed = classes.classes
        settings = dataclasses.replace(settings, templates=classes.templates)
        rows = torch.from_numpy(np.array(classes.rows)).to(encoder.device)
    else:
        parsed = tuple(classes)
        rows = embed_prompts(parsed, settings, encoder, progress)
    decision = Decision(
        prompts_per_class=tuple(len(item.prompts) for item in parsed),
        background=next((k for k, item in enumerate(parsed) if item.background), None),
        logit_scale=settings.logit_scale,
        threshold=settings.threshold,
        min_area_fraction=settings.min_area_fraction,
    )
    return Reading(parsed, rows, decision, settings)


def embed_prompts(
    classes: Sequence[ClassPrompt],
    settings: SegmentationConfig,
    encoder: TextEncoder,
    progress: ProgressCallback | None = None,
) -> torch.Tensor:
    """Embed the prompts of classes, one class after the other: (P, D), L2-normalised."""
    prompts = [prompt for item in classes for prompt in item.prompts]
    return encoder.embed(prompts, settings.template_sentences(), progress)


def check_config(config: object) -> None:
    """Raise a `ConfigError` unless this is a `SegmentationConfig` or None."""
    if config is not None and not isinstance(config, SegmentationConfig):
        raise ConfigError(
            f"config must be a SegmentationConfig; got {type(config).__name__}. Write "
            "SegmentationConfig(threshold=0.2), for example."
        )


def check_embedding(embedding: object, fingerprint: str, model: str) -> None:
    """Raise a `ConfigError` unless this is an embedding of a model, named for the message."""
    if not isinstance(embedding, Embedding):
        raise ConfigError(
            f"Expected an Embedding, as Segmenter.embed gives it; got "
            f"{type(embedding).__name__}. To start from an image, call segment."
        )
    if embedding.fingerprint != fingerprint:
        raise ConfigError(
            f"The embedding was made by another model or attention mode ({embedding.model}); "
            f"this is {model}. Embed the image again."
        )

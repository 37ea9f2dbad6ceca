"""What is said when the engine is given something else than it takes."""

from __future__ import annotations

from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.embedding import Embedding
from napari_sclip.errors import ConfigError


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

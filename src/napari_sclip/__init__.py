"""Zero-shot segmentation with SCLIP: type the classes, get named and coloured labels.

The public names load on first use: importing this package imports neither torch nor Qt.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sclip.config import SegmentationConfig
    from napari_sclip.engine.classifier import Classifier
    from napari_sclip.engine.embedding import Embedding
    from napari_sclip.engine.result import Segmentation
    from napari_sclip.engine.segmenter import Segmenter
    from napari_sclip.errors import SclipError, SclipWarning
    from napari_sclip.progress import Progress
    from napari_sclip.prompts import ClassPrompt
    from napari_sclip.samples.scenes import Scene, make_scene

__version__ = "0.1.0"

__all__ = [
    "ClassPrompt",
    "Classifier",
    "Embedding",
    "Progress",
    "Scene",
    "SclipError",
    "SclipWarning",
    "Segmentation",
    "SegmentationConfig",
    "Segmenter",
    "__version__",
    "make_scene",
]

_HOMES = {
    "ClassPrompt": "prompts",
    "Classifier": "engine.classifier",
    "Embedding": "engine.embedding",
    "Progress": "progress",
    "Scene": "samples.scenes",
    "SclipError": "errors",
    "SclipWarning": "errors",
    "Segmentation": "engine.result",
    "SegmentationConfig": "config",
    "Segmenter": "engine.segmenter",
    "make_scene": "samples.scenes",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute of any type
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

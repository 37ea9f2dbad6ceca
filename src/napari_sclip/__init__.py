"""Zero-shot segmentation with SCLIP: type the classes, get named and coloured labels.

Public are the names of this module, and for programs that run in napari `open_widget`,
`segment_active_layer` and `cancel` of `napari_sclip.widgets.commands`, `save_labels` of
`napari_sclip.layers.io.save`, and `adopt_labels` and `labels_layer_from_mask` of
`napari_sclip.layers.io.open`. They keep their names and what they take. All else is private, and
changes without notice.

The public names load on first use: importing this package imports neither torch nor Qt.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_sclip.class_files import ClassList, read_class_list, write_class_list
    from napari_sclip.cli.images import read_image_file
    from napari_sclip.config import SegmentationConfig
    from napari_sclip.core.contrast import rescale
    from napari_sclip.core.image import little_range_used
    from napari_sclip.core.instances import split_instances
    from napari_sclip.core.uncertain import find_uncertain
    from napari_sclip.engine.classifier import Classifier
    from napari_sclip.engine.embedding import Embedding
    from napari_sclip.engine.estimate import estimate_bytes, estimate_seconds, measure_window
    from napari_sclip.engine.failures import explain_error
    from napari_sclip.engine.layout import count_windows
    from napari_sclip.engine.learning import keep_strokes
    from napari_sclip.engine.result import Segmentation
    from napari_sclip.engine.segmenter import Segmenter
    from napari_sclip.errors import (
        ClassesError,
        ConfigError,
        DeviceError,
        DownloadError,
        ImageError,
        ModelError,
        OutputError,
        SclipError,
        SclipWarning,
    )
    from napari_sclip.export import write_results
    from napari_sclip.export.item import ExportItem
    from napari_sclip.models.registry import find_model
    from napari_sclip.progress import Progress, collect_notices
    from napari_sclip.prompts import ClassPrompt, parse_classes
    from napari_sclip.samples.scenes import Scene, make_scene

__version__ = "0.1.0"

__all__ = [
    "ClassList",
    "ClassPrompt",
    "ClassesError",
    "Classifier",
    "ConfigError",
    "DeviceError",
    "DownloadError",
    "Embedding",
    "ExportItem",
    "ImageError",
    "ModelError",
    "OutputError",
    "Progress",
    "Scene",
    "SclipError",
    "SclipWarning",
    "Segmentation",
    "SegmentationConfig",
    "Segmenter",
    "__version__",
    "collect_notices",
    "count_windows",
    "estimate_bytes",
    "estimate_seconds",
    "explain_error",
    "find_model",
    "find_uncertain",
    "keep_strokes",
    "little_range_used",
    "make_scene",
    "measure_window",
    "parse_classes",
    "read_class_list",
    "read_image_file",
    "rescale",
    "split_instances",
    "write_class_list",
    "write_results",
]

_HOMES = {
    "ClassList": "class_files",
    "ClassPrompt": "prompts",
    "ClassesError": "errors",
    "Classifier": "engine.classifier",
    "ConfigError": "errors",
    "DeviceError": "errors",
    "DownloadError": "errors",
    "Embedding": "engine.embedding",
    "ExportItem": "export.item",
    "ImageError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Progress": "progress",
    "Scene": "samples.scenes",
    "SclipError": "errors",
    "SclipWarning": "errors",
    "Segmentation": "engine.result",
    "SegmentationConfig": "config",
    "Segmenter": "engine.segmenter",
    "collect_notices": "progress",
    "count_windows": "engine.layout",
    "estimate_bytes": "engine.estimate",
    "estimate_seconds": "engine.estimate",
    "explain_error": "engine.failures",
    "find_model": "models.registry",
    "find_uncertain": "core.uncertain",
    "keep_strokes": "engine.learning",
    "little_range_used": "core.image",
    "make_scene": "samples.scenes",
    "measure_window": "engine.estimate",
    "parse_classes": "prompts",
    "read_class_list": "class_files",
    "read_image_file": "cli.images",
    "rescale": "core.contrast",
    "split_instances": "core.instances",
    "write_class_list": "class_files",
    "write_results": "export",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - module attribute of any type
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

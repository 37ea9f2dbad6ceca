from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from napari_sclip.export import ExportItem
from napari_sclip.prompts import parse_classes

Grey = NDArray[np.uint8]


@pytest.fixture
def make_item() -> Callable[..., ExportItem]:
    """Make a result of three classes, background included, on a grey image."""

    def make(text: str = "cat, background = wall | floor, tree", **changes: object) -> ExportItem:
        labels = np.zeros((40, 60), dtype=np.uint8)
        labels[5:25, 5:20] = 1
        labels[10:30, 30:55] = 2
        classes = parse_classes(text)
        values: dict[str, object] = {
            "image": np.full((40, 60, 3), 90, dtype=np.uint8),
            "labels": labels,
            "classes": classes,
            "scores": lambda: np.full((len(classes), 40, 60), 0.25, dtype=np.float32),
            "margin": lambda: np.full((40, 60), 0.5, dtype=np.float32),
            "image_file": "photo.jpg",
            "model": {"name": "a-model", "weights_sha256": "ab" * 32, "attention": "sclip"},
            "configuration": {"window": 224},
        }
        return ExportItem(**(values | changes))  # type: ignore[arg-type]

    return make

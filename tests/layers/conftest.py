"""Viewers without a window, and results without a model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from napari.components import ViewerModel

from napari_sclip import SegmentationConfig
from napari_sclip.engine.result import Segmentation
from napari_sclip.prompts import parse_classes

MakeResult = Callable[..., Segmentation]


@pytest.fixture
def viewer() -> ViewerModel:
    return ViewerModel()


@pytest.fixture
def make_result() -> MakeResult:
    """Make what the engine would give for a plane."""

    def make(labels: npt.ArrayLike, text: str = "leaf, soil = earth | mud") -> Segmentation:
        return Segmentation(
            labels=np.asarray(labels, dtype=np.uint8),
            classes=parse_classes(text),
            dropped=(),
            config=SegmentationConfig(short_side=64),
            model="a-model",
            weights_sha256="ab" * 32,
            attention="sclip",
            _dense=None,  # type: ignore[arg-type]
            _text=None,  # type: ignore[arg-type]
            _decision=None,  # type: ignore[arg-type]
        )

    return make

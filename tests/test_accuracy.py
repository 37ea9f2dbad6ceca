"""The bundled model labels held-out scenes nearly as well as its page says."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.metrics import score

from napari_sclip import Segmenter, make_scene

SCENES = range(30_000_000, 30_000_020)
IN_OBJECT_FLOOR = 0.82
MEAN_IOU_FLOOR = 0.77


def mean_score(attention: str) -> tuple[float, float]:
    segmenter = Segmenter.load("shapes-demo", device="cpu", attention=attention)
    scenes = [make_scene(seed) for seed in SCENES]
    labels = [segmenter.segment(scene.image, scene.classes).labels for scene in scenes]
    scores = [score(found, scene) for found, scene in zip(labels, scenes, strict=True)]
    in_object, mean_iou = np.mean(scores, axis=0)
    return float(in_object), float(mean_iou)


@pytest.mark.slow
def test_sclip_is_above_its_floor_and_above_vanilla() -> None:
    in_object, mean_iou = mean_score("sclip")
    assert in_object > IN_OBJECT_FLOOR
    assert mean_iou > MEAN_IOU_FLOOR
    vanilla_in_object, vanilla_mean_iou = mean_score("vanilla")
    assert in_object > vanilla_in_object + 0.2
    assert mean_iou > vanilla_mean_iou + 0.2

"""The metrics of the accuracy and refinement pages."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from benchmarks.metrics import boundary_f1

from napari_sclip import Scene, make_scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    """One square of 20 x 20 pixels, and the background."""
    labels = np.zeros((64, 64), dtype=np.uint8)
    labels[20:40, 20:40] = 1
    made = make_scene(1, size=(64, 64), objects=1)
    return dataclasses.replace(made, labels=labels)


def test_outlines_within_the_tolerance_are_right(scene: Scene) -> None:
    assert boundary_f1(scene.labels, scene) == 1
    assert boundary_f1(np.roll(scene.labels, 2, axis=1), scene) == 1


def test_outlines_beyond_the_tolerance_are_wrong(scene: Scene) -> None:
    assert boundary_f1(np.roll(scene.labels, 20, axis=1), scene) < 0.5
    assert 0 < boundary_f1(np.roll(scene.labels, 3, axis=1), scene) < 1
    assert boundary_f1(np.roll(scene.labels, 3, axis=1), scene, tolerance_pixels=3) == 1


def test_a_share_of_an_outline_counts_as_its_share(scene: Scene) -> None:
    """A small square in the corner: all of its outer edges are right, and half of it is not."""
    part = np.zeros_like(scene.labels)
    part[20:40, 20:30] = 1
    # Of 56 pixels the column 29 is wrong where rows 22 to 37 are (16 pixels).
    precision = 40 / 56
    # Of the 76 true ones, those in columns 20 to 31 are found (18 rows of column 20, 2 x 12).
    recall = (18 + 24) / 76
    square = 2 * precision * recall / (precision + recall)
    both = boundary_f1(part, scene)
    assert both == pytest.approx(square, abs=0.06)


def test_a_class_that_is_not_found_counts_nothing(scene: Scene) -> None:
    assert boundary_f1(np.zeros_like(scene.labels), scene) == 0

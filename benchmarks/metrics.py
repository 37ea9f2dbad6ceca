"""How well labels agree with a scene's truth: for the accuracy page, training and tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from napari_sclip.samples.scenes import Scene


def score(labels: NDArray[np.integer], scene: Scene) -> tuple[float, float]:
    """Compare predicted labels with a scene's.

    Parameters
    ----------
    labels : (H, W) integers
    scene : Scene

    Returns
    -------
    in_object : float in 0..1
        Share of the objects' pixels that have the label of their object.
    overlap : float in 0..1
        Mean over the classes and the background of intersection over union.
    """
    inside = scene.labels > 0
    in_object = float((labels[inside] == scene.labels[inside]).mean())
    overlaps = []
    for label in range(len(scene.classes)):
        found, true = labels == label, scene.labels == label
        overlaps.append(float((found & true).sum() / (found | true).sum()))
    return in_object, float(np.mean(overlaps))

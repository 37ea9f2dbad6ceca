"""How well labels agree with a scene's truth: for the accuracy page, training and tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_sclip.samples.scenes import Scene

BOUNDARY_TOLERANCE_PIXELS = 2


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


def boundary_f1(
    labels: NDArray[np.integer],
    scene: Scene,
    tolerance_pixels: int = BOUNDARY_TOLERANCE_PIXELS,
) -> float:
    """Compare where predicted and true classes end.

    For each class and the background: precision is the share of the predicted outline within
    the tolerance of the true one, recall the share of the true outline within the tolerance of
    the predicted one, and F1 their harmonic mean (Csurka et al., BMVC 2013).

    Parameters
    ----------
    labels : (H, W) integers
    scene : Scene
    tolerance_pixels : int
        Euclidean distance.

    Returns
    -------
    float in 0..1
        Mean over the classes and the background; a class without any predicted pixel counts 0.
    """
    found = [
        _f1(labels == k, scene.labels == k, tolerance_pixels) for k in range(len(scene.classes))
    ]
    return float(np.mean(found))


def _f1(found: NDArray[np.bool_], true: NDArray[np.bool_], tolerance: int) -> float:
    outlines = _outline(found), _outline(true)
    if not all(outline.any() for outline in outlines):
        return float(not any(outline.any() for outline in outlines))
    hits = []
    for here, there in (outlines, outlines[::-1]):
        hits.append(float((ndimage.distance_transform_edt(~there)[here] <= tolerance).mean()))
    precision, recall = hits
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _outline(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask with a neighbour outside; the picture's own border is not outside."""
    outline: NDArray[np.bool_] = mask & ~ndimage.binary_erosion(mask, border_value=1)
    return outline

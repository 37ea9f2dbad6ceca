"""The grid of a Labels layer, and where it lies in the world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.layers.image.axes import PlaneAxes
from napari_sclip.layers.image.roi import Region


@dataclass(frozen=True)
class LabelsGrid:
    """The pixels of a Labels layer, by the axes of its image.

    Attributes
    ----------
    axes : tuple of int
        The image's axis that each axis of the labels follows.
    shape : tuple of int
        Pixels along each of them.
    step, start : tuple of float
        Label i along an axis has its middle at step * i + start, in pixels of the image.
    """

    axes: tuple[int, ...]
    shape: tuple[int, ...]
    step: tuple[float, ...]
    start: tuple[float, ...]

    def centres(self, axis: int) -> np.ndarray:
        """Middles of the labels along an axis of the image, in pixels of the image."""
        own = self.axes.index(axis)
        return np.arange(self.shape[own]) * self.step[own] + self.start[own]


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where a layer lies in the world: what `napari.layers.Labels` takes."""

    scale: np.ndarray
    translate: np.ndarray
    rotate: np.ndarray
    shear: np.ndarray
    affine: np.ndarray
    units: tuple[Any, ...]
    axis_labels: tuple[str, ...]

    def arguments(self) -> dict[str, Any]:
        """Return the arguments for a new layer."""
        return dict(vars(self))

    def equals(self, other: Geometry) -> bool:
        """Whether a layer lies just as another."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return all(np.array_equal(own, its) for own, its in pairs)

    def to_world(self, points: np.ndarray) -> np.ndarray:
        """Map points of the layer's data (n, N) to the world, in the layer's own units."""
        inner = self.rotate @ self.shear @ np.diag(self.scale)
        placed: np.ndarray = points @ inner.T + self.translate
        placed = placed @ self.affine[:-1, :-1].T + self.affine[:-1, -1]
        return placed


def labels_grid(
    layer: Any,  # noqa: ANN401 - napari has no types
    shape: tuple[int, ...],
    axes: PlaneAxes,
    *,
    step: tuple[float, ...] | None = None,
    region: Region | None = None,
    plane: tuple[int, ...] | None = None,
) -> LabelsGrid:
    """Choose the pixels of the labels of an image.

    The axis of channels goes where it can. napari lines layers up by their last axes: where
    sliders come before the channels, or the layer is turned in that axis, labels without it
    would follow the wrong sliders. There it stays, as one place as long as all channels.

    Parameters
    ----------
    layer : Image layer
    shape : tuple of int
        Of the image's finest level, one length an axis of the layer.
    axes : PlaneAxes
    step : tuple of float, optional
        Pixels of the image that a label is long, by the layer's axes.
    region : Region, optional
        Rows and columns that the grid covers, instead of all.
    plane : tuple of int, optional
        The only place along the sliders that the grid covers, instead of all.
    """
    steps = list(step or (1.0,) * len(shape))
    starts = [(s - 1) / 2 for s in steps]
    lengths = [max(1, round(n / s)) for n, s in zip(shape, steps, strict=True)]
    if region is not None:
        for axis, (first, last) in ((axes.rows, region.rows), (axes.columns, region.columns)):
            lengths[axis] = max(1, round((last - first) / steps[axis]))
            starts[axis] += first
    for axis, place in zip(axes.sliders, plane or (), strict=plane is not None):
        lengths[axis], starts[axis], steps[axis] = 1, float(place), 1.0
    kept = list(range(len(shape)))
    channel = axes.channel
    if channel is not None:
        lengths[channel], steps[channel] = 1, float(shape[channel])
        starts[channel] = (shape[channel] - 1) / 2
        if channel == 0 and _stands_alone(layer, channel):
            kept.remove(channel)
    return LabelsGrid(
        axes=tuple(kept),
        shape=tuple(lengths[a] for a in kept),
        step=tuple(steps[a] for a in kept),
        start=tuple(starts[a] for a in kept),
    )


def labels_geometry(layer: Any, grid: LabelsGrid) -> Geometry:  # noqa: ANN401
    """Place the pixels of a grid where the pixels of the image lie that they stand for.

    Parameters
    ----------
    layer : Image layer
    grid : LabelsGrid
    """
    ndim = int(layer.ndim)
    kept = list(grid.axes)
    both = np.ix_(kept, kept)
    affine = np.asarray(layer.affine.affine_matrix, dtype=float)
    own = np.stack([_before_affine(layer, affine, unit) for unit in np.eye(ndim)], axis=1)
    own -= _before_affine(layer, affine, np.zeros(ndim))[:, None]
    start = np.zeros(ndim)
    start[kept] = grid.start
    outer = [*kept, ndim]
    return Geometry(
        scale=np.asarray(layer.scale, dtype=float)[kept] * grid.step,
        translate=(np.asarray(layer.translate, dtype=float) + own @ start)[kept],
        rotate=np.asarray(layer.rotate, dtype=float)[both],
        shear=_shear_matrix(layer)[both],
        affine=affine[np.ix_(outer, outer)],
        units=tuple(layer.units[a] for a in kept),
        axis_labels=tuple(layer.axis_labels[a] for a in kept),
    )


def _before_affine(layer: Any, affine: np.ndarray, point: np.ndarray) -> np.ndarray:  # noqa: ANN401
    """Where scale, shear, rotation and translation put a point; the affine comes after them."""
    world = np.asarray(layer.data_to_world(point))
    return np.linalg.solve(affine[:-1, :-1], world - affine[:-1, -1])


def _shear_matrix(layer: Any) -> np.ndarray:  # noqa: ANN401
    shear = np.asarray(layer.shear, dtype=float)
    if shear.ndim == 2:
        return shear
    matrix = np.eye(int(layer.ndim))
    matrix[np.triu_indices(int(layer.ndim), k=1)] = shear
    return matrix


def _stands_alone(layer: Any, axis: int) -> bool:  # noqa: ANN401
    """Whether no part of a layer's transform mixes an axis with the others."""
    affine = np.asarray(layer.affine.affine_matrix, dtype=float)[:-1, :-1]
    for matrix in (np.asarray(layer.rotate, dtype=float), _shear_matrix(layer), affine):
        others = np.concatenate([np.delete(matrix[axis], axis), np.delete(matrix[:, axis], axis)])
        if not np.allclose(others, 0, atol=1e-12):
            return False
    return True


def place_of(layer: Any) -> dict[str, Any]:  # noqa: ANN401 - napari has no types
    """Return what puts a new layer with the same axes where a layer is."""
    return {
        "scale": layer.scale,
        "translate": layer.translate,
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine.affine_matrix,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
    }

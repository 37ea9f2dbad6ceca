"""Turn what the engine found into the pixels and ids of a Labels layer, off the GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_sclip.layers.dress import label_lut
from napari_sclip.layers.mapping import find_target
from napari_sclip.layers.request import ImageRequest
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    from napari.layers import Labels


@dataclass(frozen=True, eq=False)
class PlacedPlane:
    """Labels of one plane, as they will stand in the layer.

    Attributes
    ----------
    values : (h, w) array
        Ids of the layer, in its pixels and dtype.
    lut : (K + 1,) array
        The layer's id for each id that the engine counts.
    """

    values: np.ndarray
    lut: np.ndarray


class Placer:
    """Made on the GUI thread; `place` is for a worker, since it takes long on large planes.

    Parameters
    ----------
    layer : Labels
        That knows the classes.
    request : ImageRequest
    classes : sequence of ClassPrompt
        In the order that the engine counts them.
    """

    def __init__(
        self, layer: Labels, request: ImageRequest, classes: Sequence[ClassPrompt]
    ) -> None:
        self._request = request
        self._lut = label_lut(layer, classes)

    def place(self, number: int, labels: np.ndarray) -> PlacedPlane:
        """Place the labels of a plane.

        Parameters
        ----------
        number : int
            Of the plane.
        labels : (h, w) unsigned array
            Of the size that was read.
        """
        values = find_target(self._request, number).spread(labels)
        same_ids = np.array_equal(self._lut, np.arange(len(self._lut)))
        if not same_ids or values.dtype != self._lut.dtype:
            values = self._lut[values]
        return PlacedPlane(values, self._lut)

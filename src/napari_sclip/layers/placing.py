"""Turn what the engine found into the pixels and ids of a Labels layer, off the GUI thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_sclip.layers.dress import label_lut
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.mapping import find_target
from napari_sclip.layers.room import Room
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    from napari.layers import Labels

ROOM_ARRAYS = 3
"""As many as `Draft` and `update_labels` keep of a plane."""
ROOM_BYTES = 2**29


@dataclass(frozen=True, eq=False)
class PlacedPlane:
    """Labels of one plane, as they will stand in the layer.

    Attributes
    ----------
    values : (h, w) array
        Ids of the layer, in its pixels and dtype.
    lut : (K + 1,) array
        The layer's id for each id that the engine counts.
    room : Room
        Of arrays like `values`, for whoever draws or writes them.
    """

    values: np.ndarray
    lut: np.ndarray
    room: Room = field(default_factory=Room)

    def with_room(self, planes: int = 1) -> PlacedPlane:
        """Return the same with room to be drawn or written, unless so many planes need too much."""
        fits = planes * ROOM_ARRAYS * self.values.nbytes <= ROOM_BYTES
        return replace(self, room=Room(self.values.nbytes, ROOM_ARRAYS) if fits else Room())


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

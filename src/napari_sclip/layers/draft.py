"""Partial results, shown in a layer while a run goes on, and taken back before its end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.dress import label_lut
from napari_sclip.layers.edits import prediction_log
from napari_sclip.layers.mapping import check_fitting, find_target
from napari_sclip.layers.placing import PlacedPlane
from napari_sclip.layers.request import ImageRequest
from napari_sclip.prompts import ClassPrompt


class Draft:
    """One plane's partial labels, drawn without a trace in the undo history.

    What a person painted, before or meanwhile, is never drawn over. Call `withdraw` before the
    final labels are written or the run is given up, so that these are one undo step.

    Parameters
    ----------
    layer : Labels
        That knows the classes: of `new_labels_layer`, or of an earlier run.
    request : ImageRequest
    number : int
        Of the plane.
    classes : sequence of ClassPrompt
        In the order that the partial labels count them.

    Raises
    ------
    LabelsMismatchError
        If the request's labels cannot go into this layer.
    """

    def __init__(
        self,
        layer: Labels,
        request: ImageRequest,
        number: int,
        classes: Sequence[ClassPrompt],
    ) -> None:
        check_fitting(layer, request)
        self._layer = layer
        self._target = find_target(request, number)
        self._lut = label_lut(layer, classes)
        self._free = ~prediction_log(layer).edited(layer.data, self._target)
        if self._target.mask is not None:
            self._free &= self._target.mask
        self._before = self._target.view(layer.data).copy()
        self._drawn = self._before.copy()

    def show(self, labels: np.ndarray) -> None:
        """Draw partial labels of the size that is read; 0 is drawn as it was before.

        Parameters
        ----------
        labels : (h, w) unsigned array
        """
        fresh = self._target.spread(labels)
        self._draw(np.where(fresh == 0, self._before, self._lut[fresh]))

    def show_placed(self, plane: PlacedPlane) -> None:
        """Draw partial labels that have been placed; quick, 0 is drawn as it was before."""
        values = plane.values.copy()
        np.copyto(values, self._before, where=values == 0)
        self._draw(values)

    def withdraw(self) -> None:
        """Put back what was there, but for what a person painted meanwhile."""
        self._draw(self._before)

    def _draw(self, values: np.ndarray) -> None:
        view = self._target.view(self._layer.data)
        self._free &= view == self._drawn
        np.copyto(view, values, where=self._free)
        np.copyto(self._drawn, view)
        self._layer.refresh()

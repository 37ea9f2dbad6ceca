"""A layer that napari has duplicated knows what its original knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.edits import KEPT, has_log, prediction_log
from napari_sclip.layers.legend import KEY, has_legend
from napari_sclip.layers.review import known_review, set_review


def know_what_the_twin_knows(layer: Any, layers: Iterable[Any]) -> bool:  # noqa: ANN401
    """Take over prediction and checks of the layer that a new one is the copy of.

    Parameters
    ----------
    layer : layer
        Just added; nothing is done unless it is a Labels layer of this plugin without a
        prediction of its own.
    layers : iterable of layers
        Of the viewer.

    Returns
    -------
    bool
        Whether there is such a twin: of the same classes, with the same data.
    """
    if not isinstance(layer, Labels) or not has_legend(layer):
        return False
    if has_log(layer) or KEPT in layer.metadata:
        return False
    for other in layers:
        if other is layer or not isinstance(other, Labels) or not has_log(other):
            continue
        same = other.metadata.get(KEY) == layer.metadata.get(KEY)
        if same and np.array_equal(other.data, layer.data):
            log = prediction_log(other)
            prediction_log(layer).restore(log.predicted, log.painted)
            review = known_review(other.data)
            if review is not None:
                set_review(layer, review.copy())
            return True
    return False

"""Make an empty Labels layer for an image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from napari.layers import Labels

from napari_sclip.layers.dress import colormap, features
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.legend import KEY, choose_ids, describe, make_legend, package_versions
from napari_sclip.prompts import ClassPrompt


def warm_up() -> None:
    """Load what napari loads with its first Labels layer: up to a second, so for a worker."""
    Labels(np.zeros((2, 2), np.uint8), features=features(()), colormap=colormap(()))
    package_versions()


def new_labels_layer(
    request: ImageRequest, classes: Sequence[ClassPrompt], *, ids: Sequence[int] | None = None
) -> Labels:
    """Make the Labels layer of an image, still empty.

    Parameters
    ----------
    request : ImageRequest
    classes : sequence of ClassPrompt
    ids : sequence of int, optional
        Of the classes, 0 for the background and no other; left out, they are counted from 1.

    Returns
    -------
    Labels
        Not yet in any viewer.

    Raises
    ------
    ClassesError
        If the ids do not fit the classes.
    """
    legend = make_legend(classes, choose_ids(classes) if ids is None else ids)
    return Labels(
        np.zeros(request.labels_shape, dtype=_dtype_for(row.id for row in legend)),
        name=f"{request.name} labels",
        features=features(legend),
        colormap=colormap(legend),
        metadata={KEY: describe(request, legend, None)},
        multiscale=False,
        **request.geometry.arguments(),
    )


def _dtype_for(ids: Iterable[int]) -> type[np.uint8] | type[np.uint16]:
    return np.uint8 if max(ids) <= np.iinfo(np.uint8).max else np.uint16

"""Small labels of all kinds, for files that must read back equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from napari_sclip.export import ExportItem
from napari_sclip.prompts import ClassPrompt, label_ids

IDS = (0, 2, 3, 9)
"""The ids of `small_labels`; the last one is of no class."""

CLASSES = (
    ClassPrompt("wall", background=True),
    ClassPrompt("tree: old", ("oak", "beech"), color="#102030"),
    ClassPrompt('"leaf"'),
)


def small_labels(ids: tuple[int, ...] = IDS) -> st.SearchStrategy[NDArray[Any]]:
    """Draw labels with holes, single pixels, pixels that touch by corners and at the border."""
    shapes = arrays.array_shapes(min_dims=2, max_dims=2, max_side=7)
    dtypes = st.sampled_from([np.uint8, np.uint16, np.int32])
    return st.tuples(shapes, dtypes).flatmap(
        lambda drawn: arrays.arrays(drawn[1], drawn[0], elements=st.sampled_from(ids))
    )


def item_of(labels: NDArray[Any], **changes: Any) -> ExportItem:  # noqa: ANN401
    """Make an item whose ids are not counted, with pixels of a class that it does not know."""
    assert label_ids(CLASSES) != IDS[:3]
    return ExportItem(None, labels, CLASSES, ids=IDS[:3], **changes)


NAMES = {2: "tree: old", 3: '"leaf"', 9: "label 9"}
HARD = (
    np.array([[3, 3, 3], [3, 0, 3], [3, 3, 0]]),
    np.array([[3, 3, 3, 3], [3, 0, 3, 3], [3, 3, 0, 3], [3, 3, 3, 3]]),
    np.array([[3, 0], [0, 3]]),
    np.array([[0, 3], [3, 0]]),
    np.array([[3, 3, 3], [3, 2, 3], [3, 3, 3]]),
    np.array([[3, 3, 3, 3, 3], [3, 0, 3, 0, 3], [3, 3, 3, 3, 3], [3, 0, 3, 9, 3], [3, 3, 3, 3, 3]]),
    np.array([[2]]),
    np.zeros((2, 3), dtype=np.uint8),
)
"""A ring that closes by a corner, holes that touch, and so on."""

"""What a person has checked of a Labels layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_sclip.core.uncertain import Spot
from napari_sclip.errors import ImageError
from napari_sclip.layers.edits import prediction_log
from napari_sclip.layers.mapping import Target
from napari_sclip.layers.planes_of_labels import part_of


class Review:
    """The pixels that a person has checked, and what they saw there.

    A pixel stays checked while it shows what the person saw, and also when they paint over it.
    Where a later run writes another label it counts as unchecked, and undoing that run makes it
    checked again.

    Parameters
    ----------
    shape : tuple of int
        Of the layer's data.
    dtype : dtype
        Of the layer's data.

    Attributes
    ----------
    marked : bool array
        The pixels that were marked.
    seen : unsigned array
        The label that each of them had then; 0 elsewhere.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:  # noqa: ANN401 - any dtype
        self.marked = np.zeros(shape, dtype=bool)
        self.seen = np.zeros(shape, dtype=dtype)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Return what `restore` takes, small when compressed: for a file beside the labels."""
        return {"marked": np.packbits(self.marked), "seen": self.seen}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take over what was kept in a file.

        Raises
        ------
        ImageError
            If it is of a layer of another shape.
        """
        size = self.marked.size
        seen, packed = arrays["seen"], arrays["marked"]
        if seen.shape != self.marked.shape or packed.size != -(-size // 8):
            raise ImageError(
                f"Expected what was checked of labels of shape {self.marked.shape}; got that of "
                f"{seen.shape}. It belongs to other labels: check these anew."
            )
        self.marked = np.unpackbits(packed, count=size).astype(bool).reshape(seen.shape)
        self.seen = np.array(seen)

    def mark(self, data: np.ndarray, target: Target, mask: np.ndarray | None) -> None:
        """Note that a person has looked at pixels of a part, or at all of it."""
        if not np.can_cast(data.dtype, self.seen.dtype):
            self.seen = self.seen.astype(np.promote_types(data.dtype, self.seen.dtype))
        where = True if mask is None else mask
        np.copyto(target.view(self.marked), True, where=where)
        np.copyto(target.view(self.seen), target.view(data), where=where)

    def unmark(self, target: Target, mask: np.ndarray | None) -> None:
        """Take that back."""
        where = True if mask is None else mask
        np.copyto(target.view(self.marked), False, where=where)
        np.copyto(target.view(self.seen), 0, where=where)


_REVIEWS: WeakKeyDictionary[Any, Review] = WeakKeyDictionary()


def review_of(layer: Any) -> Review:  # noqa: ANN401 - napari has no types
    """Return the review of a Labels layer; it goes with the layer."""
    review = _REVIEWS.get(layer)
    if review is None or review.marked.shape != layer.data.shape:
        review = _REVIEWS[layer] = Review(layer.data.shape, layer.data.dtype)
    return review


def mark_checked(layer: Any, plane: Target, spot: Spot | np.ndarray | None = None) -> None:  # noqa: ANN401
    """Mark pixels of a plane as checked.

    Parameters
    ----------
    layer : Labels layer
    plane : Target
        The whole plane, of `shown_plane`.
    spot : Spot or (H, W) bool array, optional
        The pixels; all of the plane if left out.
    """
    target, mask = _cut(plane, spot)
    review_of(layer).mark(layer.data, target, mask)


def unmark_checked(layer: Any, plane: Target, spot: Spot | np.ndarray | None = None) -> None:  # noqa: ANN401
    """Take back what `mark_checked` did."""
    target, mask = _cut(plane, spot)
    review_of(layer).unmark(target, mask)


def checked_pixels(layer: Any, plane: Target) -> np.ndarray:  # noqa: ANN401
    """Tell which pixels of a plane are checked: (H, W) bool array."""
    review = review_of(layer)
    marked = plane.view(review.marked)
    if not marked.any():
        return np.zeros(marked.shape, dtype=bool)
    same = plane.view(layer.data) == plane.view(review.seen)
    out: np.ndarray = marked & (same | prediction_log(layer).edited(layer.data, plane))
    return out


def share_checked(layer: Any, plane: Target, uncertain: np.ndarray | None = None) -> float:  # noqa: ANN401
    """Compute how much has been checked of what there is to check.

    That is every pixel that has a label, and every uncertain one. Background that the model is
    sure of is not counted, as no key leads there.

    Parameters
    ----------
    layer : Labels layer
    plane : Target
        The whole plane.
    uncertain : (H, W) bool array, optional
        Of `uncertain_mask`.

    Returns
    -------
    float
        0..1; 1 where there is nothing to check.
    """
    to_check = plane.view(layer.data) != 0
    if uncertain is not None:
        to_check = to_check | uncertain
    total = int(np.count_nonzero(to_check))
    if total == 0:
        return 1.0
    return int(np.count_nonzero(to_check & checked_pixels(layer, plane))) / total


def _cut(plane: Target, spot: Spot | np.ndarray | None) -> tuple[Target, np.ndarray | None]:
    if isinstance(spot, Spot):
        return part_of(plane, spot.rows, spot.columns), spot.inside()
    return plane, spot

"""What a person has checked of a Labels layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from napari_sclip.core.uncertain import Spot
from napari_sclip.layers.edits import prediction_log
from napari_sclip.layers.mapping import Target
from napari_sclip.layers.planes_of_labels import part_of
from napari_sclip.layers.slabs import slabs


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

    def copy(self) -> Review:
        """Return one that does not change any more."""
        own = Review((), np.uint8)
        own.marked, own.seen = self.marked.copy(), self.seen.copy()
        return own

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


KEPT = "napari_sclip_review"
"""Where a layer's metadata has what was read from a file, until it is asked for."""

_REVIEWS: WeakKeyDictionary[Any, Review] = WeakKeyDictionary()


def review_of(layer: Any) -> Review:  # noqa: ANN401 - napari has no types
    """Return the review of a Labels layer; it goes with the layer."""
    review = _REVIEWS.get(layer)
    if review is None or review.marked.shape != layer.data.shape:
        review = layer.metadata.get(KEPT)
        if review is None or review.marked.shape != layer.data.shape:
            review = Review(layer.data.shape, layer.data.dtype)
        layer.metadata = {k: v for k, v in layer.metadata.items() if k != KEPT}
        _REVIEWS[layer] = review
    return review


def set_review(layer: Any, review: Review) -> None:  # noqa: ANN401
    """Give a layer the review that it had before it was written to a file."""
    _REVIEWS[layer] = review


def known_review(data: Any) -> Review | None:  # noqa: ANN401
    """Return the review of the layer that these are the data of, or None if nothing is checked."""
    found = (review for layer, review in [*_REVIEWS.items()] if layer.data is data)
    review = next(found, None)
    return review if review is not None and review.marked.any() else None


def pack_review(review: Review | None) -> dict[str, Any]:
    """Return arrays for a file beside the labels; none where nothing is checked."""
    if review is None:
        return {}
    return {"checked": np.packbits(review.marked), "seen": review.seen}


def unpack_review(arrays: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> Review | None:
    """Return what `pack_review` packed of labels of this shape; None if it packed nothing.

    Raises
    ------
    ValueError
        If it is of labels of another shape.
    """
    if "seen" not in arrays:
        return None
    review = Review((), np.uint8)
    review.seen = arrays["seen"]
    checked = np.unpackbits(arrays["checked"], count=int(np.prod(shape)))
    review.marked = checked.astype(bool).reshape(shape)
    if review.seen.shape != shape:
        raise ValueError(f"expected {shape}, got {review.seen.shape}")
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


@dataclass(frozen=True, eq=False)
class ReviewedPlane:
    """What says how much of a plane is checked; made on the GUI thread, counted in any.

    Attributes
    ----------
    labels, seen, predicted : (H, W) array
        Views: of the layer, of its review, of its log.
    marked : (H, W) bool array
        View of the review.
    painted : (H, W) bool array or None
        View of the log.
    uncertain : (H, W) bool array or None
    """

    labels: np.ndarray
    marked: np.ndarray
    seen: np.ndarray
    predicted: np.ndarray
    painted: np.ndarray | None
    uncertain: np.ndarray | None

    def share(self) -> float | None:
        """Compute what `share_checked` returns."""
        total = checked = 0
        for rows in slabs(range(self.labels.shape[0]), self.labels.shape[1]):
            labels, marked = self.labels[rows], self.marked[rows]
            to_check = labels != 0
            if self.uncertain is not None:
                to_check |= self.uncertain[rows]
            total += int(np.count_nonzero(to_check))
            if marked.any():
                as_seen = (labels == self.seen[rows]) | (labels != self.predicted[rows])
                if self.painted is not None:
                    as_seen |= self.painted[rows]
                checked += int(np.count_nonzero(to_check & marked & as_seen))
        return checked / total if total else None


def look_at_review(
    layer: Any,  # noqa: ANN401
    plane: Target,
    uncertain: np.ndarray | None = None,
) -> ReviewedPlane:
    """Take down what `share_checked` counts; takes no time. Parameters are those of it."""
    review = review_of(layer)
    predicted, painted = prediction_log(layer).look(plane)
    return ReviewedPlane(
        labels=plane.view(layer.data),
        marked=plane.view(review.marked),
        seen=plane.view(review.seen),
        predicted=predicted,
        painted=painted,
        uncertain=uncertain,
    )


def share_checked(
    layer: Any,  # noqa: ANN401
    plane: Target,
    uncertain: np.ndarray | None = None,
) -> float | None:
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
    float or None
        0..1; None where there is nothing to check.
    """
    return look_at_review(layer, plane, uncertain).share()


def _cut(plane: Target, spot: Spot | np.ndarray | None) -> tuple[Target, np.ndarray | None]:
    if isinstance(spot, Spot):
        return part_of(plane, spot.rows, spot.columns), spot.inside()
    return plane, spot

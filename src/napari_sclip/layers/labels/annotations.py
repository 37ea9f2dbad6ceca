"""What a person painted: every pixel that differs from the last prediction."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels

from napari_sclip.core.uncertain import Spot
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.chunks import Pixels, Room, put, slabs
from napari_sclip.layers.labels.layer import forget_classes
from napari_sclip.layers.labels.schema import KEY, has_legend, read_legend
from napari_sclip.layers.labels.targets import Target, check_fitting, find_target, part_of
from napari_sclip.layers.labels.undo import forget_steps_with, key_of, redo_steps, undo_steps

REMEMBERED_BYTES = 2**28

SLAB_PIXELS = 2**20

FEW_IDS = 16
"""Of more ids than these it is quicker to sort the pixels than to look for each."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """Ids that were predicted for a part of a layer.

    Attributes
    ----------
    target : Target
    ids : (h, w) array
    free : (h, w) bool array, Pixels or None
        The pixels that take them; None for all.
    painted : Pixels
        Those that are a person's from now on, whatever is predicted for them.
    room : Room
        For what is kept to undo it.
    """

    target: Target
    ids: np.ndarray
    free: np.ndarray | Pixels | None
    painted: Pixels
    room: Room = field(default_factory=Room)


@dataclass(eq=False)
class _Step:
    """A prediction that napari can undo, with the log's values on the other side of it."""

    parts: list[tuple[Target, np.ndarray, Pixels]]
    atoms: list[weakref.ref[Any]]
    applied: bool = True

    @property
    def nbytes(self) -> int:
        return sum(ids.nbytes + painted.nbytes for _, ids, painted in self.parts)

    def is_in(self, history: set[int]) -> bool:
        atoms = (atom() for atom in self.atoms)
        return any(atom is not None and id(atom) in history for atom in atoms)


class PredictionLog:
    """The last prediction for every pixel of one Labels layer; 0 where there was none.

    It goes back and forth with the layer's undo and redo.

    Parameters
    ----------
    layer : Labels layer

    Attributes
    ----------
    predicted : array
        Of the shape of the layer's data.
    painted : bool array
        Pixels that were a person's when something was predicted for them. They stay so even
        when the person goes back to what had been predicted.
    """

    def __init__(self, layer: Any) -> None:  # noqa: ANN401 - napari has no types
        self.predicted = np.zeros(layer.data.shape, dtype=layer.data.dtype)
        self.painted = np.zeros(layer.data.shape, dtype=bool)
        self._has_painted = False  # on most planes nothing ever is, and they are large
        self._layer = weakref.ref(layer)
        self._steps: list[_Step] = []
        layer.events.set_data.connect(self.follow_history)

    def suits(self, data: np.ndarray) -> bool:
        """Whether this is about data of this shape."""
        return bool(data.shape == self.predicted.shape)

    def edited(self, data: np.ndarray, target: Target) -> np.ndarray:
        """Tell which pixels of a part are a person's: (h, w) bool array."""
        predicted, painted = self.look(target)
        out: np.ndarray = target.view(data) != predicted
        if painted is not None:
            out |= painted
        return out

    def look(self, target: Target) -> tuple[np.ndarray, np.ndarray | None]:
        """Return views of `predicted` and `painted` of a part; None if nothing is painted."""
        self.follow_history()
        painted = target.view(self.painted) if self._has_painted else None
        return target.view(self.predicted), painted

    def everywhere(self) -> tuple[np.ndarray, np.ndarray | None]:
        """Return `predicted` and `painted` as they are now; None if nothing is painted."""
        self.follow_history()
        return self.predicted, self.painted if self._has_painted else None

    def edited_everywhere(self, data: np.ndarray) -> np.ndarray:
        """Tell which pixels of the whole layer are a person's: bool array of its shape."""
        self.follow_history()
        out: np.ndarray = data != self.predicted
        out |= self.painted
        return out

    def record(self, predictions: Sequence[Prediction], atoms: Sequence[Any] | None) -> None:
        """Note predictions that have been written.

        Parameters
        ----------
        predictions : sequence of Prediction
        atoms : sequence of Patch or None
            What napari's history keeps of the step; empty if nothing was changed, None if the
            step cannot be undone.
        """
        if atoms is None:
            self._steps.clear()
        elif not atoms:
            layer = self._layer()
            if layer is None or redo_steps(layer):
                return  # nothing was changed, so all of that can still be redone
            if any(p.painted for p in predictions):
                if not any(self._marks_more(p) for p in predictions):
                    return
                # Undoing the last stroke takes the marks back.
                steps = undo_steps(layer)
                atoms = [key_of(steps[-1])] if steps else []
        self._steps = [step for step in self._steps if step.applied]
        parts = [(p.target, self._predict(p), self._mark(p)) for p in predictions]
        if atoms:
            self._steps.append(_Step(parts, [weakref.ref(atom) for atom in atoms]))
            while sum(step.nbytes for step in self._steps) > REMEMBERED_BYTES:
                self._steps.pop(0)

    def restore(self, predicted: np.ndarray, painted: np.ndarray) -> None:
        """Take over a log that was kept in a file; of the layer's shape."""
        self.predicted = predicted.copy()
        self.painted = painted.astype(bool)
        self._has_painted = bool(self.painted.any())
        self._steps.clear()

    def release(self, where: np.ndarray, data: np.ndarray) -> None:
        """Let the next prediction replace painted pixels; bool array of the layer's shape."""
        self.painted[where] = False
        if not np.can_cast(data.dtype, self.predicted.dtype):
            self.predicted = self.predicted.astype(
                np.promote_types(data.dtype, self.predicted.dtype)
            )
        self.predicted[where] = data[where]

    def follow_history(self, event: Any = None) -> None:  # noqa: ANN401
        """Notice which steps have been undone or redone since."""
        layer = self._layer()
        if layer is None or not self._steps:
            return
        done, undone = _kept(undo_steps(layer)), _kept(redo_steps(layer))
        for step in reversed(self._steps):
            if step.applied and step.is_in(undone):
                self._swap(step)
        for step in self._steps:
            if not step.applied and step.is_in(done):
                self._swap(step)

    def _predict(self, new: Prediction) -> np.ndarray:
        """Note what was predicted; returns what had been."""
        if not np.can_cast(new.ids.dtype, self.predicted.dtype):
            dtype = np.promote_types(new.ids.dtype, self.predicted.dtype)
            self.predicted = self.predicted.astype(dtype)
        view = new.target.view(self.predicted)
        other = new.room.take(view.shape, view.dtype)
        if self.predicted.size == view.size and not new.target.swapped:
            # The whole layer: what had been predicted need not be written over.
            if new.free is not None:
                np.copyto(other, view)
            put(other, new.ids, new.free)
            self.predicted = other.reshape(self.predicted.shape)
            return view
        np.copyto(other, view)
        put(view, new.ids, new.free)
        return other

    def _marks_more(self, new: Prediction) -> bool:
        view = new.target.view(self.painted)
        return any(
            new.painted.any_in(rows) and bool((new.painted[rows] & ~view[rows]).any())
            for rows in slabs(range(view.shape[0]), view.shape[1])
        )

    def _mark(self, new: Prediction) -> Pixels:
        """Note what is painted; returns what had been."""
        view = new.target.view(self.painted)
        before = self._marks(new.target)
        for rows in slabs(range(view.shape[0]), view.shape[1]):
            if before.any_in(rows):
                np.copyto(view[rows], False, where=True if new.free is None else new.free[rows])
            if new.painted.any_in(rows):
                view[rows] |= new.painted[rows]
        self._has_painted |= bool(new.painted)
        return before

    def _marks(self, target: Target) -> Pixels:
        view = target.view(self.painted)
        return Pixels.of(view) if self._has_painted else Pixels(view.shape)

    def _swap(self, step: _Step) -> None:
        for k, (target, ids, painted) in enumerate(step.parts):
            now = self._marks(target)
            marks, predicted = target.view(self.painted), target.view(self.predicted)
            other = ids if ids.dtype == predicted.dtype else ids.astype(predicted.dtype)
            for rows in slabs(range(ids.shape[0]), ids.shape[1]):
                before = predicted[rows].copy()
                np.copyto(predicted[rows], other[rows])
                np.copyto(other[rows], before)
                if now.any_in(rows) or painted.any_in(rows):
                    np.copyto(marks[rows], painted[rows])
            step.parts[k] = (target, other, now)
        step.applied = not step.applied


def _kept(steps: Sequence[Any]) -> set[int]:
    """Identities of the old values that napari's history holds."""
    return {id(key_of(step, k)) for step in steps for k in (0, -1) if step}


KEPT_PREDICTION = "napari_sclip_prediction"
"""Where a layer's metadata has what was read from a file, until it is asked for."""

_LOGS: WeakKeyDictionary[Any, PredictionLog] = WeakKeyDictionary()


def prediction_log(layer: Any) -> PredictionLog:  # noqa: ANN401 - napari has no types
    """Return the log of a Labels layer; it goes with the layer."""
    log = _LOGS.get(layer)
    if log is None or not log.suits(layer.data):
        log = _LOGS[layer] = PredictionLog(layer)
        kept = layer.metadata.get(KEPT_PREDICTION)
        if kept is not None:
            layer.metadata = {k: v for k, v in layer.metadata.items() if k != KEPT_PREDICTION}
            if log.suits(kept[0]):
                log.restore(*kept)
    return log


def has_log(layer: Any) -> bool:  # noqa: ANN401
    """Tell whether a layer has a log that is about the data that it has now."""
    log = _LOGS.get(layer)
    return log is not None and log.suits(layer.data)


def known_log(data: Any) -> PredictionLog | None:  # noqa: ANN401
    """Return the log of the layer that these are the data of, or None."""
    found = (log for layer, log in list(_LOGS.items()) if layer.data is data and log.suits(data))
    return next(found, None)


def hand_edits(layer: Any, request: ImageRequest, number: int = 0) -> np.ndarray:  # noqa: ANN401
    """Tell which pixels of a plane's region a person has painted.

    Parameters
    ----------
    layer : Labels layer
        That the request's labels go to.
    request : ImageRequest
    number : int
        Of the plane.

    Returns
    -------
    (h, w) bool array
        In the pixels of the labels. In a layer that was not written to since it was opened,
        every pixel that is not 0.

    Raises
    ------
    LabelsMismatchError
        If the request's labels cannot go into this layer.
    """
    check_fitting(layer, request)
    target = find_target(request, number)
    edited = prediction_log(layer).edited(layer.data, target)
    return edited if target.mask is None else edited & target.mask


def count_hand_edits(layer: Any, request: ImageRequest) -> int:  # noqa: ANN401
    """Count the pixels that a person has painted in all that a request is written to.

    Parameters and errors are those of `hand_edits`.
    """
    planes = range(len(request.planes))
    return sum(int(np.count_nonzero(hand_edits(layer, request, k))) for k in planes)


@dataclass(frozen=True)
class Census:
    """What was counted.

    Attributes
    ----------
    ids : tuple of int
        Those that occur, 0 too; where none reaches `few` of `take_census`, the highest alone.
    painted : int
        Pixels that are the person's.
    of_missing : mapping of int to int
        The person's pixels of those ids that were asked for; ids without any are left out.
    scribbled : int
        Pixels in layers of scribbles.
    unused : tuple of int
        Those of the ids asked for that no pixel has: of the layer, of its prediction, of scribbles.
    """

    ids: tuple[int, ...]
    painted: int
    of_missing: Mapping[int, int]
    scribbled: int
    unused: tuple[int, ...] = ()


def take_census(
    data: np.ndarray,
    predicted: np.ndarray,
    marks: np.ndarray | None,
    missing: Collection[int] = (),
    scribbles: Sequence[np.ndarray] = (),
    *,
    few: int = 256,
) -> Census:
    """Count; of a large layer in a worker, as only a part of it is held in memory again.

    Parameters
    ----------
    data : unsigned array
        Of the layer, without drafts.
    predicted, marks
        Of its log, as `PredictionLog.everywhere` gives them.
    missing : collection of int
        Ids of classes whose pixels are to be counted.
    scribbles : sequence of array
        Data of the layers of scribbles over it.
    few : int
        Below this the highest id says enough.

    Returns
    -------
    Census
    """
    flat, before = data.reshape(-1), predicted.reshape(-1)
    painted_before = None if marks is None else marks.reshape(-1)
    ids: set[int] = set()
    painted, highest = 0, 0
    of_missing: Counter[int] = Counter()
    unused = set(missing)
    for start in range(0, flat.size, SLAB_PIXELS):
        part = slice(start, start + SLAB_PIXELS)
        here = flat[part]
        unused -= _found(unused, here, before[part])
        highest = max(highest, int(here.max()))
        by_hand = here != before[part]
        if painted_before is not None:
            by_hand |= painted_before[part]
        count = int(np.count_nonzero(by_hand))
        painted += count
        if missing and count:
            found, counts = np.unique(here[by_hand], return_counts=True)
            of_missing.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
    if highest >= few:
        for start in range(0, flat.size, SLAB_PIXELS):
            ids.update(np.unique(flat[start : start + SLAB_PIXELS]).tolist())
    return Census(
        ids=tuple(sorted(ids | {highest})),
        painted=painted,
        of_missing={k: of_missing[k] for k in missing if of_missing[k]},
        scribbled=sum(int(np.count_nonzero(layer)) for layer in scribbles),
        unused=tuple(sorted(unused - _found(unused, *scribbles))),
    )


def _found(ids: Iterable[int], *arrays: np.ndarray) -> set[int]:
    """Return those of some ids that occur in arrays."""
    ids = set(ids)
    if len(ids) > FEW_IDS:
        return {k for values in arrays for k in np.unique(values).tolist() if k in ids}
    return {k for k in ids if any(bool((values == k).any()) for values in arrays)}


def give_back_ids(layer: Labels, wanted: Mapping[int, str]) -> None:
    """Let classes have ids that other classes had before, where no pixel has them any more.

    The layer forgets the other classes; and what would bring them back under another name: steps
    of the undo history, and marks of what was checked.

    Parameters
    ----------
    layer : Labels
        Of this plugin.
    wanted : mapping of int to str
        Names by the id that they are to have.
    """
    names = set(wanted.values())
    others = [row for row in read_legend(layer) if row.id in wanted and row.name not in names]
    log = prediction_log(layer)
    used = _found({row.id for row in others}, layer.data, log.predicted)
    ids = [row.id for row in others if row.id not in used]
    if not ids:
        return
    forget_classes(layer, ids)
    forget_steps_with(layer, ids)
    review = _REVIEWS.get(layer)
    if review is not None and review.marked.shape == layer.data.shape:
        seen = review.marked & np.isin(review.seen, ids)
        review.marked[seen & ~log.edited_everywhere(layer.data)] = False
        review.seen[seen] = 0


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


KEPT_REVIEW = "napari_sclip_review"
"""Where a layer's metadata has what was read from a file, until it is asked for."""

_REVIEWS: WeakKeyDictionary[Any, Review] = WeakKeyDictionary()


def review_of(layer: Any) -> Review:  # noqa: ANN401 - napari has no types
    """Return the review of a Labels layer; it goes with the layer."""
    review = _REVIEWS.get(layer)
    if review is None or review.marked.shape != layer.data.shape:
        review = layer.metadata.get(KEPT_REVIEW)
        if review is None or review.marked.shape != layer.data.shape:
            review = Review(layer.data.shape, layer.data.dtype)
        layer.metadata = {k: v for k, v in layer.metadata.items() if k != KEPT_REVIEW}
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
    if has_log(layer) or KEPT_PREDICTION in layer.metadata:
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

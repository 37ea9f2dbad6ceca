"""A Labels layer with all that belongs to it, as one file, and back."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import SclipError
from napari_sclip.layers.labels.annotations import (
    KEPT_PREDICTION,
    KEPT_REVIEW,
    Review,
    known_log,
    known_review,
    pack_review,
    prediction_log,
    set_review,
    unpack_review,
)
from napari_sclip.layers.labels.chunks import slabs
from napari_sclip.layers.labels.layer import colormap, features, hidden_classes
from napari_sclip.layers.labels.objects import (
    instances_class,
    object_names,
    objects_at_first,
    remember_objects,
    were_objects_changed,
)
from napari_sclip.layers.labels.partial import data_without_drafts, drafts_over, is_drawn_over
from napari_sclip.layers.labels.schema import KEY, read_legend
from napari_sclip.layers.labels.targets import all_planes
from napari_sclip.paths import atomic_write

FORMAT = "napari-sclip kept labels"
COPIED_BYTES = 2**22
"""Labels that are larger are not copied at once in the thread of the user interface."""

ENDING = "_prediction.npz"


class KeptLabelsError(SclipError):
    """A file of kept labels cannot be read."""


@dataclass(frozen=True, eq=False)
class KeptLabels:
    """All of a Labels layer that a person may have worked on.

    Attributes
    ----------
    record : dict
        Plain values: name, place, classes.
    data : array
        The labels.
    predicted : array
        The last prediction; what differs from it was painted by hand. Of a layer of objects:
        where there were some at first.
    painted : bool array
        What was painted by hand besides.
    review : Review or None
        What was checked, if anything was.
    """

    record: dict[str, Any]
    data: np.ndarray
    predicted: np.ndarray
    painted: np.ndarray
    review: Review | None = None

    def has_work(self) -> bool:
        """Whether anything was painted by hand, or checked."""
        if "changed" in self.record:  # objects
            return bool(self.record["changed"])
        painted = self.painted.any() or (self.data != self.predicted).any()
        return bool(painted or self.review is not None)


def take_down(layer: Labels) -> KeptLabels:
    """Take down what is in a layer, without partial results; for the GUI thread.

    A worker can write it while the person goes on: the arrays are copies, unless copying them
    would be felt. Then a stroke may be kept in part, and is kept whole the next time; and as
    the prediction is what labels are compared with, no mixture of old and new lets a painted
    pixel pass for a predicted one.
    """
    steps = take_down_in_steps(layer)
    return next(kept for kept in steps if kept is not None)


def take_down_in_steps(layer: Labels) -> Iterator[KeptLabels | None]:
    """Do what `take_down` does, in steps of a few milliseconds; the layer may change in between.

    Yields
    ------
    KeptLabels or None
        None after every step but the last one.
    """
    data = None
    while data is None and layer.data.nbytes > COPIED_BYTES and is_drawn_over(layer):
        data = yield from _without_drafts(layer)
    yield _taken(layer, data)


def _without_drafts(layer: Labels) -> Generator[None, None, np.ndarray | None]:
    """Copy labels without their drafts, in steps; None if others are drawn meanwhile."""
    array, drafts = layer.data, drafts_over(layer)
    data = np.empty(array.shape, array.dtype)
    for plane in all_planes(array.shape):
        own, copied = plane.view(array), plane.view(data)
        for rows in slabs(range(own.shape[0]), own.shape[1]):
            np.copyto(copied[rows], own[rows])
            yield
    for draft in drafts:
        yield from draft.clean_in_steps(data)
    same = layer.data is array and drafts_over(layer) == drafts
    return data if same else None


def _taken(layer: Labels, undrafted: np.ndarray | None) -> KeptLabels:
    log = prediction_log(layer)
    log.follow_history()
    record = {
        "format": FORMAT,
        "name": layer.name,
        "scale": [float(v) for v in layer.scale],
        "translate": [float(v) for v in layer.translate],
        "rotate": np.asarray(layer.rotate, dtype=float).tolist(),
        "shear": np.asarray(layer.shear, dtype=float).tolist(),
        "affine": np.asarray(layer.affine.affine_matrix, dtype=float).tolist(),
        "units": [str(unit) for unit in layer.units],
        "axis_labels": list(layer.axis_labels),
        "hidden": sorted(hidden_classes(layer)),
        "metadata": layer.metadata.get(KEY, {}),
    }
    copy = layer.data.nbytes <= COPIED_BYTES
    if instances_class(layer) is not None:
        objects = objects_at_first(layer)
        before = np.zeros(layer.data.shape, dtype=bool) if objects is None else objects
        record["changed"] = were_objects_changed(layer)
        data = np.array(layer.data) if copy else np.asarray(layer.data)
        return KeptLabels(record, data, before, np.zeros_like(before))
    data = data_without_drafts(layer, copy=copy) if undrafted is None else undrafted
    review = known_review(layer.data)
    if not copy:
        return KeptLabels(record, data, log.predicted, log.painted, review)
    if review is not None:
        review = review.copy()
    return KeptLabels(record, data, log.predicted.copy(), log.painted.copy(), review)


def make_layer(kept: KeptLabels) -> Labels:
    """Make the layer again, as it was; what was painted by hand is still known for that."""
    record = kept.record
    layer = Labels(
        kept.data.copy(),
        name=record["name"],
        metadata={KEY: record["metadata"]},
        scale=record["scale"],
        translate=record["translate"],
        rotate=_square(record["rotate"]),
        shear=_square(record["shear"]),
        affine=np.array(record["affine"]),
        units=tuple(record["units"]),
        axis_labels=tuple(record["axis_labels"]),
        multiscale=False,
    )
    of_class = instances_class(layer)
    if of_class is not None:
        layer.features = object_names(of_class[1], kept.data)
        remember_objects(layer, kept.predicted, changed=True)
        return layer
    legend = read_legend(layer)
    if legend:
        layer.features = features(legend)
        layer.colormap = colormap(legend, record["hidden"])
    prediction_log(layer).restore(kept.predicted, kept.painted)
    if kept.review is not None:
        set_review(layer, kept.review)
    return layer


def write_kept(path: str | os.PathLike[str], kept: KeptLabels) -> None:
    """Write a file, whole or not at all; takes a moment, so it is for a worker.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    record = np.frombuffer(json.dumps(kept.record).encode(), dtype=np.uint8)
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            record=record,
            data=kept.data,
            predicted=kept.predicted,
            painted=np.packbits(kept.painted),
            **pack_review(kept.review),
        )


def read_kept(path: str | os.PathLike[str]) -> KeptLabels:
    """Read a file that `write_kept` wrote.

    Raises
    ------
    KeptLabelsError
        If it is none, or is damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            record = json.loads(bytes(file["record"]))
            data, predicted = file["data"], file["predicted"]
            painted = np.unpackbits(file["painted"], count=data.size).reshape(data.shape)
            review = unpack_review(file, data.shape)
        sound = record["format"] == FORMAT and predicted.shape == data.shape
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise KeptLabelsError(_not_kept(path)) from error
    if not sound:
        raise KeptLabelsError(_not_kept(path))
    return KeptLabels(record, data, predicted, painted.astype(bool), review)


def _not_kept(path: str | os.PathLike[str]) -> str:
    return (
        f"{Path(path).name} does not hold labels that this plugin kept, or is damaged. Nothing was "
        "changed; the file can be deleted."
    )


def _square(values: Any) -> Any:  # noqa: ANN401 - what napari takes for a rotation or a shear
    return np.array(values)


def prediction_path(mask: Path) -> Path:
    """Name the file beside a mask."""
    return mask.with_name(f"{mask.name}{ENDING}")


def write_prediction(
    mask: Path,
    data: Any,  # noqa: ANN401 - of a layer
    written: np.ndarray,
    metadata: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write what is known of a layer's prediction beside the mask that it was saved as.

    Parameters
    ----------
    mask : Path
    data : array
        Of the layer, itself; a copy is not known.
    written : array
        What was written as the mask.
    metadata : mapping, optional
        Of the layer: may hold what was read from such a file and not been needed since.

    Returns
    -------
    tuple of Path
        The file, or nothing where there is no prediction.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    log, review = known_log(data), known_review(data)
    predicted, painted = (metadata or {}).get(KEPT_PREDICTION, (None, None))
    if log is not None:
        predicted, painted = log.predicted, log.painted
    if review is None:
        review = (metadata or {}).get(KEPT_REVIEW)
    path = prediction_path(mask)
    if predicted is None:
        path.unlink(missing_ok=True)  # of labels that were saved under this name before
        return ()
    from napari_sclip.export.formats import output_file

    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file,
            predicted=predicted,
            painted=np.packbits(painted),
            labels_sha256=_digest(written),
            **pack_review(review),
        )
    return (path,)


def read_prediction(mask: Path, labels: np.ndarray) -> dict[str, Any]:
    """Read what lies beside a mask, as metadata that `prediction_log` and `review_of` understand.

    Nothing where there is no such file, or where it is damaged or of other labels than these:
    then all pixels are taken for painted. What is read may have axes of length 1 that the mask
    has lost.

    Parameters
    ----------
    mask : Path
    labels : array
        What was read of the mask.
    """
    try:
        with np.load(prediction_path(mask), allow_pickle=False) as file:
            predicted, packed = file["predicted"], file["painted"]
            painted = np.unpackbits(packed, count=predicted.size).reshape(predicted.shape)
            review = unpack_review(file, predicted.shape)
            about = str(file["labels_sha256"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if not same_but_for_ones(predicted.shape, labels.shape) or about != _digest(labels):
        return {}
    kept = {KEPT_PREDICTION: (predicted, painted.astype(bool))}
    return kept if review is None else {**kept, KEPT_REVIEW: review}


def same_but_for_ones(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes differ in nothing but axes of length 1."""
    return [n for n in shape if n != 1] == [n for n in other if n != 1]


def _digest(labels: np.ndarray) -> str:
    """Hash ids in their order, whatever their dtype."""
    values = np.ascontiguousarray(labels, dtype="<u4")
    return hashlib.sha256(values.data).hexdigest()

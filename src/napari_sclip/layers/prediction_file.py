"""The last prediction, kept beside saved labels: what differs from it was painted by hand.

What was checked is kept with it, and which labels it is about: where the mask has been changed
since by other means, what was predicted cannot be told from what was painted.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.export.formats import output_file
from napari_sclip.layers.edits import KEPT, known_log
from napari_sclip.layers.review import KEPT as REVIEW
from napari_sclip.layers.review import known_review, pack_review, unpack_review

ENDING = "_prediction.npz"


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
    predicted, painted = (metadata or {}).get(KEPT, (None, None))
    if log is not None:
        predicted, painted = log.predicted, log.painted
    if review is None:
        review = (metadata or {}).get(REVIEW)
    path = prediction_path(mask)
    if predicted is None:
        path.unlink(missing_ok=True)  # of labels that were saved under this name before
        return ()
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
    kept = {KEPT: (predicted, painted.astype(bool))}
    return kept if review is None else {**kept, REVIEW: review}


def same_but_for_ones(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes differ in nothing but axes of length 1."""
    return [n for n in shape if n != 1] == [n for n in other if n != 1]


def _digest(labels: np.ndarray) -> str:
    """Hash ids in their order, whatever their dtype."""
    values = np.ascontiguousarray(labels, dtype="<u4")
    return hashlib.sha256(values.data).hexdigest()

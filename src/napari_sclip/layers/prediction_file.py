"""The last prediction, kept beside saved labels: what differs from it was painted by hand.

What was checked is kept with it.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.export.base import output_file
from napari_sclip.export.write import file_ending
from napari_sclip.layers.edits import KEPT, known_log
from napari_sclip.layers.review import KEPT as REVIEW
from napari_sclip.layers.review import known_review, pack_review, unpack_review

ENDING = "_prediction.npz"


def prediction_path(mask: Path) -> Path:
    """Name the file beside a mask."""
    return mask.with_name(f"{mask.name.removesuffix(file_ending(mask))}{ENDING}")


def write_prediction(
    mask: Path,
    data: Any,  # noqa: ANN401 - of a layer
    metadata: Mapping[str, Any] | None = None,
) -> tuple[Path, ...]:
    """Write what is known of a layer's prediction beside the mask that it was saved as.

    Parameters
    ----------
    mask : Path
    data : array
        Of the layer, itself; a copy is not known.
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
            **pack_review(review),
        )
    return (path,)


def read_prediction(mask: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    """Read what lies beside a mask, as metadata that `prediction_log` and `review_of` understand.

    Nothing where there is no such file, or where it is damaged or of other labels: then all
    pixels are taken for painted.
    """
    try:
        with np.load(prediction_path(mask), allow_pickle=False) as file:
            predicted, packed = file["predicted"], file["painted"]
            painted = np.unpackbits(packed, count=predicted.size).reshape(predicted.shape)
            review = unpack_review(file, predicted.shape)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    if predicted.shape != shape:
        return {}
    kept = {KEPT: (predicted, painted.astype(bool))}
    return kept if review is None else {**kept, REVIEW: review}

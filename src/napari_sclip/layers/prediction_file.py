"""The last prediction, kept beside saved labels: what differs from it was painted by hand."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from napari_sclip.export.base import output_file
from napari_sclip.layers.edits import KEPT, known_log

ENDING = "_prediction.npz"


def prediction_path(mask: Path) -> Path:
    """Name the file beside a mask."""
    return mask.with_name(f"{mask.name.partition('.')[0]}{ENDING}")


def write_prediction(mask: Path, data: Any) -> tuple[Path, ...]:  # noqa: ANN401 - of a layer
    """Write what is known of a layer's prediction beside the mask that it was saved as.

    Parameters
    ----------
    mask : Path
    data : array
        Of the layer, itself; a copy is not known.

    Returns
    -------
    tuple of Path
        The file, or nothing where there is no prediction.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    log = known_log(data)
    path = prediction_path(mask)
    if log is None:
        path.unlink(missing_ok=True)  # of labels that were saved under this name before
        return ()
    with output_file(path, overwrite=True) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, predicted=log.predicted, painted=np.packbits(log.painted))
    return (path,)


def read_prediction(mask: Path, shape: tuple[int, ...]) -> dict[str, Any]:
    """Read what lies beside a mask, as metadata that `prediction_log` understands.

    Nothing where there is no such file, or where it is damaged or of other labels: then all
    pixels are taken for painted.
    """
    try:
        with np.load(prediction_path(mask), allow_pickle=False) as file:
            predicted, packed = file["predicted"], file["painted"]
            painted = np.unpackbits(packed, count=predicted.size).reshape(predicted.shape)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}
    return {KEPT: (predicted, painted.astype(bool))} if predicted.shape == shape else {}

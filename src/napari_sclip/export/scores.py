"""Scores and margin as float32 TIFF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.errors import OutputError
from napari_sclip.export.base import ExportFormat
from napari_sclip.export.item import ExportItem
from napari_sclip.export.tiff import write_tiff

NO_SCORES = "Cannot write {}: a mask has no scores. Segment the image to have them."


def write_scores(
    path: Path, scores: NDArray[Any], names: tuple[str, ...] = (), *, overwrite: bool = False
) -> None:
    """Write scores as a float32 TIFF, one page a class, in the order of the classes.

    Parameters
    ----------
    path : Path
        The file.
    scores : (K, H, W) array
        Probabilities, 0..1.
    names : tuple of str
        Names of the K classes.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    planes = scores.astype(np.float32, copy=False)
    write_tiff(path, planes, axes="CYX", names=names, overwrite=overwrite)


def write_margin(path: Path, margin: NDArray[Any], *, overwrite: bool = False) -> None:
    """Write the best minus the second best score as a float32 TIFF.

    Parameters
    ----------
    path : Path
        The file.
    margin : (H, W) array
        0..1.
    overwrite : bool
        Whether the file may exist already.

    Raises
    ------
    OutputError
        If the file exists and `overwrite` is False, or cannot be written.
    """
    write_tiff(path, margin.astype(np.float32, copy=False), overwrite=overwrite)


def _write_scores(path: Path, item: ExportItem, overwrite: bool) -> None:
    names = tuple(c.name for c in item.classes)
    if item.scores is None:
        raise OutputError(NO_SCORES.format(path))
    write_scores(path, item.scores(), names, overwrite=overwrite)


def _write_margin(path: Path, item: ExportItem, overwrite: bool) -> None:
    if item.margin is None:
        raise OutputError(NO_SCORES.format(path))
    write_margin(path, item.margin(), overwrite=overwrite)


SCORES = ExportFormat(
    name="scores",
    summary="the score of every class in every pixel (float32 TIFF, one page a class)",
    default=False,
    ending=lambda classes: "_scores.tif",
    write=_write_scores,
)

MARGIN = ExportFormat(
    name="margin",
    summary="how clear each pixel's case is: best minus second best score (float32 TIFF)",
    default=False,
    ending=lambda classes: "_margin.tif",
    write=_write_margin,
)

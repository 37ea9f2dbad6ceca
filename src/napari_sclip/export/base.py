"""What a format of results is, and how its files are written."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sclip.errors import OutputError
from napari_sclip.palette import class_colors
from napari_sclip.paths import atomic_write
from napari_sclip.prompts import ClassPrompt

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sclip.engine.result import Segmentation

BLACK = (0, 0, 0)

_ADVICE = {
    errno.EACCES: "Choose a folder that you may write to.",
    errno.EPERM: "Choose a folder that you may write to.",
    errno.EROFS: "Choose a folder that you may write to.",
    errno.ENOSPC: "Free some space, or choose a folder on another disk.",
    errno.EDQUOT: "Free some space, or choose a folder on another disk.",
    errno.ENAMETOOLONG: "Choose a shorter name.",
    errno.ENOTDIR: "A file is in the place of a folder; choose another folder.",
    errno.EEXIST: "A file is in the place of a folder; choose another folder.",
}


@dataclass(frozen=True)
class ExportItem:
    """One result, as plain data.

    Attributes
    ----------
    image : (H, W), (H, W, 3) or (H, W, 4) array
        What was segmented.
    labels : (H, W) unsigned int array
        0 is the background or undecided; the other classes count from 1.
    classes : tuple of ClassPrompt
        The classes, in the order given.
    scores : callable
        Gives the scores, (K, H, W) float32; called only where they are written.
    margin : callable
        Gives the best minus the second best score, (H, W) float32.
    dropped : tuple of str
        Names of the classes that were dropped for their small area.
    image_file : str
        Name of the image's file; empty if there is none.
    model : mapping
        What is known of the model, for the record: name, hash, attention mode, ...
    configuration : mapping
        The settings, for the record.
    """

    image: NDArray[Any]
    labels: NDArray[Any]
    classes: tuple[ClassPrompt, ...]
    scores: Callable[[], NDArray[np.float32]]
    margin: Callable[[], NDArray[np.float32]]
    dropped: tuple[str, ...] = ()
    image_file: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_result(
        cls, result: Segmentation, image: NDArray[Any], *, image_file: str = "", **model: str
    ) -> ExportItem:
        """Take what the formats need from a result of the engine.

        Parameters
        ----------
        result : Segmentation
            What `Segmenter.segment` or `Segmenter.classify` returned.
        image : (H, W), (H, W, 3) or (H, W, 4) array
            What was segmented.
        image_file : str
            Name of the image's file.
        **model : str
            What else to record of the model, for instance ``device="cpu"``.
        """
        record = {
            "name": result.model,
            "weights_sha256": result.weights_sha256,
            "attention": result.attention,
            **model,
        }
        return cls(
            image=image,
            labels=result.labels,
            classes=tuple(result.classes),
            scores=result.scores,
            margin=result.margin,
            dropped=tuple(result.dropped),
            image_file=image_file,
            model=record,
            configuration=result.config.to_dict(),
        )


@dataclass(frozen=True)
class ExportFormat:
    """One kind of file.

    Attributes
    ----------
    name : str
        Name that users choose it by.
    summary : str
        What it holds, in one line.
    default : bool
        Whether it is written unless other formats are asked for.
    ending : callable
        Gives what follows the image's name, for example ``_labels.png``.
    write : callable
        Writes an item to a path; its third argument is whether to overwrite.
    """

    name: str
    summary: str
    default: bool
    ending: Callable[[Sequence[ClassPrompt]], str]
    write: Callable[[Path, ExportItem, bool], None]


def shown_colors(classes: Sequence[ClassPrompt]) -> tuple[tuple[int, int, int], ...]:
    """Choose the colours that the files show.

    Parameters
    ----------
    classes : sequence of ClassPrompt
        The classes.

    Returns
    -------
    tuple of (int, int, int)
        Red, green and blue of each class, 0..255; a background without a colour is black.
    """
    colors = class_colors(classes)
    return tuple(
        BLACK if item.background and item.color is None else color
        for item, color in zip(classes, colors, strict=True)
    )


@contextlib.contextmanager
def output_file(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Write one file of a result, whole or not at all.

    Parameters
    ----------
    path : Path
        The file.
    overwrite : bool
        Whether it may exist already.

    Yields
    ------
    Path
        The file to write to instead; it takes the place of `path` at the end.

    Raises
    ------
    OutputError
        If the file exists and may not be overwritten, or cannot be written.
    """
    if path.is_dir():
        raise OutputError(f"Cannot write {path}: there is a folder of that name. Remove it.")
    if not overwrite and path.exists():
        raise OutputError(exists_already(path))
    try:
        with atomic_write(path) as temporary:
            yield temporary
    except OSError as error:
        raise OutputError(cannot_write(path, error)) from error


def exists_already(path: Path) -> str:
    """Say that a file is in the way."""
    return (
        f"{path} exists already and was left as it is. Ask for it to be overwritten "
        "(--overwrite), or choose another folder."
    )


def cannot_write(path: Path, error: OSError) -> str:
    """Say why a file or a folder cannot be written, and what helps."""
    reason = error.strerror or str(error)
    advice = _ADVICE.get(error.errno or 0, "Choose another folder.")
    return f"Cannot write {path}: {reason}. {advice}"

"""Labels and what their ids mean, as plain data: what formats write and read."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.colors import hex_color
from napari_sclip.errors import OutputError
from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, label_ids, with_unknown

if TYPE_CHECKING:
    from napari_sclip.engine.result import Segmentation

BLACK = (0, 0, 0)
SMALL_IDS = 2**16

AXES = ("yx", "zyx", "tzyx", "tczyx")
"""Names of the axes of labels that have none of their own, by their number."""


@dataclass(frozen=True)
class ExportClass:
    """One id of the labels.

    Attributes
    ----------
    id : int
    name : str
    prompts : tuple of str
    color : tuple of int
        Red, green and blue, 0..255.
    background : bool
    """

    id: int
    name: str
    prompts: tuple[str, ...]
    color: tuple[int, int, int]
    background: bool


@dataclass(frozen=True, eq=False)
class Plane:
    """One plane of a stack.

    Attributes
    ----------
    item : ExportItem
        The plane alone, rows first; it knows all classes of the stack.
    place : tuple of (str, int)
        Name of each of the other axes, empty if it has none, and the place along it.
    suffix : str
        What tells its file from those of the other planes; empty if there is only one.
    """

    item: ExportItem
    place: tuple[tuple[str, int], ...]
    suffix: str


@dataclass(frozen=True, eq=False)
class ExportItem:
    """One result, as plain data.

    Attributes
    ----------
    image : array or None
        What was segmented: of the shape of the labels, or with a last axis of 3 or 4 colours.
    labels : (H, W) or (..., H, W) integer array
        0 is the background or undecided.
    classes : tuple of ClassPrompt
        The classes, in the order given. Ids that none of them has are exported as "label 7".
    scores : callable or None
        Gives the scores, (K, H, W) float32; called only where they are written.
    margin : callable or None
        Gives the best minus the second best score, (H, W) float32.
    dropped : tuple of str
        Names of the classes that were dropped for their small area.
    image_file : str
        Name of the image's file; empty if there is none.
    model : mapping
        What is known of the model, for the record: name, hash, attention mode, ...
    configuration : mapping
        The settings, for the record.
    ids : tuple of int
        Of the classes; left empty, 0 for the background and the others counted from 1.
    axes : str
        A letter for each axis of the labels, out of t, c, z, y, x; left empty, "yx", "zyx", ...
    pixel_size : tuple of float
        Side of a pixel along each axis, in its unit; left empty where it is not known.
    units : tuple of str
        Name of the unit of each axis, for example "micrometer" or "pixel".
    origin : tuple of float
        Where the centre of the first pixel lies, in these units.
    rows_axis, columns_axis : int
        The axes that are shown downwards and to the right.

    Raises
    ------
    OutputError
        If the labels are no planes of ids, or the ids do not fit the classes.
    """

    image: NDArray[Any] | None
    labels: NDArray[Any]
    classes: tuple[ClassPrompt, ...]
    scores: Callable[[], NDArray[np.float32]] | None = None
    margin: Callable[[], NDArray[np.float32]] | None = None
    dropped: tuple[str, ...] = ()
    image_file: str = ""
    model: Mapping[str, Any] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    ids: tuple[int, ...] = ()
    axes: str = ""
    pixel_size: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    origin: tuple[float, ...] = ()
    rows_axis: int = -2
    columns_axis: int = -1

    def __post_init__(self) -> None:
        labels = self.labels
        if labels.dtype == np.bool_:
            object.__setattr__(self, "labels", labels.view(np.uint8))
        elif labels.dtype.kind not in "iu" or labels.ndim < 2:
            raise OutputError(
                "Expected labels of two or more axes that hold whole numbers; got "
                f"{labels.dtype} of shape {labels.shape}."
            )
        if labels.dtype.kind == "i" and labels.size and int(labels.min()) < 0:
            raise OutputError(
                f"Expected ids of 0 or more; got {int(labels.min())}. Give its pixels another id."
            )
        ids = self.ids or label_ids(self.classes)
        if len(set(ids)) != len(self.classes) or any(
            (k == 0) != c.background for k, c in zip(ids, self.classes, strict=False)
        ):
            raise OutputError(
                f"Expected an id of its own for each of {len(self.classes)} classes, 0 for the "
                f"background and no other; got {list(ids)}."
            )
        object.__setattr__(self, "ids", tuple(int(k) for k in ids))
        if not self.axes and labels.ndim <= len(AXES) + 1:
            object.__setattr__(self, "axes", AXES[labels.ndim - 2])

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

    @functools.cached_property
    def counts(self) -> Mapping[int, int]:
        """Number of pixels of each id that occurs."""
        return count_ids(self.labels)

    @functools.cached_property
    def rows(self) -> tuple[ExportClass, ...]:
        """What each id means: the classes as given, then ids that none of them has."""
        known = with_unknown(zip(self.ids, self.classes, strict=True), self.counts)
        colors = shown_colors([c for _, c in known])
        return tuple(
            ExportClass(k, c.name, c.prompts, color, c.background)
            for (k, c), color in zip(known, colors, strict=True)
        )

    @property
    def objects(self) -> tuple[ExportClass, ...]:
        """The rows whose pixels are something: all ids but 0."""
        return tuple(row for row in self.rows if row.id != 0)

    @property
    def prompts(self) -> tuple[ClassPrompt, ...]:
        """The rows as classes, in the colours that are shown."""
        return tuple(
            ClassPrompt(row.name, row.prompts, row.background, hex_color(row.color))
            for row in self.rows
        )

    def counted(self) -> NDArray[Any]:
        """Return the labels with ids counted from 1 in the order of `objects`, 0 elsewhere."""
        ids = [row.id for row in self.objects]
        if ids == list(range(1, len(ids) + 1)):
            return self.labels
        dtype = np.min_scalar_type(len(ids))
        if max(ids, default=0) < SMALL_IDS:
            table = np.zeros(max([*ids, *self.counts], default=0) + 1, dtype=dtype)
            table[ids] = np.arange(1, len(ids) + 1)
            by_table: NDArray[Any] = table[self.labels]
            return by_table
        order = np.argsort(ids)
        known = np.array([0, *np.array(ids)[order]])
        numbers = np.array([0, *(order + 1)], dtype=dtype)
        counted: NDArray[Any] = numbers[np.searchsorted(known, self.labels)]
        return counted

    @property
    def fitting_image(self) -> NDArray[Any] | None:
        """The image, if its pixels are those of the labels."""
        image, shape = self.image, self.labels.shape
        if image is None or image.shape[: len(shape)] != shape:
            return None
        return image if image.shape[len(shape) :] in ((), (3,), (4,)) else None

    def planes(self) -> Iterator[Plane]:
        """Take a stack apart into planes, as they are shown."""
        ndim = self.labels.ndim
        shown = [self.rows_axis % ndim, self.columns_axis % ndim]
        others = [a for a in range(ndim) if a not in shown]
        order = [*others, *shown]
        labels = self.labels.transpose(order)
        image = self.fitting_image
        if image is not None:
            image = image.transpose([*order, *range(ndim, image.ndim)])
        letters = [self.axes[a] if self.axes else "" for a in others]
        digits = [len(str(max(0, self.labels.shape[a] - 1))) for a in others]
        for place in np.ndindex(labels.shape[:-2]):
            parts = zip(letters, place, digits, strict=True)
            plane = dataclasses.replace(
                self,
                labels=labels[place],
                image=None if image is None else image[place],
                classes=self.prompts,
                ids=tuple(row.id for row in self.rows),
                axes="yx",
                pixel_size=tuple(self.pixel_size[a] for a in shown) if self.pixel_size else (),
                units=tuple(self.units[a] for a in shown) if self.units else (),
                origin=tuple(self.origin[a] for a in shown) if self.origin else (),
                rows_axis=-2,
                columns_axis=-1,
            )
            yield Plane(
                plane,
                tuple(zip(letters, (int(k) for k in place), strict=True)),
                "".join(f"_{letter}{k:0{n}d}" for letter, k, n in parts),
            )


@dataclass(frozen=True, eq=False)
class Mask:
    """Labels from a file.

    Attributes
    ----------
    labels : (H, W) or (..., H, W) integer array
    classes : tuple of (int, ClassPrompt)
        Every id but 0 that occurs, and what else the file knows.
    axes : str
        A letter for each axis, out of t, c, z, y, x; empty if it is not known.
    pixel_size, units, origin : tuple
        As those of `ExportItem`; empty if they are not known.
    colors : mapping of int to str
        Colours of ids whose names are not known.
    image_file : str
        Name of the image; empty if it is not known.
    """

    labels: NDArray[Any]
    classes: tuple[tuple[int, ClassPrompt], ...] = ()
    axes: str = ""
    pixel_size: tuple[float, ...] = ()
    units: tuple[str, ...] = ()
    origin: tuple[float, ...] = ()
    colors: Mapping[int, str] = field(default_factory=dict)
    image_file: str = ""


def count_ids(labels: NDArray[Any]) -> dict[int, int]:
    """Count the pixels of each id that occurs.

    Parameters
    ----------
    labels : integer array
        Ids, 0 or more.
    """
    if not labels.size:
        return {}
    if int(labels.max()) < SMALL_IDS:
        counts = np.bincount(labels.ravel())
        return {int(k): int(counts[k]) for k in np.flatnonzero(counts)}
    ids, numbers = np.unique(labels, return_counts=True)
    return {int(k): int(n) for k, n in zip(ids, numbers, strict=True)}


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

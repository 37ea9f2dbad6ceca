"""Classes with what was learned about them from examples; kept in a file."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from napari_sclip.class_files import (
    LEARNED,
    ClassList,
    plain_class,
    read_class,
    read_class_list,
    write_class_list,
)
from napari_sclip.config import SegmentationConfig
from napari_sclip.errors import ClassesError, ConfigError, SclipError
from napari_sclip.prompts import ClassPrompt, label_ids, parse_classes

VERSION = 1
MAX_FEATURE_SIZE = 8192

EXPECTED = "Expected what napari-sclip learned from strokes"
LEARN_AGAIN = "Learn it again with Segmenter.adapt, or use the classes alone."


@dataclass(frozen=True, eq=False)
class Classifier:
    """Classes with what examples taught about them; made by `Segmenter.adapt`.

    It stands wherever a segmenter takes classes.

    Attributes
    ----------
    classes : tuple of ClassPrompt
        In the order given.
    rows : (P, D) float32 array
        What features are compared with, one row a prompt: its text embedding and the shift of
        its class. Not of unit length.
    rows_per_class : tuple of int
    fingerprint : str
        Of the model and its attention mode: only the same can use it.
    model : str
        Name of the model.
    templates : str or tuple of str
        As in `SegmentationConfig`: the sentences that the prompts were put into.
    example_pixels : tuple of int
        How many pixels of each class were examples, over all images.
    example_features : (n, D) float16 array
        Examples that stand for all, so that learning can go on with another image.
    example_classes : (n,) uint16 array
    spread : (D, D) float32 array
        Mean of ``f fᵀ`` over the patches of the images.
    images : int
        How many images were learned from.
    """

    classes: tuple[ClassPrompt, ...]
    rows: np.ndarray = field(repr=False)
    rows_per_class: tuple[int, ...]
    fingerprint: str
    model: str
    templates: str | tuple[str, ...]
    example_pixels: tuple[int, ...]
    example_features: np.ndarray = field(repr=False)
    example_classes: np.ndarray = field(repr=False)
    spread: np.ndarray = field(repr=False)
    images: int = 1

    def __post_init__(self) -> None:
        for name in ("rows", "example_features", "example_classes", "spread"):
            getattr(self, name).flags.writeable = False

    def arranged(self, classes: Sequence[ClassPrompt]) -> Classifier | None:
        """Return the same knowledge for classes in another order or in other colours.

        Parameters
        ----------
        classes : sequence of ClassPrompt

        Returns
        -------
        Classifier or None
            None if these are other classes: names and prompts have to be the same.
        """
        own = {(c.name, c.prompts, c.background): k for k, c in enumerate(self.classes)}
        keys = [(c.name, c.prompts, c.background) for c in classes]
        if set(keys) != set(own) or len(keys) != len(own):
            return None
        order = [own[key] for key in keys]
        ends = np.cumsum(self.rows_per_class)
        parts = np.split(self.rows, ends[:-1])
        places = np.empty(len(order), dtype=np.uint16)
        places[order] = np.arange(len(order))
        return dataclasses.replace(
            self,
            classes=tuple(classes),
            rows=np.concatenate([parts[k] for k in order]),
            rows_per_class=tuple(self.rows_per_class[k] for k in order),
            example_pixels=tuple(self.example_pixels[k] for k in order),
            example_classes=places[self.example_classes],
        )

    def knows_any(self, classes: Sequence[ClassPrompt]) -> bool:
        """Whether a class has a name that examples were given for."""
        names = {c.name for c in classes}
        known = zip(self.classes, self.example_pixels, strict=True)
        return any(count and c.name in names for c, count in known)

    def renamed(self, old: str, new: str) -> Classifier:
        """Return the same knowledge with another name for a class; its prompts stay the same.

        A class without prompts of its own is looked for by its name, so that with another one
        `Segmenter.relearn` is needed. If there is a class of the new name, nothing changes.
        """
        if any(c.name == new for c in self.classes):
            return self
        classes = tuple(
            dataclasses.replace(c, name=new) if c.name == old else c for c in self.classes
        )
        return dataclasses.replace(self, classes=classes)

    def check(self, fingerprint: str, model: str) -> None:
        """Raise a `ConfigError` unless this was learned with a model, named for the message."""
        if self.fingerprint != fingerprint:
            raise ConfigError(
                "The classifier was learned with another model or attention mode "
                f"({self.model}); this is {model}. Load that one, or learn again with "
                "Segmenter.adapt."
            )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values that JSON can hold; arrays as base64 of little-endian bytes."""
        return {
            "version": VERSION,
            "classes": [plain_class(c) for c in self.classes],
            "model": self.model,
            "fingerprint": self.fingerprint,
            "templates": self.templates
            if isinstance(self.templates, str)
            else list(self.templates),
            "example_pixels": list(self.example_pixels),
            "images": self.images,
            "feature_size": self.rows.shape[1],
            "rows": _pack(self.rows, "<f4"),
            "example_features": _pack(self.example_features, "<f2"),
            "example_classes": _pack(self.example_classes, "<u2"),
            "spread": _pack(self.spread[np.triu_indices(len(self.spread))], "<f4"),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Classifier:
        """Make the classifier of what `to_dict` gave.

        Raises
        ------
        ClassesError
            If it is something else, or damaged.
        """
        try:
            if values["version"] != VERSION:
                raise ClassesError(
                    f"{EXPECTED}, version {VERSION}; this is version {values['version']!r}. "
                    f"Update napari-sclip. {LEARN_AGAIN}"
                )
            return _read(values)
        except (ConfigError, ValueError, LookupError, TypeError, OverflowError) as error:
            raise ClassesError(
                f"{EXPECTED}; this is damaged or something else. {LEARN_AGAIN}"
            ) from error

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of classes that holds what was learned; one that is there is replaced.

        Programs that know nothing of learning read the classes alone.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        write_class_list(
            path,
            ClassList(self.classes, learned=self.to_dict(), ids=label_ids(self.classes)),
        )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Classifier:
        """Read a file that `save` or the dock widget wrote.

        Raises
        ------
        ClassesError
            If the file cannot be read, or nothing was learned in it.
        """
        found = cls.from_list(read_class_list(path), path)
        if found is None:
            raise ClassesError(
                f"{EXPECTED}; {path} has no such part. If it is a list of classes, give it as "
                "classes; to make one with more, use Segmenter.adapt and Classifier.save."
            )
        return found

    @classmethod
    def from_list(cls, known: ClassList, path: str | os.PathLike[str]) -> Classifier | None:
        """Make the classifier of a list of classes that was read; None if it holds none.

        Parameters
        ----------
        known : ClassList
        path : str or os.PathLike
            Where it was read, for messages.

        Raises
        ------
        ClassesError
            If what was learned is damaged, or is not of these classes.
        """
        if known.learned is None:
            return None
        try:
            found = cls.from_dict(known.learned).arranged(known.classes)
        except SclipError as error:
            raise ClassesError(f"{path}: {error}") from error
        if found is None:
            raise ClassesError(
                f"{path}: The names or prompts of the classes are not those that were learned. "
                f'Put them back, or take "{LEARNED}" out of the file.'
            )
        return found


def _read(values: Mapping[str, Any]) -> Classifier:
    classes = parse_classes([read_class(row) for row in values["classes"]])
    counts = tuple(len(c.prompts) for c in classes)
    size, images = int(values["feature_size"]), int(values["images"])
    if not 1 <= size <= MAX_FEATURE_SIZE or images < 1:
        raise ValueError("no such size")
    upper = np.triu_indices(size)
    half = _unpack(values["spread"], "<f4", (len(upper[0]),))
    spread = np.zeros((size, size), dtype=np.float32)
    spread[upper] = half
    spread.T[upper] = half
    example_classes = _unpack(values["example_classes"], "<u2", (-1,))
    pixels = tuple(int(n) for n in values["example_pixels"])
    templates = values["templates"]
    if not isinstance(templates, str):
        templates = tuple(templates)
    found = Classifier(
        classes=classes,
        rows=_unpack(values["rows"], "<f4", (sum(counts), size)),
        rows_per_class=counts,
        fingerprint=str(values["fingerprint"]),
        model=str(values["model"]),
        templates=SegmentationConfig(templates=templates).templates,
        example_pixels=pixels,
        example_features=_unpack(values["example_features"], "<f2", (len(example_classes), size)),
        example_classes=example_classes,
        spread=spread,
        images=images,
    )
    if len(pixels) != len(classes) or (example_classes >= len(classes)).any():
        raise ValueError("examples of other classes")
    return found


def _pack(array: np.ndarray, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype=dtype).tobytes()).decode("ascii")


def _unpack(text: str, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    try:
        content = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error
    array = np.frombuffer(content, dtype=dtype).reshape(shape)
    if not np.isfinite(array).all():
        raise ValueError("values that are not finite")
    return array.astype(array.dtype.newbyteorder("="))

"""Ids of labels: how often they occur, what they are called, which colours they have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.palette import class_colors
from napari_sclip.prompts import ClassPrompt, is_background_name

BLACK = (0, 0, 0)
SMALL_IDS = 2**16


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


def class_of_id(
    number: int, name: str, prompts: Sequence[str] = (), color: str | None = None
) -> ClassPrompt:
    """Make the class of an id that another program named; only 0 is the background.

    Raises
    ------
    ClassesError
        If the name or the colour is not usable.
    """
    if number != 0 and is_background_name(name):
        name = f"{name} ({number})"
    return ClassPrompt(name, tuple(prompts), background=number == 0, color=color)


def with_unknown(
    known: Iterable[tuple[int, ClassPrompt]],
    present: Iterable[int],
    colors: Mapping[int, str] | None = None,
) -> list[tuple[int, ClassPrompt]]:
    """Name the ids that no class has, so that none is lost.

    Parameters
    ----------
    known : iterable of (int, ClassPrompt)
    present : iterable of int
        Ids that occur.
    colors : mapping of int to str, optional
        Colours of ids, for those that are not known.

    Returns
    -------
    list of (int, ClassPrompt)
        What is known, then "label 7" and so on; 0 needs no name.
    """
    found = list(known)
    names = {c.name for _, c in found}
    for k in sorted(set(present) - {k for k, _ in found} - {0}):
        name = f"label {k}"
        while name in names:
            name += " (other)"
        names.add(name)
        found.append((k, ClassPrompt(name, color=(colors or {}).get(k))))
    return found


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

"""Single objects of a class as a layer of their own, and back into the labels."""

from __future__ import annotations

import weakref
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from napari.layers import Labels

from napari_sclip.core.instances import MIN_DISTANCE, split_instances
from napari_sclip.errors import ClassesError
from napari_sclip.layers.image.geometry import place_of
from napari_sclip.layers.labels.schema import KEY, read_legend
from napari_sclip.layers.labels.targets import LabelsMismatchError, all_planes
from napari_sclip.layers.labels.undo import Change, undo_steps, write_changes

FORMAT = "napari-sclip instances"


@dataclass(frozen=True, eq=False)
class ClassMask:
    """The pixels of one class; made on the GUI thread, touches no layer later.

    Attributes
    ----------
    class_id : int
    name : str
        Of the class.
    mask : bool array
        Of the shape of the layer's data.
    shown : tuple of int
        The axes of rows and columns.
    spacing : tuple of float
        Length of a pixel along each axis, the shorter side of a pixel of a plane being 1.
    """

    class_id: int
    name: str
    mask: np.ndarray
    shown: tuple[int, int]
    spacing: tuple[float, ...]


@dataclass(frozen=True)
class WrittenBack:
    """What `write_instances_back` did.

    Attributes
    ----------
    added, removed : int
        Pixels that are of the class now and were not, and the other way round.
    undoable : bool
        Whether one undo takes it back; not so where the old labels would fill the memory.
    """

    added: int
    removed: int
    undoable: bool


def take_class(layer: Labels, class_id: int, shown: tuple[int, int] = (-2, -1)) -> ClassMask:
    """Take down the pixels of a class, for `find_instances`; quick, for the GUI thread.

    Parameters
    ----------
    layer : Labels
    class_id : int
    shown : tuple of int
        The axes of rows and columns: of the layer's data, (-2, -1) unless axes were rolled.

    Raises
    ------
    ClassesError
        If the layer has no pixel of this class.
    """
    mask = np.asarray(layer.data == class_id)
    name = _class_names(layer).get(class_id, f"{layer.name} {class_id}")
    if class_id == 0 or not mask.any():
        raise ClassesError(
            f"Expected a class with pixels in layer {layer.name!r}; got {name!r} (id {class_id}), "
            "which has none. Choose a class that the layer shows."
        )
    rows, columns = (axis % mask.ndim for axis in shown)
    scale = np.abs(np.asarray(layer.scale, dtype=float))
    spacing = scale / min(scale[rows], scale[columns])
    return ClassMask(class_id, name, mask, (rows, columns), tuple(float(s) for s in spacing))


def find_instances(
    taken: ClassMask,
    *,
    split_touching: bool = True,
    min_distance: float = MIN_DISTANCE,
    connect_planes: bool = False,
) -> np.ndarray:
    """Give every object of a class an id of its own; takes seconds, for a worker.

    Parameters
    ----------
    taken : ClassMask
    split_touching, min_distance
        As `split_instances` takes them; the distance in pixels of a plane.
    connect_planes : bool
        Whether an object goes on from plane to plane, as in a volume of three axes. Otherwise
        each plane has objects of its own, with ids that no other plane has.

    Returns
    -------
    int32 array of the shape of the mask
        0 for no object.
    """
    mask = taken.mask
    if connect_planes and mask.ndim == 3:
        return split_instances(
            mask,
            split_touching=split_touching,
            min_distance=min_distance,
            spacing=taken.spacing,
        )
    out = np.zeros(mask.shape, dtype=np.int32)
    spacing = [taken.spacing[axis] for axis in taken.shown]
    found = 0
    for plane in all_planes(mask.shape, taken.shown):
        objects = split_instances(
            plane.view(mask),
            split_touching=split_touching,
            min_distance=min_distance,
            spacing=spacing,
        )
        np.copyto(plane.view(out), objects + found, where=objects > 0)
        found += int(objects.max(initial=0))
    return out


def make_instances_layer(
    layer: Labels, class_id: int, instances: np.ndarray | None = None
) -> Labels:
    """Make a layer in which every object of a class has an id and a colour of its own.

    Parameters
    ----------
    layer : Labels
        Is not changed.
    class_id : int
    instances : int array, optional
        Of `find_instances`; computed here if left out.

    Returns
    -------
    Labels
        In the place of `layer`; `features` name its objects, ``metadata["napari_sclip"]`` the
        class and the layer it is of. Not yet in any viewer.

    Raises
    ------
    ClassesError
        If the layer has no pixel of this class.
    """
    if instances is None:
        instances = find_instances(take_class(layer, class_id))
    name = _class_names(layer).get(class_id, f"{layer.name} {class_id}")
    made = Labels(
        instances,
        name=f"{name} instances",
        features=object_names(name, instances),
        metadata={
            KEY: {
                "format": FORMAT,
                "format_version": 1,
                "class": {"id": class_id, "name": name},
                "source": {"labels": layer.name},
            }
        },
        multiscale=False,
        **place_of(layer),
    )
    _SOURCES[made] = weakref.ref(layer)
    remember_objects(made, instances > 0)
    return made


def object_names(name: str, instances: np.ndarray) -> dict[str, np.ndarray]:
    """Make the table that napari shows the name of an object from."""
    numbers = np.arange(int(instances.max(initial=0)) + 1)
    names = ["no object", *(f"{name} {number}" for number in numbers[1:])]
    return {"index": numbers, "class": np.array(names, dtype=object)}


def join_ids(layer: Labels, ids: Collection[int], number: int) -> int:
    """Give all pixels of some ids another one, as one undo step; returns how many there were."""
    joined = np.isin(layer.data, list(ids))
    changes = [
        Change(plane, np.full(own.shape, number, layer.data.dtype), own)
        for plane in all_planes(layer.data.shape)
        if (own := plane.view(joined)).any()
    ]
    write_changes(layer, changes)
    return int(np.count_nonzero(joined))


def instances_class(instances_layer: Any) -> tuple[int, str] | None:  # noqa: ANN401
    """Read id and name of the class of an instances layer; None of any other layer."""
    known = instances_layer.metadata.get(KEY)
    if not isinstance(known, Mapping) or known.get("format") != FORMAT:
        return None
    return int(known["class"]["id"]), str(known["class"]["name"])


def source_labels(instances_layer: Any, layers: Any) -> Labels | None:  # noqa: ANN401
    """Find the labels that an instances layer was made of: itself, or the one of that name.

    Parameters
    ----------
    instances_layer : Labels
    layers : LayerList
        Of the viewer.
    """
    if instances_class(instances_layer) is None:
        return None
    source = _SOURCES.get(instances_layer)
    layer = None if source is None else source()
    if layer is not None and layer in layers:
        return layer
    name = instances_layer.metadata[KEY]["source"]["labels"]
    named = (other for other in layers if isinstance(other, Labels) and other.name == name)
    return next(named, None)


def write_instances_back(instances_layer: Labels, layer: Labels) -> WrittenBack:
    """Write what was changed in the objects into the labels, as one undo step of these.

    Pixels that have an object now and had none when the layer was made get the class; those that
    had one and have none become 0 where they are still of the class. Where objects that were
    written back are gone again, there is what was there before. What was painted in the
    labels meanwhile stays elsewhere. Of a layer that comes from a file it is not known how it
    was made: then the class has the pixels of the objects, and no others. The changed pixels
    count as the person's.

    Parameters
    ----------
    instances_layer : Labels
        Of `make_instances_layer`, corrected by hand.
    layer : Labels
        The labels to change.

    Raises
    ------
    LabelsMismatchError
        If the layers do not belong together.
    """
    known = instances_class(instances_layer)
    if known is None:
        raise LabelsMismatchError(
            f"Expected a layer of single objects; got {instances_layer.name!r}, which was not "
            "made of a class. Choose the instances layer."
        )
    if instances_layer.data.shape != layer.data.shape:
        raise LabelsMismatchError(
            f"Expected labels of shape {instances_layer.data.shape}, as the objects have; layer "
            f"{layer.name!r} has {layer.data.shape}. Choose the labels that they were made of."
        )
    class_id, name = known
    if not isinstance(layer.data, np.ndarray) or not layer.data.flags.writeable:
        raise LabelsMismatchError(
            f"Expected labels in memory to write to; those of layer {layer.name!r} are not. "
            "Choose the labels that the objects were made of."
        )
    source = _SOURCES.get(instances_layer)
    is_source = source is not None and source() is layer  # whose class may have been renamed
    is_other = not is_source and _class_names(layer).get(class_id, name) != name
    if class_id > np.iinfo(layer.data.dtype).max or is_other:
        raise LabelsMismatchError(
            f"Expected labels in which id {class_id} is {name!r}; in layer {layer.name!r} it is "
            "another class. Choose the labels that the objects were made of."
        )
    changes, added, removed = [], 0, 0
    made = objects_at_first(instances_layer)
    written, old = _written_before(instances_layer, layer.data)
    for plane in all_planes(layer.data.shape):
        now = plane.view(instances_layer.data) > 0
        was = plane.view(layer.data) == class_id
        changed = now != was
        if made is not None:
            changed &= (now != plane.view(made)) | plane.view(written)
        if changed.any():
            added += int(np.count_nonzero(changed & now))
            removed += int(np.count_nonzero(changed & was))
            before = plane.view(old)
            ids = np.where(now, class_id, np.where(before == class_id, 0, before))
            changes.append(Change(plane, ids.astype(layer.data.dtype), changed))
            first = changed & ~plane.view(written)
            np.copyto(before, plane.view(layer.data), where=first)
            plane.view(written)[...] |= first
    if not changes:
        return WrittenBack(0, 0, undoable=True)
    places = np.flatnonzero(written)
    _WRITTEN[instances_layer] = layer.data.shape, places, old.reshape(-1)[places]
    undone = write_changes(layer, changes)
    return WrittenBack(added, removed, undoable=undone is not None)


_SOURCES: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_MADE: WeakKeyDictionary[Any, np.ndarray] = WeakKeyDictionary()
"""Where there were objects when a layer was made, a bit a pixel."""
_ARRAYS: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""The array that a layer had when it was made."""

_WRITTEN: WeakKeyDictionary[Any, tuple[tuple[int, ...], Any, Any]] = WeakKeyDictionary()
"""The shape of the labels, to which of their pixels, counted through, objects have been written
back, and what was there before."""


def remember_objects(
    instances_layer: Any,  # noqa: ANN401
    objects: np.ndarray,
    *,
    changed: bool = False,
) -> None:
    """Note where there were objects when a layer was made: bool array of its shape.

    With `changed` they have been changed since.
    """
    _MADE[instances_layer] = np.packbits(objects)
    if not changed:
        _ARRAYS[instances_layer] = weakref.ref(instances_layer.data)


def were_objects_changed(instances_layer: Any) -> bool:  # noqa: ANN401
    """Tell whether a layer of objects is another than when it was made, as far as is known."""
    array = _ARRAYS.get(instances_layer)
    if array is None or array() is not instances_layer.data:
        return True
    return bool(undo_steps(instances_layer))


def objects_at_first(instances_layer: Any) -> np.ndarray | None:  # noqa: ANN401
    """Tell where there were objects when a layer was made; None if that is not known."""
    return _unpacked(_MADE.get(instances_layer), instances_layer.data.shape)


def _written_before(
    instances_layer: Any,  # noqa: ANN401
    labels: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Tell where objects have been written back (bool array), and what was there before that."""
    where, old = np.zeros(labels.shape, dtype=bool), np.zeros_like(labels)
    shape, places, values = _WRITTEN.get(instances_layer, ((), None, None))
    if shape == labels.shape:
        where.reshape(-1)[places] = True
        old.reshape(-1)[places] = values
    return where, old


def _unpacked(packed: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
    size = int(np.prod(shape))
    if packed is None or packed.size != -(-size // 8):
        return None
    return np.unpackbits(packed, count=size).astype(bool).reshape(shape)


def _class_names(layer: Labels) -> dict[int, str]:
    return {row.id: row.name for row in read_legend(layer)}

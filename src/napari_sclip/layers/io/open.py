"""Take labels that come from elsewhere as a starting point."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from napari.layers import Labels

from napari_sclip.errors import ImageError
from napari_sclip.export.formats import file_ending
from napari_sclip.export.item import count_ids
from napari_sclip.export.read_mask import mask_file_of, read_mask
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import KEPT_PREDICTION
from napari_sclip.layers.labels.layer import colormap, features
from napari_sclip.layers.labels.schema import (
    FORMAT,
    KEY,
    KnownClasses,
    LegendRow,
    has_legend,
    known_classes,
    make_legend,
    package_versions,
    plain_rows,
)
from napari_sclip.layers.labels.snapshot import read_prediction, same_but_for_ones
from napari_sclip.layers.labels.targets import LabelsMismatchError, lies_elsewhere
from napari_sclip.prompts import ClassPrompt, label_ids, with_unknown

GEOMETRY = ("scale", "translate", "rotate", "shear", "affine", "units", "axis_labels")

LARGEST_SHOWN = 2**16

IMAGE_ENDINGS = frozenset(
    {".bmp", ".gif", ".jpeg", ".jpg", ".npy", ".png", ".tif", ".tiff", ".webp", ".zarr"}
)

Read = Callable[..., list[tuple[Any, dict[str, Any], str]]]


def adopt_labels(
    layer: Labels,
    classes: Mapping[int, ClassPrompt] | Sequence[ClassPrompt] | None = None,
    image: Any = None,  # noqa: ANN401 - napari has no types
) -> tuple[LegendRow, ...]:
    """Make any Labels layer one that this plugin updates, with a name for each of its ids.

    All its pixels that are not 0 count as painted by the person, and are left alone by a run. A
    layer of this plugin keeps its legend, and gets names for ids that were painted since.

    Parameters
    ----------
    layer : Labels layer
    classes : mapping of int to ClassPrompt, or sequence of ClassPrompt, optional
        What ids mean; the classes of a sequence are counted from 1, the background is 0. Left
        out, the features of the layer are asked. Ids named nowhere are called "label 3".
    image : Image layer, optional
        What the labels are of.

    Returns
    -------
    tuple of LegendRow
        The legend that the layer has now.

    Raises
    ------
    LabelsMismatchError
        If the layer is a pyramid, or has ids below 0, or ones that napari cannot show.
    ClassesError
        If the ids do not fit the classes.
    """
    if layer.multiscale:
        raise LabelsMismatchError(
            f"Expected labels of one size to start from; {layer.name!r} is a pyramid. Open its "
            "finest level alone."
        )
    data = np.asarray(layer.data)
    if data.size and int(data.min()) < 0:
        raise LabelsMismatchError(
            f"Expected ids of 0 or more; {layer.name!r} has {int(data.min())}. Give its pixels "
            "another id."
        )
    attributes = layer.as_layer_data_tuple()[1]
    present = count_ids(data)
    _check_showable(layer.name, present)
    known = known_classes(attributes, present)
    if classes is not None:
        known = _given(classes, known, present)
    legend = make_legend([c for _, c in known], [k for k, _ in known])
    if not (isinstance(layer.data, np.ndarray) and layer.data.flags.writeable):
        layer.data = data.copy()
    noted = dict(layer.metadata.get(KEY) or {}) if has_legend(layer) else _described()
    if image is not None:
        noted["source"] = {**(noted.get("source") or {}), "image": image.name}
    noted["classes"] = plain_rows(legend)
    layer.metadata = {**layer.metadata, KEY: noted}
    layer.features = features(legend)
    layer.colormap = colormap(legend)
    return legend


def why_not_starting(layer: Labels, request: ImageRequest) -> str:
    """Say why runs on an image could not go on with a layer; empty if they can.

    Parameters
    ----------
    layer : Labels layer
    request : ImageRequest
        Of the image.
    """
    if layer.multiscale:
        return ""  # `adopt_labels` says more
    shape = tuple(layer.data.shape)
    if shape != request.labels_shape:
        return (
            f"Expected labels of {request.labels_shape} pixels, as “{request.name}” has; "
            f"“{layer.name}” has {shape}. Choose the labels of this image, or bring them to its "
            "size first."
        )
    if lies_elsewhere(layer, request):
        return (
            f"Expected labels that lie on “{request.name}”; “{layer.name}” has its size, and lies "
            "in another place. Give it the scale and translation of the image first."
        )
    return ""


def labels_layer_from_mask(
    path: Path,
    image: Any = None,  # noqa: ANN401
) -> Labels:
    """Make a Labels layer of a mask file, with the names and colours that lie beside it.

    Parameters
    ----------
    path : Path
        What `read_mask` reads.
    image : Image layer, optional
        What the mask is of; the layer lies where the image lies.

    Returns
    -------
    Labels
        Adopted already; not yet in any viewer.

    Raises
    ------
    ImageError
        If the file holds no mask, or one of another size than the image.
    LabelsMismatchError
        If it has ids that napari cannot show.
    ClassesError
        If what lies beside it is damaged.
    """
    data, arguments = _layer_of(path)
    if image is not None:
        data = _as_the_image(data, image)
        arguments |= _placed(image, data.shape, path) | {"name": f"{image.name} labels"}
        arguments["metadata"][KEY]["source"] = {"image": image.name}
    return Labels(data, **arguments)


def get_reader(path: str | list[str]) -> Read | None:
    """Offer napari to read the mask that a JSON of classes belongs to; refuse all else.

    Parameters
    ----------
    path : str or list of str

    Returns
    -------
    callable or None
    """
    if not isinstance(path, str) or mask_file_of(Path(path)) is None:
        return None
    return _read_layers


def _read_layers(path: str, **_: object) -> list[tuple[Any, dict[str, Any], str]]:
    data, arguments = _layer_of(Path(path))
    return [(data, arguments, "labels")]


def _layer_of(path: Path) -> tuple[np.ndarray, dict[str, Any]]:
    mask = read_mask(path)
    file = mask_file_of(path) or path
    _check_showable(file.name, (k for k, _ in mask.classes))
    legend = make_legend([c for _, c in mask.classes], [k for k, _ in mask.classes])
    data = np.array(mask.labels)
    arguments: dict[str, Any] = {
        "name": file.name.removesuffix(file_ending(file)),
        "features": features(legend),
        "colormap": colormap(legend),
        "metadata": {KEY: {**_described(), "classes": plain_rows(legend)}},
    }
    known = read_prediction(file, data)
    arguments["metadata"] |= known
    shape = data.shape
    if KEPT_PREDICTION in known:
        data = data.reshape(known[KEPT_PREDICTION][0].shape)
    if mask.image_file:
        arguments["metadata"][KEY]["source"] = {"image": _layer_name(mask.image_file)}
    if mask.pixel_size:
        whole = functools.partial(_with_ones, shape, data.shape)
        arguments |= {
            "scale": whole(mask.pixel_size, 1.0),
            "translate": whole(mask.origin, 0.0),
            "units": whole(mask.units, "pixel"),
        }
    return data, arguments


def _with_ones(
    shape: tuple[int, ...],
    whole: tuple[int, ...],
    values: Sequence[Any],
    other: Any,  # noqa: ANN401
) -> tuple[Any, ...]:
    """Spread one value an axis over a shape that has more axes of length 1."""
    left = list(zip(shape, values, strict=True))
    found = [left.pop()[1] if left and left[-1][0] == size else other for size in reversed(whole)]
    return tuple(reversed(found))


def _as_the_image(data: np.ndarray, image: Any) -> np.ndarray:  # noqa: ANN401
    own = _pixels_of(image)
    if len(own) != data.ndim and same_but_for_ones(own, data.shape):
        return data.reshape(own)
    return data


def _layer_name(image_file: str) -> str:
    """Name an image as napari does that opened it; what is no file is the name of a layer."""
    path = Path(image_file)
    return path.stem if path.suffix.lower() in IMAGE_ENDINGS else image_file


def _check_showable(name: str, ids: Iterable[int]) -> None:
    """Refuse ids that napari cannot show in colours of their own: every redraw would fail."""
    largest = max(ids, default=0)
    if largest > LARGEST_SHOWN and importlib.util.find_spec("numba") is None:
        raise LabelsMismatchError(
            f"Expected ids of up to {LARGEST_SHOWN:,}; {name!r} has {largest:,}, which napari can "
            "show in colours of their own only with numba. Install numba, or number the labels "
            "anew (skimage.segmentation.relabel_sequential)."
        )


def _placed(image: Any, shape: tuple[int, ...], path: Path) -> dict[str, Any]:  # noqa: ANN401
    """Return the place of an image, for labels of its pixels."""
    own = _pixels_of(image)
    if own == shape:
        return {name: getattr(image, name) for name in GEOMETRY}
    if len(own) < len(shape) or own[-len(shape) :] != shape:
        raise ImageError(
            f"Expected a mask of {own} pixels, as the image {image.name!r} has; {path} has "
            f"{shape}. Choose the mask of this image."
        )
    last = slice(-len(shape), None)
    return {
        name: tuple(getattr(image, name))[last]
        for name in ("scale", "translate", "units", "axis_labels")
    }


def _pixels_of(image: Any) -> tuple[int, ...]:  # noqa: ANN401
    data = image.data[0] if image.multiscale else image.data
    return tuple(data.shape[:-1] if getattr(image, "rgb", False) else data.shape)


def _given(
    classes: Mapping[int, ClassPrompt] | Sequence[ClassPrompt],
    known: KnownClasses,
    present: Mapping[int, int],
) -> KnownClasses:
    if not isinstance(classes, Mapping):
        classes = dict(zip(label_ids(classes), classes, strict=True))
    colors = {k: c.color for k, c in known if c.color is not None}
    return tuple(with_unknown(classes.items(), present, colors))


def _described() -> dict[str, Any]:
    return {
        "format": FORMAT,
        "format_version": 1,
        "classes": [],
        "dropped": [],
        "source": None,
        "configuration": None,
        "model": None,
        "weights_sha256": None,
        "attention": None,
        "versions": dict(package_versions()),
    }

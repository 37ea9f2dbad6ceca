"""Masks from PNG and its like, and from TIFF."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.colors import hex_color
from napari_sclip.errors import ImageError
from napari_sclip.export.read_mask import Mask
from napari_sclip.export.voc import LABELMAP_FILE
from napari_sclip.prompts import ClassPrompt, is_background_name

Color = tuple[int, int, int]


def read_picture_mask(path: Path) -> Mask:
    """Read a picture of one plane: the numbers of an indexed or grey one are the ids.

    Colours are understood where a ``labelmap.txt`` lies beside the picture.

    Raises
    ------
    ImageError
        If it shows colours that are named nowhere.
    OSError, ValueError
        If it cannot be decoded.
    """
    from PIL import Image

    named = _labelmap(path.with_name(LABELMAP_FILE))
    with Image.open(path) as picture:
        if picture.mode == "P":
            labels = np.asarray(picture)
            colors = _palette(picture)
            classes = _named_by_color(named, colors)
            return Mask(labels, classes, colors={k: hex_color(c) for k, c in colors.items()})
        if picture.mode in ("1", "L") or picture.mode.startswith("I"):
            return Mask(np.asarray(picture))
        shown = np.asarray(picture.convert("RGB"))
    if not named:
        raise ImageError(
            f"Expected a mask, whose numbers are ids; {path} shows colours. Choose an indexed or "
            f"grey picture, or put a {LABELMAP_FILE} beside it that names the colours."
        )
    return _from_colors(shown, named, path)


def read_tiff_mask(path: Path) -> Mask:
    """Read a TIFF, stacks too, with the size of a pixel if it is an OME-TIFF.

    Raises
    ------
    ImageError
        If it shows colours.
    OSError, ValueError
        If it cannot be decoded.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        if "S" in series.axes:
            raise ImageError(
                f"Expected a mask, whose numbers are ids; {path} shows colours. Choose another "
                "file."
            )
        axes = series.axes.lower()
        labels = series.asarray()
        sizes = _physical_sizes(file) if file.is_ome else {}
    if not set("yx") <= set(sizes) or set(axes) - set("tczyx"):
        return Mask(labels, axes=axes)
    return Mask(
        labels,
        axes=axes,
        pixel_size=tuple(sizes.get(letter, 1.0) for letter in axes),
        units=tuple("micrometer" if letter in sizes else "pixel" for letter in axes),
        origin=(0.0,) * len(axes),
    )


def _physical_sizes(file: Any) -> dict[str, float]:  # noqa: ANN401 - tifffile's file
    import tifffile

    described: Any = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    pixels = (described[0] if isinstance(described, list | tuple) else described)["Pixels"]
    return {
        letter: float(pixels[f"PhysicalSize{letter.upper()}"])
        for letter in "xyz"
        if f"PhysicalSize{letter.upper()}" in pixels
        and pixels.get(f"PhysicalSize{letter.upper()}Unit", "µm") == "µm"
    }


def _palette(picture: Any) -> dict[int, Color]:  # noqa: ANN401 - Pillow's image
    values = list(picture.getpalette("RGB") or ())
    return {k: tuple(values[3 * k : 3 * k + 3]) for k in range(1, len(values) // 3)}


def _labelmap(path: Path) -> dict[Color, str]:
    """Read which colour is which class, or nothing where there is no such file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    named: dict[Color, str] = {}
    for line in lines:
        name, _, rest = line.partition(":")
        parts = rest.partition(":")[0].split(",")
        if not line.startswith("#") and len(parts) == 3 and all(p.strip().isdigit() for p in parts):
            red, green, blue = (int(p) for p in parts)
            named[red, green, blue] = name
    return named


def _named_by_color(
    named: Mapping[Color, str], colors: Mapping[int, Color]
) -> tuple[tuple[int, ClassPrompt], ...]:
    """Name those numbers of a palette whose colour has a name; a name once only."""
    found: dict[str, tuple[int, ClassPrompt]] = {}
    for k, color in colors.items():
        name = " ".join(named.get(color, "").split())
        if name and name not in found and not is_background_name(name):
            found[name] = (k, ClassPrompt(name, color=hex_color(color)))
    return tuple(found.values())


def _from_colors(shown: NDArray[np.uint8], named: Mapping[Color, str], path: Path) -> Mask:
    packed = (shown.astype(np.int32) * np.array([1 << 16, 1 << 8, 1], dtype=np.int32)).sum(axis=2)
    labels = np.zeros(packed.shape, dtype=np.uint16)
    known = packed == 0
    classes: list[tuple[int, ClassPrompt]] = []
    for color, name in named.items():
        where = packed == (color[0] << 16 | color[1] << 8 | color[2])
        known |= where
        if not is_background_name(name):
            classes.append((len(classes) + 1, ClassPrompt(name, color=hex_color(color))))
            labels[where] = len(classes)
    if not known.all():
        y, x = np.argwhere(~known)[0]
        raise ImageError(
            f"Expected the colours that {LABELMAP_FILE} names; {path} has {tuple(shown[y, x])} as "
            "well. Add it there."
        )
    return Mask(labels, tuple(classes))

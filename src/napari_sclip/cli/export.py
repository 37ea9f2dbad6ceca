"""``napari-sclip export``: a mask file in, files of other formats out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from napari_sclip.cli import options
from napari_sclip.cli.console import Console
from napari_sclip.errors import ConfigError, ImageError
from napari_sclip.export import EXPORT_FORMATS, ExportItem, find_export_format, write_results
from napari_sclip.export.formats import file_ending

OF_A_RUN = ("scores", "margin")
FORMATS = tuple(known for known in EXPORT_FORMATS if known.name not in OF_A_RUN)
"""Those that a mask has all for."""


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse's private class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "export",
        help="turn a mask file into other formats",
        description="Turn a mask file (PNG, TIFF, .npy, OME-Zarr, COCO JSON) into other formats. "
        "Names and colours come from the _classes.json beside it, if there is one.",
        epilog="formats: " + "; ".join(f"{known.name}: {known.summary}" for known in FORMATS),
    )
    parser.set_defaults(run=run)
    parser.add_argument("mask", metavar="MASK", type=Path, help="the file, or a folder of OME-Zarr")
    parser.add_argument(
        "--formats",
        metavar="LIST",
        required=True,
        help=f"one or more of {', '.join(known.name for known in FORMATS)}, separated by commas",
    )
    parser.add_argument("--output", metavar="DIR", type=Path, required=True, help="files go here")
    parser.add_argument(
        "--image", metavar="IMAGE", type=Path, help="what the mask is of: for overlays, OME-Zarr"
    )
    naming = parser.add_mutually_exclusive_group()
    naming.add_argument("--classes", metavar="TEXT", help="names for ids 1, 2, ... instead")
    naming.add_argument(
        "--classes-file",
        metavar="FILE",
        type=Path,
        help="the same in a file, which may say ids of its own",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace files that exist")
    parser.add_argument("--quiet", action="store_true", help="print errors and warnings only")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Write the mask in each format; return 0."""
    names = [name.strip() for name in arguments.formats.split(",") if name.strip()]
    for name in names:
        if name in OF_A_RUN:
            raise ConfigError(
                f"A mask has no {name}. Choose of {', '.join(known.name for known in FORMATS)}."
            )
        find_export_format(name, FORMATS)
    item = _item(arguments)
    mask: Path = arguments.mask
    stem = mask.name.removesuffix(file_ending(mask)).removesuffix("_labels")
    files = write_results(arguments.output, stem, item, names, overwrite=arguments.overwrite)
    console.line(f"{mask}: {', '.join(row.name for row in item.objects)}")
    console.line(f"  {', '.join(str(path) for path in files)}")
    return 0


def _item(arguments: argparse.Namespace) -> ExportItem:
    from napari_sclip.cli.images import read_image_file
    from napari_sclip.export.read_mask import read_mask

    mask = read_mask(arguments.mask)
    known = mask.classes
    if arguments.classes is not None or arguments.classes_file is not None:
        known = options.read_class_options(arguments).with_ids()
    image = None if arguments.image is None else read_image_file(arguments.image)
    item = ExportItem(
        image=image,
        labels=mask.labels,
        classes=tuple(c for _, c in known),
        ids=tuple(k for k, _ in known),
        image_file=mask.image_file if arguments.image is None else arguments.image.name,
        axes=mask.axes,
        pixel_size=mask.pixel_size,
        units=mask.units,
        origin=mask.origin,
    )
    if image is not None and item.fitting_image is None:
        raise ImageError(
            f"Expected an image of {mask.labels.shape} pixels, as the mask has; {arguments.image} "
            f"has {image.shape[:2]}. Give the image that the mask was made for."
        )
    return item

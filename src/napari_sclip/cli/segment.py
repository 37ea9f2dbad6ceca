"""``napari-sclip segment``: image files in, labels out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from napari_sclip.cli import options
from napari_sclip.cli.console import Console
from napari_sclip.export import DEFAULT_FORMATS, EXPORT_FORMATS


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse's private class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "segment",
        help="segment image files",
        description="Segment image files. For each image it writes NAME_labels.png (ids of the "
        "classes), NAME_classes.json (what the ids mean) and NAME_overlay.png (a picture).",
    )
    parser.set_defaults(run=run)
    parser.add_argument("inputs", metavar="IMAGE", nargs="+", type=Path, help="files or folders")
    options.add_class_options(parser)
    group = parser.add_argument_group("files")
    group.add_argument("--output", metavar="DIR", type=Path, required=True, help="results go here")
    group.add_argument("--overwrite", action="store_true", help="replace results that exist")
    group.add_argument("--recursive", action="store_true", help="look into folders in folders")
    for known in EXPORT_FORMATS:
        if not known.default:
            group.add_argument(f"--{known.name}", action="store_true", help=f"also {known.summary}")
    group.add_argument("--quiet", action="store_true", help="print errors and warnings only")
    options.add_contrast_options(parser)
    options.add_model_options(parser)
    options.add_config_options(parser)


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Segment the images; return 0 if all went well, else 1."""
    from napari_sclip.cli.batch import Batch, prepare_folder
    from napari_sclip.cli.inputs import plan_jobs

    extra = [
        k.name
        for k in EXPORT_FORMATS
        if not k.default and getattr(arguments, k.name.replace("-", "_"))
    ]
    batch = Batch(
        arguments=arguments,
        console=console,
        classes=options.read_known(arguments),
        config=options.read_config(arguments),
        formats=(*DEFAULT_FORMATS, *extra),
        contrast=options.read_contrast(arguments),
    )
    prepare_folder(arguments.output)
    batch.run(plan_jobs(arguments.inputs, arguments.output, recursive=arguments.recursive))
    return batch.summarize()

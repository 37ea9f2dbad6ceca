"""``napari-sclip models``: what there is, and what is on this disk."""

from __future__ import annotations

import argparse
import dataclasses
import json
import shutil
import textwrap
from pathlib import Path
from typing import Any

from napari_sclip.cli.console import Console
from napari_sclip.models.registry import DEFAULT_MODEL, MODELS, ModelEntry


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse's private class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "models",
        help="list the models: size, licence, whether on this disk, what they are good for",
        description="List the models that are known by name.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the registry."""
    if arguments.json:
        rows = [_as_values(entry) for entry in MODELS]
        console.data(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    console.data(models_table())
    return 0


def models_table() -> str:
    """Write the registry as a table for people, one model a paragraph of lines."""
    width = max(60, min(110, shutil.get_terminal_size((100, 24)).columns))
    names = max(len(entry.name) for entry in MODELS)
    licences = max(len("licence"), *(len(entry.licence) for entry in MODELS))
    lines = [f"{'name':{names}}  {'download':>8}  {'licence':{licences}}  on this disk"]
    for entry in MODELS:
        path = where(entry)
        size = "-" if entry.repo is None else f"{entry.size_mb} MB"
        here = "no" if path is None else "bundled" if entry.repo is None else "yes"
        lines.append(f"{entry.name:{names}}  {size:>8}  {entry.licence:{licences}}  {here}")
        star = " (The default.)" if entry.name == DEFAULT_MODEL else ""
        lines += textwrap.wrap(
            entry.good_for + star, width, initial_indent="    ", subsequent_indent="    "
        )
        if path is not None:
            lines.append(f"    {path}")
    lines.append("")
    lines += textwrap.wrap(
        "Others: any vision transformer of open_clip with --weights FILE, or "
        "hf-hub:organisation/name. A model is downloaded when it is first used.",
        width,
    )
    return "\n".join(lines)


def where(entry: ModelEntry) -> Path | None:
    """Return the place of a model's weights on this disk, or None."""
    from napari_sclip.models.weights import weights_on_disk

    return weights_on_disk(entry)


def _as_values(entry: ModelEntry) -> dict[str, Any]:
    path = where(entry)
    return {
        **dataclasses.asdict(entry),
        "default": entry.name == DEFAULT_MODEL,
        "path": None if path is None else str(path),
    }

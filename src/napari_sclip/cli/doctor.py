"""``napari-sclip doctor``: a report for bug reports."""

from __future__ import annotations

import argparse
import json
from typing import Any

from napari_sclip.cli.console import Console
from napari_sclip.progress import report as report_progress

PARTS = ("versions", "devices", "files", "settings", "models", "self-test")


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse's private class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "doctor",
        help="print a report that can be pasted into a bug report",
        description="Print versions, devices, folders and a self-test. Holds no secrets: "
        "tokens and proxies are only said to be set or not.",
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Print the report; return 0 if the self-test passed, else 1."""
    from napari_sclip.cli import report

    with console.progress("doctor") as progress:
        values: dict[str, Any] = {}
        makers = (
            report.versions,
            report.devices,
            report.files,
            report.settings,
            report.models,
            report.self_test,
        )
        for number, (part, make) in enumerate(zip(PARTS, makers, strict=True)):
            report_progress(progress, number, len(PARTS), part)
            values[part] = make()
    passed = bool(values["self-test"]["passed"])
    console.data(
        json.dumps(values, indent=2, ensure_ascii=False) if arguments.json else _text(values)
    )
    return 0 if passed else 1


def _text(values: dict[str, dict[str, Any]]) -> str:
    lines = []
    for part, rows in values.items():
        lines.append(f"{part}")
        width = max(len(name) for name in rows)
        for name, value in rows.items():
            shown = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(f"  {name:{width}}  {shown}")
    return "\n".join(lines)

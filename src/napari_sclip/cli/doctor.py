"""``napari-sclip doctor``: a report for bug reports."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from napari_sclip.cli.console import Console
from napari_sclip.errors import SclipError
from napari_sclip.export.classes_json import version_of
from napari_sclip.progress import report as report_progress

PARTS = ("versions", "devices", "files", "settings", "models", "self-test")

PACKAGES = {
    "napari-sclip": "napari-sclip",
    "torch": "torch",
    "open_clip": "open_clip_torch",
    "huggingface_hub": "huggingface_hub",
    "numpy": "numpy",
    "napari": "napari",
    "npe2": "npe2",
}
QT_BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")

SHOWN = (
    "NAPARI_SCLIP_CACHE",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "CUDA_VISIBLE_DEVICES",
    "QT_API",
    "QT_QPA_PLATFORM",
)
HIDDEN = ("HF_TOKEN", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
"""Only said to be set or not: their values may hold secrets."""


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
    with console.progress("doctor") as progress:
        values: dict[str, Any] = {}
        makers = (
            versions,
            devices,
            files,
            settings,
            models,
            self_test,
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


def versions() -> dict[str, Any]:
    """Versions of the program, of Python, of the system and of what it stands on."""
    found = {name: version_of(package) or "none" for name, package in PACKAGES.items()}
    bindings = [f"{name} {version}" for name in QT_BINDINGS if (version := version_of(name))]
    return {
        **found,
        "Qt binding": ", ".join(bindings) or "none",
        "Python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": platform.platform(),
        "machine": platform.machine(),
        "Python at": at_home(Path(sys.executable)),
    }


def devices() -> dict[str, Any]:
    """Devices, the reason why a GPU is or is not used, and threads."""
    cores = {"processor cores": os.cpu_count()}
    try:
        import torch

        from napari_sclip.engine.devices import available_devices, gpu_report
    except (ImportError, OSError) as error:
        return {**cores, "torch": f"cannot be loaded: {error}"}
    return {
        "devices": [f"{name} ({what})" for name, what in available_devices()],
        "GPU": gpu_report(),
        "torch threads": torch.get_num_threads(),
        **cores,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "not set"),
    }


def files() -> dict[str, Any]:
    """Folders for what is kept, and how much they hold."""
    from napari_sclip.models.hub import hub_cache_dir
    from napari_sclip.paths import cache_dir

    hub = hub_cache_dir()
    return {
        "cache folder": at_home(cache_dir()),
        "cache folder holds": _size_of(cache_dir()),
        "hub's cache folder": at_home(hub),
        "hub's cache folder holds": _size_of(hub),
    }


def settings() -> dict[str, Any]:
    """Say what the environment sets."""
    shown = {name: _without_user(os.environ.get(name, "")) or "not set" for name in SHOWN}
    hidden = {
        name: "set" if os.environ.get(name) or os.environ.get(name.lower()) else "not set"
        for name in HIDDEN
    }
    return shown | hidden


def models() -> dict[str, Any]:
    """Where the registry's models are on this disk."""
    from napari_sclip.models.registry import MODELS
    from napari_sclip.models.weights import weights_on_disk

    places = {entry.name: weights_on_disk(entry) for entry in MODELS}
    return {name: "no" if path is None else at_home(path) for name, path in places.items()}


def self_test() -> dict[str, Any]:
    """Segment a scene with the bundled model; say how long it took and how well it went."""
    from napari_sclip.cli.demo import MODEL, SCENE_SEED, agreement
    from napari_sclip.cli.loading import engine
    from napari_sclip.samples.scenes import make_scene

    started = time.perf_counter()
    try:
        segmenter = engine().load(MODEL)
        loaded = time.perf_counter()
        scene = make_scene(SCENE_SEED)
        result = segmenter.segment(scene.image, scene.classes)
    except SclipError as error:
        return {"passed": False, "error": str(error)}
    accuracy, _ = agreement(result.labels, scene.labels)
    return {
        "passed": True,
        "model": MODEL,
        "device": f"{segmenter.device}, {segmenter.precision}",
        "load": f"{loaded - started:.2f} s",
        "segment": f"{time.perf_counter() - loaded:.2f} s",
        "pixels right": f"{100 * accuracy:.1f} %",
    }


def at_home(path: Path) -> str:
    """Write a path with ``~`` for the home folder, which often holds a person's name."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)


def _without_user(value: str) -> str:
    """Take user name and password out of an address."""
    if "@" not in value or "://" not in value:
        return at_home(Path(value)) if value.startswith(str(Path.home())) else value
    parts = urlsplit(value)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _size_of(folder: Path) -> str:
    if not folder.is_dir():
        return "nothing yet"
    sizes = [p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink()]
    return f"{sum(sizes) / 1e6:.1f} MB in {len(sizes)} files"

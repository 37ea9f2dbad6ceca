"""Find out what this machine offers: models on its disk, devices, attention modes."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import importlib
import importlib.util
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_sclip.layers.labels.layer import warm_up as warm_up_labels
from napari_sclip.models.registry import MODELS, ModelEntry
from napari_sclip.progress import Progress
from napari_sclip.widgets.state.model import ModelChoice
from napari_sclip.widgets.work.reporter import Reporter

_LOCK = threading.Lock()
_QUIET = threading.Lock()
_quiet_users = 0
_usual_thresholds: tuple[int, int, int] = (0, 0, 0)

HEAVY_MODULES = ("torch", "open_clip", "napari_sclip.engine.segmenter")


def warm_up() -> None:
    """Import torch and all that the engine needs; for a worker.

    An import holds Python's lock while the system loads a library, which for torch takes up to a
    second in which the window would stand still. So its libraries are loaded beforehand by a call
    that lets go of the lock.
    """
    with _LOCK, no_long_collections():
        preload_libraries()
        for name in HEAVY_MODULES:
            importlib.import_module(name)


@contextlib.contextmanager
def no_long_collections() -> Iterator[None]:
    """Put off Python's full garbage collections.

    With torch and napari in memory each walks some hundred thousand objects and holds every
    thread for a fifth of a second. The short ones go on.
    """
    global _quiet_users, _usual_thresholds
    with _QUIET:
        if _quiet_users == 0:
            _usual_thresholds = gc.get_threshold()
            gc.set_threshold(*_usual_thresholds[:2], 10**9)
        _quiet_users += 1
    try:
        yield
    finally:
        with _QUIET:
            _quiet_users -= 1
            if _quiet_users == 0:
                gc.set_threshold(*_usual_thresholds)


def preload_libraries() -> None:
    """Load torch's shared libraries without Python's lock, where this system lets us.

    triton, which torch brings along on Linux, has an LLVM of its own inside. Where the graphics
    driver has loaded another one (software rendering, some AMD drivers), the two get mixed up
    and the process crashes, unless triton is told to look into itself first. Somebody else may
    have imported torch before, but that does not import triton.
    """
    load = _loader()
    if load is None:
        return
    suffix = "dylib" if sys.platform == "darwin" else "so"
    if "torch" not in sys.modules:
        for path in _files_of("torch", f"lib/libtorch_global_deps.{suffix}"):
            load(path, os.RTLD_GLOBAL)
        for path in _files_of("torch", f"lib/libtorch_python.{suffix}"):
            load(path, 0)
    if "triton" not in sys.modules:
        for path in _files_of("triton", "_C/libtriton*.so"):
            load(path, getattr(os, "RTLD_DEEPBIND", 0))


def _files_of(package: str, pattern: str) -> list[Path]:
    """Find files of a package without importing it."""
    spec = importlib.util.find_spec(package)
    places = None if spec is None else spec.submodule_search_locations
    return [path for place in places or () for path in Path(place).glob(pattern)]


@functools.cache
def _loader() -> Callable[[Path, int], None] | None:
    # Windows finds torch's libraries only after torch itself has set its search paths.
    if os.name == "nt":
        return None
    dlopen = ctypes.CDLL(None).dlopen  # unlike ctypes.CDLL(path), a call lets go of the lock
    dlopen.restype = ctypes.c_void_p
    dlopen.argtypes = (ctypes.c_char_p, ctypes.c_int)

    def load(path: Path, flags: int) -> None:
        # A library that does not load is met, and explained, by the import.
        dlopen(os.fsencode(path), os.RTLD_NOW | flags)

    return load


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    choices : tuple of ModelChoice
    devices, attentions : tuple of (str, str)
        Names and descriptions.
    gpu_report : str
    """

    choices: tuple[ModelChoice, ...]
    devices: tuple[tuple[str, str], ...] = ()
    attentions: tuple[tuple[str, str], ...] = ()
    gpu_report: str = ""


def known_models() -> tuple[ModelChoice, ...]:
    """List the models without looking at the disk: only the bundled one is surely there."""
    return tuple(_choice(entry, on_disk=entry.repo is None) for entry in MODELS)


def models_on_disk() -> tuple[ModelChoice, ...]:
    """List the models and whether they are on this disk."""
    from napari_sclip.models.weights import weights_on_disk

    return tuple(_choice(e, on_disk=weights_on_disk(e) is not None) for e in MODELS)


def look_around(reporter: Reporter) -> Findings:
    """Import the engine and ask it what can be used; the models are told as a draft first."""
    choices = models_on_disk()
    reporter.draft(Findings(choices))
    reporter.progress(Progress(0, 0, "Getting ready"))
    with no_long_collections():
        warm_up()
        warm_up_labels()
    from napari_sclip.core.attention import ATTENTION_MODES
    from napari_sclip.engine.devices import available_devices, gpu_report

    return Findings(
        choices=choices,
        devices=tuple(available_devices()),
        attentions=tuple((mode.name, mode.summary) for mode in ATTENTION_MODES),
        gpu_report=gpu_report(),
    )


def bring_model(name: str, reporter: Reporter) -> tuple[ModelChoice, ...]:
    """Download a model of the registry; return the models as they are then.

    Raises
    ------
    DownloadError
        If it could not be brought; what came stays, and the next call goes on from there.
    """
    from napari_sclip.models.registry import find_model
    from napari_sclip.models.weights import obtain_weights

    obtain_weights(find_model(name), reporter.progress)
    return models_on_disk()


def _choice(entry: ModelEntry, *, on_disk: bool) -> ModelChoice:
    return ModelChoice(entry.name, entry.size_mb, on_disk, entry.licence, entry.good_for)

"""What the manifest costs napari at its start, and what it costs to use it for the first time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import napari_sclip

MANIFEST = Path(napari_sclip.__file__).parent / "napari.yaml"
MAX_SECONDS = 0.3
MODULES = [
    "napari_sclip.layers.io.sample_data",
    "napari_sclip.widgets.commands",
    "napari_sclip.widgets.dock",
]
HEAVY = {"torch", "open_clip", "huggingface_hub", "safetensors", "skimage.data._fetchers", "timm"}
LATER = {"napari_sclip.export", "napari_sclip.engine.segmenter"}
"""What only saving and running need."""


def run_python(folder: Path, *arguments: str) -> str:
    """Run a new interpreter with settings of its own; return what it prints."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))},
            "NAPARI_CONFIG": str(folder / "napari.yaml"),
            "NAPARI_SCLIP_CONFIG": str(folder / "sclip"),
            "PYTHONIOENCODING": "utf-8",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def validate(folder: Path, manifest: Path) -> str:
    """Check a manifest and import what it names; a newer schema, for example, is a warning."""
    check = ("-m", "npe2", "validate", str(manifest), "--imports")
    return run_python(folder, "-W", "error::UserWarning", *check)


def test_the_manifest_is_clean(tmp_path: Path) -> None:
    assert validate(tmp_path, MANIFEST).strip() == "✔ Manifest for 'SCLIP' valid!"


def test_the_check_of_the_manifest_can_fail(tmp_path: Path) -> None:
    broken = tmp_path / "napari.yaml"
    broken.write_text(MANIFEST.read_text(encoding="utf-8").replace(":open_widget", ":open_gadget"))
    with pytest.raises(AssertionError, match="open_gadget"):
        validate(tmp_path, broken)


# All that a running napari has loaded; then the module. The garbage that napari's start has left
# is collected first: whose import happens to set that off is chance, and it takes a tenth of a
# second.
FIRST_USE = """
import gc, importlib, json, sys, time
import napari.layers, napari.viewer, napari.qt, napari._qt.qt_main_window
gc.collect()
before = set(sys.modules)
started = time.process_time()
importlib.import_module(sys.argv[1])
print(json.dumps([time.process_time() - started, sorted(set(sys.modules) - before)]))
"""


def first_use(folder: Path, module: str) -> tuple[float, set[str]]:
    """Return the seconds of processor time that importing a module takes, and what it loads."""
    seconds, loaded = json.loads(run_python(folder, "-c", FIRST_USE, module))
    return seconds, set(loaded)


@pytest.mark.parametrize("module", MODULES)
def test_first_use_loads_nothing_heavy(tmp_path: Path, module: str) -> None:
    _, loaded = first_use(tmp_path, module)
    assert module in loaded
    assert not loaded & (HEAVY | LATER)


@pytest.mark.timed
@pytest.mark.parametrize("module", MODULES)
def test_first_use_is_quick(tmp_path: Path, module: str) -> None:
    # The best of five: other programs may keep the machine busy, and its caches.
    assert min(first_use(tmp_path, module)[0] for _ in range(5)) < MAX_SECONDS


def test_the_check_of_first_use_can_fail(tmp_path: Path) -> None:
    seconds, loaded = first_use(tmp_path, "napari_sclip.engine.segmenter")
    assert "torch" in loaded & HEAVY
    assert seconds > 0


# The menus are made in the second; the first is how napari runs without a window.
STARTS = {
    "model": "from napari.components import ViewerModel; ViewerModel()",
    "window": "import napari; napari.Viewer(show=False)",
}
START = """
import json, sys
exec(sys.argv[1])
from napari.plugins import _initialize_plugins
from npe2 import PluginManager
_initialize_plugins()
manager = PluginManager.instance()
assert "napari-sclip" in manager, "not found"
assert len(list(manager.iter_widgets())) > 0
if sys.argv[2]:
    manager.commands.get(sys.argv[2])
print(json.dumps([name for name in sys.modules if name.partition(".")[0] == "napari_sclip"]))
"""


def ours_after_start(folder: Path, start: str, command: str = "") -> set[str]:
    """Return the modules of this package that napari has loaded after its start."""
    return set(json.loads(run_python(folder, "-c", START, STARTS[start], command)))


@pytest.mark.parametrize("start", STARTS)
def test_the_start_of_napari_loads_none_of_our_modules(tmp_path: Path, start: str) -> None:
    assert ours_after_start(tmp_path, start) <= {"napari_sclip"}


def test_the_check_of_the_start_can_fail(tmp_path: Path) -> None:
    loaded = ours_after_start(tmp_path, "model", "napari-sclip.sample_cat")
    assert "napari_sclip.layers.io.sample_data" in loaded


UNITS = """
import pint
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_sclip.widgets.work import startup

app = QApplication([])
startup.warm_up_labels = startup.warm_up = lambda: None
from napari_sclip.widgets.dock import SegmentWidget

widget = SegmentWidget(ViewerModel())
print(type(pint.get_application_registry().get()).__name__)
widget.controller.close()
"""


def test_units_are_known_before_a_worker_makes_a_layer(tmp_path: Path) -> None:
    """pint's registry is not made for two threads that load it at once."""
    assert run_python(tmp_path, "-c", UNITS).strip() == "UnitRegistry"

"""Layers are read and written on machines without Qt."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys

import napari_sclip.layers

CODE = """
import importlib, json, sys

BLOCKED = {"qtpy", "superqt", "PyQt5", "PyQt6", "PySide2", "PySide6", "napari._qt"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in BLOCKED or name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
        return None

sys.meta_path.insert(0, Blocker())
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
import numpy as np
from napari.components import ViewerModel
viewer = ViewerModel()
layer = viewer.add_image(np.zeros((8, 9), np.uint8))
read = sys.modules["napari_sclip.layers.image.read"]
planes = sys.modules["napari_sclip.layers.image.rgb"]
print(json.dumps([list(planes.read_plane(read.read_request(viewer, layer)).shape),
                  "torch" in sys.modules]))
"""


def modules() -> list[str]:
    found = pkgutil.walk_packages(napari_sclip.layers.__path__, "napari_sclip.layers.")
    return [module.name for module in found]


def run(names: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CODE, json.dumps(names)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_layers_need_neither_qt_nor_torch() -> None:
    names = modules()
    assert {"napari_sclip.layers.image.read", "napari_sclip.layers.labels.write"} <= set(names)
    done = run(names)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[8, 9, 3], False]


def test_the_blocker_blocks() -> None:
    assert "blocked: qtpy" in run(["qtpy"]).stderr

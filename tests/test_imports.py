"""Which module may import which: the arrows between the rooms point one way.

Also: importing the package is quick, and everything but the user interface works where
napari and Qt are not installed.
"""

from __future__ import annotations

import ast
import functools
import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import napari_sclip

ROOT = Path(__file__).parents[1]
PACKAGE = Path(napari_sclip.__file__).parent
MODULES = {
    ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
"""The source of each module by its name within the package."""

QT = {"qtpy", "magicgui", "superqt", "PyQt5", "PyQt6", "PySide2", "PySide6"}
USER_INTERFACE = QT | {"napari", "vispy", "psygnal"}
HUB_LIBRARIES = {"open_clip", "huggingface_hub", "safetensors", "filelock"}
PICTURES = {"PIL", "imageio", "skimage", "tifffile"}
PLAIN = {
    "errors", "config", "prompts", "palette", "colors", "class_files", "progress", "templates",
    "paths",
}  # fmt: skip

# For each room: the parts of the package, and the libraries besides Python's, that it may import.
# A module is in the room with the longest name that its own begins with.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "__init__": (  # lazily; see below
        PLAIN | {"cli.images", "core", "engine", "export", "models.registry", "samples"},
        set(),
    ),
    "__main__": ({"cli"}, set()),
    **{name: (PLAIN, {"PIL", "platformdirs"}) for name in PLAIN},
    "core": (PLAIN, {"numpy", "torch"}),
    "core.instances": (PLAIN, {"numpy", "scipy", "skimage"}),
    "core.refine.regions": (PLAIN, {"numpy", "skimage"}),
    "core.uncertain": (PLAIN, {"numpy", "scipy", "skimage"}),
    "models": (PLAIN | {"core"}, {"numpy", "torch"} | HUB_LIBRARIES),
    "engine": (PLAIN | {"core", "models"}, {"numpy", "torch"}),
    "samples": (PLAIN, {"numpy"}),
    "export": (PLAIN | {"engine", ""}, {"numpy", "yaml"} | PICTURES),
    "cli": (
        PLAIN | {"core", "models", "engine", "samples", "export", ""},
        {"numpy", "torch", "tqdm"} | PICTURES,
    ),
    "layers": (
        PLAIN
        | {"core.contrast", "core.instances", "core.uncertain", "engine", "models"}
        | {"samples", "layers"},
        {"numpy", "napari"},
    ),
    "layers.io.sample_data": (PLAIN | {"layers", "models", "samples"}, {"numpy", "skimage"}),
    **{
        f"layers.{name}": (PLAIN | {"layers", "export", "engine"}, {"numpy", "napari"})
        for name in ("io.save", "io.open", "labels.snapshot")
    },
    "widgets": (PLAIN | {"widgets"}, {"qtpy", "superqt", "psygnal"}),
    "widgets.state": (PLAIN | {"layers.image.options", "models.registry"}, {"psygnal"}),
    "widgets.views": (PLAIN | {"widgets.state", "widgets.actions"}, {"qtpy", "superqt"}),
    "widgets.work": (PLAIN | {"core", "engine", "models", "layers", "widgets.state"}, {"numpy"}),
    "widgets.work.recovery": (PLAIN | {"layers"}, {"filelock"}),
    # The only place that talks to the viewer.
    "widgets.control": (
        PLAIN | {"core.contrast", "engine", "models", "samples", "export", "layers", "widgets"},
        {"numpy", "napari", "qtpy", "superqt", "psygnal"},
    ),
    "widgets.dock": (PLAIN | {"widgets"}, {"napari", "qtpy", "superqt", "psygnal"}),
    "widgets.commands": (PLAIN | {"widgets.dock"}, {"napari", "qtpy"}),
}
# What a room may import within functions only, so that it is loaded when it is needed.
LATER: dict[str, set[str]] = {
    "export": {"zarr", "numcodecs", "filelock"},
    "widgets.work": {"torch"},
}


def within(name: str, part: str) -> bool:
    """Whether a module is a part of the package, or lies in it."""
    return name == part or (part != "" and name.startswith(f"{part}."))


def room_of(module: str) -> str | None:
    """Find the room with the longest name that a module's name begins with."""
    return max((room for room in ROOMS if within(module, room)), key=len, default=None)


def imported(source: str) -> Iterator[tuple[str, bool]]:
    """Names of what a module imports, and whether only a function does."""
    tree = ast.parse(source)
    functions = [
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    later = {id(node) for function in functions for node in ast.walk(function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in later) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            assert node.module is not None
            names = {source_of(node.module, alias.name) for alias in node.names}
            yield from ((name, id(node) in later) for name in sorted(names))


def source_of(module: str, name: str) -> str:
    """Find the module that ``from module import name`` takes a name from."""
    if module == "napari_sclip":  # a public name stands for the module that it is loaded from
        name = napari_sclip._HOMES.get(name, name)
    inner = f"{module}.{name}".removeprefix("napari_sclip.")
    return f"napari_sclip.{inner}" if inner in MODULES else module


def forbidden(module: str, source: str) -> list[str]:
    """What a module of the package imports though its room may not."""
    room = room_of(module)
    if room is None:
        return [f"{module.partition('.')[0]!r} is a room that ROOMS does not know"]
    parts, libraries = ROOMS[room]
    found = []
    for name, is_later in imported(source):
        top, _, inner = name.partition(".")
        if top == "napari_sclip":
            allowed = room_of(inner) == room or any(within(inner, part) for part in parts)
        else:
            allowed = top in sys.stdlib_module_names or top in libraries
            allowed |= is_later and top in LATER.get(room, set())
        if not allowed:
            found.append(f"napari_sclip.{module} imports {name}")
    return found


def test_all_modules_are_looked_at() -> None:
    assert {"__init__", "config", "core.attention.modes", "engine.segmenter", "cli"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_the_arrows_point_one_way(module: str) -> None:
    assert forbidden(module, MODULES[module].read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source", "culprit"),
    [
        ("config", "import numpy as np", "numpy"),
        ("prompts", "import torch", "torch"),
        ("errors", "from napari_sclip.core.windows import place_windows", "core.windows"),
        ("core.vision", "import open_clip", "open_clip"),
        ("core.image", "from napari_sclip.engine import embedding", "engine"),
        ("core.image", "from napari_sclip import Segmenter", "engine.segmenter"),
        ("models.hub", "from napari_sclip import Segmenter", "engine.segmenter"),
        ("core.image", "import napari_sclip", "napari_sclip"),
        ("core.image", "def f():\n    import skimage.data", "skimage.data"),
        ("models.hub", "import napari_sclip.engine.segmenter", "engine.segmenter"),
        ("engine.devices", "import safetensors.torch", "safetensors.torch"),
        ("engine.devices", "if True:\n    from qtpy import QtCore", "qtpy"),
        ("engine.segmenter", "from napari_sclip.cli import main", "cli"),
        ("samples.scenes", "import torch", "torch"),
        ("samples.scenes", "from napari_sclip.engine.segmenter import Segmenter", "engine"),
        ("export.labels", "import napari", "napari"),
        ("cli.demo", "from napari_sclip.widgets import segment", "widgets"),
        ("cli.demo", "import superqt", "superqt"),
        ("layers.image.read", "from qtpy.QtCore import QObject", "qtpy.QtCore"),
        ("layers.image.read", "import skimage.data", "skimage.data"),
        ("layers.image.read", "from napari_sclip.widgets import state", "widgets.state"),
        ("widgets.state.image", "from qtpy.QtCore import QObject", "qtpy.QtCore"),
        ("widgets.state.image", "import napari", "napari"),
        ("widgets.state.image", "import torch", "torch"),
        ("widgets.state.image", "from napari_sclip.layers.image import read", "layers.image.read"),
        ("widgets.state.image", "from napari_sclip.layers.image.options_of import x", "options_of"),
        ("widgets.state.image", "from napari_sclip.widgets import dock", "widgets.dock"),
        ("widgets.views.form", "import napari", "napari"),
        ("widgets.views.form", "from napari_sclip.widgets.control import tasks", "tasks"),
        ("widgets.work.startup", "import napari", "napari"),
        ("widgets.work.startup", "import torch", "torch"),
        ("widgets.work.startup", "class A:\n    import torch", "torch"),
        ("widgets.work.startup", "from napari_sclip.widgets import worker", "widgets.worker"),
        ("widgets.worker", "import napari", "napari"),
        ("widgets.worker", "from napari_sclip.layers.image import read", "layers.image.read"),
        ("widgets.worker", "def f():\n    import torch", "torch"),
        ("widgets.dock", "from napari_sclip.layers.image import read", "layers.image.read"),
        ("widgets.commands", "from napari_sclip.widgets.control import tasks", "tasks"),
        ("attic.new", "import os", "attic"),
    ],
)
def test_the_check_of_arrows_can_fail(module: str, source: str, culprit: str) -> None:
    (message,) = forbidden(module, source)
    assert culprit in message


def test_the_check_of_arrows_lets_pass_what_is_right() -> None:
    assert (
        forbidden("core.x", "import os.path\nimport numpy.typing\nfrom torch import Tensor") == []
    )
    assert forbidden("engine.x", "from napari_sclip.core.attention import base") == []
    assert forbidden("engine.x", "from napari_sclip.engine import devices") == []
    assert forbidden("cli.x", "from napari_sclip import __version__") == []
    assert forbidden("layers.io.sample_data", "import skimage.data") == []
    assert forbidden("widgets.state.x", "from napari_sclip.layers.image import options") == []
    assert forbidden("widgets.state.x", "from napari_sclip.widgets.state import run") == []
    assert forbidden("widgets.work.x", "async def f():\n    import torch") == []
    assert (
        forbidden("widgets.control.x", "import napari\nfrom napari_sclip.widgets import dock") == []
    )
    assert forbidden("widgets.dock", "from napari_sclip.widgets.control import tasks") == []


@functools.cache
def imported_modules(source: str) -> frozenset[str]:
    """Modules of the package that a source imports."""
    return frozenset(
        "__init__" if name == "napari_sclip" else name.removeprefix("napari_sclip.")
        for name, _ in imported(source)
        if name.partition(".")[0] == "napari_sclip"
    )


def circles(sources: dict[str, str]) -> list[list[str]]:
    """Find modules that import one another, lazily or for types too; each circle sorted."""
    graph = {module: imported_modules(source) for module, source in sources.items()}

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = [start]
        while waiting:
            new = graph.get(waiting.pop(), frozenset()) - found
            found |= new
            waiting += new
        return found

    beyond = {module: reached(module) for module in graph}
    together = {
        tuple(sorted(m for m in beyond[module] if m in beyond and module in beyond[m]))
        for module in graph
        if module in beyond[module]
    }
    return [list(circle) for circle in sorted(together)]


def test_no_modules_import_one_another() -> None:
    sources = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    assert circles(sources) == []


def test_the_check_of_circles_can_fail() -> None:
    sources = {name: path.read_text(encoding="utf-8") for name, path in MODULES.items()}
    for module, line, names in [
        ("colors", "from napari_sclip.prompts import ClassPrompt", ["colors", "prompts"]),
        ("colors", "def f():\n    import napari_sclip.prompts", ["colors", "prompts"]),
        ("prompts", "if TYPE_CHECKING:\n    from napari_sclip.palette import x", ["palette"]),
        ("models.hub", "import napari_sclip", ["__init__", "engine.segmenter", "models.hub"]),
        ("core.image", "from napari_sclip import little_range_used", ["core.image"]),
    ]:
        (circle,) = circles({**sources, module: f"{sources[module]}\n{line}"})
        assert {module, *names} <= set(circle)
    allowed = f"{sources['core.image']}\nfrom napari_sclip import ClassPrompt"
    assert circles({**sources, "core.image": allowed}) == []


def test_a_module_is_in_the_innermost_room() -> None:
    assert room_of("layers.image.read") == room_of("layers.io.sample_data_of_old") == "layers"
    assert room_of("layers.io.sample_data") == "layers.io.sample_data"
    assert room_of("widgets.worker") == "widgets"
    assert room_of("widgets.state") == room_of("widgets.state.run") == "widgets.state"
    assert room_of("errors_of_old") is None


def run_python(code: str, *arguments: str) -> str:
    """Run code in a new interpreter; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={k: v for k, v in os.environ.items() if not k.startswith(("COV_", "PYTEST_"))},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LOADED_BY = """
import json, sys
exec(sys.argv[1])
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def loaded_by(code: str) -> set[str]:
    """Top-level modules that are loaded after running code in a new interpreter."""
    return set(json.loads(run_python(LOADED_BY, code)))


HEAVY = {"torch", "numpy", "scipy", "PIL", "skimage", "tqdm"} | USER_INTERFACE | HUB_LIBRARIES


def test_importing_the_package_imports_nothing_heavy() -> None:
    # What the interpreter's own start-up files import is not ours.
    assert not (loaded_by("import napari_sclip") - loaded_by("")) & HEAVY


def test_plain_data_imports_neither_torch_nor_numpy() -> None:
    code = "; ".join(f"import napari_sclip.{name}" for name in sorted(PLAIN))
    code += "; napari_sclip.SegmentationConfig(); napari_sclip.ClassPrompt('leaf')"
    assert not (loaded_by(code) - loaded_by("")) & HEAVY


def test_the_parser_of_the_command_line_needs_no_torch() -> None:
    code = "from napari_sclip.cli import make_parser; make_parser()"
    assert not (loaded_by(code) - loaded_by("")) & (HEAVY - {"numpy", "PIL"})


def test_the_check_of_laziness_can_fail() -> None:
    loaded = loaded_by("import napari_sclip; napari_sclip.Segmenter")
    assert {"torch", "numpy"} <= loaded
    assert not loaded & USER_INTERFACE


@pytest.mark.timed
def test_importing_the_package_is_quick() -> None:
    code = (
        "import time; t = time.perf_counter(); import napari_sclip; print(time.perf_counter() - t)"
    )
    # The best of three: other programs may keep the machine busy.
    assert min(float(run_python(code)) for _ in range(3)) < 0.05


def test_a_public_name_is_loaded_once() -> None:
    assert napari_sclip.ClassPrompt is napari_sclip.ClassPrompt
    assert vars(napari_sclip)["ClassPrompt"] is napari_sclip.ClassPrompt  # found without a look-up


@pytest.mark.parametrize("name", napari_sclip.__all__)
def test_every_public_name_is_there(name: str) -> None:
    value = getattr(napari_sclip, name)
    assert name in dir(napari_sclip)
    if name != "__version__":
        assert value.__name__ == name
        assert value.__doc__
        home = importlib.import_module(value.__module__)
        assert getattr(home, name) is value


def test_every_public_name_resolves_lazily() -> None:
    names = [name for name in napari_sclip.__all__ if name != "__version__"]
    code = f"""
import napari_sclip
for name in {names!r}:
    assert name not in vars(napari_sclip), name
    getattr(napari_sclip, name)
    assert name in vars(napari_sclip), name
from napari_sclip import *
print(Segmenter.__name__)
"""
    assert run_python(code).strip() == "Segmenter"


def imported_by_documents() -> list[tuple[str, str, str]]:
    """Document, module and name of whatever a document's examples import of the package."""
    found = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```python\n(.*?)```", path.read_text("utf-8"), flags=re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and str(node.module).startswith("napari_sclip"):
                    found += [(path.name, str(node.module), alias.name) for alias in node.names]
    return found


def test_documents_import_public_names_alone() -> None:
    found = imported_by_documents()
    assert {"README.md", "headless.md", "exporting.md", "controls.md"} <= {d for d, _, _ in found}
    for document, module, name in found:
        if module == "napari_sclip":
            assert name in napari_sclip.__all__, document
        else:
            assert f"`{module}`" in str(napari_sclip.__doc__), document
            assert f"`{name}`" in str(napari_sclip.__doc__), document


def test_the_public_names_for_programs_in_napari_are_there() -> None:
    pages = [path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")]
    for module, names in {
        "napari_sclip.widgets.commands": ("open_widget", "segment_active_layer", "cancel"),
        "napari_sclip.layers.io.save": ("save_labels",),
        "napari_sclip.layers.io.open": ("adopt_labels", "labels_layer_from_mask"),
    }.items():
        assert any(module in page for page in pages)
        for name in names:
            assert f"`{name}`" in str(napari_sclip.__doc__)
            assert callable(getattr(importlib.import_module(module), name))


def test_dir_lists_the_public_names() -> None:
    assert dir(napari_sclip) == sorted(napari_sclip.__all__)


@pytest.mark.parametrize("name", ["segmenter", "Segment", "_HOMES_", "torch", "__path"])
def test_an_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"module 'napari_sclip' has no attribute '{name}'"):
        getattr(napari_sclip, name)
    assert not hasattr(napari_sclip, name)


def test_an_unknown_name_cannot_be_imported() -> None:
    with pytest.raises(ImportError, match="cannot import name 'Segmentor'"):
        exec("from napari_sclip import Segmentor")


def test_the_version_is_the_same_everywhere() -> None:
    # It is written once, and what is built reads it there; test_packaging.py looks at the result.
    with (ROOT / "pyproject.toml").open("rb") as file:
        settings = tomllib.load(file)
    assert "version" in settings["project"]["dynamic"]
    written = ROOT / settings["tool"]["hatch"]["version"]["path"]
    assert written == ROOT / "src" / "napari_sclip" / "__init__.py"
    assert f'\n__version__ = "{napari_sclip.__version__}"\n' in written.read_text(encoding="utf-8")
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {napari_sclip.__version__}\n" in citation
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    released = re.findall(r"^## \[(\d[^\]]*)\]", changes, flags=re.MULTILINE)
    if released:
        assert released[0] == napari_sclip.__version__
    else:
        assert f"the first version, {napari_sclip.__version__}:" in changes


BLOCKER = """
import importlib, json, sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)
        return None

BLOCKED = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Blocker())
failed = {}
for name in json.loads(sys.argv[2]):
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps([failed, sorted(BLOCKED & set(sys.modules))]))
"""


def headless_modules() -> list[str]:
    """Every module of the package that has no user interface."""
    found = pkgutil.walk_packages([str(PACKAGE)], "napari_sclip.")
    names = ["napari_sclip", *(m.name for m in found)]
    return [name for name in names if name.split(".")[1:2] not in (["layers"], ["widgets"])]


def imports_that_fail(names: list[str], blocked: set[str]) -> dict[str, str]:
    arguments = json.dumps(sorted(blocked)), json.dumps(names)
    failed, loaded = json.loads(run_python(BLOCKER, *arguments))
    assert loaded == []
    return dict(failed)


def test_everything_headless_works_without_napari_and_qt() -> None:
    names = headless_modules()
    assert {"napari_sclip.engine.segmenter", "napari_sclip.cli.segment"} <= set(names)
    assert len(names) > 50
    assert imports_that_fail(names, USER_INTERFACE) == {}


def modules_in(part: str) -> list[str]:
    """List the modules of a part of the package."""
    return [f"napari_sclip.{name}" for name in MODULES if within(name, part)]


def test_the_widgets_state_works_without_qt_napari_and_torch() -> None:
    names = modules_in("widgets.state")
    assert {"napari_sclip.widgets.state", "napari_sclip.widgets.state.run"} <= set(names)
    libraries = USER_INTERFACE - {"psygnal"} | {"torch", "numpy"} | HUB_LIBRARIES | PICTURES
    assert imports_that_fail(names, libraries) == {}


def test_the_blocker_blocks() -> None:
    names = ["napari.layers", "napari_sclip.core.vision"]
    assert imports_that_fail(names, {"napari"}) == {"napari.layers": "blocked: napari"}
    failed = imports_that_fail(["napari_sclip.core.vision"], {"torch"})
    assert failed == {"napari_sclip.core.vision": "blocked: torch"}

"""The built packages are whole, and the wheel works where nothing of this folder is seen."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from npe2 import PluginManifest
from PIL import Image

from napari_sclip import __version__, make_scene

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "src" / "napari_sclip" / "napari.yaml"
MAX_WHEEL_BYTES = 10_000_000
NOT_PUBLISHED = {
    ".git", ".ci", ".venv", "build", "dist", "shared", "__pycache__", ".hypothesis",
    ".mypy_cache", ".pytest_cache", ".ruff_cache", ".coverage",
}  # fmt: skip


@dataclass(frozen=True)
class Built:
    """An sdist, and the wheels made of it and of the repository."""

    sdist: Path
    from_sdist: Path
    from_repository: Path


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> str:
    """Run a command where no variable leads to this folder; return what it prints."""
    hidden = ("PYTHON", "VIRTUAL_ENV", "COV_", "PYTEST_", "NAPARI_SCLIP_")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(hidden)}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "PYTHONNOUSERSITE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    build = (sys.executable, "-m", "build", "--no-isolation", "--outdir")
    # Without --sdist or --wheel, the wheel is made of the sdist.
    run(*build, folder / "both", ROOT)
    run(*build, folder / "wheel", "--wheel", ROOT)
    (sdist,) = (folder / "both").glob("*.tar.gz")
    (from_sdist,) = (folder / "both").glob("*.whl")
    (from_repository,) = (folder / "wheel").glob("*.whl")
    return Built(sdist, from_sdist, from_repository)


@dataclass(frozen=True)
class Installed:
    """An environment that has the wheel, and the libraries of this one."""

    folder: Path
    elsewhere: Path

    def python(self, *arguments: str | Path) -> str:
        cache = str(self.folder / "cache")
        python = self.folder / scripts() / "python"
        return run(python, *arguments, cwd=self.elsewhere, NAPARI_SCLIP_CACHE=cache)

    def script(self, *arguments: str | Path) -> str:
        cache = str(self.folder / "cache")
        program = self.folder / scripts() / "napari-sclip"
        return run(program, *arguments, cwd=self.elsewhere, NAPARI_SCLIP_CACHE=cache)


def scripts() -> str:
    return "Scripts" if os.name == "nt" else "bin"


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=os.name != "nt", with_pip=False)
    python = folder / scripts() / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    run(*pip, "install", "--no-deps", "--no-index", built.from_repository)
    # Folders named in a .pth file come last, and .pth files within them (as that of an editable
    # installation of this folder) are not read.
    libraries = [p for p in sys.path if Path(p).name in ("site-packages", "dist-packages")]
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "libraries.pth").write_text("\n".join(libraries))
    return Installed(folder, tmp_path_factory.mktemp("elsewhere"))


def names_in_wheel(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def metadata_of(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        return email.message_from_bytes(archive.read(f"{info_folder()}/METADATA"))


def info_folder() -> str:
    return f"napari_sclip-{__version__}.dist-info"


def names_in_sdist(sdist: Path) -> list[str]:
    with tarfile.open(sdist) as archive:
        return [name.partition("/")[2] for name in archive.getnames()]


@pytest.mark.slow
def test_the_wheel_holds_all_of_the_package_and_nothing_else(built: Built) -> None:
    inside = {n for n in names_in_wheel(built.from_repository) if not n.startswith(info_folder())}
    source = ROOT / "src"
    package = {
        path.relative_to(source).as_posix()
        for path in (source / "napari_sclip").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == package
    assert inside >= {
        "napari_sclip/napari.yaml",
        "napari_sclip/py.typed",
        "napari_sclip/data/shapes-demo/open_clip_config.json",
        "napari_sclip/data/shapes-demo/weights.npz",
    }


@pytest.mark.slow
def test_the_wheel_is_small(built: Built) -> None:
    assert built.from_repository.stat().st_size < MAX_WHEEL_BYTES


@pytest.mark.slow
def test_the_wheel_says_what_it_is(built: Built) -> None:
    metadata = metadata_of(built.from_repository)
    assert metadata["Name"] == "napari-sclip"
    assert metadata["Version"] == __version__
    assert metadata["License-Expression"] == "BSD-3-Clause"
    assert metadata["Requires-Python"] == ">=3.11"
    assert "Framework :: napari" in metadata.get_all("Classifier", [])
    assert set(metadata.get_all("Provides-Extra", [])) == {"all", "test", "docs", "zarr"}
    assert f"{info_folder()}/licenses/LICENSE" in names_in_wheel(built.from_repository)
    urls = dict(url.split(", ") for url in metadata.get_all("Project-URL", []))
    assert {"Homepage", "Documentation", "Source Code", "Bug Tracker", "Changelog"} <= {*urls}
    assert all(url.startswith("https://") for url in urls.values())
    # Qt and napari come with an extra only: a headless installation needs neither.
    needed = [r for r in metadata.get_all("Requires-Dist", []) if "extra ==" not in r]
    assert any(r.startswith("torch") for r in needed)
    assert not any(r.lower().startswith(("napari", "pyqt", "pyside", "qtpy")) for r in needed)


@pytest.mark.slow
def test_what_indexes_show_of_the_readme_leads_somewhere_from_there(built: Built) -> None:
    text = metadata_of(built.from_repository).get_payload()
    assert isinstance(text, str)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    referred = r'(?:\]\(|src="|srcset=")([^)"\s]+)'
    shown, written = re.findall(referred, text), re.findall(referred, readme)
    assert len(shown) == len(written) > 20
    for there, here in zip(shown, written, strict=True):
        assert there.startswith("https://")
        if not here.startswith("https://"):
            is_picture = here.endswith(".png")
            assert there.endswith(f"/main/{here}")
            assert is_picture == there.startswith("https://raw.")


@pytest.mark.slow
def test_the_sdist_makes_the_same_wheel(built: Built) -> None:
    first, second = built.from_repository, built.from_sdist
    assert names_in_wheel(first) == names_in_wheel(second)
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(second) as other:
        different = [n for n in one.namelist() if one.read(n) != other.read(n)]
    assert different == []


@pytest.mark.slow
def test_the_sdist_holds_what_a_developer_needs(built: Built) -> None:
    names = set(names_in_sdist(built.sdist))
    assert names >= {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "CITATION.cff",
        "CONTRIBUTING.md",
        "dev.py",
        "docs/architecture.md",
        "docs/glossary.md",
        "src/napari_sclip/napari.yaml",
        "src/napari_sclip/data/shapes-demo/weights.npz",
        "tests/conftest.py",
        "tests/test_packaging.py",
        "tests/data/heirs_last_block.npz",
        "tests/data/sclip_tiny.npz",
        "training/train_shapes_demo.py",
        "benchmarks/plain_recipe.py",
    }


@pytest.mark.slow
def test_the_sdist_holds_nothing_twice_and_no_leftovers(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
        links = [m.name for m in members if not (m.isfile() or m.isdir())]
        contents = Counter(
            (m.size, archive.extractfile(m).read())  # type: ignore[union-attr]
            for m in members
            if m.isfile() and m.size > 10_000
        )
    assert links == []
    assert max(contents.values()) == 1
    parts = {part for name in names_in_sdist(built.sdist) for part in name.split("/")}
    assert not parts & NOT_PUBLISHED
    assert not any(part.endswith(".pyc") for part in parts)


@pytest.mark.slow
def test_the_installed_package_is_the_one_that_is_used(installed: Installed) -> None:
    code = "import napari_sclip, sys; print(napari_sclip.__file__); print(*sys.path, sep='\\n')"
    file, *path = installed.python("-c", code).splitlines()
    assert Path(file).is_relative_to(installed.folder)
    assert not any(Path(place).is_relative_to(ROOT / "src") for place in path)


@pytest.mark.slow
def test_the_installed_package_segments(installed: Installed) -> None:
    code = """
import numpy as np
from napari_sclip import Segmenter, make_scene

scene = make_scene(3, size=(96, 128), objects=2)
result = Segmenter.load("shapes-demo", device="cpu").segment(scene.image, scene.classes)
print(result.labels.shape, result.labels.dtype, float(np.mean(result.labels == scene.labels)))
"""
    shape, dtype, accuracy = installed.python("-W", "error", "-c", code).rsplit(maxsplit=2)
    assert (shape, dtype) == ("(96, 128)", "uint8")
    assert float(accuracy) > 0.5


@pytest.mark.slow
def test_the_installed_command_segments(installed: Installed) -> None:
    scene = make_scene(3, size=(96, 128), objects=2)
    Image.fromarray(scene.image).save(installed.elsewhere / "scene.png")
    output = installed.elsewhere / "out"
    options = ("--model", "shapes-demo", "--device", "cpu", "--quiet", "--output", output)
    installed.script("segment", "scene.png", "--classes", "red circle, background", *options)
    with Image.open(output / "scene_labels.png") as picture:
        labels = np.asarray(picture)
    assert labels.shape == scene.labels.shape
    assert set(np.unique(labels)) <= {0, 1}
    classes = json.loads((output / "scene_classes.json").read_text(encoding="utf-8"))
    assert [item["name"] for item in classes["classes"]] == ["red circle", "background"]
    with Image.open(output / "scene_overlay.png") as picture:
        assert picture.mode == "RGB"


@pytest.mark.slow
def test_the_command_and_the_module_are_the_same(installed: Installed) -> None:
    assert installed.script("--version").split() == ["napari-sclip", __version__]
    assert installed.python("-m", "napari_sclip", "--version").split()[-1] == __version__
    assert "shapes-demo" in installed.python("-m", "napari_sclip", "models")
    for command in ("segment", "demo", "models", "doctor"):
        assert command in installed.python("-m", "napari_sclip", "--help")
        assert "usage:" in installed.python("-m", "napari_sclip", command, "--help")


@pytest.mark.slow
def test_napari_finds_the_installed_manifest(installed: Installed) -> None:
    code = """
from npe2 import PluginManifest
manifest = PluginManifest.from_distribution("napari-sclip")
print(manifest.name, manifest.package_version, manifest.display_name, sep="|")
"""
    name, version, display_name = installed.python("-c", code).strip().split("|")
    assert (name, version) == ("napari-sclip", __version__)
    assert display_name == PluginManifest.from_file(MANIFEST).display_name
    site = "import napari_sclip; print(napari_sclip.__path__[0])"
    manifest = Path(installed.python("-c", site).strip()) / "napari.yaml"
    installed.python("-m", "npe2", "validate", manifest)
    assert manifest.read_bytes() == MANIFEST.read_bytes()


def test_the_manifest_is_valid() -> None:
    manifest = PluginManifest.from_file(MANIFEST)
    assert isinstance(manifest.icon, str)
    package, _, resource = manifest.icon.partition(":")
    with Image.open(ROOT / "src" / package / resource) as icon:
        assert icon.size == (256, 256)
    assert manifest.name == "napari-sclip"
    assert manifest.display_name == "SCLIP"


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the sdist has no link at its top")
def test_the_repository_shows_the_manifest_at_its_top() -> None:
    link = ROOT / "napari.yaml"
    if link.is_symlink():  # where git could not make a link, it wrote the target into a file
        assert link.resolve() == MANIFEST.resolve()
        assert not link.readlink().is_absolute()
        assert PluginManifest.from_file(link).name == "napari-sclip"
    else:
        assert link.read_text(encoding="utf-8").strip() == "src/napari_sclip/napari.yaml"

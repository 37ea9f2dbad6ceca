from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sclip.cli import main
from napari_sclip.samples.scenes import Scene, make_scene

SHORT = ["--model", "shapes-demo", "--short-side", "native", "--templates", "plain"]
"""Options that make the bundled model fast on the small scenes here."""


@dataclass(frozen=True)
class Ran:
    status: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def own_surroundings(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep texts of earlier tests, and touch neither the user's cache nor their folders."""
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process."""

    def call(*arguments: str | Path) -> Ran:
        capsys.readouterr()
        try:
            status = main([str(a) for a in arguments])
        except SystemExit as stop:
            status = int(stop.code or 0)
        out, err = capsys.readouterr()
        return Ran(status, out, err)

    return call


@pytest.fixture(scope="session")
def scene() -> Scene:
    return make_scene(3, size=(96, 128))


@pytest.fixture
def photo(tmp_path: Path, scene: Scene) -> Path:
    """Save the scene as a file of the user's."""
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(scene.image).save(folder / "photo.png")
    return folder / "photo.png"


def save(path: Path, image: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)
    return path

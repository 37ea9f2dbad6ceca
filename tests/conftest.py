"""Fixtures for every folder: nothing of the user's is read or written by a test."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from napari_sclip import Segmenter

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("steady")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    """The bundled model, loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Segmenter.load("shapes-demo", device="cpu")

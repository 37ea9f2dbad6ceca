"""Fixtures for every folder: nothing of the user's is read or written by a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from napari_sclip import Segmenter

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def no_cache_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep fixtures away from the user's cache that are made once for several tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test a cache folder of its own."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(folder))
    return folder


@pytest.fixture(scope="session")
def demo() -> Segmenter:
    """The bundled model, loaded once."""
    return Segmenter.load("shapes-demo", device="cpu")

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session  # type: ignore[attr-defined]

from tests.models.hub_server import PROXIES, FakeHub, running_hub, set_endpoint


@pytest.fixture(autouse=True)
def no_real_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of this machine is read or written, and nothing outside it is reached."""
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path / "ours"))
    monkeypatch.delenv("HF_TOKEN", raising=False)
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    agents = str(tmp_path / "hf" / "agents.json")
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", agents, raising=False)
    set_endpoint(monkeypatch, "http://127.0.0.1:1")
    yield
    close_session()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with running_hub() as hub:
        set_endpoint(monkeypatch, hub.address)
        yield hub

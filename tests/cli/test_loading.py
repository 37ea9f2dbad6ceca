"""What the command line says about models that are not on this disk, and in which words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import close_session  # type: ignore[attr-defined]

from napari_sclip.cli.console import Console, one_line
from napari_sclip.cli.loading import TRY_THE_DEMO
from napari_sclip.models.registry import DEFAULT_MODEL, find_model
from tests.cli.conftest import Run
from tests.models.hub_server import PROXIES, FakeHub, running_hub, set_endpoint

CLASSES = ["--classes", "cat, background", "--output", "out"]
ANNOUNCED = f"{DEFAULT_MODEL} is not on this disk yet; 599 MB are downloaded once."


@pytest.fixture(autouse=True)
def no_model_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing of this machine is found, and nothing outside it is reached."""
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path / "ours"))
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    agents = str(tmp_path / "agents.json")
    monkeypatch.setattr(constants, "AGENT_HARNESSES_PATH", agents, raising=False)
    set_endpoint(monkeypatch, "http://127.0.0.1:1")
    close_session()
    yield
    close_session()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with running_hub() as hub:
        set_endpoint(monkeypatch, hub.address)
        yield hub


def test_a_download_is_announced_when_it_begins(run: Run, photo: Path, hub: FakeHub) -> None:
    entry = find_model(DEFAULT_MODEL)
    assert entry.repo is not None
    hub.files[entry.repo, entry.filename] = b"these are no weights" * 9999
    ran = run("segment", photo, *CLASSES)
    assert ran.status == 1
    assert ran.err.splitlines()[0] == ANNOUNCED
    assert ran.err.count(ANNOUNCED) == 1
    assert "Expected a file of weights" in ran.err
    ran = run("segment", photo, *CLASSES)
    assert "Expected a file of weights" in ran.err
    assert ANNOUNCED not in ran.err, "it is on this disk now"


def test_a_quiet_run_announces_nothing(run: Run, photo: Path, hub: FakeHub) -> None:
    entry = find_model(DEFAULT_MODEL)
    assert entry.repo is not None
    hub.files[entry.repo, entry.filename] = b"these are no weights" * 9999
    assert ANNOUNCED not in run("segment", photo, *CLASSES, "--quiet").err


@pytest.mark.parametrize(
    "options",
    [
        ["--precision", "fp7"],
        ["--device", "abacus"],
        ["--attention", "slip"],
        ["--window", "100"],
        ["--stride", "300"],
    ],
)
def test_what_is_refused_announces_no_download(
    run: Run, photo: Path, hub: FakeHub, options: list[str]
) -> None:
    ran = run("segment", photo, *CLASSES, *options)
    assert ran.status == 1
    assert ANNOUNCED not in ran.err
    assert hub.for_files() == []


@pytest.mark.parametrize("offline", [True, False])
def test_without_the_hub_the_bundled_model_is_named(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch, offline: bool
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    ran = run("segment", photo, *CLASSES)
    assert ran.status == 1
    (line,) = ran.err.splitlines()
    assert ANNOUNCED not in line
    assert ("HF_HUB_OFFLINE is set" in line) == offline
    assert "give a local file with --weights." in line
    assert line.endswith(TRY_THE_DEMO)
    assert "--model shapes-demo" in TRY_THE_DEMO


def test_weights_are_an_option_here(run: Run, photo: Path) -> None:
    for options in (["--model", "ViT-B-16"], ["--model", "clip.pt"], ["--model", "no-model"]):
        ran = run("segment", photo, *CLASSES, *options)
        assert ran.status == 1
        assert "--weights" in ran.err
        assert "weights=" not in ran.err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("give another one with weights=.", "give another one with --weights."),
        ("with weights= or use a model", "with --weights or use a model"),
        ("as weights=, or", "as --weights, or"),
        ("There is no /data/weights=/a.pt.", "There is no /data/weights=/a.pt."),
        ("There is no weights=final.pt.", "There is no weights=final.pt."),
        ("two\n  lines", "two lines"),
    ],
)
def test_words_of_python_become_words_of_the_command_line(
    capsys: pytest.CaptureFixture[str], text: str, shown: str
) -> None:
    assert one_line(text) == shown
    Console().error(text)
    Console().warning(text)
    assert capsys.readouterr().err == (
        f"napari-sclip: error: {shown}\nnapari-sclip: warning: {shown}\n"
    )

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from napari_sclip.cli import doctor
from napari_sclip.engine.segmenter import Segmenter
from napari_sclip.errors import ModelError
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def small_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ours" / "text").mkdir(parents=True)
    (tmp_path / "ours" / "text" / "some").write_bytes(b"\0" * 1_500_000)
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path / "ours"))


@pytest.fixture
def quick_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "self_test", lambda: {"passed": True})


def test_the_report_answers_what_a_bug_report_needs(run: Run, tmp_path: Path) -> None:
    ran = run("doctor", "--json")
    assert (ran.status, ran.err) == (0, "")
    values = json.loads(ran.out)
    versions = values["versions"]
    for name in ("napari-sclip", "torch", "huggingface_hub", "numpy", "npe2"):
        assert versions[name] == version(name)
    assert versions["open_clip"] == version("open_clip_torch")
    assert versions["Python"].startswith(sys.version.split()[0])
    assert "GPU is used" in values["devices"]["GPU"]
    assert any(d.startswith("cpu") for d in values["devices"]["devices"])
    assert values["devices"]["torch threads"] >= 1
    assert values["files"]["cache folder"] == str(tmp_path / "ours")
    assert values["files"]["cache folder holds"] == "1.5 MB in 1 files"
    assert values["models"]["shapes-demo"].endswith("weights.npz")
    assert values["self-test"]["passed"] is True
    assert values["self-test"]["segment"].endswith(" s")
    assert float(values["self-test"]["pixels right"].split()[0]) > 50


def test_text_has_every_part(run: Run, quick_test: None) -> None:
    ran = run("doctor")
    lines = ran.out.splitlines()
    parts = [line for line in lines if not line.startswith(" ")]
    assert parts == ["versions", "devices", "files", "settings", "models", "self-test"]
    assert f"  torch            {version('torch')}" in lines


def test_no_secrets(run: Run, quick_test: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_hunter2")
    monkeypatch.setenv("https_proxy", "http://user:hunter2@proxy:3128")
    monkeypatch.setenv("HF_ENDPOINT", "https://user:hunter2@mirror.example:8443/hub")
    monkeypatch.delenv("HTTP_PROXY", raising=False)
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv("HF_HOME", str(Path.home() / "models"))
    ran = run("doctor", "--json")
    assert "hunter2" not in ran.out
    assert str(Path.home() / "models") not in ran.out
    settings = json.loads(ran.out)["settings"]
    assert settings["HF_TOKEN"] == settings["HTTPS_PROXY"] == "set"
    assert settings["HTTP_PROXY"] == "not set"
    assert settings["HF_ENDPOINT"] == "https://mirror.example:8443/hub"
    assert settings["HF_HOME"] == str(Path("~/models"))


def test_a_self_test_that_fails_is_told_and_counts(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ModelError("the file is gone")

    monkeypatch.setattr(Segmenter, "load", fail)
    ran = run("doctor")
    assert ran.status == 1
    assert "the file is gone" in ran.out


def test_a_torch_that_does_not_load_is_told(
    run: Run, quick_test: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    values = json.loads(run("doctor", "--json").out)
    assert values["devices"]["torch"].startswith("cannot be loaded: ")


@pytest.mark.parametrize(
    ("installed", "shown"),
    [([], "none"), (["PyQt6"], "PyQt6 1.2"), (["PyQt6", "PySide6"], "PyQt6 1.2, PySide6 1.2")],
)
def test_all_qt_bindings_are_named(
    monkeypatch: pytest.MonkeyPatch, installed: list[str], shown: str
) -> None:
    monkeypatch.setattr(doctor, "version_of", lambda name: "1.2" if name in installed else None)
    assert doctor.versions()["Qt binding"] == shown
    assert doctor.versions()["napari"] == "none"

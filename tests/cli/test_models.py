from __future__ import annotations

import json
from pathlib import Path

import pytest
from huggingface_hub import constants

from napari_sclip.models.registry import DEFAULT_MODEL, MODELS
from napari_sclip.models.weights import bundled_folder
from tests.cli.conftest import Run


@pytest.fixture(autouse=True)
def no_hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path / "ours"))


def test_every_model_is_listed_with_what_a_person_asks(run: Run) -> None:
    ran = run("models")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    for entry in MODELS:
        (row,) = [line for line in lines if line.startswith(f"{entry.name} ")]
        assert entry.licence in row
        assert row.split()[-1] == ("bundled" if entry.repo is None else "no")
        if entry.repo is not None:
            assert f"{entry.size_mb} MB" in row
    assert " ".join(ran.out.split()).count("(The default.)") == 1  # however wide the terminal is
    assert "knows coloured shapes" in ran.out


def test_a_model_on_this_disk_is_shown_with_its_place(run: Run, tmp_path: Path) -> None:
    entry = next(m for m in MODELS if m.repo is not None)
    assert entry.repo is not None
    place = tmp_path / "ours" / "models" / entry.repo.replace("/", "--") / entry.filename
    place.parent.mkdir(parents=True)
    place.write_bytes(b"weights")
    ran = run("models")
    (row,) = [line for line in ran.out.splitlines() if line.startswith(f"{entry.name} ")]
    assert row.split()[-1] == "yes"
    assert f"    {place}\n" in ran.out
    listed = {m["name"]: m for m in json.loads(run("models", "--json").out)}
    assert listed[entry.name]["path"] == str(place)


def test_json_holds_the_registry(run: Run) -> None:
    listed = {m["name"]: m for m in json.loads(run("models", "--json").out)}
    assert list(listed) == [entry.name for entry in MODELS]
    assert [name for name, m in listed.items() if m["default"]] == [DEFAULT_MODEL]
    for entry in MODELS:
        values = listed[entry.name]
        assert values["licence"] == entry.licence
        assert values["size_mb"] == entry.size_mb
        assert values["good_for"] == entry.good_for
        assert (values["patch"], values["input_size"]) == (entry.patch, entry.input_size)
        if entry.repo is None:
            assert values["path"] == str(bundled_folder(entry) / entry.filename)
        else:
            assert values["path"] is None


def test_lines_fit_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    texts = [x for x in run("models").out.splitlines() if not x.strip().startswith("/")]
    assert max(map(len, texts)) <= 80

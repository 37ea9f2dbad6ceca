from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from napari_sclip.paths import atomic_write, cache_dir, config_dir


@pytest.mark.parametrize(
    ("variable", "folder"),
    [("NAPARI_SCLIP_CACHE", cache_dir), ("NAPARI_SCLIP_CONFIG", config_dir)],
)
def test_the_environment_names_the_folder(
    variable: str, folder: Callable[[], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f" {tmp_path / 'here'} ")
    assert folder() == tmp_path / "here"
    monkeypatch.setenv(variable, "~/there")
    assert folder() == Path.home() / "there"
    monkeypatch.setenv(variable, "~nobody-of-this-name/there")
    assert folder().is_absolute()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "beside")
    assert folder() == tmp_path / "beside"
    for nothing in ("", " "):
        monkeypatch.setenv(variable, nothing)
        assert "napari-sclip" in folder().parts
        assert folder().is_absolute()
    monkeypatch.delenv(variable)
    assert "napari-sclip" in folder().parts


def test_settings_are_not_kept_in_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NAPARI_SCLIP_CACHE", raising=False)
    monkeypatch.delenv("NAPARI_SCLIP_CONFIG", raising=False)
    assert config_dir() != cache_dir()


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "result.json"
    with atomic_write(target) as temporary:
        assert temporary.parent == target.parent
        assert temporary.suffix == ".json"
        temporary.write_text("words")
        assert not target.exists()
    assert target.read_text() == "words"
    assert list(target.parent.iterdir()) == [target]


def test_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    target.write_text("old")

    def interrupted() -> None:
        with atomic_write(target) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_others_may_read_what_the_umask_lets_them(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    with atomic_write(tmp_path / "written"):
        pass
    assert (tmp_path / "written").stat().st_mode == plain.stat().st_mode

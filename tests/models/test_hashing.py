from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from napari_sclip.models import hashing
from napari_sclip.models.hashing import sha256_of
from napari_sclip.paths import cache_dir
from napari_sclip.progress import Progress


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every file whose bytes were read."""
    read: list[Path] = []
    original = hashing.hash_bytes

    def spy(path: Path, *args: object) -> str:
        read.append(path)
        return original(path)

    monkeypatch.setattr(hashing, "hash_bytes", spy)
    return read


def memo() -> Path:
    return cache_dir() / "sha256.json"


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_file_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    file = tmp_path / "w"
    file.write_bytes(b"one")
    assert sha256_of(file) == digest_of(b"one")
    assert sha256_of(str(file)) == digest_of(b"one")
    assert len(reads) == 1


@pytest.mark.parametrize("content", [b"two!", b"two"])
def test_a_changed_file_is_read_again(tmp_path: Path, reads: list[Path], content: bytes) -> None:
    file = tmp_path / "w"
    file.write_bytes(b"one")
    sha256_of(file)
    before = file.stat().st_mtime_ns
    file.write_bytes(content)
    if len(content) == 3:
        os.utime(file, ns=(before + 1000, before + 1000))
    else:
        os.utime(file, ns=(before, before))
    assert sha256_of(file) == digest_of(content)
    assert len(reads) == 2


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", "null", '{"a": 3}', "\udcff", "not the digest", "short digest"]
)
def test_a_damaged_memo_is_ignored(tmp_path: Path, reads: list[Path], damage: str) -> None:
    file = tmp_path / "w"
    file.write_bytes(b"one")
    sha256_of(file)
    if damage.endswith("digest"):
        wrong = "g" * 64 if damage.startswith("not") else "abc"
        damage = json.dumps(dict.fromkeys(json.loads(memo().read_text()), wrong))
    memo().write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert sha256_of(file) == digest_of(b"one")
    assert len(reads) == 2
    assert sha256_of(file) == digest_of(b"one")
    assert len(reads) == 2


def test_a_folder_that_cannot_be_written_only_costs_time(
    tmp_path: Path, reads: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in the way").write_text("")
    monkeypatch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path / "in the way"))
    file = tmp_path / "w"
    file.write_bytes(b"one")
    assert sha256_of(file) == sha256_of(file) == digest_of(b"one")
    assert len(reads) == 2


def test_the_memo_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_REMEMBERED", 3)
    for number in range(5):
        file = tmp_path / str(number)
        file.write_bytes(b"x")
        sha256_of(file)
    names = [key.rsplit("/", 1)[-1] for key in json.loads(memo().read_text())]
    assert names == ["2", "3", "4"]


def test_reading_can_be_stopped(tmp_path: Path) -> None:
    file = tmp_path / "w"
    file.write_bytes(b"one")

    def cancel(progress: Progress) -> None:
        assert (progress.done, progress.total, progress.message) == (3, 3, "Checking w")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sha256_of(file, cancel)

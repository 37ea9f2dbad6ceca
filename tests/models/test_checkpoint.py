from __future__ import annotations

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_sclip.errors import ModelError
from napari_sclip.models.checkpoint import read_checkpoint
from tests.models.tiny_files import Tiny, save_torchscript

WEIGHTS = {
    "visual.proj": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "visual.class_embedding": torch.tensor([0.5, -0.25], dtype=torch.float16),
    "logit_scale": torch.tensor(4.6),
}


def assert_same(state: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert sorted(state) == sorted(expected)
    for name, tensor in expected.items():
        assert state[name].dtype == tensor.dtype
        assert torch.equal(state[name], tensor)
        assert not state[name].requires_grad
        assert state[name].device.type == "cpu"


@pytest.mark.parametrize("name", ["w.pt", "w.bin", "w.safetensors", "w.npz", "w.weights"])
@pytest.mark.parametrize("kind", ["torch", "legacy", "safetensors", "npz"])
def test_every_format_under_every_name(tmp_path: Path, kind: str, name: str) -> None:
    path = tmp_path / name
    if kind == "safetensors":
        save_file(WEIGHTS, path, metadata={"format": "pt"})
    elif kind == "npz":
        with path.open("wb") as file:
            arrays: dict[str, Any] = {k: v.numpy() for k, v in WEIGHTS.items()}
            np.savez_compressed(file, **arrays)
    else:
        torch.save(WEIGHTS, path, _use_new_zipfile_serialization=kind == "torch")
    checkpoint = read_checkpoint(path)
    assert_same(checkpoint.state_dict, WEIGHTS)
    assert checkpoint.openai == ""
    assert checkpoint.metadata == ({"format": "pt"} if kind == "safetensors" else {})


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model"])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod."])
def test_training_checkpoints(tmp_path: Path, key: str, prefix: str) -> None:
    named = {prefix + name: torch.nn.Parameter(value) for name, value in WEIGHTS.items()}
    torch.save({"epoch": 3, "name": "run", key: named, "optimizer": {}}, tmp_path / "e.pt")
    assert_same(read_checkpoint(tmp_path / "e.pt").state_dict, WEIGHTS)


def test_a_prefix_of_some_names_only_is_part_of_them(tmp_path: Path) -> None:
    torch.save({"module.a": torch.ones(1), "b": torch.ones(1)}, tmp_path / "e.pt")
    assert sorted(read_checkpoint(tmp_path / "e.pt").state_dict) == ["b", "module.a"]


def test_torchscript_archives_are_read_without_a_warning(tmp_path: Path) -> None:
    checkpoint = read_checkpoint(save_torchscript(Tiny(), tmp_path / "ViT-B-16.pt"))
    expected = {"proj": torch.tensor([1.0, 2.0], dtype=torch.float16)}
    assert_same(checkpoint.state_dict, expected)
    assert checkpoint.openai == "it is a TorchScript archive"


def test_the_state_dict_of_such_an_archive_is_recognised(tmp_path: Path) -> None:
    torch.save(Tiny().state_dict(), tmp_path / "saved.pt")
    checkpoint = read_checkpoint(tmp_path / "saved.pt")
    assert list(checkpoint.state_dict) == ["proj"]
    assert checkpoint.openai == "it holds input_resolution, context_length, vocab_size"


class Evil:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("kind", ["torch", "legacy", "pickle", "npz", "module"])
def test_code_in_a_file_is_never_run(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "evil.pt", tmp_path / "made"
    if kind == "pickle":
        path.write_bytes(pickle.dumps({"w": Evil(target)}))
    elif kind == "npz":
        with path.open("wb") as file:
            np.savez(file, w=np.array([Evil(target)], dtype=object))
    else:
        stored = Tiny() if kind == "module" else {"w": torch.ones(1), "x": Evil(target)}
        torch.save(stored, path, _use_new_zipfile_serialization=kind != "legacy")
    with pytest.raises(ModelError, match=r"could run any code.*safetensors\.torch\.save_file"):
        read_checkpoint(path)
    assert not target.exists()


def test_the_refused_object_is_named(tmp_path: Path) -> None:
    torch.save(Tiny(), tmp_path / "whole_model.pt")
    with pytest.raises(ModelError, match=r"\(\S*Tiny\)"):
        read_checkpoint(tmp_path / "whole_model.pt")


def test_missing_and_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="There is no file of weights at"):
        read_checkpoint(tmp_path / "absent.pt")
    with pytest.raises(ModelError, match="got the folder"):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"<!DOCTYPE html><html>Sign in</html>", r"begins with b'<!DOCTYPE html>"),
        (b"version https://git-lfs.github.com/spec/v1\noid", "is a pointer of Git LFS"),
        (b"PK\x03\x04", "cut short or damaged"),
        (b"\x80\x02", "damaged"),
        (b"\x80\x02}q\x00.", "damaged"),
        (b"\x10\x00\x00\x00\x00\x00\x00\x00{", r"cut short \(9 bytes\)"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{]", "damaged"),
        (b"\x02\x00\x00\x00\x00\x00\x00\x00{}", "holds none"),
    ],
)
def test_what_is_no_checkpoint(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "w.pt"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("kind", ["torch", "legacy", "safetensors", "npz", "torchscript"])
def test_cut_short(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "w"
    large = {"w": torch.rand(2000)}
    if kind == "safetensors":
        save_file(large, path)
    elif kind == "npz":
        with path.open("wb") as file:
            np.savez(file, w=large["w"].numpy())
    elif kind == "torchscript":
        save_torchscript(Tiny(), path)
    else:
        torch.save(large, path, _use_new_zipfile_serialization=kind == "torch")
    whole = path.read_bytes()
    for part in (len(whole) // 3, len(whole) - 10):
        path.write_bytes(whole[:part])
        with pytest.raises(ModelError, match=r"cut short|damaged"):
            read_checkpoint(path)


def test_an_archive_of_something_else(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("photo.txt", "words")
    with pytest.raises(ModelError, match="is a zip archive, but holds no weights"):
        read_checkpoint(tmp_path / "w.pt")


@pytest.mark.parametrize("stored", [{}, {"epoch": 3}, [1, 2], torch.ones(2), {"state_dict": {}}])
def test_no_weights(tmp_path: Path, stored: object) -> None:
    torch.save(stored, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="Expected named weights"):
        read_checkpoint(tmp_path / "w.pt")

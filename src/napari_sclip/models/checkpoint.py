"""Checkpoints of any of four formats, read without running code stored in them."""

from __future__ import annotations

import contextlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open

from napari_sclip.errors import DeviceError, ModelError, is_out_of_memory

# Once, for the process: a filter that comes and goes with a read would come and go in the midst of
# what other threads do with theirs. Neither is of use to who only reads a file.
warnings.filterwarnings("ignore", message=".*torch.jit", category=Warning)
warnings.filterwarnings("ignore", message="Detected pickle protocol", category=UserWarning)

SUFFIXES = (".safetensors", ".npz", ".bin", ".pt", ".pth")
"""What files of weights are usually called."""

_NESTED_UNDER = ("state_dict", "model_state_dict", "model")
_PREFIXES = ("module.", "_orig_mod.")
# Entries that only the archives published by OpenAI have; they are no weights.
_OPENAI_ENTRIES = ("input_resolution", "context_length", "vocab_size")
_AGAIN = "Get the file again, or give another one with weights=."
_RESAVE = (
    "Save it again without objects, where it was made: "
    "safetensors.torch.save_file(model.state_dict(), 'clip.safetensors')."
)
_DAMAGED = (
    RuntimeError, ValueError, KeyError, EOFError, OSError, AttributeError, TypeError, IndexError,
    pickle.UnpicklingError, zipfile.BadZipFile, SafetensorError,
)  # fmt: skip


@dataclass(frozen=True)
class Checkpoint:
    """The weights of a file.

    Attributes
    ----------
    state_dict : dict of str to torch.Tensor
        On the CPU, in the precision of the file, without prefixes of training code.
    openai : str
        Why the file's form shows that its weights are OpenAI's; empty if it does not.
    metadata : mapping of str to str
        What a safetensors file says about itself.
    """

    state_dict: dict[str, torch.Tensor]
    openai: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


def read_checkpoint(path: Path) -> Checkpoint:
    """Read the weights of a file; its content tells its format, not its name.

    Parameters
    ----------
    path : Path
        A safetensors file, a numpy archive (``.npz``), a file of ``torch.save`` or a
        TorchScript archive.

    Raises
    ------
    ModelError
        If the file is missing, empty, damaged, of another format, holds no weights, or would
        have to run code to be read.
    DeviceError
        If memory does not suffice.
    """
    kind = _kind_of(path)
    with _damage_explained(path):
        if kind == "safetensors":
            with safe_open(path, framework="pt", device="cpu") as file:
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
                return _checked(path, tensors, metadata=file.metadata() or {})
        if kind == "npz":
            with np.load(path, allow_pickle=False) as arrays:
                return _checked(path, {k: torch.from_numpy(v) for k, v in arrays.items()})
        if kind == "torchscript":
            return _checked(path, _torchscript(path), openai="it is a TorchScript archive")
        loaded = _torch_saved(path, mapped=kind == "torch")
    return _checked(path, loaded)


def _kind_of(path: Path) -> str:
    try:
        if not path.exists():
            raise ModelError(f"There is no file of weights at {path}. Check its place and name.")
        if not path.is_file():
            raise ModelError(
                f"Expected a file of weights; got the folder {path}. Give a file in it."
            )
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(64)
    except OSError as error:
        raise ModelError(f"The file of weights {path} cannot be read: {error}.") from error
    if not head:
        raise ModelError(f"The file of weights {path} is empty (0 bytes). {_AGAIN}")
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if head.startswith(b"\x80"):
        return "pickle"
    if len(head) > 8 and head[8:9] == b"{":
        if 8 + int.from_bytes(head[:8], "little") > size:
            raise ModelError(f"The file of weights {path} is cut short ({size} bytes). {_AGAIN}")
        return "safetensors"
    what = "a pointer of Git LFS" if head.startswith(b"version https://git-lfs") else "not one"
    raise ModelError(
        "Expected a file of weights (.safetensors, .pt, .bin or .npz); "
        f"{path} is {what}: it begins with {head[:24]!r}. {_AGAIN}"
    )


def _kind_of_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise ModelError(
            f"The file of weights {path} is cut short or damaged "
            f"({path.stat().st_size} bytes): its end is missing. {_AGAIN}"
        ) from error
    if any(name.endswith("/constants.pkl") or "/code/" in name for name in names):
        return "torchscript"
    if any(name.endswith("/data.pkl") for name in names):
        return "torch"
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise ModelError(f"{path} is a zip archive, but holds no weights. {_AGAIN}")


@contextlib.contextmanager
def _damage_explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (*_DAMAGED, MemoryError) as error:
        if is_out_of_memory(error):
            raise DeviceError(
                f"The memory of this machine does not suffice to read {path}. Close other "
                "programs, unload other models, or choose a smaller one."
            ) from error
        text = str(error)
        if any(sign in text for sign in ("GLOBAL", "Unsupported", "allow_pickle")):
            found = re.search(r"GLOBAL ([\w.]+)", text)
            named = f" ({found[1]})" if found else ""
            raise ModelError(
                f"{path} holds Python objects{named} besides weights, and reading them could "
                f"run any code: it is refused. {_RESAVE}"
            ) from error
        # torch's own words would advise to read it with weights_only=False.
        words = "" if "weights_only" in text else f": {text.partition(chr(10))[0]}"
        raise ModelError(
            f"The file of weights {path} is damaged ({type(error).__name__}{words}). {_AGAIN}"
        ) from error


def _torch_saved(path: Path, *, mapped: bool) -> object:
    # torch.load goes by the name if it is given one, and maps only what it has a name of.
    if mapped and path.suffix != ".safetensors":
        return torch.load(str(path), map_location="cpu", weights_only=True, mmap=True)
    with path.open("rb") as file:
        return torch.load(file, map_location="cpu", weights_only=True)


def _torchscript(path: Path) -> dict[str, Any]:
    # TorchScript has a reader of its own, which runs no Python code of the file.
    module = torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    return dict(module.state_dict())


def _checked(
    path: Path, loaded: object, *, openai: str = "", metadata: Mapping[str, str] | None = None
) -> Checkpoint:
    entries = _unnested(loaded)
    tensors = {k: v.detach() for k, v in entries.items() if isinstance(v, torch.Tensor)}
    for prefix in _PREFIXES:
        if tensors and all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    if all(name in entries or name in tensors for name in _OPENAI_ENTRIES):
        openai = openai or f"it holds {', '.join(_OPENAI_ENTRIES)}"
    weights = {k: v for k, v in tensors.items() if k not in _OPENAI_ENTRIES}
    if not weights:
        raise ModelError(
            f"Expected named weights in {path}; it holds none "
            f"(but {type(loaded).__name__}). Give a file with the state dict of a CLIP model."
        )
    return Checkpoint(weights, openai, metadata or {})


def _unnested(loaded: object) -> Mapping[str, Any]:
    while isinstance(loaded, Mapping):
        inner = [loaded[key] for key in _NESTED_UNDER if isinstance(loaded.get(key), Mapping)]
        if not inner:
            return {str(key): value for key, value in loaded.items()}
        loaded = inner[0]
    return {}

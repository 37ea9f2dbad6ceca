"""Every exception becomes a message that says what to do."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_sclip import Segmenter
from napari_sclip.engine.failures import explain_error
from napari_sclip.errors import DeviceError, DownloadError, ImageError, is_out_of_memory
from napari_sclip.models.checkpoint import read_checkpoint


def windows_error(number: int, text: str) -> OSError:
    """Make an error as Windows raises it; elsewhere its number is no attribute by itself."""
    error = OSError(errno.EINVAL, text)
    error.winerror = number  # type: ignore[attr-defined,unused-ignore]
    return error


NO_MEMORY = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9.00 GB)"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    windows_error(1455, "The paging file is too small for this operation to complete"),
]


@pytest.mark.parametrize("error", NO_MEMORY, ids=str)
def test_a_lack_of_memory_is_recognised_in_every_form(error: BaseException) -> None:
    assert is_out_of_memory(error)
    message = explain_error(error)
    assert "does not suffice. Choose a coarser detail" in message
    assert "unload other models" in message
    on_gpu = any(word in str(error) for word in ("CUDA", "MPS"))
    assert ("memory of the GPU" in message) == ("CPU as the device" in message) == on_gpu


def test_the_real_thing_is_recognised() -> None:
    with pytest.raises((RuntimeError, MemoryError)) as of_torch:
        torch.empty(2**60, dtype=torch.uint8)
    with pytest.raises(MemoryError) as of_numpy:
        np.empty(2**60, dtype=np.uint8)
    for caught in (of_torch, of_numpy):
        assert "does not suffice" in explain_error(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("out of memory"),
        OSError(errno.ENOSPC, "No space left on device"),
        KeyError("memory"),
    ],
    ids=str,
)
def test_other_errors_are_no_lack_of_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)
    message = explain_error(error)
    assert message.startswith(f"Unexpected {type(error).__name__}: ")
    assert message.endswith("The details can be copied for a report.")


@pytest.mark.parametrize("error", [ImageError("Expected this; got that."), DownloadError("Gone.")])
def test_errors_raised_on_purpose_keep_their_message(error: Exception) -> None:
    assert explain_error(error) == str(error)


C10 = (
    "[WinError 1114] A dynamic link library (DLL) initialization routine failed. Error loading "
    'C:\\venv\\Lib\\site-packages\\torch\\lib\\c10.dll" or one of its dependencies.'
)


@pytest.mark.parametrize(
    "error",
    [
        OSError(C10),
        windows_error(1114, "Error loading torch\\lib\\c10.dll or one of its dependencies."),
        windows_error(126, "Das Modul wurde nicht gefunden: torch\\lib\\fbgemm.dll"),
        ImportError("DLL load failed while importing _C: The specified module could not be found."),
    ],
    ids=str,
)
def test_libraries_that_windows_cannot_start(error: Exception) -> None:
    message = explain_error(error)
    assert 'python -c "import torch, napari; napari.Viewer(); napari.run()"' in message
    assert "Visual C++ Redistributable" in message
    assert "before Qt" in message


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'torch'", name="torch"),
        ImportError("libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent"),
        OSError("libcudart.so.12: cannot open shared object file: No such file or directory"),
        OSError("dlopen(/venv/torch/lib/libtorch.dylib, 0x0006): Library not loaded"),
    ],
    ids=str,
)
def test_libraries_that_are_missing(error: Exception) -> None:
    message = explain_error(error)
    assert message.startswith(f"The libraries that compute cannot be loaded: {error}.")
    assert "napari-sclip doctor" in message


def test_only_the_first_line_of_an_unexpected_error_is_shown() -> None:
    assert explain_error(ZeroDivisionError("one.\n  two")) == (
        "Unexpected ZeroDivisionError: one. The details can be copied for a report."
    )
    assert explain_error(KeyError()) == (
        "Unexpected KeyError. The details can be copied for a report."
    )


def test_importing_it_loads_no_torch() -> None:
    code = (
        "import sys; from napari_sclip.engine.failures import explain_error;"
        "explain_error(MemoryError()); explain_error(OSError('x')); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_weights_that_do_not_fit_the_memory_are_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    save_file({"w": torch.ones(3)}, path)

    def full(*_: object, **__: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1")

    monkeypatch.setattr("napari_sclip.models.checkpoint.safe_open", full)
    with pytest.raises(DeviceError, match=r"does not suffice to read .*w\.safetensors"):
        read_checkpoint(path)


def test_errors_of_the_engine_itself_need_no_translation() -> None:
    with pytest.raises(DeviceError) as caught:
        Segmenter.load("shapes-demo", device="gpu")
    assert explain_error(caught.value) == str(caught.value)

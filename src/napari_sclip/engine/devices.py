"""Which device computes, in which precision, and why."""

from __future__ import annotations

import re

import torch

from napari_sclip.errors import DeviceError

PRECISIONS = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def available_devices() -> list[tuple[str, str]]:
    """List the devices that can be used: name and description, the preferred one first."""
    devices = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            properties = torch.cuda.get_device_properties(index)
            size = properties.total_memory / 2**30
            devices.append((f"cuda:{index}", f"{properties.name}, {size:.0f} GiB"))
    if torch.backends.mps.is_available():
        devices.append(("mps", "Apple GPU"))
    devices.append(("cpu", f"{torch.get_num_threads()} threads"))
    return devices


def gpu_report() -> str:
    """Say in one sentence why a GPU is or is not used."""
    if torch.cuda.is_available():
        return f"A GPU is used: {torch.cuda.get_device_name(0)}."
    if torch.backends.mps.is_available():
        return "A GPU is used: Apple's, through Metal (mps)."
    if torch.backends.mps.is_built():
        return "No GPU is used: this macOS or machine does not offer Metal to torch."
    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        return (
            f"No GPU is used: the installed torch {torch.__version__} is a build for CPUs only. "
            "Install a build with CUDA to use an NVIDIA GPU."
        )
    return (
        f"No GPU is used: torch {torch.__version__} was built for CUDA {torch.version.cuda}, but "
        "finds no NVIDIA GPU or no driver that is new enough."
    )


def choose_device(device: str) -> torch.device:
    """Resolve a device name.

    Parameters
    ----------
    device : str
        "auto", "cpu", "cuda", "cuda:N" or "mps".

    Raises
    ------
    DeviceError
        If the name is unknown or the device is not there; the message lists those there are.
    """
    available = [name for name, _ in available_devices()]
    if device == "auto":
        return torch.device(available[0])
    name = "cuda:0" if device == "cuda" else str(device)
    if not re.fullmatch(r"cpu|mps|cuda:\d+", name):
        raise DeviceError(
            f"Unknown device {device!r}. Known devices: auto, cpu, cuda, cuda:N, mps; on this "
            f"machine: {', '.join(available)}."
        )
    if name not in available:
        raise DeviceError(
            f"The device {device!r} is not available. On this machine: {', '.join(available)}. "
            f"{gpu_report()}"
        )
    return torch.device(name)


def choose_precision(precision: str, device: torch.device) -> str:
    """Resolve the precision of the vision tower: "auto" is fp16 on CUDA, fp32 elsewhere.

    Raises
    ------
    DeviceError
        If the name is unknown; the message lists the known ones.
    """
    if precision == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if not isinstance(precision, str) or precision not in PRECISIONS:
        raise DeviceError(
            f"Unknown precision {precision!r}. Known precisions: auto, {', '.join(PRECISIONS)}."
        )
    return precision


def release_memory(device: torch.device) -> None:
    """Give cached memory of a device back."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()

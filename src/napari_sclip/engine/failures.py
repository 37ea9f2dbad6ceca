"""What to tell a person when something went wrong; needs no torch, which may be what failed."""

from __future__ import annotations

from napari_sclip.errors import SclipError, is_out_of_memory

GPU_WORDS = ("cuda", "hip", "mps", "cublas", "cudnn")

DLL_ERRORS = (126, 127, 182, 193, 1114)
"""Windows' numbers for a library that is missing, does not fit, or does not start."""

TORCH_FIRST = 'python -c "import torch, napari; napari.Viewer(); napari.run()"'
"""Starts napari in the order that Windows needs since torch 2.9."""


def explain_error(error: BaseException) -> str:
    """Say in a person's words what went wrong, and what to do.

    Parameters
    ----------
    error : BaseException
        Anything that loading, embedding or classifying raised.

    Returns
    -------
    str
        The message of a `SclipError`; advice for a lack of memory or for libraries that cannot
        be loaded; for anything else its kind and first line.
    """
    if isinstance(error, SclipError):
        return str(error)
    if is_out_of_memory(error):
        return _out_of_memory(error)
    if _is_dll_error(error):
        return (
            f"torch or another library could not be started by Windows ({_first_line(error)}). "
            "It has to be loaded before Qt: close napari and start it with "
            f"{TORCH_FIRST} instead. If that fails as well, install the newest Microsoft Visual "
            "C++ Redistributable (https://aka.ms/vs/17/release/vc_redist.x64.exe) and try again."
        )
    if isinstance(error, ImportError) or _is_library_error(error):
        return (
            f"The libraries that compute cannot be loaded: {_first_line(error)}. "
            "'napari-sclip doctor' says which ones are installed; installing napari-sclip again "
            "into a new environment helps."
        )
    line = _first_line(error)
    what = f"{type(error).__name__}: {line}" if line else type(error).__name__
    return f"Unexpected {what}. The details can be copied for a report."


def _out_of_memory(error: BaseException) -> str:
    on_gpu = any(word in str(error).lower() for word in GPU_WORDS)
    whose = "The memory of the GPU" if on_gpu else "The memory of this machine"
    cpu = ", or choose the CPU as the device" if on_gpu else ""
    return (
        f"{whose} does not suffice. Choose a coarser detail (a smaller short side) or a smaller "
        f"region of the image, unload other models, close other programs{cpu}."
    )


def _is_dll_error(error: BaseException) -> bool:
    if not isinstance(error, (ImportError, OSError)):
        return False
    text = str(error)
    return (
        "DLL load failed" in text
        or "dynamic link library" in text
        or (getattr(error, "winerror", None) in DLL_ERRORS and ".dll" in text.lower())
    )


def _is_library_error(error: BaseException) -> bool:
    signs = ("shared object file", "undefined symbol", "dlopen", "Library not loaded")
    return isinstance(error, OSError) and any(sign in str(error) for sign in signs)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].strip().rstrip(".") if lines else ""

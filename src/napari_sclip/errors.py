"""The errors that napari-sclip raises on purpose, and how a lack of memory is recognised.

None of them is a ``RuntimeError``: a generator worker of superqt swallows those.
"""

from __future__ import annotations

import errno


class SclipError(Exception):
    """Base of every error raised on purpose: what was expected, what came, what to do."""


class ConfigError(SclipError):
    """A setting or an argument is not usable."""


class ClassesError(SclipError):
    """The classes asked for are empty, ambiguous or contradictory."""


class ImageError(SclipError):
    """An array or a file is not an image that can be segmented."""


class ModelError(SclipError):
    """A model is unknown, cannot be treated, or does not fit its checkpoint."""


class DownloadError(ModelError):
    """The weights could not be brought to this machine."""


class DeviceError(SclipError):
    """The device or precision asked for is not available, or its memory does not suffice."""


class OutputError(SclipError):
    """A result could not be written."""


class SclipWarning(UserWarning):
    """Something was done differently from what was asked, and still makes sense."""


MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
"""What torch, CUDA's libraries and Metal say, each in words of its own."""

PAGING_FILE_TOO_SMALL = 1455
"""What Windows says when a file cannot be mapped into memory."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch or the machine ran out of memory; torch words it in several ways."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        too_small = getattr(error, "winerror", None) == PAGING_FILE_TOO_SMALL
        return error.errno == errno.ENOMEM or too_small
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):
        return True  # torch's, known by its name so that torch need not be loaded
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in MEMORY_WORDS)

"""How a lack of memory is recognised; needs no torch."""

from __future__ import annotations

import errno

WORDS = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")
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
    return isinstance(error, RuntimeError) and any(words in text for words in WORDS)

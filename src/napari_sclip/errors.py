"""The errors that napari-sclip raises on purpose.

None of them is a ``RuntimeError``: a generator worker of superqt swallows those.
"""

from __future__ import annotations


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

"""Errors raised on purpose can be told from all others, and are no RuntimeErrors."""

from __future__ import annotations

import inspect
import pickle

import pytest

from napari_sclip import errors
from napari_sclip.errors import DownloadError, ModelError, SclipError, SclipWarning

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, BaseException) and kind is not SclipWarning
]


def test_all_kinds_are_looked_at() -> None:
    assert {kind.__name__ for kind in KINDS} >= {
        "SclipError",
        "ConfigError",
        "ClassesError",
        "ImageError",
        "ModelError",
        "DownloadError",
        "DeviceError",
        "OutputError",
    }


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_sclip_error(kind: type[Exception]) -> None:
    assert issubclass(kind, SclipError)
    assert kind.__module__ == "napari_sclip.errors"


@pytest.mark.parametrize("kind", KINDS)
def test_no_kind_is_swallowed_by_a_worker_or_taken_for_pythons_own(kind: type[Exception]) -> None:
    # A generator worker of superqt swallows RuntimeErrors; callers catch OSError and ValueError.
    assert not issubclass(kind, (RuntimeError, StopIteration, OSError, ValueError, KeyError))


@pytest.mark.parametrize("kind", KINDS)
def test_the_message_is_what_is_shown_also_after_pickling(kind: type[Exception]) -> None:
    error = pickle.loads(pickle.dumps(kind("Expected a; got b.")))
    assert type(error) is kind
    assert str(error) == "Expected a; got b."


def test_a_failed_download_is_a_model_that_cannot_be_had() -> None:
    assert issubclass(DownloadError, ModelError)


def test_the_warning_is_shown_to_users() -> None:
    assert issubclass(SclipWarning, UserWarning)
    assert not issubclass(SclipWarning, SclipError)

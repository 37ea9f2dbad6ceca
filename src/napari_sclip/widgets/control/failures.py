"""Word what went wrong, for a person and for a report."""

from __future__ import annotations

import platform
import traceback

from napari_sclip.engine.failures import explain_error
from napari_sclip.errors import SclipError
from napari_sclip.layers.labels.schema import package_versions
from napari_sclip.widgets.state.run import Failure
from napari_sclip.widgets.state.widget import WidgetState

IN_THE_WIDGET = {
    "with weights=": "as “A checkpoint of my own”",
    "as weights=": "as “A checkpoint of my own”",
}
"""What is an argument in Python is a control here."""


def describe_failure(error: Exception, state: WidgetState) -> Failure:
    """Turn any exception of a run into what the widget shows.

    Parameters
    ----------
    error : Exception
    state : WidgetState
        What was asked for, as far as it still stands there.
    """
    lines = [
        "".join(traceback.format_exception(error)).rstrip(),
        "",
        f"Image: {state.image.facts}",
        f"Model: {state.model.selection()}",
        f"Detail: {_settings(state)}",
        f"System: {platform.platform()}, Python {platform.python_version()}",
        *(f"{name}: {version}" for name, version in package_versions()),
    ]
    message = explain_error(error)
    for words, here in IN_THE_WIDGET.items():
        message = message.replace(words, here)
    return Failure(message, "\n".join(lines))


def _settings(state: WidgetState) -> str:
    try:
        return str(state.detail.config().to_dict())
    except SclipError as error:
        return str(error)

"""From the options to a model that is ready."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from napari_sclip.cli.console import Console
from napari_sclip.errors import ModelError
from napari_sclip.models.registry import MODELS
from napari_sclip.progress import ProgressCallback

if TYPE_CHECKING:
    from napari_sclip.engine.segmenter import Segmenter


def announce_download(arguments: argparse.Namespace, console: Console) -> None:
    """Say that a model of the registry will be downloaded, if it will."""
    from napari_sclip.models.weights import weights_on_disk

    for entry in MODELS:
        if (
            entry.name == arguments.model
            and arguments.weights is None
            and weights_on_disk(entry) is None
            and not console.quiet
        ):
            console.note(
                f"{entry.name} is not on this disk yet; {entry.size_mb} MB are downloaded once."
            )


def load_segmenter(arguments: argparse.Namespace, progress: ProgressCallback) -> Segmenter:
    """Load the model that was asked for.

    Raises
    ------
    SclipError
        As `Segmenter.load` does.
    """
    chosen = {} if arguments.attention is None else {"attention": arguments.attention}
    return engine().load(
        arguments.model,
        weights=arguments.weights,
        device=arguments.device,
        precision=arguments.precision,
        progress=progress,
        **chosen,
    )


def engine() -> type[Segmenter]:
    """Import the engine.

    Raises
    ------
    ModelError
        If torch or another library that it needs cannot be loaded.
    """
    try:
        from napari_sclip.engine.segmenter import Segmenter
    except (ImportError, OSError) as error:
        raise ModelError(
            f"The libraries that compute cannot be loaded: {error}. 'napari-sclip doctor' says "
            "which ones are installed; installing napari-sclip again into a new environment helps."
        ) from error
    return Segmenter

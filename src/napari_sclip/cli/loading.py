"""From the options to a model that is ready."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from napari_sclip.cli.console import Console
from napari_sclip.config import SegmentationConfig
from napari_sclip.engine.failures import explain_error
from napari_sclip.engine.layout import check_window
from napari_sclip.errors import DownloadError, ModelError
from napari_sclip.models.registry import MODELS
from napari_sclip.progress import Progress, ProgressCallback

if TYPE_CHECKING:
    from napari_sclip.engine.segmenter import Segmenter


TRY_THE_DEMO = (
    "To try the program without a download, use --model shapes-demo, which knows coloured shapes."
)


def load_segmenter(arguments: argparse.Namespace, console: Console) -> Segmenter:
    """Load the model that was asked for, and say so once if it has to be downloaded.

    Raises
    ------
    SclipError
        As `Segmenter.load` does.
    """
    chosen = {} if arguments.attention is None else {"attention": arguments.attention}
    kind = engine()
    try:
        with console.progress(arguments.model) as shown:
            return kind.load(
                arguments.model,
                weights=arguments.weights,
                device=arguments.device,
                precision=arguments.precision,
                progress=_announcing(arguments.model, console, shown),
                **chosen,
            )
    except DownloadError as error:
        raise DownloadError(f"{error} {TRY_THE_DEMO}") from error


def check_settings(arguments: argparse.Namespace, config: SegmentationConfig) -> None:
    """Raise a `ConfigError` for a window or stride that the registry's model cannot use."""
    for entry in MODELS:
        if entry.name == arguments.model:
            check_window(config.for_input_size(entry.input_size), entry.patch)


def _announcing(model: str, console: Console, shown: ProgressCallback) -> ProgressCallback:
    """Say, when the first bytes come, how large the download is; then show reports as usual."""
    from napari_sclip.models.transfer import DOWNLOADING

    waiting = {entry.name: entry for entry in MODELS if not console.quiet}

    def tell(progress: Progress) -> None:
        if progress.message.startswith(DOWNLOADING) and model in waiting:
            entry = waiting.pop(model)
            console.note(
                f"{entry.name} is not on this disk yet; {entry.size_mb} MB are downloaded once."
            )
        shown(progress)

    return tell


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
        raise ModelError(explain_error(error)) from error
    return Segmenter

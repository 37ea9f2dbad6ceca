"""Find out what this machine offers: models on its disk, devices, attention modes."""

from __future__ import annotations

from dataclasses import dataclass

from napari_sclip.layers.labels.layer import warm_up as warm_up_labels
from napari_sclip.models.registry import MODELS, ModelEntry
from napari_sclip.progress import Progress
from napari_sclip.widgets.state.model import ModelChoice
from napari_sclip.widgets.work.reporter import Reporter
from napari_sclip.widgets.work.warm_up import no_long_collections, warm_up


@dataclass(frozen=True)
class Findings:
    """What was found.

    Attributes
    ----------
    choices : tuple of ModelChoice
    devices, attentions : tuple of (str, str)
        Names and descriptions.
    gpu_report : str
    """

    choices: tuple[ModelChoice, ...]
    devices: tuple[tuple[str, str], ...] = ()
    attentions: tuple[tuple[str, str], ...] = ()
    gpu_report: str = ""


def known_models() -> tuple[ModelChoice, ...]:
    """List the models without looking at the disk: only the bundled one is surely there."""
    return tuple(_choice(entry, on_disk=entry.repo is None) for entry in MODELS)


def models_on_disk() -> tuple[ModelChoice, ...]:
    """List the models and whether they are on this disk."""
    from napari_sclip.models.weights import weights_on_disk

    return tuple(_choice(e, on_disk=weights_on_disk(e) is not None) for e in MODELS)


def look_around(reporter: Reporter) -> Findings:
    """Import the engine and ask it what can be used; the models are told as a draft first."""
    choices = models_on_disk()
    reporter.draft(Findings(choices))
    reporter.progress(Progress(0, 0, "Getting ready"))
    with no_long_collections():
        warm_up()
        warm_up_labels()
    from napari_sclip.core.attention import ATTENTION_MODES
    from napari_sclip.engine.devices import available_devices, gpu_report

    return Findings(
        choices=choices,
        devices=tuple(available_devices()),
        attentions=tuple((mode.name, mode.summary) for mode in ATTENTION_MODES),
        gpu_report=gpu_report(),
    )


def bring_model(name: str, reporter: Reporter) -> tuple[ModelChoice, ...]:
    """Download a model of the registry; return the models as they are then.

    Raises
    ------
    DownloadError
        If it could not be brought; what came stays, and the next call goes on from there.
    """
    from napari_sclip.models.registry import find_model
    from napari_sclip.models.weights import obtain_weights

    obtain_weights(find_model(name), reporter.progress)
    return models_on_disk()


def _choice(entry: ModelEntry, *, on_disk: bool) -> ModelChoice:
    return ModelChoice(entry.name, entry.size_mb, on_disk, entry.licence, entry.good_for)

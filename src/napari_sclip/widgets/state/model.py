"""Which model computes, where, and how it got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from psygnal import SignalGroupDescriptor

OWN_FILE = "own-file"
"""The `name` that stands for a checkpoint of one's own."""


@dataclass(frozen=True)
class ModelChoice:
    """One model that is offered.

    Attributes
    ----------
    name : str
        Of the registry.
    size_mb : int
        Of the download.
    on_disk : bool
        Whether it can be used without a download.
    licence : str
    good_for : str
        One sentence for a person who chooses a model.
    """

    name: str
    size_mb: int
    on_disk: bool
    licence: str
    good_for: str


@dataclass(frozen=True)
class ModelSelection:
    """All that `Segmenter.load` is given; frozen, so that it can be a key.

    Attributes
    ----------
    name : str
        Model or, with `weights`, architecture.
    weights : str or None
    device, precision, attention : str
        "auto" where left open.
    """

    name: str
    weights: str | None = None
    device: str = "auto"
    precision: str = "auto"
    attention: str = "auto"


@dataclass
class ModelState:
    """Choices of the section "Model", and what is known about models and devices.

    Attributes
    ----------
    choices : tuple of ModelChoice
    name : str
        Of the chosen model, or `OWN_FILE`.
    weights : str
        Path of a checkpoint of one's own.
    architecture : str
        Of open_clip; what that checkpoint is.
    device, precision, attention : str
        "auto" where left open.
    devices : tuple of (str, str)
        Name and description of those that can be used; empty until torch has been asked.
    gpu_report : str
        One sentence that says why a GPU is or is not used.
    attentions : tuple of (str, str)
        Name and description of the attention modes; empty until known.
    loaded : str
        What is in memory, as "ViT-B-16/openai on cpu, fp32"; nothing if no model is.
    embeddings : str
        What embedded images take in memory, as "120 MB of at most 512 MB".
    download_progress : tuple of (int, int) or None
        Bytes that are here and bytes in all while a download runs.
    download_message : str
        What the download says, with bytes and speed.
    problem : str
        Why the choice cannot be used, or nothing.
    """

    events: ClassVar[SignalGroupDescriptor] = SignalGroupDescriptor()

    choices: tuple[ModelChoice, ...] = ()
    name: str = ""
    weights: str = ""
    architecture: str = "ViT-B-16-quickgelu"
    device: str = "auto"
    precision: str = "auto"
    attention: str = "auto"
    devices: tuple[tuple[str, str], ...] = ()
    gpu_report: str = ""
    attentions: tuple[tuple[str, str], ...] = ()
    loaded: str = ""
    embeddings: str = ""
    download_progress: tuple[int, int] | None = None
    download_message: str = ""
    problem: str = ""

    @property
    def choice(self) -> ModelChoice | None:
        """The chosen model of the registry; None for a checkpoint of one's own."""
        return next((c for c in self.choices if c.name == self.name), None)

    @property
    def needs_download(self) -> bool:
        """Whether the chosen model is not on this disk."""
        return self.choice is not None and not self.choice.on_disk

    def why_not(self) -> str:
        """Why no run can start with this choice, or nothing."""
        if self.name == OWN_FILE and not self.weights.strip():
            return "Choose the checkpoint file of your own model."
        if self.name == OWN_FILE and not self.architecture.strip():
            return "Name the architecture of your own model, for example ViT-B-16-quickgelu."
        return self.problem

    def selection(self) -> ModelSelection:
        """Return what is to be loaded."""
        own = self.name == OWN_FILE
        return ModelSelection(
            name=self.architecture.strip() if own else self.name,
            weights=self.weights.strip() if own else None,
            device=self.device,
            precision=self.precision,
            attention=self.attention,
        )

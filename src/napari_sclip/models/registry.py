"""The models that are known by name: plain data, no torch, no open_clip."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from napari_sclip.errors import ModelError

SAFETENSORS = "open_clip_model.safetensors"
PICKLE = "open_clip_pytorch_model.bin"


@dataclass(frozen=True)
class ModelEntry:
    """One model of the registry.

    Attributes
    ----------
    name : str
        What users ask for, for example ``ViT-B-16/openai``.
    architecture : str
        Name of the architecture in open_clip; for the bundled model, its own name.
    repo : str or None
        Repository on the hub; None for the model that is bundled with the package.
    filename : str
        File of the weights, in the repository or in the package.
    size_mb : int
        Size of the download, in millions of bytes, rounded.
    licence : str
        Licence of the weights, as their publishers give it.
    attention : str
        Name of the default attention mode.
    patch, input_size : int
        Side in pixels of a patch, and of the window that the model was trained with.
    feature_size : int
        Length of the feature of a patch.
    good_for : str
        One sentence for a person who chooses a model.
    """

    name: str
    architecture: str
    repo: str | None
    filename: str
    size_mb: int
    licence: str
    attention: str
    patch: int
    input_size: int
    feature_size: int
    good_for: str


DEFAULT_MODEL = "ViT-B-16/openai"
"""Name of the default model for real photos."""

MODELS: tuple[ModelEntry, ...] = (
    ModelEntry(
        "shapes-demo", "shapes-demo", None, "weights.npz", 3, "BSD-3-Clause", "sclip", 8, 96, 128,
        "Demonstrations and tests without a network; it knows coloured shapes and nothing else.",
    ),
    ModelEntry(
        "ViT-B-16/openai", "ViT-B-16-quickgelu", "timm/vit_base_patch16_clip_224.openai",
        SAFETENSORS, 599, "MIT", "sclip", 16, 224, 512,
        "Real photos: the model of the SCLIP paper, and the first one to try.",
    ),
    ModelEntry(
        "ViT-B-32/openai", "ViT-B-32-quickgelu", "timm/vit_base_patch32_clip_224.openai",
        SAFETENSORS, 605, "MIT", "sclip-reduced", 32, 224, 512,
        "Quick looks at real photos: the fastest one, with patches twice as coarse.",
    ),
    ModelEntry(
        "ViT-L-14/openai", "ViT-L-14-quickgelu", "timm/vit_large_patch14_clip_224.openai",
        SAFETENSORS, 1711, "MIT", "sclip-reduced", 14, 224, 768,
        "Real photos with rare or fine-grained classes: larger, slower, slightly finer patches.",
    ),
    ModelEntry(
        "ViT-L-14-336/openai", "ViT-L-14-336-quickgelu", "timm/vit_large_patch14_clip_336.openai",
        SAFETENSORS, 1712, "MIT", "sclip-reduced", 14, 336, 768,
        "As ViT-L-14/openai, for windows of 336 pixels: more context, and the slowest one.",
    ),
    ModelEntry(
        "ViT-B-16/laion2b", "ViT-B-16", "laion/CLIP-ViT-B-16-laion2B-s34B-b88K",
        PICKLE, 599, "MIT", "sclip-reduced", 16, 224, 512,
        "A second opinion on real photos: trained by LAION on two billion open image-text pairs.",
    ),
    ModelEntry(
        "ViT-B-16/datacomp", "ViT-B-16", "laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        PICKLE, 599, "MIT", "sclip-reduced", 16, 224, 512,
        "A second opinion on real photos: trained on the filtered image-text pairs of DataComp.",
    ),
)  # fmt: skip


def find_model(name: str) -> ModelEntry:
    """Return the entry of a name.

    Parameters
    ----------
    name : str
        Name of a model of the registry.

    Raises
    ------
    ModelError
        If there is no model of that name; the message lists the names there are.
    """
    for entry in MODELS:
        if entry.name == name:
            return entry
    raise ModelError(f"Unknown model {name!r}.{suggestion(name)} Known models: {known_names()}.")


def known_names() -> str:
    """Return the names of the registry, separated by commas."""
    return ", ".join(entry.name for entry in MODELS)


def suggestion(name: str) -> str:
    """Return `` Did you mean ...?`` for the registry's name closest to `name`, or nothing."""
    by_folded = {entry.name.casefold(): entry.name for entry in MODELS}
    close = difflib.get_close_matches(str(name).casefold(), by_folded, n=1)
    return f" Did you mean {by_folded[close[0]]!r}?" if close else ""

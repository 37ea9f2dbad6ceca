"""What a model looks like: open_clip's configuration of it, and the colours it expects."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sclip.errors import ModelError

CONFIG_FILE = "open_clip_config.json"
Triple = tuple[float, float, float]

OPENAI_MEAN: Triple = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD: Triple = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True)
class Architecture:
    """The form of a model, without its weights.

    Attributes
    ----------
    name : str
        Name for messages.
    model_cfg : mapping
        open_clip's configuration: ``embed_dim``, ``vision_cfg``, ``text_cfg``, ...
    mean, std : tuple of 3 float
        Red, green, blue in 0..1: what is subtracted from an image and what it is divided by.
    """

    name: str
    model_cfg: Mapping[str, Any]
    mean: Triple = OPENAI_MEAN
    std: Triple = OPENAI_STD

    @property
    def is_vit_b_16(self) -> bool:
        """Whether the vision tower is that of CLIP's ViT-B/16."""
        vision = self.model_cfg["vision_cfg"]
        form = [vision.get(key) for key in ("patch_size", "width", "layers")]
        return form == [16, 768, 12]


def known_architecture(name: str) -> Architecture | None:
    """Return an architecture by its name in open_clip, or None if it has none of that name."""
    import open_clip

    name = name.replace("/", "-")
    if name not in open_clip.list_models():
        return None
    mean, std = _usual_preprocessing(name)
    return Architecture(name, dict(open_clip.get_model_config(name)), mean, std)


def read_config(path: Path, name: str) -> Architecture:
    """Read an architecture from the ``open_clip_config.json`` of a published model.

    Raises
    ------
    ModelError
        If the file is not such a configuration.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The configuration {path} of {name} cannot be read: {error}. Remove it and try again."
        ) from error
    model_cfg = config.get("model_cfg") if isinstance(config, Mapping) else None
    parts = ("vision_cfg", "text_cfg")
    if not isinstance(model_cfg, Mapping) or not all(
        isinstance(model_cfg.get(part), Mapping) for part in parts
    ):
        raise ModelError(
            f"Expected 'model_cfg' with {' and '.join(parts)} in {path}; got something else. "
            f"{name} is not a model that open_clip reads: choose one that is."
        )
    preprocess = config.get("preprocess_cfg")
    given = preprocess if isinstance(preprocess, Mapping) else {}
    return Architecture(
        name,
        model_cfg,
        _triple(given.get("mean", OPENAI_MEAN), path),
        _triple(given.get("std", OPENAI_STD), path),
    )


def _usual_preprocessing(name: str) -> tuple[Triple, Triple]:
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    configs = [get_pretrained_cfg(name, tag) for tag in list_pretrained_tags_by_model(name)]
    kinds = {(tuple(c["mean"]), tuple(c["std"])) for c in configs if "mean" in c and "std" in c}
    # Where publishers differ, a local file does not tell whose it is: OpenAI's are the usual ones.
    return kinds.pop() if len(kinds) == 1 else (OPENAI_MEAN, OPENAI_STD)


def _triple(values: object, path: Path) -> Triple:
    if isinstance(values, (list, tuple)) and len(values) == 3:
        numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
        if len(numbers) == 3:
            return float(numbers[0]), float(numbers[1]), float(numbers[2])
    raise ModelError(f"Expected three numbers for mean and std in {path}; got {values!r}.")

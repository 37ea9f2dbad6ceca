"""Turns an open_clip configuration and a checkpoint into towers of our own."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import open_clip
import torch
from open_clip.model import CLIPTextCfg, CLIPVisionCfg
from torch import Tensor, nn

from napari_sclip.core.text import TextTower, read_text_tower
from napari_sclip.core.vision import VisionTower, read_vision_tower
from napari_sclip.errors import ModelError
from napari_sclip.models.registry import MODELS
from napari_sclip.models.source import ModelSource
from napari_sclip.progress import ProgressCallback, report

UNUSED_KEYS = ("logit_scale", "logit_bias", "attn_mask", "position_ids")
CUSTOM_BLOCKS = (
    "qk_norm",
    "scaled_cosine_attn",
    "scale_heads",
    "scale_attn_inner",
    "scale_attn",
    "scale_fc",
)


@dataclass(frozen=True)
class Towers:
    """A model ready to compute with.

    Attributes
    ----------
    name : str
        Of the model.
    vision : VisionTower
        float32, on the CPU.
    text : TextTower
        float32, on the CPU.
    encode : callable
        Gives the token ids of a text, without start and end.
    start_token, end_token : int
    fingerprint : str
        Hash of everything that text embeddings depend on.
    """

    name: str
    vision: VisionTower
    text: TextTower
    encode: Callable[[str], list[int]]
    start_token: int
    end_token: int
    fingerprint: str


def build_towers(source: ModelSource, progress: ProgressCallback | None = None) -> Towers:
    """Check that a model can be treated and fits its checkpoint, and read its towers.

    Parameters
    ----------
    source : ModelSource
    progress : callable, optional
        Told after every tensor of the checkpoint; raising from it stops the reading.

    Raises
    ------
    ModelError
        If the vision tower is no plain vision transformer, the text tower is not open_clip's
        own, or the checkpoint does not fit; the message names the first differing key.
    """
    config = dict(source.model_cfg)
    vision_cfg, text_cfg = check_architecture(source.name, config)
    skeleton = _skeleton(source, config)
    state = _fitting_state(source, skeleton, progress)
    quick_gelu = bool(config.get("quick_gelu", False))
    vision = read_vision_tower(
        state,
        heads=vision_cfg.width // vision_cfg.head_width,
        activation=_activation(quick_gelu, vision_cfg.act_kwargs),
        eps=_norm_eps(skeleton.visual),
    )
    text_state = {key.removeprefix("text."): value for key, value in state.items()}
    text = read_text_tower(
        text_state,
        heads=text_cfg.heads,
        activation=_activation(quick_gelu, text_cfg.act_kwargs),
        eps=_norm_eps(skeleton),
        pool=text_cfg.pool_type,
        end_token=text_cfg.eos_id,
        causal=not text_cfg.no_causal_mask,
    )
    options = dict(text_cfg.tokenizer_kwargs or {})
    clean = {"clean": options["clean"]} if "clean" in options else {}
    tokenizer = open_clip.SimpleTokenizer(context_length=text_cfg.context_length, **clean)
    described = json.dumps([source.weights_sha256, config], sort_keys=True, default=str)
    return Towers(
        name=source.name,
        vision=vision,
        text=text,
        encode=tokenizer.encode,
        start_token=int(tokenizer.sot_token_id),
        end_token=int(tokenizer.eot_token_id),
        fingerprint=hashlib.sha256(described.encode()).hexdigest(),
    )


def _config(kind: type, values: object, name: str) -> Any:  # noqa: ANN401 - untyped library
    if not isinstance(values, Mapping):
        raise ModelError(
            f"The configuration of {name!r} is not one of open_clip's: it needs 'vision_cfg' and "
            f"'text_cfg', each a mapping; got {type(values).__name__}."
        )
    known = {f.name for f in dataclasses.fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ModelError(
            f"The configuration of {name!r} has settings that the installed open_clip "
            f"{open_clip.__version__} does not know: {', '.join(unknown)}. Update open_clip_torch."
        )
    return kind(**values)


def check_architecture(name: str, config: Mapping[str, Any]) -> tuple[Any, Any]:
    """Refuse an architecture that cannot be treated, before its weights are brought.

    Parameters
    ----------
    name : str
        What the user asked for.
    config : mapping
        open_clip's configuration.

    Returns
    -------
    tuple of CLIPVisionCfg and CLIPTextCfg

    Raises
    ------
    ModelError
        Says why, and names models that can be used.
    """
    vision = _config(CLIPVisionCfg, config.get("vision_cfg"), name)
    text = _config(CLIPTextCfg, config.get("text_cfg"), name)
    reason = ""
    if vision.timm_model_name:
        reason = f"its vision tower is a timm trunk ({vision.timm_model_name})"
    elif not isinstance(vision.layers, int):
        reason = "its vision tower is a ResNet, which has no self-attention between patches"
    elif vision.attentional_pool:
        reason = "its vision tower ends in attention pooling, so patches have no text features"
    elif any(getattr(vision, name, False) for name in CUSTOM_BLOCKS):
        reason = "its vision tower has attention blocks of a special kind"
    elif config.get("multimodal_cfg"):
        reason = "it has a text decoder (CoCa)"
    elif text.hf_model_name:
        reason = f"its text tower is a Hugging Face model ({text.hf_model_name})"
    elif text.hf_tokenizer_name:
        reason = f"its tokenizer is a Hugging Face one ({text.hf_tokenizer_name})"
    elif text.embed_cls or any(getattr(text, name, False) for name in CUSTOM_BLOCKS):
        reason = "its text tower has blocks or tokens of a special kind"
    if reason:
        raise ModelError(
            f"The model {name!r} cannot be used: {reason}. Models with a plain vision "
            "transformer and open_clip's own text tower can, among them: "
            f"{', '.join(entry.name for entry in MODELS)}."
        )
    return vision, text


def _skeleton(source: ModelSource, config: Mapping[str, Any]) -> Any:  # noqa: ANN401
    arguments = {k: v for k, v in config.items() if k != "custom_text"}
    kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    try:
        with torch.device("meta"):
            return kind(**arguments)
    except (TypeError, ValueError, AssertionError) as error:
        raise ModelError(
            f"open_clip {open_clip.__version__} cannot build {source.name!r}: {error}"
        ) from error


def _fitting_state(
    source: ModelSource, skeleton: nn.Module, progress: ProgressCallback | None
) -> dict[str, Tensor]:
    state = dict(source.state_dict)
    wanted = {k: tuple(v.shape) for k, v in skeleton.state_dict().items()}
    for key, shape in wanted.items():
        if key in UNUSED_KEYS:
            continue
        if key not in state:
            raise ModelError(
                f"The checkpoint {source.weights_path.name} does not fit {source.name!r}: it has "
                f"no {key!r} (expected shape {shape}). Choose the architecture that it was "
                "saved from."
            )
        if tuple(state[key].shape) != shape:
            raise ModelError(
                f"The checkpoint {source.weights_path.name} does not fit {source.name!r}: "
                f"{key!r} should have shape {shape}; got {tuple(state[key].shape)}. Choose the "
                "architecture that it was saved from."
            )
    extra = [k for k in state if k not in wanted and k.rpartition(".")[2] not in UNUSED_KEYS]
    if extra:
        raise ModelError(
            f"The checkpoint {source.weights_path.name} does not fit {source.name!r}: it has "
            f"{extra[0]!r}, which this architecture has not. Choose the architecture that it "
            "was saved from."
        )
    used = [key for key in wanted if key not in UNUSED_KEYS]
    fitting = {}
    for number, key in enumerate(used, start=1):
        fitting[key] = state[key].detach().float()
        report(progress, number, len(used), f"Reading {source.weights_path.name}")
    return fitting


def _activation(quick_gelu: bool, options: Mapping[str, Any] | None) -> str:
    if quick_gelu:
        return "quick_gelu"
    return "gelu_tanh" if (options or {}).get("approximate") == "tanh" else "gelu"


def _norm_eps(module: nn.Module) -> float:
    norms = [m for m in module.modules() if isinstance(m, nn.LayerNorm)]
    return float(norms[-1].eps)

"""Towers are read from open_clip's models as they are, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
import torch.nn.functional as F

from napari_sclip import Segmenter
from napari_sclip.core.attention import find_attention_mode
from napari_sclip.core.text import embed_texts
from napari_sclip.core.vision import VisionTower, dense_features
from napari_sclip.errors import ModelError
from napari_sclip.models import open_clip as adapter
from napari_sclip.models.source import ModelSource

VISION = {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 2}


def source_of(config: dict[str, Any], state: dict[str, torch.Tensor] | None = None) -> ModelSource:
    if state is None:
        kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
        torch.manual_seed(0)
        state = kind(**{k: v for k, v in config.items() if k != "custom_text"}).state_dict()
    return ModelSource(
        name="a model",
        model_cfg=config,
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        weights_path=Path("model.pt"),
        weights_sha256="0" * 64,
        state_dict=state,
        attention="sclip",
        entry=None,
    )


def config_of(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any setting
    vision = {**VISION, **changes.pop("vision", {})}
    text = {**TEXT, **changes.pop("text", {})}
    return {"embed_dim": 24, "vision_cfg": vision, "text_cfg": text, **changes}


def model_of(config: dict[str, Any], state: dict[str, torch.Tensor]) -> Any:  # noqa: ANN401
    kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
    model = kind(**{k: v for k, v in config.items() if k != "custom_text"})
    model.load_state_dict(dict(state))
    return model.eval()


@pytest.mark.parametrize(
    "config",
    [
        config_of(),
        config_of(quick_gelu=True),
        config_of(custom_text=True),
        config_of(vision={"ls_init_value": 0.3}, text={"ls_init_value": 0.2}),
        config_of(vision={"no_ln_pre": True}),
        config_of(vision={"norm_kwargs": {"eps": 1e-2}}, text={"norm_kwargs": {"eps": 1e-2}}),
        config_of(vision={"act_kwargs": {"approximate": "tanh"}}),
        config_of(vision={"pool_type": "avg", "final_ln_after_pool": True}),
        config_of(vision={"pos_embed_type": "sin_cos_2d"}),
        config_of(text={"no_causal_mask": True}),
        config_of(text={"proj_bias": True}),
        config_of(text={"pool_type": "last"}),
        config_of(text={"pool_type": "eos", "eos_id": 49407}),
    ],
)
def test_both_towers_give_what_open_clip_gives(config: dict[str, Any]) -> None:
    source = source_of(config)
    model, towers = model_of(config, dict(source.state_dict)), adapter.build_towers(source)
    generator = torch.Generator().manual_seed(3)
    windows = torch.randn(2, 3, 32, 32, generator=generator)
    sentences = ["a cat", "two dogs on a lawn"]
    tokens = open_clip.SimpleTokenizer(context_length=16)(sentences)
    with torch.inference_mode():
        expected = model.encode_text(tokens, normalize=True)
        found = embed_texts(towers.text, tokens)
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
        torch.testing.assert_close(
            dense_features(towers.vision, windows, find_attention_mode("vanilla")).flatten(1, 2),
            open_clip_patch_features(model, windows),
            atol=1e-5,
            rtol=0,
        )


def open_clip_patch_features(model: Any, windows: torch.Tensor) -> torch.Tensor:  # noqa: ANN401
    """Features of the patches by open_clip's own forward pass."""
    visual = model.visual
    visual.output_tokens = True
    if visual.final_ln_after_pool:
        # The tokens come before the norm then, which acts on each alone.
        tokens = visual.ln_post(visual(windows)[1])
    else:
        tokens = visual(windows)[1]
    return F.normalize(tokens @ visual.proj, dim=-1)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (config_of(vision={"layers": [1, 1, 1, 1], "width": 64}), "is a ResNet"),
        (config_of(vision={"timm_model_name": "resnet18"}), "is a timm trunk"),
        (config_of(vision={"attentional_pool": True}), "ends in attention pooling"),
        (config_of(vision={"qk_norm": True}), "attention blocks of a special kind"),
        (config_of(text={"hf_model_name": "bert"}), "is a Hugging Face model"),
        (config_of(text={"hf_tokenizer_name": "bert"}), "tokenizer is a Hugging Face one"),
        (config_of(text={"embed_cls": True}), "tokens of a special kind"),
        (config_of(multimodal_cfg={"width": 16}), "text decoder"),
    ],
)
def test_what_cannot_be_treated_is_refused_by_name(config: dict[str, Any], reason: str) -> None:
    with pytest.raises(ModelError, match=f"{reason}.*among them: shapes-demo, ViT-B-16/openai"):
        adapter.build_towers(source_of(config, state={}))


def test_a_refused_architecture_is_refused_before_its_weights_are_read(tmp_path: Path) -> None:
    weights = tmp_path / "RN50.pt"
    weights.write_bytes(b"never read")
    with pytest.raises(ModelError, match="is a ResNet"):
        Segmenter.load("RN50", weights=weights, device="cpu")


@pytest.mark.parametrize(
    ("key", "change", "message"),
    [
        ("visual.conv1.weight", lambda x: None, "it has no 'visual.conv1.weight'"),
        ("visual.proj", lambda x: x[:, :5], r"'visual.proj' should have shape \(32, 24\); got"),
        ("ln_final.bias", lambda x: None, "it has no 'ln_final.bias'"),
    ],
)
def test_a_checkpoint_that_does_not_fit_names_the_first_differing_key(
    key: str,
    change: Any,  # noqa: ANN401
    message: str,
) -> None:
    state = dict(source_of(config_of()).state_dict)
    changed = change(state.pop(key))
    if changed is not None:
        state[key] = changed
    with pytest.raises(ModelError, match=message):
        adapter.build_towers(source_of(config_of(), state=state))


def test_a_checkpoint_with_more_than_the_architecture_is_refused() -> None:
    deeper = source_of(config_of(vision={"layers": 3})).state_dict
    with pytest.raises(ModelError, match=r"it has 'visual\.transformer\.resblocks\.2\."):
        adapter.build_towers(source_of(config_of(), state=dict(deeper)))


def test_an_unknown_setting_asks_for_a_newer_open_clip() -> None:
    with pytest.raises(ModelError, match="does not know: brand_new"):
        adapter.build_towers(source_of(config_of(vision={"brand_new": 1}), state={}))


def test_half_precision_checkpoints_are_computed_in_float32() -> None:
    source = source_of(config_of())
    half = {k: v.half() if v.is_floating_point() else v for k, v in source.state_dict.items()}
    tower: VisionTower = adapter.build_towers(source_of(config_of(), state=half)).vision
    assert tower.patch_weight.dtype == torch.float32

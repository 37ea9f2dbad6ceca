from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from napari_sclip import Segmenter
from napari_sclip.errors import ModelError
from napari_sclip.models.registry import DEFAULT_MODEL, MODELS, ModelEntry, find_model
from napari_sclip.models.weights import bundled_folder


def test_importing_it_needs_neither_torch_nor_open_clip() -> None:
    script = (
        "import sys, napari_sclip.models.registry as r; r.find_model(r.DEFAULT_MODEL);"
        "print(sorted({'torch', 'open_clip', 'numpy', 'huggingface_hub', 'qtpy'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_models_that_are_promised() -> None:
    names = [entry.name for entry in MODELS]
    assert len(set(names)) == len(names)
    assert {
        "shapes-demo", "ViT-B-16/openai", "ViT-B-32/openai", "ViT-L-14/openai",
        "ViT-L-14-336/openai", "ViT-B-16/laion2b", "ViT-B-16/datacomp",
    } <= set(names)  # fmt: skip
    assert DEFAULT_MODEL == "ViT-B-16/openai"


@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.name)
def test_every_entry(entry: ModelEntry) -> None:
    assert find_model(entry.name) is entry
    faithful = entry.name in ("shapes-demo", "ViT-B-16/openai")
    assert entry.attention == ("sclip" if faithful else "sclip-reduced")
    assert entry.architecture.endswith("-quickgelu") == entry.name.endswith("/openai")
    assert entry.good_for.endswith(".")
    assert entry.size_mb > 0


def test_the_demo_is_honest() -> None:
    assert "knows coloured shapes and nothing else" in find_model("shapes-demo").good_for


@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.name)
def test_the_page_of_the_models_says_the_same(entry: ModelEntry) -> None:
    page = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{entry.name}` |")]
    download = f"{entry.size_mb} MB" if entry.repo else f"none ({entry.size_mb} MB, bundled)"
    cells = [f"`{entry.name}`", download, entry.licence, f"`{entry.attention}`", entry.good_for]
    assert rows[0] == f"| {' | '.join(cells)} |"
    if entry.repo:
        folder = entry.repo.replace("/", "--")
        assert rows[1] == f"| `{entry.name}` | `{folder}` | `{entry.filename}` |"


def test_an_unknown_name_lists_the_known_ones_and_suggests_the_closest() -> None:
    with pytest.raises(ModelError) as caught:
        find_model("vit-b16/openai")
    assert "Did you mean 'ViT-B-16/openai'?" in str(caught.value)
    for entry in MODELS:
        assert entry.name in str(caught.value)


def test_nothing_close_is_not_guessed() -> None:
    with pytest.raises(ModelError) as caught:
        find_model("resnet")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize("entry", [e for e in MODELS if e.repo], ids=lambda e: e.name)
def test_entries_agree_with_open_clip(entry: ModelEntry) -> None:
    from open_clip.pretrained import get_pretrained_cfg, list_pretrained_tags_by_model

    tags = list_pretrained_tags_by_model(entry.architecture)
    configs = [get_pretrained_cfg(entry.architecture, tag) for tag in tags]
    (config,) = [c for c in configs if c["hf_hub"].strip("/") == entry.repo]
    assert bool(config.get("quick_gelu")) == entry.architecture.endswith("-quickgelu")


@pytest.mark.parametrize("entry", [e for e in MODELS if e.repo], ids=lambda e: e.name)
def test_the_size_is_that_of_the_weights_in_single_precision(entry: ModelEntry) -> None:
    import open_clip
    import torch

    with torch.device("meta"):
        model = open_clip.CLIP(**open_clip.get_model_config(entry.architecture))
    size = 4 * sum(p.numel() for p in model.parameters())
    assert size / 1e6 == pytest.approx(entry.size_mb, abs=2)


@pytest.mark.parametrize("entry", MODELS, ids=lambda e: e.name)
def test_the_numbers_of_the_towers_are_those_of_the_configuration(entry: ModelEntry) -> None:
    import open_clip

    if entry.repo is None:
        path = bundled_folder(entry) / "open_clip_config.json"
        config = json.loads(path.read_text(encoding="utf-8"))["model_cfg"]
    else:
        config = open_clip.get_model_config(entry.architecture)
    vision = config["vision_cfg"]
    found = (vision["patch_size"], vision["image_size"], config["embed_dim"])
    assert (entry.patch, entry.input_size, entry.feature_size) == found


def test_the_numbers_of_the_bundled_model_are_those_of_its_tower(demo: Segmenter) -> None:
    entry, tower = find_model("shapes-demo"), demo.vision.source
    found = (tower.patch, tower.input_size, tower.feature_size)
    assert (entry.patch, entry.input_size, entry.feature_size) == found

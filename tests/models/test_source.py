from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from napari_sclip.errors import DownloadError, ModelError, SclipWarning
from napari_sclip.models import openai
from napari_sclip.models.architecture import OPENAI_MEAN, OPENAI_STD
from napari_sclip.models.hub import folder_of
from napari_sclip.models.registry import MODELS, PICKLE, SAFETENSORS, find_model
from napari_sclip.models.source import load_source, weights_on_disk
from napari_sclip.progress import Progress
from tests.models.hub_server import FakeHub
from tests.models.tiny_files import Tiny, save_torchscript

REPO = "someone/tiny-clip"
CONFIG: dict[str, dict[str, Any]] = {
    "model_cfg": {
        "embed_dim": 8,
        "vision_cfg": {"image_size": 32, "layers": 2, "width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 16, "vocab_size": 99, "width": 16, "heads": 2, "layers": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.1, 0.2, 0.3]},
}
VIT_B_16 = {"image_size": 224, "layers": 12, "width": 768, "patch_size": 16}


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A file of weights that may be anyone's."""
    save_file({"proj": torch.ones(2, dtype=torch.float16)}, tmp_path / "plain.safetensors")
    return tmp_path / "plain.safetensors"


@pytest.fixture
def jit(tmp_path: Path) -> Path:
    """A file of weights as OpenAI publishes them."""
    return save_torchscript(Tiny(), tmp_path / "ViT-B-16.pt")


def place_by_hand(repo: str, name: str, source: Path) -> Path:
    place = folder_of(repo) / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(source.read_bytes())
    return place


def serve(hub: FakeHub, weights: Path, name: str = SAFETENSORS, **config: object) -> None:
    hub.files[REPO, "open_clip_config.json"] = json.dumps({**CONFIG, **config}).encode()
    hub.files[REPO, name] = weights.read_bytes()


def test_an_architecture_with_a_local_file(plain: Path) -> None:
    source = load_source("ViT-B-16-quickgelu", weights=plain)
    assert source.name == "ViT-B-16-quickgelu"
    assert source.model_cfg["quick_gelu"] is True
    assert source.model_cfg["vision_cfg"] == VIT_B_16
    assert (source.mean, source.std) == (OPENAI_MEAN, OPENAI_STD)
    assert source.weights_path == plain
    assert source.weights_sha256 == hashlib.sha256(plain.read_bytes()).hexdigest()
    assert source.state_dict["proj"].dtype == torch.float16
    assert source.attention == "sclip"
    assert source.entry is None


def test_names_with_a_slash_are_those_with_a_dash(plain: Path) -> None:
    assert load_source(" ViT-B/32 ", weights=str(plain)).model_cfg["vision_cfg"]["patch_size"] == 32


def test_the_colours_of_an_architecture_with_one_publisher(plain: Path) -> None:
    source = load_source("ViT-L-14-CLIPA", weights=plain)
    assert source.mean == (0.485, 0.456, 0.406)
    assert source.std == (0.229, 0.224, 0.225)


@pytest.mark.parametrize("name", [e.name for e in MODELS if e.repo])
def test_a_registry_model_placed_by_hand(plain: Path, name: str) -> None:
    entry = find_model(name)
    assert entry.repo is not None
    place = place_by_hand(entry.repo, entry.filename, plain)
    assert weights_on_disk(entry) == place
    source = load_source(name)
    assert source.weights_path == place
    assert source.entry is entry
    assert source.attention == entry.attention
    assert bool(source.model_cfg.get("quick_gelu")) == name.endswith("/openai")
    assert (source.mean, source.std) == (OPENAI_MEAN, OPENAI_STD)


def test_a_registry_model_with_a_local_file(plain: Path) -> None:
    source = load_source("ViT-L-14/openai", weights=plain)
    assert source.weights_path == plain
    assert source.entry is find_model("ViT-L-14/openai")
    assert source.model_cfg["quick_gelu"] is True
    assert source.attention == "sclip-reduced"


def test_the_bundled_model() -> None:
    source = load_source("shapes-demo")
    assert source.entry is find_model("shapes-demo")
    assert source.attention == "sclip"
    assert source.weights_path == weights_on_disk(find_model("shapes-demo"))
    assert source.model_cfg["vision_cfg"]["patch_size"] > 0
    assert source.state_dict["visual.proj"].shape[1] == source.model_cfg["embed_dim"]
    size = source.weights_path.stat().st_size
    assert size <= 8e6
    assert size / 1e6 == pytest.approx(find_model("shapes-demo").size_mb, abs=1)


def test_an_architecture_alone_asks_for_weights() -> None:
    with pytest.raises(ModelError) as caught:
        load_source("ViT-B-16")
    message = str(caught.value)
    assert "weights=" in message
    assert "ViT-B-16/openai, ViT-B-16/laion2b, ViT-B-16/datacomp." in message
    with pytest.raises(ModelError, match=r"with weights=\. Models of the registry: shapes-demo"):
        load_source("ViT-H-14")


@pytest.mark.parametrize("with_weights", [True, False])
def test_an_unknown_model(plain: Path, with_weights: bool) -> None:
    with pytest.raises(ModelError) as caught:
        load_source("ViT-B16/openai", weights=plain if with_weights else None)
    message = str(caught.value)
    assert "Did you mean 'ViT-B-16/openai'?" in message
    assert all(entry.name in message for entry in MODELS)
    assert "any architecture of open_clip together with a local file as weights=" in message


def test_a_file_in_place_of_a_model() -> None:
    with pytest.raises(ModelError, match="give the file as weights="):
        load_source("downloads/clip.PT")


def test_a_model_that_is_no_name() -> None:
    with pytest.raises(ModelError, match="as a string; got 3"):
        load_source(3)  # type: ignore[arg-type]


def test_missing_local_weights(tmp_path: Path) -> None:
    for absent in (tmp_path / "absent.pt", "~no_such_user/clip.pt"):
        with pytest.raises(ModelError, match="There is no file of weights at"):
            load_source("ViT-B-16", weights=absent)


def test_weights_that_are_no_path() -> None:
    with pytest.raises(ModelError, match="as the path of a file; got 3"):
        load_source("ViT-B-16", weights=3)  # type: ignore[arg-type]


def test_without_the_network_the_error_advises() -> None:
    with pytest.raises(DownloadError, match=r"put it at .* or give a local file with weights="):
        load_source("ViT-B-16/openai")


class TestQuickGelu:
    def test_torchscript(self, jit: Path) -> None:
        with pytest.warns(SclipWarning, match=r"a TorchScript archive\), which need QuickGELU"):
            source = load_source("ViT-B-16", weights=jit)
        assert source.model_cfg["quick_gelu"] is True
        assert source.model_cfg["vision_cfg"] == VIT_B_16
        assert source.attention == "sclip"

    def test_entries(self, tmp_path: Path) -> None:
        torch.save(Tiny().state_dict(), tmp_path / "w.pt")
        with pytest.warns(SclipWarning, match="it holds input_resolution"):
            source = load_source("ViT-L-14", weights=tmp_path / "w.pt")
        assert source.model_cfg["quick_gelu"] is True
        assert source.attention == "sclip-reduced"

    def test_hash(self, plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        digest = hashlib.sha256(plain.read_bytes()).hexdigest()
        monkeypatch.setattr(openai, "_published", lambda: {digest: "ViT-B-16.pt"})
        with pytest.warns(SclipWarning, match=r"SHA-256 is that of OpenAI's ViT-B-16\.pt"):
            assert load_source("ViT-B-16", weights=plain).model_cfg["quick_gelu"] is True

    def test_folder(self, plain: Path) -> None:
        place = place_by_hand("timm/vit_base_patch16_clip_224.openai", SAFETENSORS, plain)
        with pytest.warns(SclipWarning, match=r"timm--vit_base_patch16_clip_224\.openai"):
            assert load_source("ViT-B-16", weights=place).model_cfg["quick_gelu"] is True

    def test_metadata(self, tmp_path: Path) -> None:
        path = tmp_path / "w.safetensors"
        save_file({"w": torch.ones(1)}, path, metadata={"id": "vit_base_patch16_clip_224.openai"})
        with pytest.warns(SclipWarning, match="metadata name OpenAI"):
            assert load_source("ViT-B-16", weights=path).model_cfg["quick_gelu"] is True

    def test_a_registry_model_of_others(self, jit: Path) -> None:
        with pytest.warns(SclipWarning, match="QuickGELU"):
            source = load_source("ViT-B-16/laion2b", weights=jit)
        assert source.model_cfg["quick_gelu"] is True

    def test_the_right_name_is_not_warned_of(self, jit: Path) -> None:
        assert load_source("ViT-B-16-quickgelu", weights=jit).attention == "sclip"
        assert load_source("ViT-B-16/openai", weights=jit).model_cfg["quick_gelu"] is True

    def test_anyones_weights_stay_as_asked(self, plain: Path) -> None:
        source = load_source("ViT-B-16", weights=plain)
        assert not source.model_cfg.get("quick_gelu")
        assert source.attention == "sclip-reduced"

    def test_open_clips_own_configuration_is_not_changed(self, jit: Path, plain: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SclipWarning)
            load_source("ViT-B-16", weights=jit)
        assert not load_source("ViT-B-16", weights=plain).model_cfg.get("quick_gelu")

    def test_the_published_hashes(self) -> None:
        published = openai._published()
        names = {"ViT-B-16.pt", "ViT-B-32.pt", "ViT-L-14.pt", "ViT-L-14-336px.pt"}
        assert names <= set(published.values())
        assert all(len(digest) == 64 for digest in published)


class TestHub:
    def test_whole(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain)
        reports: list[Progress] = []
        source = load_source(f"hf-hub:{REPO}", progress=reports.append)
        assert source.name == f"hf-hub:{REPO}"
        assert source.model_cfg == CONFIG["model_cfg"]
        assert source.mean == (0.5, 0.4, 0.3)
        assert source.std == (0.1, 0.2, 0.3)
        assert source.weights_path.name == SAFETENSORS
        assert source.attention == "sclip-reduced"
        assert source.entry is None
        assert any(f"Downloading {REPO}" in r.message for r in reports)
        hub.clear()
        assert load_source(f"hf-hub:{REPO}").weights_path == source.weights_path
        assert hub.requests == []

    def test_a_model_that_is_refused_is_not_downloaded(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain)

        def refuse(name: str, model_cfg: Mapping[str, Any]) -> None:
            raise ModelError(f"{name} has patches of {model_cfg['vision_cfg']['patch_size']}")

        with pytest.raises(ModelError, match=f"hf-hub:{REPO} has patches of 8"):
            load_source(f"hf-hub:{REPO}", check=refuse)
        assert not any(SAFETENSORS in r.target for r in hub.requests)

    def test_the_older_name_of_the_weights(self, hub: FakeHub, tmp_path: Path) -> None:
        torch.save({"proj": torch.ones(2)}, tmp_path / "w.bin")
        serve(hub, tmp_path / "w.bin", PICKLE)
        assert load_source(f"hf-hub:{REPO}").weights_path.name == PICKLE

    def test_usual_colours(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain, preprocess_cfg={})
        source = load_source(f"hf-hub:{REPO}")
        assert (source.mean, source.std) == (OPENAI_MEAN, OPENAI_STD)

    def test_openais_by_the_name_of_the_repository(self, hub: FakeHub, plain: Path) -> None:
        cfg = dict(CONFIG["model_cfg"], vision_cfg=VIT_B_16)
        repo = "timm/vit_base_patch16_clip_224.openai"
        hub.files[repo, "open_clip_config.json"] = json.dumps({"model_cfg": cfg}).encode()
        hub.files[repo, SAFETENSORS] = plain.read_bytes()
        with pytest.warns(SclipWarning, match="QuickGELU"):
            source = load_source(f"hf-hub:{repo}")
        assert source.model_cfg["quick_gelu"] is True
        assert source.attention == "sclip"

    def test_with_a_local_file(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain)
        del hub.files[REPO, SAFETENSORS]
        source = load_source(f"hf-hub:{REPO}", weights=plain)
        assert source.weights_path == plain
        assert source.model_cfg == CONFIG["model_cfg"]
        hub.clear()
        load_source(f"hf-hub:{REPO}", weights=plain)
        assert hub.requests == []

    def test_placed_by_hand(self, plain: Path, tmp_path: Path) -> None:
        (tmp_path / "c.json").write_text(json.dumps(CONFIG))
        place_by_hand(REPO, "open_clip_config.json", tmp_path / "c.json")
        place = place_by_hand(REPO, PICKLE, plain)
        assert load_source(f"hf-hub:{REPO}").weights_path == place

    def test_a_repository_of_something_else(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain)
        del hub.files[REPO, "open_clip_config.json"]
        with pytest.raises(DownloadError, match=r"'open_clip_config\.json' was not found"):
            load_source(f"hf-hub:{REPO}")

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("<html>", "cannot be read"),
            ("[]", "Expected 'model_cfg'"),
            ('{"model_cfg": {"vision_cfg": 3, "text_cfg": {}}}', "Expected 'model_cfg'"),
            (json.dumps({**CONFIG, "preprocess_cfg": {"mean": [1, 2]}}), "Expected three numbers"),
            (json.dumps({**CONFIG, "preprocess_cfg": {"std": [1, "2", 3]}}), "three numbers"),
        ],
    )
    def test_a_configuration_that_is_none(
        self, hub: FakeHub, plain: Path, content: str, message: str
    ) -> None:
        serve(hub, plain)
        hub.files[REPO, "open_clip_config.json"] = content.encode()
        with pytest.raises(ModelError, match=message):
            load_source(f"hf-hub:{REPO}")

    def test_a_file_of_the_cache_that_was_changed_later(self, hub: FakeHub, plain: Path) -> None:
        serve(hub, plain)
        path = load_source(f"hf-hub:{REPO}").weights_path
        save_file({"proj": torch.zeros(2)}, path.resolve())
        with pytest.raises(DownloadError, match=r"is damaged: its SHA-256 is .* Remove it"):
            load_source(f"hf-hub:{REPO}")

    def test_no_name(self) -> None:
        with pytest.raises(ModelError, match="Expected a repository of the hub"):
            load_source("hf-hub:")

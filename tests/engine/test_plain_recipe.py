"""On a ViT-B/16 with random weights the engine gives what the plain recipe gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from benchmarks import plain_recipe
from skimage import data

from napari_sclip import SclipError, SegmentationConfig, Segmenter
from napari_sclip.core.text import embed_texts
from tests.agreement import clear_pixels

TOLERANCE = 1e-4
CLASSES = "background = wall | floor, cat, grass = lawn | meadow"
PROMPTS = ("wall", "floor", "cat", "lawn", "meadow")
CLASS_OF_PROMPT = (0, 0, 1, 2, 2)
TEMPLATES = ("a photo of a {}.", "itap of the small {}.")


@pytest.fixture(scope="module")
def model() -> Any:  # noqa: ANN401 - untyped library
    torch.manual_seed(7)
    config = open_clip.get_model_config("ViT-B-16-quickgelu")
    built = open_clip.CLIP(**config).eval()
    with torch.no_grad():
        for name, parameter in built.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(parameter, std=0.02)
    return built


@pytest.fixture(scope="module")
def checkpoint(model: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ANN401
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def segmenter(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Segmenter:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))
        return Segmenter.load("ViT-B-16-quickgelu", weights=checkpoint, device="cpu")


@pytest.fixture(scope="module")
def text(model: Any) -> torch.Tensor:  # noqa: ANN401
    with torch.inference_mode():
        return plain_recipe.text_embeddings(model, PROMPTS, TEMPLATES)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "short_side", "threshold", "min_area_fraction"),
    [
        ((230, 300), None, 0.0, 0.0),
        ((224, 224), None, 0.2251, 0.3),
        ((150, 187), None, 0.2251, 0.0),
        ((100, 331), None, 0.0, 0.3),
        ((120, 128), 240, 0.0, 0.0),
    ],
)
def test_scores_and_labels_equal_the_plain_recipe(
    model: Any,  # noqa: ANN401
    segmenter: Segmenter,
    text: torch.Tensor,
    size: tuple[int, int],
    short_side: int | None,
    threshold: float,
    min_area_fraction: float,
) -> None:
    image = data.chelsea()[: size[0], : size[1]]
    config = SegmentationConfig(
        short_side=short_side,
        templates=TEMPLATES,
        threshold=threshold,
        min_area_fraction=min_area_fraction,
    )
    assert segmenter.attention == "sclip"
    result = segmenter.segment(image, CLASSES, config)
    with torch.inference_mode():
        pixels = plain_recipe.preprocess(image, short_side)
        similarity = plain_recipe.slide(model.visual, pixels, text, size, 224, 112)
        scores, labels = plain_recipe.decide(
            similarity,
            CLASS_OF_PROMPT,
            threshold=threshold,
            min_area_fraction=min_area_fraction,
        )
    np.testing.assert_allclose(result.scores(), scores, atol=TOLERANCE, rtol=0)
    clear = clear_pixels(scores, threshold, off=float(np.abs(result.scores() - scores).max()))
    np.testing.assert_array_equal(result.labels[clear], labels[clear])
    assert len(np.unique(labels)) > 1, "a result of one class shows little"


@pytest.mark.slow
def test_texts_equal_the_plain_recipe(segmenter: Segmenter, text: torch.Tensor) -> None:
    found = segmenter.text.embed(PROMPTS, TEMPLATES)
    torch.testing.assert_close(found, text, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_cut_texts_equal_whole_ones(segmenter: Segmenter) -> None:
    tower = segmenter.text.towers.text
    tokens = segmenter.text._tokenize(["a photo of a cat.", "a meadow", "x " * 40])
    whole = tokens.clone()
    with torch.inference_mode():
        cut = embed_texts(tower, tokens)
        x = torch.nn.functional.embedding(whole, tower.token_embedding)
        x = x + tower.positional_embedding
        for block in tower.transformer.blocks:
            x = tower.transformer.run_block(block, x, causal=True)
        x = tower.ln_final(x)[torch.arange(3), whole.argmax(-1)]
        assert tower.projection is not None
        expected = torch.nn.functional.normalize(tower.projection(x), dim=-1)
    torch.testing.assert_close(cut, expected, atol=1e-5, rtol=0)


@pytest.mark.slow
def test_a_checkpoint_of_another_architecture_is_refused(checkpoint: Path) -> None:
    with pytest.raises(SclipError, match=r"does not fit.*'visual\.positional_embedding'"):
        Segmenter.load("ViT-B-32-quickgelu", weights=checkpoint, device="cpu")

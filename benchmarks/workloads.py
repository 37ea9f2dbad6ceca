"""The pieces of work that are measured, by the plain recipe and by the engine.

Both use the same ViT-B/16 with random weights and the same picture; speed and memory do not
depend on what the weights are.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import torch
import torch.nn.functional as F
from skimage import data

from benchmarks import plain_recipe
from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.core.windows import place_windows
from napari_sclip.engine.text_cache import TextCache
from napari_sclip.templates import IMAGENET_TEMPLATES

Work = Callable[[], object]

FOLDER_VARIABLE = "NAPARI_SCLIP_BENCHMARK_FOLDER"
PROMPTS = ("cat", "grass", "wall", "floor", "wooden table")
LARGE = (1500, 2000)
MANY = 50
WINDOW, STRIDE, PATCH, FEATURE = 224, 112, 16, 512


def _weights() -> Path:
    return Path(os.environ[FOLDER_VARIABLE]) / "vit-b-16.pt"


def save_weights() -> None:
    """Write the random weights that all pieces of work load."""
    torch.manual_seed(0)
    model = open_clip.CLIP(**open_clip.get_model_config("ViT-B-16-quickgelu"))
    torch.save(model.state_dict(), _weights())


def _module() -> Any:  # noqa: ANN401 - untyped library
    model = open_clip.CLIP(**open_clip.get_model_config("ViT-B-16-quickgelu"))
    model.load_state_dict(torch.load(_weights(), weights_only=True))
    return model.eval()


def _segmenter() -> Segmenter:
    return Segmenter.load("ViT-B-16-quickgelu", weights=_weights(), device="cpu")


def embed_plain() -> Work:
    """Look at a photo of 300 x 451 pixels, short side 336: 8 windows, one at a time."""
    visual, pixels = _module().visual, plain_recipe.preprocess(data.chelsea(), 336)

    def work() -> object:
        with torch.inference_mode():
            return [plain_recipe.window_features(visual, w) for w in _windows(pixels)]

    return work


def _windows(pixels: torch.Tensor) -> Iterator[torch.Tensor]:
    rows = place_windows(int(pixels.shape[2]), WINDOW, STRIDE, PATCH)
    columns = place_windows(int(pixels.shape[3]), WINDOW, STRIDE, PATCH)
    for y in rows.starts:
        for x in columns.starts:
            yield pixels[:, :, y : y + WINDOW, x : x + WINDOW]


def embed_engine() -> Work:
    """Do the same with the engine."""
    segmenter = _segmenter()
    return lambda: segmenter.embed(data.chelsea())


def embed_engine_patches() -> Work:
    """Do the same with the engine, averaging on patches."""
    segmenter = _segmenter()
    return lambda: segmenter.embed(data.chelsea(), SegmentationConfig(average_on="patches"))


def text_plain() -> Work:
    """Embed 5 prompts in 80 templates at 77 tokens."""
    model = _module()

    def work() -> object:
        with torch.inference_mode():
            return plain_recipe.text_embeddings(model, PROMPTS, IMAGENET_TEMPLATES)

    return work


def text_engine() -> Work:
    """Do the same with the engine, nothing remembered."""
    segmenter = _segmenter()

    def work() -> object:
        segmenter.text._memory.clear()
        segmenter.text.cache = TextCache(os.devnull)
        return segmenter.text.embed(PROMPTS, IMAGENET_TEMPLATES)

    return work


def text_engine_kept() -> Work:
    """Do the same at a second start: read from disk."""
    _segmenter().text.embed(PROMPTS, IMAGENET_TEMPLATES)
    segmenter = _segmenter()

    def work() -> object:
        segmenter.text._memory.clear()
        return segmenter.text.embed(PROMPTS, IMAGENET_TEMPLATES)

    return work


def _random_text(prompts: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return F.normalize(torch.randn(prompts, FEATURE, generator=generator), dim=-1)


def _large_image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*LARGE, 3), dtype=np.uint8)


def classify_plain() -> Work:
    """Label 1500 x 2000 pixels with 50 prompts, from kept features, resized to 336."""
    text, generator = _random_text(MANY), torch.Generator().manual_seed(0)
    rows, columns = (place_windows(n, WINDOW, STRIDE, PATCH) for n in (336, 448))
    kept = {
        (y, x): F.normalize(torch.randn(196, FEATURE, generator=generator), dim=-1)
        for y in rows.starts
        for x in columns.starts
    }

    def work() -> object:
        with torch.inference_mode():
            total, count = torch.zeros(1, MANY, 336, 448), torch.zeros(1, 1, 336, 448)
            for (y, x), features in kept.items():
                similarity = (features @ text.T).T.reshape(1, MANY, 14, 14)
                place = (..., slice(y, y + WINDOW), slice(x, x + WINDOW))
                total[place] += F.interpolate(similarity, size=WINDOW, mode="bilinear")
                count[place] += 1
            whole = F.interpolate(total / count, size=LARGE, mode="bilinear")[0]
            return plain_recipe.decide(whole, range(MANY), threshold=0.1)[1]

    return work


def classify_engine() -> Work:
    """Do the same with the engine."""
    return _classify("pixels")


def classify_engine_patches() -> Work:
    """Do the same with the engine, from an embedding averaged on patches."""
    return _classify("patches")


def classify_demo() -> Work:
    """Label 1024 x 1024 pixels with 5 classes of 1 prompt, bundled model."""
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    image = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    embedding = segmenter.embed(image)
    classes = "red circle, green square, blue ring, yellow star, background"
    segmenter.classify(embedding, classes)
    return lambda: segmenter.classify(embedding, classes)


def classify_largest() -> Work:
    """Label 3000 x 4000 pixels with 100 prompts."""
    segmenter = _segmenter()
    image = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    config = SegmentationConfig(threshold=0.1, templates="plain")
    embedding = segmenter.embed(image, config)
    classes = [f"thing {k}" for k in range(100)]
    segmenter.text.embed(classes, config.template_sentences())
    return lambda: segmenter.classify(embedding, classes, config)


def _classify(average_on: str) -> Work:
    segmenter = _segmenter()
    config = SegmentationConfig(threshold=0.1, templates="plain", average_on=average_on)
    embedding = segmenter.embed(_large_image(), config)
    classes = [f"thing {k}" for k in range(MANY)]
    segmenter.classify(embedding, classes, config)
    return lambda: segmenter.classify(embedding, classes, config)

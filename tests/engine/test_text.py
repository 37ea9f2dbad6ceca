"""Text embeddings: equal to the long way, and computed once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_sclip import SegmentationConfig, Segmenter, make_scene
from napari_sclip.core.text import embed_texts, text_lengths
from napari_sclip.engine.text_cache import TextCache, cache_key
from napari_sclip.templates import IMAGENET_TEMPLATES

PROMPTS = ["red circle", "a yellow star and a blue ring on a cloudy background", "cell"]


@pytest.fixture
def segmenter() -> Segmenter:
    return Segmenter.load("shapes-demo", device="cpu")


def embed_whole(segmenter: Segmenter, sentences: list[str]) -> torch.Tensor:
    """Embed texts at the tower's full length, one block after the other."""
    tower = segmenter.text.towers.text
    tokens = segmenter.text._tokenize(sentences)
    with torch.inference_mode():
        x = F.embedding(tokens, tower.token_embedding) + tower.positional_embedding
        for block in tower.transformer.blocks:
            x = tower.transformer.run_block(block, x, causal=True)
        x = tower.ln_final(x)[torch.arange(len(x)), tokens.argmax(-1)]
        assert tower.projection is not None
        return F.normalize(tower.projection(x), dim=-1)


def test_cut_texts_equal_whole_ones(segmenter: Segmenter) -> None:
    sentences = [t.replace("{}", p) for p in PROMPTS for t in IMAGENET_TEMPLATES]
    tokens = segmenter.text._tokenize(sentences)
    assert int(text_lengths(segmenter.text.towers.text, tokens).max()) < tokens.shape[1] / 2
    with torch.inference_mode():
        cut = embed_texts(segmenter.text.towers.text, tokens)
    torch.testing.assert_close(cut, embed_whole(segmenter, sentences), atol=1e-5, rtol=0)


def test_a_prompt_is_the_normalised_mean_over_the_templates(segmenter: Segmenter) -> None:
    templates = IMAGENET_TEMPLATES[:7]
    found = segmenter.text.embed(PROMPTS, templates)
    for row, prompt in zip(found, PROMPTS, strict=True):
        whole = embed_whole(segmenter, [t.replace("{}", prompt) for t in templates])
        expected = F.normalize(whole.mean(0), dim=-1)
        torch.testing.assert_close(row, expected, atol=1e-5, rtol=0)


def test_the_second_start_makes_no_text_pass(segmenter: Segmenter) -> None:
    first = segmenter.text.embed(PROMPTS, IMAGENET_TEMPLATES)
    assert segmenter.text.prompts_computed == len(PROMPTS)
    segmenter.text.embed(PROMPTS[::-1], IMAGENET_TEMPLATES)
    assert segmenter.text.prompts_computed == len(PROMPTS), "kept in memory"
    again = Segmenter.load("shapes-demo", device="cpu")
    second = again.text.embed(PROMPTS, IMAGENET_TEMPLATES)
    assert again.text.prompts_computed == 0, "kept on disk"
    assert torch.equal(first, second)
    again.text.embed(PROMPTS, IMAGENET_TEMPLATES[:3])
    assert again.text.prompts_computed == len(PROMPTS), "other templates are another text"


KEY = cache_key("model", ["{}"], "cat")
UNIT = np.array([0.6, 0.8], dtype=np.float32)


def test_the_cache_gives_back_what_was_kept(own_cache: Path) -> None:
    cache = TextCache()
    assert cache.load(KEY, 2) is None
    cache.save(KEY, UNIT)
    np.testing.assert_array_equal(cache.load(KEY, 2), UNIT)
    assert cache.load(KEY, 3) is None, "of another length"
    assert [p.parent for p in own_cache.rglob("*.npz")] == [own_cache / "text"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"something else entirely"),
        lambda path: path.write_bytes(path.read_bytes()[:-40]),
        lambda path: path.write_bytes(path.read_bytes().replace(UNIT.tobytes(), b"\0" * 8)),
        lambda path: np.savez(path, embedding=UNIT, key=np.array("another key")),
        lambda path: np.savez(path, embedding=UNIT * 3, key=np.array(KEY)),
        lambda path: np.savez(path, other=UNIT),
        lambda path: np.savez(path, embedding=np.array([{}]), key=np.array(KEY)),
    ],
)
def test_a_damaged_or_foreign_file_is_ignored_and_rebuilt(damage: object) -> None:
    cache = TextCache()
    cache.save(KEY, UNIT)
    (path,) = cache.folder.glob("*.npz")
    assert callable(damage)
    damage(path)
    assert cache.load(KEY, 2) is None
    cache.save(KEY, UNIT)
    np.testing.assert_array_equal(cache.load(KEY, 2), UNIT)


def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    cache = TextCache(max_entries=5)
    keys = [cache_key("model", ["{}"], str(k)) for k in range(9)]
    for age, key in enumerate(keys):
        cache.save(key, UNIT)
        path = cache.folder / f"{key}.npz"
        os.utime(path, (1000 + age, 1000 + age))
    cache.load(keys[0], 2)
    cache.prune()
    left = {path.stem for path in cache.folder.iterdir()}
    assert left == {keys[0], *keys[5:]}


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = TextCache(blocked / "text")
    cache.save(KEY, UNIT)
    cache.prune()
    assert cache.load(KEY, 2) is None


WRITER = """
import sys
import numpy as np
from napari_sclip.engine.text_cache import TextCache, cache_key
cache = TextCache(sys.argv[1], max_entries=20)
rng = np.random.default_rng(int(sys.argv[2]))
for turn in range(300):
    number = int(rng.integers(40))
    key = cache_key("model", ["{}"], str(number))
    expected = np.eye(64, dtype=np.float32)[number]
    found = cache.load(key, 64)
    assert found is None or np.array_equal(found, expected)
    cache.save(key, expected)
    if turn % 10 == 0:
        cache.prune()
"""


def test_two_programs_at_once_never_read_a_wrong_embedding(tmp_path: Path) -> None:
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "text"), str(seed)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(2)
    ]
    for program in programs:
        _, errors = program.communicate(timeout=300)
        assert program.returncode == 0, errors
    assert not list((tmp_path / "text").glob(".*")), "no temporary file is left"


def test_the_cache_serves_the_segmenter(own_cache: Path, segmenter: Segmenter) -> None:
    image = make_scene(1, size=(96, 96), objects=1).image
    config = SegmentationConfig(short_side=None, templates="plain")
    expected = segmenter.segment(image, "red circle, background", config).labels
    assert len(list((own_cache / "text").glob("*.npz"))) == 2
    again = Segmenter.load("shapes-demo", device="cpu")
    found = again.segment(image, "red circle, background", config).labels
    assert again.text.prompts_computed == 0
    np.testing.assert_array_equal(found, expected)

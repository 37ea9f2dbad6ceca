from __future__ import annotations

import json
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sclip.cli.demo import PHOTO, SCENE_SEED, agreement, read_photo
from napari_sclip.samples.scenes import make_scene
from tests.cli.conftest import Run


def test_the_demo_writes_both_images_and_says_where(run: Run) -> None:
    ran = run("demo")
    assert (ran.status, ran.err) == (0, "")
    folder = Path("napari-sclip-demo")
    endings = (".png", "_labels.png", "_classes.json", "_overlay.png")
    expected = {f"{stem}{ending}" for stem in ("scene", PHOTO) for ending in endings}
    assert {p.name for p in folder.iterdir()} == expected
    for name in expected:
        assert str(folder / name) in ran.out
    assert "knows coloured shapes and nothing else" in ran.out
    scene = make_scene(SCENE_SEED)
    assert scene.caption in ran.out
    with Image.open(folder / "scene_labels.png") as picture:
        accuracy, overlap = agreement(np.asarray(picture), scene.labels)
    assert f"{100 * accuracy:.1f} % of its pixels are right" in ran.out
    assert f"background {overlap:.2f}." in ran.out
    assert accuracy > 0.9
    model = json.loads((folder / "scene_classes.json").read_text())["model"]["name"]
    assert model == "shapes-demo"


def test_a_second_demo_replaces_the_first_and_nothing_else(run: Run) -> None:
    folder = Path("here")
    folder.mkdir()
    for name in ("scene.png", "scene_labels.png"):
        (folder / name).write_text("old")
    (folder / "mine.txt").write_text("mine")
    ran = run("demo", "--output", folder, "--quiet")
    assert (ran.status, ran.out, ran.err) == (0, "", "")
    for name in ("scene.png", "scene_labels.png"):
        assert (folder / name).read_bytes() != b"old"
    assert (folder / "mine.txt").read_text() == "mine"


def test_the_photo_comes_with_scikit_image(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("a download was tried")

    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    monkeypatch.setattr(socket.socket, "connect", no_network)
    photo = read_photo()
    assert photo.dtype == np.uint8
    assert photo.ndim == 3


def test_agreement_counts_pixels_and_overlaps() -> None:
    truth = np.array([[0, 0, 1, 1]])
    assert agreement(truth, truth) == (1.0, 1.0)
    # Of id 0: 2 of 3 pixels; of id 1: 1 of 2.
    accuracy, overlap = agreement(np.array([[0, 0, 0, 1]]), truth)
    assert accuracy == 0.75
    assert overlap == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_an_output_that_is_no_folder(run: Run) -> None:
    Path("file").write_text("")
    ran = run("demo", "--output", "file")
    assert ran.status == 1
    assert ran.err.startswith("napari-sclip: error: Cannot write file")

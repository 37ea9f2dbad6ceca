"""Classes with what was learned from strokes, on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sclip import Classifier, SegmentationConfig, Segmenter
from napari_sclip.class_files import ClassList, read_class_list, write_class_list
from napari_sclip.samples.scenes import Scene
from tests.cli.conftest import SHORT, Run

CONFIG = SegmentationConfig(short_side=None, templates="plain")
CLASSES = "thing = purple star, ground = blue ring, background"


@pytest.fixture(scope="module")
def learned(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NAPARI_SCLIP_CACHE", str(tmp_path_factory.mktemp("cache")))
        segmenter = Segmenter.load("shapes-demo", device="cpu")
        embedding = segmenter.embed(scene.image, CONFIG)
        return segmenter.adapt(embedding, (scene.labels > 0).astype(np.uint8), CLASSES)


def test_what_was_learned_is_used(run: Run, photo: Path, scene: Scene, learned: Classifier) -> None:
    learned.save("my things.json")
    ran = run("segment", photo, "--classes-file", "my things.json", "--output", "out", *SHORT)
    assert (ran.status, ran.err) == (0, "")
    expected = Segmenter.load("shapes-demo").segment(scene.image, learned, CONFIG)
    with Image.open("out/photo_labels.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected.labels)
    values = json.loads(Path("out/photo_classes.json").read_text(encoding="utf-8"))
    assert [c["name"] for c in values["classes"]] == ["thing", "ground", "background"]
    plain = run("segment", photo, "--classes", CLASSES, "--output", "plain", *SHORT)
    assert plain.status == 0
    with Image.open("plain/photo_labels.png") as picture:
        assert (np.asarray(picture) != expected.labels).mean() > 0.01


def test_a_preset_of_the_dock_widget_does_as_well(
    run: Run, photo: Path, learned: Classifier
) -> None:
    write_class_list("preset.json", ClassList(learned.classes, learned=learned.to_dict()))
    learned.save("own.json")
    assert (
        read_class_list("own.json").learned
        == learned.to_dict()
        == read_class_list("preset.json").learned
    )
    for name in ("preset", "own"):
        given = ("segment", photo, "--classes-file", f"{name}.json", "--output", name, *SHORT)
        assert run(*given).status == 0
    labels = [Path(f"{name}/photo_labels.png").read_bytes() for name in ("preset", "own")]
    assert labels[0] == labels[1]


def test_another_model_is_an_error_told_once(run: Run, photo: Path, learned: Classifier) -> None:
    learned.save("my things.json")
    ran = run("segment", photo, photo.parent, "--classes-file", "my things.json",
              "--output", "out", *SHORT, "--attention", "vanilla")  # fmt: skip
    assert ran.status == 1
    (line,) = ran.err.splitlines()
    assert "learned with another model or attention mode" in line


def test_a_damaged_file_is_an_error(run: Run, photo: Path, learned: Classifier) -> None:
    learned.save("my things.json")
    values = json.loads(Path("my things.json").read_text(encoding="utf-8"))
    values["learned"]["rows"] = values["learned"]["rows"][:-8]
    Path("my things.json").write_text(json.dumps(values), encoding="utf-8")
    ran = run("segment", photo, "--classes-file", "my things.json", "--output", "out", *SHORT)
    assert ran.status != 0
    assert "damaged" in ran.err
    assert not list(Path("out").glob("*_labels.png"))

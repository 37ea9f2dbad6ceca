from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sclip.class_files import ClassList, write_class_list
from napari_sclip.cli.export import FORMATS
from napari_sclip.export import EXPORT_FORMATS
from napari_sclip.prompts import parse_classes
from tests.cli.conftest import SHORT, Run, save

LABELS = np.repeat(np.array([[0, 1, 2, 5]], dtype=np.uint8), 3, axis=0)


@pytest.fixture
def mask(tmp_path: Path) -> Path:
    return save(tmp_path / "masks" / "leaf.png", LABELS)


@pytest.mark.parametrize("name", ["classes.json", "classes.csv"])
def test_ids_of_a_file_of_classes_hold(run: Run, mask: Path, name: str) -> None:
    write_class_list("classes.json", ClassList(parse_classes("tree, grass"), ids=(5, 2)))
    Path("classes.csv").write_text("id,name\n5,tree\n2,grass\n", encoding="utf-8")
    ran = run("export", mask, "--formats", "coco", "--output", "out", "--classes-file", name)
    assert (ran.status, ran.err) == (0, "")
    values = json.loads(Path("out/leaf_coco.json").read_text(encoding="utf-8"))
    named = {c["id"]: c["name"] for c in values["categories"]}
    assert named == {1: "label 1", 2: "grass", 5: "tree"}


def test_a_mask_becomes_files_of_other_formats(run: Run, mask: Path) -> None:
    ran = run("export", mask, "--formats", "coco, yolo,labels", "--output", "out",
              "--classes", "tree, background, grass")  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    assert sorted(p.name for p in Path("out").iterdir()) == [
        "data.yaml", "leaf.txt", "leaf_coco.json", "leaf_labels.png"
    ]  # fmt: skip
    values = json.loads(Path("out/leaf_coco.json").read_text(encoding="utf-8"))
    assert [(c["id"], c["name"]) for c in values["categories"]] == [
        (1, "tree"), (2, "grass"), (5, "label 5")
    ]  # fmt: skip
    assert "tree, grass, label 5" in ran.out
    assert str(Path("out") / "leaf_coco.json") in ran.out


def test_every_format_but_those_that_need_scores(run: Run, mask: Path) -> None:
    image = save(mask.with_name("photo.png"), np.zeros((*LABELS.shape, 3), np.uint8))
    names = ",".join(known.name for known in FORMATS)
    ran = run("export", mask, "--formats", names, "--image", image, "--output", "out")
    assert (ran.status, ran.err) == (0, "")
    assert {known.name for known in EXPORT_FORMATS} - {k.name for k in FORMATS} == {
        "scores", "margin"
    }  # fmt: skip
    values = json.loads(Path("out/leaf_coco.json").read_text(encoding="utf-8"))
    assert values["images"][0]["file_name"] == "photo.png"


def test_what_cannot_be_is_said(run: Run, mask: Path) -> None:
    small = save(mask.with_name("small.png"), np.zeros((2, 2), np.uint8))
    for arguments, said in (
        (
            ("--formats", "svg"),
            "'svg'. Known formats: labels, classes, overlay, tiff",
        ),
        (("--formats", "scores"), "A mask has no scores"),
        (("--formats", "overlay"), "an overlay needs the image"),
        (("--formats", "coco", "--image", small), "Expected an image of (3, 4) pixels"),
    ):
        ran = run("export", mask, *arguments, "--output", "out")
        assert ran.status == 1
        assert said in ran.err
        assert not Path("out").exists()
    assert run("export", mask, "--formats", "coco", "--output", "out").status == 0
    ran = run("export", mask, "--formats", "coco", "--output", "out")
    assert (ran.status, "exists already" in ran.err) == (1, True)
    assert run("export", mask, "--formats", "coco", "--output", "out", "--overwrite").status == 0


def test_results_of_segment_are_exported_with_their_names(run: Run, photo: Path) -> None:
    ran = run("segment", photo, "--classes", "first = red circle, second = green square, "
              "background", "--output", "out", "--yolo", "--ome-zarr", *SHORT)  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    assert Path("out/photo.ome.zarr/labels/classes/.zattrs").exists()
    ran = run("export", "out/photo_labels.png", "--formats", "yolo,labels", "--output", "again")
    assert (ran.status, ran.err) == (0, "")
    for name in ("photo.txt", "data.yaml"):
        assert Path("again", name).read_bytes() == Path("out", name).read_bytes()
    with Image.open("out/photo_labels.png") as one, Image.open("again/photo_labels.png") as two:
        assert one.getpalette() == two.getpalette()

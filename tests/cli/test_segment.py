"""What one successful run writes and says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_sclip import SegmentationConfig, Segmenter
from napari_sclip.class_files import read_class_list
from napari_sclip.config import SegmentationConfig as Config
from napari_sclip.prompts import parse_classes
from napari_sclip.samples.scenes import Scene
from napari_sclip.samples.shapes import COLORS, SHAPES
from napari_sclip.widgets.state.classes import ClassTable
from tests.cli.conftest import SHORT, Run, save

DATA = Path(__file__).parents[1] / "data"

CLASSES = "first = red circle | blue star, second = green square, background"


def test_the_files_hold_what_the_engine_computes(run: Run, photo: Path, scene: Scene) -> None:
    ran = run("segment", photo, "--classes", CLASSES, "--output", "out", *SHORT,
              "--scores", "--margin")  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    config = SegmentationConfig(short_side=None, templates="plain")
    segmenter = Segmenter.load("shapes-demo")
    expected = segmenter.segment(scene.image, CLASSES, config)
    with Image.open("out/photo_labels.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected.labels)
    np.testing.assert_allclose(
        tifffile.imread("out/photo_scores.tif"), expected.scores(), atol=1e-6
    )
    np.testing.assert_allclose(
        tifffile.imread("out/photo_margin.tif"), expected.margin(), atol=1e-6
    )
    values = json.loads(Path("out/photo_classes.json").read_text(encoding="utf-8"))
    assert [c["name"] for c in values["classes"]] == ["first", "second", "background"]
    assert values["configuration"] == expected.config.to_dict()
    assert values["image"] == {"file": "photo.png", "shape": [96, 128, 3], "dtype": "uint8"}
    assert values["model"] == {
        "name": "shapes-demo",
        "weights_sha256": expected.weights_sha256,
        "attention": expected.attention,
        "device": str(segmenter.device),
        "precision": segmenter.precision,
    }
    with Image.open("out/photo_overlay.png") as picture:
        assert picture.width == 4 * 128
    for name in ("labels.png", "classes.json", "overlay.png", "scores.tif", "margin.tif"):
        assert str(Path("out") / f"photo_{name}") in ran.out
    assert "background" in ran.out


def test_every_setting_reaches_the_engine(run: Run, photo: Path) -> None:
    given = {
        "short_side": 80,
        "window": 64,
        "stride": 16,
        "templates": ["a {} here.", "the {}"],
        "logit_scale": 12.5,
        "threshold": 0.25,
        "min_area_fraction": 0.125,
        "refine": "pamr",
        "min_region_pixels": 3,
        "max_hole_pixels": 5,
        "average_on": "patches",
        "nonfinite": "minimum",
    }
    assert set(given) == set(Config.__dataclass_fields__)
    options = []
    for name, value in given.items():
        for one in value if isinstance(value, list) else [value]:
            text = "none" if one is None else str(one)
            options += [f"--{name.replace('_', '-')}", text]
    ran = run("segment", photo, "--classes", CLASSES, "--output", "out",
              "--model", "shapes-demo", "--attention", "vanilla", *options)  # fmt: skip
    assert (ran.status, ran.err) == (0, "")
    values = json.loads(Path("out/photo_classes.json").read_text(encoding="utf-8"))
    assert values["configuration"] == given
    assert values["model"]["attention"] == "vanilla"


def test_classes_come_from_a_text_file_or_an_earlier_run(run: Run, photo: Path) -> None:
    Path("classes.txt").write_text("\ufefffirst = red circle\n\nbackground\n", encoding="utf-8")
    assert (
        run("segment", photo, "--classes-file", "classes.txt", "--output", "a", *SHORT).status == 0
    )
    again = run("segment", photo, "--classes-file", "a/photo_classes.json", "--output", "b", *SHORT)
    assert again.status == 0
    first, second = (json.loads(Path(f"{x}/photo_classes.json").read_text()) for x in "ab")
    assert [c["name"] for c in first["classes"]] == ["first", "background"]
    assert first["classes"] == second["classes"]


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("classes_with_notes.txt", "yellow circle, green cell, background"),
        ("classes.csv", "round = yellow circle | yellow disc, green cell, paper"),
    ],
)
def test_a_file_means_the_same_as_in_the_dock_widget(
    run: Run, photo: Path, name: str, classes: str
) -> None:
    file = DATA / name
    assert run("segment", photo, "--classes-file", file, "--output", "a", *SHORT).status == 0
    found = json.loads(Path("a/photo_classes.json").read_text(encoding="utf-8"))["classes"]
    assert [c["name"] for c in found] == [c.name for c in parse_classes(classes)]
    table = ClassTable()
    table.replace(read_class_list(file).classes)
    rows = [(row.name, row.prompts or (row.name,), row.background, row.id) for row in table.rows]
    assert [(c["name"], tuple(c["prompts"]), c["background"], c["id"]) for c in found] == rows
    if name.endswith(".csv"):
        assert [(c["color"], c["background"]) for c in found[::2]] == [
            ("#ff0000", False),
            ("#000000", True),
        ]


def test_a_checkpoint_file_is_used(run: Run, photo: Path) -> None:
    listed = json.loads(run("models", "--json").out)
    weights = next(m["path"] for m in listed if m["name"] == "shapes-demo")
    ran = run("segment", photo, "--classes", CLASSES, "--output", "out", *SHORT,
              "--weights", weights)  # fmt: skip
    assert (ran.status, ran.err) == (0, "")


def test_many_classes_give_a_16_bit_tiff(run: Run, photo: Path) -> None:
    words = [f"{color} {shape}" for color in COLORS for shape in SHAPES]
    names = "\n".join(f"class {k} = {words[k % len(words)]}" for k in range(300))
    Path("classes.txt").write_text(names)
    ran = run("segment", photo, "--classes-file", "classes.txt", "--output", "out", *SHORT)
    assert (ran.status, ran.err) == (0, "")
    labels = tifffile.imread("out/photo_labels.tif")
    assert labels.dtype == np.uint16
    assert labels.shape == (96, 128)
    assert 1 <= labels.min() <= labels.max() <= 300


def test_rescaling_makes_use_of_the_range(run: Run, scene: Scene) -> None:
    dim = (scene.image.astype(np.float32) + 1000).astype(np.float32)
    tifffile.imwrite("dim.tif", dim, photometric="rgb")
    arguments = ("segment", "dim.tif", "--classes", CLASSES, "--output", "out", *SHORT)
    ran = run(*arguments)
    assert ran.status == 1
    assert "Expected floats in 0..1" in ran.err
    assert run(*arguments, "--rescale").status == 0


def test_quiet_prints_nothing(run: Run, photo: Path) -> None:
    ran = run("segment", photo, "--classes", CLASSES, "--output", "out", "--quiet", *SHORT)
    assert (ran.status, ran.out, ran.err) == (0, "", "")


def test_warnings_are_one_line_without_source(run: Run, photo: Path) -> None:
    long = " and ".join(["a red circle"] * 60)
    ran = run("segment", photo, "--classes", f"a = {long}, background", "--output", "out", *SHORT)
    assert ran.status == 0
    (line,) = ran.err.splitlines()
    assert line.startswith("napari-sclip: warning: ")
    assert ".py" not in line
    assert "warnings.warn" not in line


@pytest.mark.parametrize("kind", ["uint16", "grey", "rgba", "bool", "float32"])
def test_images_of_many_kinds_are_segmented(run: Run, scene: Scene, kind: str) -> None:
    red = scene.image[..., 0]
    images: dict[str, np.ndarray] = {
        "uint16": scene.image.astype(np.uint16) * 257,
        "grey": red,
        "rgba": np.dstack([scene.image, red]),
        "bool": red > 99,
        "float32": (scene.image / 255).astype(np.float32),
    }
    color = "minisblack" if images[kind].ndim == 2 else "rgb"
    tifffile.imwrite("image.tif", images[kind], photometric=color)
    ran = run("segment", "image.tif", "--classes", CLASSES, "--output", "out", *SHORT)
    assert (ran.status, ran.err) == (0, "")
    values = json.loads(Path("out/image_classes.json").read_text())
    assert values["image"]["dtype"] == kind.replace("grey", "uint8").replace("rgba", "uint8")
    assert values["image"]["shape"] == list(images[kind].shape)


def test_a_photo_on_its_side_is_turned_upright(run: Run, scene: Scene) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(scene.image)).save("side.jpg", exif=exif, quality=98)
    save(Path("up.png"), scene.image)
    for name in ("side.jpg", "up.png"):
        run("segment", name, "--classes", CLASSES, "--output", "out", *SHORT)
    labels = [np.asarray(Image.open(f"out/{name}_labels.png")) for name in ("side", "up")]
    assert labels[0].shape == (96, 128)
    assert np.mean(labels[0] == labels[1]) > 0.9


def test_an_image_that_uses_little_of_its_range_is_told_once(run: Run, scene: Scene) -> None:
    for name, values in (("a.tif", scene.image.astype(np.uint16) * 16), ("b.tif", scene.image)):
        tifffile.imwrite(name, values, photometric="rgb")
    arguments = ("segment", "a.tif", "b.tif", "--classes", CLASSES, "--overwrite", *SHORT)
    ran = run(*arguments, "--output", "out")
    assert ran.status == 0
    (line,) = ran.err.splitlines()
    assert line.startswith("napari-sclip: warning: a.tif: The image uses 6.")
    assert "of the range of uint16" in line
    assert "--rescale" in line
    for quieter in ("--rescale", "--quiet"):
        assert run(*arguments, "--output", "out", quieter).err == ""

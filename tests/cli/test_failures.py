"""Bad input: one clear line each, a status that is not 0, and nothing half done."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sclip.samples.scenes import Scene
from tests.cli.conftest import SHORT, Run, save

CLASSES = ["--classes", "red circle, background"]


def error_of(ran_err: str) -> str:
    lines = ran_err.splitlines()
    assert lines
    assert lines[0].startswith("napari-sclip: error: ")
    assert "Traceback" not in ran_err
    return lines[0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.png", None, "No such file"),
        ("empty.png", b"", "is empty: 0 bytes"),
        ("text.png", b"this is no image\n" * 9, "no image that can be read"),
        ("text.tif", b"this is no image\n" * 9, "no image that can be read"),
        ("fake.tif", b"II*\0" + b"\xff" * 50, "no image that can be read"),
        ("fake.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "no image that can be read"),
        ("notes.txt", b"this is no image\n" * 9, "no image that can be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_no_image(run: Run, name: str, content: bytes | None, message: str) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    ran = run("segment", name, *CLASSES, "--output", "out", *SHORT)
    assert ran.status == 1
    line = error_of(ran.err)
    assert name in line
    assert message in line
    assert list(Path("out").iterdir()) == []


def test_a_cut_file_is_damaged(run: Run, photo: Path) -> None:
    whole = photo.read_bytes()
    photo.write_bytes(whole[: len(whole) // 2])
    ran = run("segment", photo, *CLASSES, "--output", "out", *SHORT)
    assert ran.status == 1
    assert "is damaged" in error_of(ran.err)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((1, 1), np.uint8), "at least 2 x 2 pixels; got 1 x 1"),
        (np.full((40, 40), np.nan, np.float32), "all NaN or infinite"),
        (np.full((40, 40), 7, np.float32), "Expected floats in 0..1; got values from 7 to 7"),
    ],
)
def test_images_that_cannot_be_segmented(run: Run, image: np.ndarray, message: str) -> None:
    save(Path("image.tif"), image)
    ran = run("segment", "image.tif", *CLASSES, "--output", "out", *SHORT)
    assert ran.status == 1
    assert message in error_of(ran.err)
    assert "image.tif" in error_of(ran.err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--classes", " , "], "at least one class; got none"),
        (["--classes", "a, a"], "given more than once: a"),
        (["--classes", "background"], "besides the background"),
        (["--classes-file", "none.txt"], "Cannot read none.txt"),
        ([*CLASSES, "--stride", "0"], "stride must be at least 1 pixel"),
        ([*CLASSES, "--window", "64", "--stride", "65"], "stride must lie in 1..window"),
        ([*CLASSES, "--templates", "no place"], "Every template must hold one {}"),
        ([*CLASSES, "--threshold", "2"], "threshold must lie in 0..1"),
        ([*CLASSES, "--threshold", "nan"], "threshold must be a finite number"),
        ([*CLASSES, "--refine", "magic"], "refine must be one of None, 'pamr', 'guided-filter'"),
        ([*CLASSES, "--min-region-pixels", "-1"], "min_region_pixels must be at least 0 pixels"),
        ([*CLASSES, "--max-hole-pixels", "-2"], "max_hole_pixels must be at least 0 pixels"),
        ([*CLASSES, "--average-on", "moon"], "must be one of 'pixels', 'patches'"),
        ([*CLASSES, "--nonfinite", "moon"], "must be one of 'error', 'minimum'"),
        ([*CLASSES, "--attention", "slip"], "Known modes: sclip, sclip-reduced"),
    ],
)
def test_bad_classes_and_settings_are_found_before_the_model_is_loaded(
    run: Run, photo: Path, options: list[str], message: str
) -> None:
    # The model does not exist: an error about it would say that it was looked for.
    ran = run("segment", photo, *options, "--output", "out", "--model", "no-such-model")
    assert ran.status == 1
    assert message in error_of(ran.err)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "no-such-model"], "shapes-demo, ViT-B-16/openai"),
        (["--model", "shapes-demo", "--device", "abacus"], "Known devices: auto, cpu, cuda"),
        (["--model", "shapes-demo", "--precision", "fp7"], "Known precisions: auto, fp32"),
        (["--model", "shapes-demo", "--window", "65"], "multiple of the model's patch"),
        (["--model", "ViT-B-16", "--weights", "none.pt"], "none.pt"),
    ],
)
def test_bad_models_devices_and_windows(
    run: Run, photo: Path, options: list[str], message: str
) -> None:
    ran = run("segment", photo, *CLASSES, "--output", "out", *options)
    assert ran.status == 1
    assert message in error_of(ran.err)
    assert list(Path("out").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", "65"], "window must be a multiple of the model's patch of 8 pixels; got 65"),
        (["--stride", "100"], "stride must lie in 1..window"),
    ],
)
@pytest.mark.parametrize("model", ["shapes-demo", "file"])
def test_a_window_that_does_not_fit_the_model_is_told_once(
    run: Run,
    photo: Path,
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
    model: str,
) -> None:
    save(photo.parent / "zebra.png", scene.image)
    if model == "file":
        # A model that the registry does not know is checked when it has been loaded.
        monkeypatch.setattr("napari_sclip.cli.loading.MODELS", ())
    ran = run("segment", photo.parent, *CLASSES, *options, "--output", "out",
              "--model", "shapes-demo")  # fmt: skip
    assert ran.status == 1
    assert ran.err.count(message) == 1
    assert len(ran.err.splitlines()) == 1
    assert list(Path("out").iterdir()) == []


def test_an_image_that_cannot_be_segmented_loads_no_model(run: Run) -> None:
    save(Path("tiny.png"), np.zeros((1, 1), np.uint8))
    for name, message in (("none.png", "No such file"), ("tiny.png", "at least 2 x 2 pixels")):
        ran = run("segment", name, *CLASSES, "--output", "out", "--model", "no-such-model")
        assert "no-such-model" not in ran.err
        assert message in error_of(ran.err)


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment"],
        ["segment", "a.png", "--output", "o"],
        ["segment", "a.png", "--classes", "a", "--classes-file", "b", "--output", "o"],
        ["segment", "a.png", "--classes", "a"],
        ["segment", "a.png", "--classes", "a", "--output", "o", "--window", "big"],
        ["segment", "a.png", "--classes", "a", "--output", "o", "--short-side", "big"],
        ["paint"],
        [],
    ],
)
def test_usage_errors_exit_with_2(run: Run, arguments: list[str]) -> None:
    ran = run(*arguments)
    assert ran.status == 2
    assert ran.err.startswith("usage: napari-sclip")


def test_one_bad_file_does_not_stop_the_others(run: Run, photo: Path, scene: Scene) -> None:
    folder = photo.parent
    (folder / "bad.png").write_bytes(b"")
    save(folder / "zebra.png", scene.image)
    ran = run("segment", folder, "none.jpg", *CLASSES, "--output", "out", *SHORT)
    assert ran.status == 1
    assert error_of(ran.err).endswith("bad.png is empty: 0 bytes. Copy or download it again.")
    assert ran.err.splitlines()[-1] == (
        f"napari-sclip: 2 of 4 images segmented; failed: {folder / 'bad.png'}, none.jpg"
    )
    written = sorted(p.name for p in Path("out").iterdir())
    assert written == sorted(
        f"{stem}_{kind}"
        for stem in ("photo", "zebra")
        for kind in ("labels.png", "classes.json", "overlay.png")
    )


def test_results_that_exist_are_left_alone_without_overwrite(
    run: Run, photo: Path, scene: Scene
) -> None:
    save(photo.parent / "zebra.png", scene.image)
    Path("out").mkdir()
    Path("out/photo_classes.json").write_text("mine")
    arguments = ("segment", photo.parent, *CLASSES, "--output", "out", *SHORT)
    ran = run(*arguments)
    assert ran.status == 1
    assert "photo_classes.json exists already" in error_of(ran.err)
    assert Path("out/photo_classes.json").read_text() == "mine"
    assert sorted(p.name for p in Path("out").glob("photo*")) == ["photo_classes.json"]
    assert Path("out/zebra_labels.png").exists()
    assert run(*arguments, "--overwrite").status == 0
    assert Path("out/photo_classes.json").read_text() != "mine"


def test_what_exists_is_seen_before_any_work(run: Run, photo: Path) -> None:
    Path("out").mkdir()
    Path("out/photo_overlay.png").write_text("mine")
    ran = run("segment", photo, *CLASSES, "--output", "out", "--model", "no-such-model")
    assert "exists already" in error_of(ran.err)
    assert "no-such-model" not in ran.err


def test_an_input_is_never_replaced(run: Run, scene: Scene) -> None:
    save(Path("a.png"), scene.image)
    save(Path("a_overlay.png"), scene.image)
    before = Path("a_overlay.png").read_bytes()
    ran = run("segment", "a.png", "a_overlay.png", *CLASSES, "--output", ".", "--overwrite", *SHORT)
    assert ran.status == 1
    assert "would replace an input" in error_of(ran.err)
    assert Path("a_overlay.png").read_bytes() == before
    assert Path("a_overlay_labels.png").exists()


def test_an_output_that_is_no_folder(run: Run, photo: Path) -> None:
    Path("out").write_text("a file")
    ran = run("segment", photo, *CLASSES, "--output", "out", "--model", "no-such-model")
    assert ran.status == 1
    assert "Cannot write out: File exists. A file is in the place of a folder" in error_of(ran.err)


def test_another_process_prints_no_traceback_and_exits_with_1(photo: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "napari_sclip", "segment", str(photo), "--classes", ",",
         "--output", "out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout == ""
    assert error_of(done.stderr)
    assert len(done.stderr.splitlines()) == 1


def test_a_broken_image_among_warnings_is_still_one_line(run: Run) -> None:
    # Pillow warns of a large picture before it finds that its data are missing.
    Image.new("L", (20_000, 20_000)).resize((10, 10)).save("small.png")
    data = bytearray(Path("small.png").read_bytes())
    data[16:24] = (20_000).to_bytes(4, "big") * 2
    Path("small.png").write_bytes(bytes(data))
    ran = run("segment", "small.png", *CLASSES, "--output", "out", *SHORT)
    assert ran.status == 1
    assert len(ran.err.splitlines()) == 2


@pytest.mark.parametrize("name", ["x" * 300, "**x", "none/*.png"])
def test_paths_that_the_system_refuses_do_not_stop_the_others(
    run: Run, scene: Scene, tmp_path: Path, name: str
) -> None:
    good = save(tmp_path / "good.png", scene.image)
    ran = run("segment", name, good, *CLASSES, *SHORT, "--output", "out")
    assert ran.status == 1
    assert name in error_of(ran.err)
    assert (tmp_path / "out" / "good_labels.png").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes on Linux alone")
def test_a_file_name_that_is_no_unicode_text_is_segmented(
    run: Run, scene: Scene, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    good = save(folder / "zgood.png", scene.image)
    good.with_name(os.fsdecode(b"caf\xe9.png")).write_bytes(good.read_bytes())
    ran = run("segment", folder, *CLASSES, *SHORT, "--output", "out")
    assert ran.status == 0, ran.err
    written = sorted(os.fsencode(p.name) for p in (tmp_path / "out").iterdir())
    assert b"caf\xe9_classes.json" in written
    assert len(written) == 6
    text = (tmp_path / "out" / os.fsdecode(b"caf\xe9_classes.json")).read_text(encoding="utf-8")
    assert os.fsencode(json.loads(text)["image"]["file"]) == b"caf\xe9.png"


def test_classes_that_are_no_unicode_text_are_refused(
    run: Run, scene: Scene, tmp_path: Path
) -> None:
    good = save(tmp_path / "good.png", scene.image)
    classes = os.fsdecode(b"caf\xe9, background")
    ran = run("segment", good, "--classes", classes, *SHORT, "--output", "out")
    assert ran.status == 1
    assert "Unicode" in error_of(ran.err)


def test_a_name_of_weights_that_is_too_long_is_an_error(
    run: Run, scene: Scene, tmp_path: Path
) -> None:
    good = save(tmp_path / "good.png", scene.image)
    weights = ["--model", "ViT-B-16", "--weights", "x" * 300]
    ran = run("segment", good, *CLASSES, *weights, "--output", "out")
    assert ran.status == 1
    assert "cannot be read" in error_of(ran.err)

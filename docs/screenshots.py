"""Make the pictures of the guide from the program itself.

    python docs/screenshots.py                      # all of them, into docs/images
    python docs/screenshots.py --only classes       # one topic, in both themes
    python docs/screenshots.py --output /tmp/look

Every picture is ``guide_<topic>_<theme>.png``, for the themes "dark" and "light" of napari. Needs
napari-sclip with the extra ``all``, and nothing else: the model and the images are those that the
package brings along, and no network is used. Where there is ``xvfb-run`` (Linux, package xvfb) it
runs in a screen of its own; elsewhere windows come and go on yours, so keep your hands off the
mouse meanwhile. It takes about two minutes.

Run it again when the dock widget has changed, and look at the pictures before you keep them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screenshot_stage import Stage, wait_until, with_pointer

HERE = Path(__file__).resolve().parent
OWN_SCREEN = "NAPARI_SCLIP_OWN_SCREEN"
SCREEN = "-screen 0 1700x1500x24"
THEMES = ("dark", "light")

MAX_BYTES = 250_000
MOST_SEEN = 96
UNSEEN = 24
"""Distance of two colours, 0..255 a channel, that nobody sees in a noise."""

SCENE = "scene_2"
CLASSES = "yellow circle, green cell = green cell | green disk, cyan star, background"


def overview(stage: Stage) -> Any:  # noqa: ANN401 - all of them return a QPixmap
    """Show the whole window, with a segmented scene."""
    stage.take_suggestion()
    stage.segment()
    stage.make_room()
    return stage.whole_window()


def widget(stage: Stage) -> Any:  # noqa: ANN401
    """Show the dock widget alone, before the first run."""
    stage.classes(CLASSES)
    wait_until("the windows", lambda: stage.state.detail.windows)
    return stage.widget_alone()


def image(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Image, unfolded."""
    stage.unfold("sclip_section_image", "sclip_image_more")
    return stage.section("image")


def classes(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Classes."""
    stage.classes(CLASSES)
    stage.unfold("sclip_section_classes")
    return stage.section("classes")


def model(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Model, with a model that is not on this disk."""
    stage.unfold("sclip_section_model", "sclip_model_more")
    return stage.section("model")


def download(stage: Stage) -> Any:  # noqa: ANN401
    """Show the question that stands before a download."""
    stage.take_suggestion()
    stage.unfold()
    stage.press()
    wait_until("the question", lambda: stage.state.run.question)
    return stage.bottom()


def detail(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Detail, with its numbers and the scores."""
    stage.classes(CLASSES)
    stage.find("sclip_detail_measure").click()
    wait_until("the estimate", lambda: stage.state.run.status == "idle" and _has_estimate(stage))
    stage.unfold("sclip_section_detail", "sclip_detail_more")
    stage.find("sclip_detail_custom").click()
    wait_until("the estimate", lambda: _has_estimate(stage))
    return stage.section("detail")


def partial(stage: Stage) -> Any:  # noqa: ANN401
    """Show a run half way."""
    stage.take_suggestion()
    stage.state.detail.level = "fine"
    stage.make_room()
    taken = []

    def is_half_way() -> bool:
        run = stage.state.run
        if run.total > 1 and 0.55 < run.done / run.total < 1 and _is_drawn(stage):
            taken.append(stage.window.grab())
        elif run.notice:
            raise RuntimeError("The run was over before a picture could be taken.")
        return bool(taken)

    stage.press()
    wait_until("half of the labels", is_half_way)
    stage.find("sclip_cancel").click()
    wait_until("the end of the run", lambda: stage.state.run.status == "idle")
    return taken[0]


def hover(stage: Stage) -> Any:  # noqa: ANN401
    """Show what the status bar says of the label under the mouse."""
    stage.take_suggestion()
    stage.segment()
    x, y = stage.hover(*stage.middle_of("green cell"))
    wait_until("its name", lambda: "class: green cell" in str(stage.viewer.status))
    top = y - 90
    return with_pointer(stage.without_widget(top), x, y - top)


def digits(stage: Stage) -> Any:  # noqa: ANN401
    """Show a class that is picked by its digit and painted with."""
    stage.take_suggestion()
    stage.segment()
    stage.show_from_near("cyan star")
    stage.type_key("4")
    wait_until("the class", lambda: "Painting with 4" in str(stage.viewer.status))
    row, column = stage.middle_of("cyan star")
    stage.stroke((row - 29, column + 15), (row - 22, column + 14))
    stage.stroke((row + 3, column + 22), (row + 4, column + 33))
    return stage.without_widget()


def paint_star(stage: Stage) -> None:
    """Segment, and paint the largest part of the star that was missed."""
    stage.take_suggestion()
    stage.segment()
    row, column = stage.missed("cyan star")
    stage.show_from_near("cyan star")
    stage.type_key("4")
    wait_until("the class", lambda: "Painting with 4" in str(stage.viewer.status))
    stage.viewer.layers.selection.active.brush_size = 4
    stage.stroke((row - 2, column), (row + 2, column))
    wait_until("the stroke", lambda: stage.state.correct.painted)


def stroke(stage: Stage) -> Any:  # noqa: ANN401
    """Show a stroke over what was missed."""
    paint_star(stage)
    return stage.without_widget()


def refined(stage: Stage) -> Any:  # noqa: ANN401
    """Show what a stroke has taught."""
    paint_star(stage)
    stage.refine()
    stage.unfold("sclip_section_correct")
    return stage.whole_window()


def correct(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Correct at work."""
    stage.state.detail.refine = ""
    paint_star(stage)
    stage.refine()
    for name in ("sclip_correct_next", "sclip_correct_checked", "sclip_correct_checked"):
        before = stage.state.run.notice
        stage.find(name).click()
        wait_until(
            "the next region",
            lambda before=before: (
                stage.state.run.status == "idle" and stage.state.run.notice != before
            ),
        )
    stage.unfold("sclip_section_correct")
    return stage.section("correct")


def export(stage: Stage) -> Any:  # noqa: ANN401
    """Show the section Export."""
    stage.take_suggestion()
    stage.segment()
    stage.unfold("sclip_section_export")
    return stage.section("export")


def attention(stage: Stage) -> Any:  # noqa: ANN401
    """Show what a point attends to."""
    stage.take_suggestion()
    stage.segment()
    stage.find("sclip_section_explain").setChecked(True)
    stage.find("sclip_explain_attention").click()
    stage.click(*stage.middle_of("yellow circle"))
    wait_until("the attention", lambda: stage.state.correct.heads)
    for layer in stage.viewer.layers:
        layer.visible = layer is stage.image or "attention" in layer.name
    stage.viewer.reset_view()
    return stage.without_widget()


def failure(stage: Stage) -> Any:  # noqa: ANN401
    """Show a failure: a checkpoint that is none."""
    file = Path("my-model.pt")  # in a folder that will go
    file.write_text("This is no checkpoint.\n", encoding="utf-8")
    stage.classes(CLASSES)
    stage.state.model.name = "own-file"
    stage.state.model.weights = str(file)
    stage.unfold()
    stage.press()
    wait_until("the failure", lambda: stage.state.run.failure)
    return stage.bottom()


def _has_estimate(stage: Stage) -> bool:
    return bool(stage.state.detail.estimate)


def _is_drawn(stage: Stage) -> bool:
    from napari.layers import Labels

    shown = [x for x in stage.viewer.layers if isinstance(x, Labels) and x.visible]
    return any(labels.data.any() for labels in shown)


TOPICS: dict[str, tuple[Callable[[Stage], Any], str]] = {
    "overview": (overview, SCENE),
    "widget": (widget, SCENE),
    "image": (image, SCENE),
    "classes": (classes, SCENE),
    "model": (model, "cat"),
    "download": (download, "cat"),
    "detail": (detail, SCENE),
    "partial": (partial, SCENE),
    "hover": (hover, SCENE),
    "digits": (digits, SCENE),
    "failure": (failure, SCENE),
    "stroke": (stroke, SCENE),
    "refined": (refined, SCENE),
    "correct": (correct, SCENE),
    "export": (export, SCENE),
    "attention": (attention, SCENE),
}
"""For each topic what shows it, and the sample image that it is shown with."""


def save(picture: Any, path: Path) -> int:  # noqa: ANN401
    """Write a PNG as small as it can be without looking otherwise; return its bytes.

    Raises
    ------
    ValueError
        If it is too large for a page.
    """
    content = encode(picture)
    if len(content) > MAX_BYTES:
        raise ValueError(
            f"Expected at most {MAX_BYTES} bytes for {path.name}; got {len(content)}. Crop it."
        )
    path.write_bytes(content)
    return len(content)


def encode(picture: Any) -> bytes:  # noqa: ANN401
    """Encode a QPixmap, with a palette where that cannot be seen."""
    from PIL import Image
    from qtpy.QtCore import QBuffer, QIODevice

    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    full = Image.open(io.BytesIO(bytes(buffer.data().data()))).convert("RGB")
    out = io.BytesIO()
    (with_palette(full) or full).save(out, "PNG", optimize=True)
    return out.getvalue()


def with_palette(full: Any) -> Any:  # noqa: ANN401 - images of Pillow
    """Return an image in 256 colours; None where one of its own would be missed.

    The palette has the colours that are seen most, which are those of the controls, and then
    always the one that is farthest from all before it (Gonzalez, 1985), so that small things keep
    theirs however much noise there is beside them.
    """
    import numpy as np
    from PIL import Image

    pixels = np.asarray(full)
    colors, where, counts = np.unique(
        pixels.reshape(-1, 3), axis=0, return_inverse=True, return_counts=True
    )
    points = colors.astype(np.float32)
    nearest = np.zeros(len(points), dtype=np.uint8)
    apart = np.full(len(points), np.inf, dtype=np.float32)
    palette = list(np.argsort(-counts)[:MOST_SEEN])
    for number in range(256):
        if number == len(palette):
            palette.append(int(apart.argmax()))
        distance = np.square(points - points[palette[number]]).sum(axis=1)
        nearest[distance < apart] = number
        apart = np.minimum(apart, distance)
        if len(palette) <= number + 1 and not apart.any():
            break
    if apart.max() > UNSEEN**2:
        return None
    few = Image.fromarray(nearest[where.reshape(pixels.shape[:2])], "P")
    few.putpalette(colors[palette].tobytes())
    return few


def keep_apart(folder: Path) -> None:
    """Keep settings, caches and models of this computer out of the pictures."""
    os.environ |= {
        "NAPARI_SCLIP_CACHE": str(folder / "cache"),
        "NAPARI_CONFIG": str(folder / "napari.yaml"),
        "HF_HOME": str(folder / "hub"),
        "HF_HUB_OFFLINE": "1",
        "QT_SCALE_FACTOR": "1",
    }


def make(topic: str, theme: str, output: Path) -> None:
    """Make one picture."""
    show, sample = TOPICS[topic]
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        os.environ["NAPARI_SCLIP_CONFIG"] = folder
        stage = Stage(theme, sample)
        try:
            picture = show(stage)
        finally:
            stage.close()
    path = output / f"guide_{topic}_{theme}.png"
    size = save(picture, path)
    sys.stdout.write(f"{path} ({size / 1000:.0f} kB)\n")
    sys.stdout.flush()


def on_own_screen() -> None:
    """Run this program again in a screen of its own, where there is ``xvfb-run``."""
    wrapper = shutil.which("xvfb-run")
    if wrapper is not None and not os.environ.get(OWN_SCREEN):
        os.environ |= {OWN_SCREEN: "1", "QT_QPA_PLATFORM": "xcb"}
        os.execv(wrapper, [wrapper, "-a", "-s", SCREEN, sys.executable, *sys.argv])


def main() -> None:
    """Make the pictures that are asked for."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("--output", type=Path, default=HERE / "images", metavar="DIR")
    parser.add_argument("--only", choices=TOPICS, metavar="TOPIC", help=", ".join(TOPICS))
    arguments = parser.parse_args()
    on_own_screen()
    output = arguments.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        keep_apart(Path(folder))
        for topic in [arguments.only] if arguments.only else TOPICS:
            for theme in THEMES:
                make(topic, theme, output)


if __name__ == "__main__":
    main()

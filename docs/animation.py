"""Make the animation of the dock widget at work, from the program itself.

    python docs/animation.py                     # into docs/images
    python docs/animation.py --frames /tmp/look  # every frame as a PNG, too

Classes are typed, Segment is pressed, and what was missed is painted by hand. What it needs is
what ``screenshots.py`` needs; it takes some minutes. Look at the frames before you keep it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from screenshot_stage import Stage, wait_until, with_pointer
from screenshots import HERE, keep_apart, on_own_screen

SCENE = "scene_2"
CLASSES = "yellow circle, green cell, orange triangle, cyan star, background"
WIDTH = 900
QUALITY = 70
MAX_BYTES = 1_000_000
SHORT, LONG, END = 120, 900, 2600
"""Milliseconds that a frame is shown."""


class Film:
    """Frames of a window, with the mouse pointer where a hand would have it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.frames: list[Any] = []
        self.milliseconds: list[int] = []
        self.pointer = (stage.window.width() // 2, stage.window.height() - 60)

    def take(self, milliseconds: int) -> None:
        """Take a frame; one that looks like the last makes that one longer."""
        from PIL import Image
        from qtpy.QtGui import QImage

        grabbed = with_pointer(self.stage.window.grab(), *self.pointer).toImage()
        grabbed = grabbed.convertToFormat(QImage.Format.Format_RGB888)
        size = grabbed.width(), grabbed.height()
        content = bytes(grabbed.constBits().asarray(grabbed.sizeInBytes()))
        frame = Image.frombuffer("RGB", size, content, "raw", "RGB", grabbed.bytesPerLine(), 1)
        frame = frame.resize((WIDTH, round(WIDTH * size[1] / size[0])), Image.Resampling.LANCZOS)
        if self.frames and self.frames[-1].tobytes() == frame.tobytes():
            self.milliseconds[-1] += milliseconds
        else:
            self.frames.append(frame)
            self.milliseconds.append(milliseconds)

    def point_at(self, name: str) -> Any:  # noqa: ANN401 - any kind of control
        """Move the pointer to a control; return that."""
        from qtpy.QtCore import QPoint

        control = self.stage.find(name)
        middle = control.mapTo(
            self.stage.window, QPoint(control.width() // 2, control.height() // 2)
        )
        self.move(middle.x(), middle.y())
        return control

    def move(self, x: int, y: int) -> None:
        """Move the pointer in some steps."""
        begin = self.pointer
        for step in (0.35, 0.75, 1.0):
            self.pointer = (
                round(begin[0] + step * (x - begin[0])),
                round(begin[1] + step * (y - begin[1])),
            )
            self.take(SHORT)

    def until(self, what: str, condition: Callable[[], object]) -> None:
        """Take frames until a condition holds."""

        def look() -> object:
            self.take(SHORT)
            return condition()

        wait_until(what, look)

    def save(self, path: Path) -> int:
        """Write an animated WebP; return its bytes.

        Raises
        ------
        ValueError
            If it is too large for a page.
        """
        first, *rest = self.frames
        # Not a GIF, which is six times as large: the noise of the scene is in every frame.
        first.save(
            path,
            save_all=True,
            append_images=rest,
            duration=self.milliseconds,
            loop=0,
            quality=QUALITY,
        )
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"Expected at most {MAX_BYTES} bytes for {path.name}; got {size}.")
        return size


def play(stage: Stage) -> Film:
    """Type classes, segment, paint what was missed, and let the stroke teach the rest."""
    from qtpy.QtTest import QTest

    keys: Any = QTest  # for a type checker its methods are not static
    run = stage.state.run
    stage.state.model.name = "shapes-demo"
    stage.state.detail.refine = ""  # coarse edges leave something to paint
    stage.unfold("sclip_section_classes", "sclip_section_correct")
    stage.make_room()
    film = Film(stage)
    film.take(LONG)

    line = film.point_at("sclip_classes_line")
    line.setFocus()
    for begin in range(0, len(CLASSES), 3):
        keys.keyClicks(line, CLASSES[begin : begin + 3])
        film.take(SHORT)
    wait_until("the windows", lambda: stage.state.detail.windows)
    film.take(LONG)

    film.point_at("sclip_segment")
    stage.press()
    film.until("the labels", lambda: run.status == "idle" and run.notice)
    film.take(2 * LONG)

    middle = stage.missed("cyan star")
    stage.show_from_near("cyan star")
    stage.type_key("4")
    wait_until("the class", lambda: "Painting with 4" in str(stage.viewer.status))
    stage.viewer.layers.selection.active.brush_size = 4
    film.move(*stage.hover(*middle))
    film.take(LONG)
    for offset in (-2, 0, 2):
        stage.stroke((middle[0] + offset, middle[1]), (middle[0] + offset + 2, middle[1]))
        film.move(*stage.hover(middle[0] + offset + 2, middle[1]))
    wait_until("the stroke", lambda: stage.state.correct.painted)
    film.take(LONG)

    film.point_at("sclip_correct_refine").click()
    film.until("what was learned", lambda: run.status == "idle" and stage.state.correct.learned)
    film.take(END)
    return film


def main() -> None:
    """Make the animation."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], allow_abbrev=False
    )
    parser.add_argument("--output", type=Path, default=HERE / "images", metavar="DIR")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="where single frames go")
    arguments = parser.parse_args()
    on_own_screen()
    output = arguments.output.absolute()
    frames = arguments.frames and arguments.frames.absolute()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        keep_apart(Path(folder))
        os.environ["NAPARI_SCLIP_CONFIG"] = folder
        stage = Stage("dark", SCENE)
        try:
            film = play(stage)
        finally:
            stage.close()
    if frames:
        frames.mkdir(parents=True, exist_ok=True)
        for number, frame in enumerate(film.frames):
            frame.save(frames / f"{number:03}_{film.milliseconds[number]}ms.png")
    size = film.save(output / "animation.webp")
    sys.stdout.write(f"{output / 'animation.webp'} ({size / 1000:.0f} kB)\n")


if __name__ == "__main__":
    main()

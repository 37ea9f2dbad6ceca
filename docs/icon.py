"""Draw the icon of the plugin: a picture with two labelled shapes, and the cursor that names them.

    python docs/icon.py

It is read at 32 pixels, before dark and before light, so it has a ground of its own.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw

ICON = Path(__file__).resolve().parents[1] / "src" / "napari_sclip" / "icon.png"
SIDE = 256
FINE = 4
"""Times that it is drawn larger, for smooth edges."""

GROUND, EDGE, CIRCLE, TRIANGLE, CURSOR = "#2a2d52", "#7f86c9", "#f2b33d", "#45b5a2", "#ffffff"


def draw() -> Image.Image:
    """Draw the icon.

    Returns
    -------
    Image
        256 x 256 pixels, RGBA.
    """
    picture = Image.new("RGBA", (SIDE * FINE, SIDE * FINE))
    pen = ImageDraw.Draw(picture)

    def scaled(*numbers: int) -> list[int]:
        return [FINE * number for number in numbers]

    pen.rounded_rectangle(scaled(4, 4, 252, 252), 52 * FINE, GROUND, EDGE, 8 * FINE)
    pen.ellipse(scaled(34, 36, 142, 144), CIRCLE)
    pen.polygon(scaled(98, 122, 166, 222, 32, 222), TRIANGLE)
    pen.rectangle(scaled(188, 56, 202, 200), CURSOR)
    for top in (48, 194):
        pen.rectangle(scaled(170, top, 220, top + 14), CURSOR)
    return picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    draw().save(ICON, optimize=True)

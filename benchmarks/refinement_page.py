"""The page that `benchmarks.refinement` writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figures:
    """What was measured of one way: means, standard errors, and the time."""

    name: str
    overlap: float
    overlap_error: float
    boundary: float
    boundary_error: float
    ratio: float


@dataclass(frozen=True)
class Table:
    """All ways on scenes of one size."""

    size: tuple[int, int]
    scenes: int
    rows: tuple[Figures, ...]


def read_table(values: dict[str, Any]) -> Table:
    """Make a table of plain values, as `dataclasses.asdict` gives them."""
    rows = tuple(Figures(**row) for row in values["rows"])
    return Table(size=tuple(values["size"]), scenes=values["scenes"], rows=rows)


_BEFORE = """\
# Refinements of the edges

A patch is 8 to 32 pixels wide, and so are the errors at the edges of labels. A refinement moves
edges to those of the image. `SegmentationConfig.refine` chooses one by its name:

* `pamr`: pixel-adaptive mask refinement (Araslanov and Roth, CVPR 2020) as SCLIP's authors use it:
  each similarity becomes the weighted mean of its neighbours 8 and 16 pixels away, ten times, and
  neighbours that look alike weigh more.
* `guided-filter`: the guided filter (He, Sun, Tang, TPAMI 2013) with colours: in each square of
  49 pixels a side, similarities are fitted by a linear function of the colour.

`min_region_pixels` and `max_hole_pixels` then clean the labels ("regions" in the tables: parts of
a class with less than 0.13 % of the image's pixels are given to what surrounds them, holes up to
that size are filled).

The other ways were measured with the same similarities and are not part of the package
(`benchmarks/refinement_losers.py`): superpixels that take the mean similarity of their pixels,
and random walkers from the insides of the labels.
"""

_AFTER = """
## How it was measured

The bundled model `shapes-demo` with the default settings on scenes of `make_scene(seed)`, as
described in [accuracy.md](accuracy.md); the seeds start at 20000000. Parameters were tried on other
scenes (seeds from 30000000 on). All ways label the same scenes, so differences between them are
surer than the standard errors, which are between scenes, suggest.

* Mean IoU: as in [accuracy.md](accuracy.md).
* Boundary F1: for each class and the background, the share of the predicted outline that lies
  within 2 pixels of the true one (precision), the share of the true outline within 2 pixels of the
  predicted one (recall), and their harmonic mean; averaged over the classes, then over scenes
  (Csurka et al., BMVC 2013). The tolerance is 2 pixels of the image, whatever its size.
* Time: that of labelling an embedded image, divided by the time without any refinement; the median
  over scenes, one thread, other programs running beside it.

## What follows

`pamr` and `guided-filter` gain about the same, more than all others in mean IoU, and `pamr` takes a
third of the time: it is what to switch on. Cleaning the regions takes away specks that `pamr`
leaves, which shows in its boundary F1, and changes little else. The engine's default stays
`refine=None`, so that its labels are those of the plain method.

Images larger than what the model sees (`short_side`) are taken apart into interleaved pictures,
every second, third, ... pixel of both axes, which are refined one by one: otherwise 8 and 16 pixels
would be too short for errors that have grown with the image. Up to a ratio of 2 nothing is taken
apart, and the distances are those of the authors. They also smooth the guiding picture by
resizing it and back; here, the image's own pixels guide.

## Memory and time on a large image

{memory}

## What is not known

Nothing here says what a refinement does for photographs with a ViT-B/16: no weights of such a
model were at hand, and the edges of these scenes are sharper and their surfaces more even than
those of most photographs. Patches of 16 instead of 8 pixels leave larger errors for a refinement
to mend. Textures finer than the distances of `pamr` were not measured either.

## Reproduce

    python -m benchmarks.refinement --scenes {scenes} --large-scenes {large}
"""

MEMORY = """\
3000 × 4000 pixels and 100 classes of one prompt each, one thread, memory above what the process had
before (`getrusage`, labels included; random features, whole runs):

| `pamr` | peak MB | CPU seconds |
|---|---:|---:|
| at short side 375, in 8 × 8 phases | 327 | 82 |
| at native size, in 12 bands | 1289 | 214 |"""


def write_page(tables: Sequence[Table], output: Path) -> None:
    """Write the tables and what they mean; `output` is replaced if it exists."""
    parts = [_BEFORE]
    for table in tables:
        height, width = table.size
        parts.append(f"\n## Scenes of {height} × {width} pixels\n\n")
        parts.append("| refinement | mean IoU | boundary F1 | time |\n|---|---|---|---|\n")
        for row in table.rows:
            parts.append(
                f"| {row.name} | {row.overlap:.3f} ± {row.overlap_error:.3f} "
                f"| {row.boundary:.3f} ± {row.boundary_error:.3f} | {row.ratio:.1f} |\n"
            )
        parts.append(f"\nMean ± standard error over {table.scenes} scenes.\n")
    scenes = [table.scenes for table in tables] + [0]
    parts.append(_AFTER.format(memory=MEMORY, scenes=scenes[0], large=scenes[1]))
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text("".join(parts), encoding="utf-8")

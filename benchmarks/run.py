"""Print, side by side and in one run, what the engine costs beside the plain recipe.

``python -m benchmarks.run`` prints the table, ``--write`` puts it into ``docs/benchmarks.md``.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from pathlib import Path

import torch

from benchmarks import workloads
from benchmarks.measure import Cost, measure

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"

GROUPS = (
    (
        "Embedding: ViT-B/16, 300 x 451 photo at short side 336, 8 windows",
        (
            ("plain recipe", workloads.embed_plain),
            ("engine", workloads.embed_engine),
            ("engine, averaged on patches", workloads.embed_engine_patches),
        ),
    ),
    (
        "Text: ViT-B/16, 5 prompts x 80 templates",
        (
            ("plain recipe (77 tokens)", workloads.text_plain),
            ("engine (cut to the longest)", workloads.text_engine),
            ("engine, kept on disk", workloads.text_engine_kept),
        ),
    ),
    (
        "Classification: 50 prompts on 1500 x 2000 pixels, features kept",
        (
            ("plain recipe (full-size logits)", workloads.classify_plain),
            ("engine", workloads.classify_engine),
            ("engine, averaged on patches", workloads.classify_engine_patches),
        ),
    ),
    (
        "The engine alone: classification of an embedded image",
        (
            ("1024 x 1024 pixels, 5 classes, bundled model", workloads.classify_demo),
            ("3000 x 4000 pixels, 100 prompts, ViT-B/16", workloads.classify_largest),
        ),
    ),
)


def table(title: str, costs: list[tuple[str, Cost]]) -> str:
    """Write one group as Markdown; ratios are the plain recipe's cost over each one's."""
    name, plain = costs[0]
    if not name.startswith("plain"):
        rows = [f"| {name} | {cost.seconds:.3f} | {cost.peak_mb:.0f} |" for name, cost in costs]
        return "\n".join([f"### {title}", "", "| | seconds | peak MB |", "|---|---:|---:|", *rows])
    lines = [
        f"### {title}",
        "",
        "| | seconds | times faster | peak MB | times less memory |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, cost in costs:
        faster = plain.seconds / cost.seconds
        less = plain.peak_mb / max(cost.peak_mb, 1.0)
        lines.append(
            f"| {name} | {cost.seconds:.3f} | {faster:.1f} | {cost.peak_mb:.0f} | {less:.1f} |"
        )
    return "\n".join(lines)


def machine() -> str:
    """Describe in one line where this was measured."""
    return (
        f"torch {torch.__version__}, CPU, {torch.get_num_threads()} threads, "
        f"{platform.machine()}, Python {platform.python_version()}"
    )


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of each piece of work")
    parser.add_argument("--write", action="store_true", help=f"write docs/{DOCUMENT.name}")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ[workloads.FOLDER_VARIABLE] = folder
        os.environ["NAPARI_SCLIP_CACHE"] = str(Path(folder) / "cache")
        workloads.save_weights()
        parts = []
        for title, variants in GROUPS:
            costs = [(name, measure(work, arguments.repeats)) for name, work in variants]
            parts.append(table(title, costs))
            print(parts[-1], end="\n\n", flush=True)
    if arguments.write:
        DOCUMENT.write_text("\n\n".join([PREFACE.format(machine=machine()), *parts]) + "\n")


PREFACE = """# Speed and memory

Measured by `python -m benchmarks.run --write`: each line in a process of its own, one after the
other in one run, the median of the timed runs, and the most memory above what the process had
before. The plain recipe (`benchmarks/plain_recipe.py`) looks at one window at a time, makes the
attention maps, reads 77 tokens of every text, and keeps the similarities of every prompt at the
image's size. The engine maps the file of the weights and reads it with the first windows, so its
peak in the first group contains the weights (about 350 MB), which the plain recipe had read
before. Ratios say more than seconds, which are this machine's: {machine}.

"Averaged on patches" is `SegmentationConfig(average_on="patches")`; how much it differs from
averaging on pixels is in [accuracy.md](accuracy.md).

What a run costs the thread of the user interface is measured by `python -m benchmarks.gui_thread`,
in CPU time of one call. With labels of 3024 x 4032 pixels (medians, on a machine with
two busy cores): 7 to 11 ms for the first draft, 2 to 3 ms for the next ones, 15 to 20 ms for
writing the result, and 20 to 40 ms where pixels were corrected by hand. Besides, napari itself
takes 3 to 4 ms each time a layer is shown anew, and 70 to 100 ms to add a new one."""


if __name__ == "__main__":
    main()

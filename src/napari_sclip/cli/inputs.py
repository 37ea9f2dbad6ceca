"""Which images are segmented, and what their results are called."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from napari_sclip.export import EXPORT_FORMATS
from napari_sclip.prompts import ClassPrompt

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".tif", ".tiff", ".webp", ".avif", ".bmp", ".dib",
     ".gif", ".jp2", ".j2k", ".pbm", ".pgm", ".pnm", ".ppm", ".pcx", ".tga")
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One image to segment.

    Attributes
    ----------
    source : Path
        The file.
    folder : Path
        Where its results go.
    stem : str
        What their names begin with.
    problem : str
        Why it cannot be segmented; empty if nothing speaks against it.
    """

    source: Path
    folder: Path
    stem: str
    problem: str = ""


def plan_jobs(inputs: Sequence[Path], output: Path, *, recursive: bool = False) -> list[Job]:
    """Find the images and name their results so that no two share a file.

    Results are called after the file's stem. Where two images of one folder share it
    (``a.png``, ``a.jpg``), they keep their ending (``a.png_labels.png``).

    Parameters
    ----------
    inputs : sequence of Path
        Files, and folders whose images are taken in the order of their names.
    output : Path
        Where the results go.
    recursive : bool
        Take the folders inside folders too; they are repeated in `output`.

    Returns
    -------
    list of Job
        One an image, in the order given; files given twice come once.
    """
    jobs: dict[Path, Job] = {}
    for given in inputs:
        for job in _jobs_of(given, output, recursive):
            jobs.setdefault(job.source.resolve(), job)
    stems = Counter((job.folder, job.stem.casefold()) for job in jobs.values())
    named = [
        dataclasses.replace(job, stem=job.source.name)
        if stems[job.folder, job.stem.casefold()] > 1
        else job
        for job in jobs.values()
    ]
    return _without_clashes(named)


def _jobs_of(given: Path, output: Path, recursive: bool) -> Iterator[Job]:
    # os.path asks without raising where a folder is closed or a name too long.
    if not os.path.isdir(given):  # noqa: PTH112
        for path in _expanded(given):
            yield Job(path, output, path.stem)
        return
    try:
        found = sorted(p for p in given.glob("**/*" if recursive else "*") if _is_image(p))
    except OSError as error:
        yield Job(given, output, given.name, f"Cannot read {given}: {error.strerror or error}.")
        return
    for path in found:
        yield Job(path, output / path.parent.relative_to(given), path.stem)
    if not found:
        inside = "" if recursive else " (--recursive looks into the folders inside it)"
        yield Job(given, output, given.name, f"There is no image in the folder {given}{inside}.")


def _expanded(given: Path) -> list[Path]:
    """Resolve wildcards, which shells of Windows leave to the program."""
    if os.path.exists(given) or not any(c in given.name for c in "*?["):  # noqa: PTH110
        return [given]
    try:
        return sorted(given.parent.glob(given.name)) or [given]
    except (OSError, ValueError):
        return [given]


def _is_image(path: Path) -> bool:
    return (
        path.suffix.lower() in IMAGE_SUFFIXES
        and not path.name.startswith(".")
        and path.is_file()
        and not _is_result(path)
    )


def _is_result(path: Path) -> bool:
    """Whether an earlier run wrote this file: its JSON of classes lies beside it."""
    sample = [ClassPrompt("any")]
    endings = {known.ending(sample) for known in EXPORT_FORMATS} | {"_labels.tif"}
    stems = [path.name.removesuffix(ending) for ending in endings if path.name.endswith(ending)]
    return any(path.with_name(f"{stem}_classes.json").exists() for stem in stems)


def _without_clashes(jobs: list[Job]) -> list[Job]:
    taken: dict[tuple[Path, str], Path] = {}
    checked = []
    for job in jobs:
        first = taken.setdefault((job.folder, job.stem.casefold()), job.source)
        if first != job.source and not job.problem:
            job = dataclasses.replace(
                job,
                problem=f"The results of {job.source} would have the same names as those of "
                f"{first}. Use another --output, or give the folder of both with --recursive.",
            )
        checked.append(job)
    return checked

"""Many images with the same classes and settings; one that fails does not stop the others."""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_sclip.cli.console import PROGRAM, Console
from napari_sclip.cli.images import read_image_file
from napari_sclip.cli.inputs import Job
from napari_sclip.cli.loading import check_settings, load_segmenter
from napari_sclip.config import SegmentationConfig
from napari_sclip.core.contrast import rescale
from napari_sclip.core.image import little_range_used, read_image
from napari_sclip.engine.classifier import Classifier
from napari_sclip.errors import OutputError, SclipError
from napari_sclip.export import ExportItem, export_files, write_results
from napari_sclip.export.formats import cannot_write, exists_already
from napari_sclip.prompts import ClassPrompt, label_ids

if TYPE_CHECKING:
    from napari_sclip.engine.result import Segmentation
    from napari_sclip.engine.segmenter import Segmenter

MOST_NAMED = 8


@dataclass
class Batch:
    """Images segmented one after the other.

    Attributes
    ----------
    arguments : argparse.Namespace
        The options of ``napari-sclip segment``.
    console : Console
        Where lines are printed.
    classes : tuple of ClassPrompt or Classifier
        What to label.
    config : SegmentationConfig
        How.
    formats : tuple of str
        Names of the formats to write.
    contrast : mapping or None
        What `rescale` is given; None leaves values as they are.
    done, failed : list of Path
        The images that went well, and those that did not.
    """

    arguments: argparse.Namespace
    console: Console
    classes: tuple[ClassPrompt, ...] | Classifier
    config: SegmentationConfig
    formats: tuple[str, ...]
    contrast: Mapping[str, Any] | None = None
    done: list[Path] = field(default_factory=list)
    failed: list[Path] = field(default_factory=list)

    def run(self, jobs: Sequence[Job]) -> None:
        """Segment every image that can be.

        The model is loaded when the first readable image is there.

        Raises
        ------
        SclipError
            If the model cannot be loaded, or cannot use the settings.
        """
        segmenter: Segmenter | None = None
        sources = {job.source.resolve() for job in jobs}
        for job in jobs:
            image: NDArray[Any] | None = None
            with self._failures_of(job):
                self._check_outputs(job, sources)
                image = self._read(job)
            if image is None:
                continue
            if segmenter is None:
                segmenter = self._load()
            with self._failures_of(job):
                self._segment(job, image, segmenter)
                self.done.append(job.source)

    def summarize(self) -> int:
        """Print how many images went well and which did not; return the exit status."""
        total = len(self.done) + len(self.failed)
        if self.failed:
            names = ", ".join(str(path) for path in self.failed)
            self.console.note(
                f"{PROGRAM}: {len(self.done)} of {total} images segmented; failed: {names}"
            )
            return 1
        if total > 1:
            self.console.line(f"{total} images segmented, results in {self.arguments.output}")
        return 0

    @contextlib.contextmanager
    def _failures_of(self, job: Job) -> Iterator[None]:
        try:
            yield
            return
        except SclipError as error:
            text = str(error)
        except MemoryError:
            text = "There is not enough memory for this image."
        except OSError as error:
            text = f"Cannot use {job.source}: {error.strerror or error}."
        named = str(job.source) in text
        self.console.error(text if named else f"{job.source}: {text}")
        self.failed.append(job.source)

    def _check_outputs(self, job: Job, sources: Collection[Path]) -> None:
        if job.problem:
            raise OutputError(job.problem)
        given = self.classes
        named = given.classes if isinstance(given, Classifier) else given
        for path in export_files(job.folder, job.stem, named, self.formats):
            if path.resolve() in sources:
                raise OutputError(
                    f"The result {path} would replace an input; choose another --output."
                )
            if path.exists() and not self.arguments.overwrite:
                raise OutputError(exists_already(path))

    def _read(self, job: Job) -> NDArray[Any]:
        image = read_image_file(job.source)
        if self.contrast is not None:
            image = rescale(image, **self.contrast, nonfinite=self.config.nonfinite)
        # What the engine would refuse is refused before a model is loaded for it.
        read_image(image, nonfinite=self.config.nonfinite)
        if not self.console.quiet and (little := little_range_used(image)):
            self.console.warning(f"{job.source}: {little}")
        return image

    def _load(self) -> Segmenter:
        check_settings(self.arguments, self.config)
        segmenter = load_segmenter(self.arguments, self.console)
        segmenter.resolve(self.config)
        if isinstance(self.classes, Classifier):
            model = f"{segmenter.model} with {segmenter.attention!r}"
            self.classes.check(segmenter.fingerprint, model)
        return segmenter

    def _segment(self, job: Job, image: NDArray[Any], segmenter: Segmenter) -> None:
        started = time.perf_counter()
        with self.console.progress(job.source.name) as progress:
            result = segmenter.segment(image, self.classes, self.config, progress=progress)
            item = ExportItem.from_result(
                result,
                image,
                image_file=job.source.name,
                device=str(segmenter.device),
                precision=str(segmenter.precision),
            )
            files = write_results(
                job.folder, job.stem, item, self.formats, overwrite=self.arguments.overwrite
            )
        seconds = time.perf_counter() - started
        self.console.line(f"{job.source} ({seconds:.1f} s): {shares(result)}")
        self.console.line(f"  {', '.join(str(path) for path in files)}")


def shares(result: Segmentation) -> str:
    """Say how much of the image each class covers, the largest first."""
    counts = np.bincount(np.asarray(result.labels).ravel())
    names = {0: "undecided"} | dict(
        zip(label_ids(result.classes), (c.name for c in result.classes), strict=True)
    )
    found = sorted(np.flatnonzero(counts).tolist(), key=lambda k: -int(counts[k]))
    parts = [f"{names[k]} {100 * counts[k] / counts.sum():.1f} %" for k in found[:MOST_NAMED]]
    more = len(found) - MOST_NAMED
    return ", ".join(parts) + (f" and {more} more" if more > 0 else "")


def prepare_folder(folder: Path) -> None:
    """Make a folder for results, and see that files can be made in it.

    Raises
    ------
    OutputError
        If that is not so.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(cannot_write(folder, error)) from error

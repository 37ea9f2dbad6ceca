"""``napari-sclip demo``: the bundled model on a bundled scene and a photo, without a network."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_sclip.cli import loading
from napari_sclip.cli.console import Console
from napari_sclip.export import ExportItem, write_results
from napari_sclip.export.formats import output_file

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from napari_sclip.engine.result import Segmentation
    from napari_sclip.engine.segmenter import Segmenter

MODEL = "shapes-demo"
SCENE_SEED = 2
PHOTO = "chelsea"
PHOTO_CLASSES = "cat = orange blob, background"

WHAT_IT_KNOWS = (
    f"The bundled model, {MODEL}, is a real but tiny CLIP. It knows coloured shapes and nothing "
    "else; photos of your own need another model, which 'napari-sclip segment' downloads."
)


def add_parser(commands: Any) -> None:  # noqa: ANN401 - argparse's private class
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="segment a bundled scene and a photo with the bundled model, without a network",
        description=f"Segment a bundled scene and a photo. {WHAT_IT_KNOWS}",
    )
    parser.set_defaults(run=run)
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("napari-sclip-demo"),
        help="results go here; those of an earlier demo are replaced (default: %(default)s)",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:N or mps")
    parser.add_argument("--quiet", action="store_true", help="print errors and warnings only")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Segment both images and print where the results are."""
    from napari_sclip.cli.batch import prepare_folder
    from napari_sclip.samples.scenes import make_scene

    prepare_folder(arguments.output)
    console.line(WHAT_IT_KNOWS)
    with console.progress(MODEL) as progress:
        segmenter = loading.engine().load(MODEL, device=arguments.device, progress=progress)
    scene = make_scene(SCENE_SEED)
    result = _segment(segmenter, scene.image, scene.classes, "scene", arguments.output, console)
    accuracy, overlap = agreement(result.labels, scene.labels)
    console.line(f"  This scene's truth is known: {scene.caption}.")
    console.line(
        f"  {100 * accuracy:.1f} % of its pixels are right; mean IoU of its classes and the "
        f"background {overlap:.2f}."
    )
    _segment(segmenter, read_photo(), PHOTO_CLASSES, PHOTO, arguments.output, console)
    return 0


def read_photo() -> NDArray[np.uint8]:
    """Read the photo that comes with scikit-image, (H, W, 3) uint8."""
    import numpy as np
    import skimage.data

    return np.asarray(getattr(skimage.data, PHOTO)(), dtype=np.uint8)


def agreement(labels: NDArray[Any], truth: NDArray[Any]) -> tuple[float, float]:
    """Compare labels with the truth.

    Parameters
    ----------
    labels, truth : (H, W) unsigned int arrays
        Ids.

    Returns
    -------
    tuple of float
        The share of pixels that are right, and the mean of the classes' intersection over
        union, over the ids that occur in the truth; both 0..1.
    """
    import numpy as np

    overlaps = [
        np.count_nonzero((labels == k) & (truth == k))
        / np.count_nonzero((labels == k) | (truth == k))
        for k in np.unique(truth)
    ]
    return float(np.mean(labels == truth)), float(np.mean(overlaps))


def _segment(
    segmenter: Segmenter,
    image: NDArray[Any],
    classes: Any,  # noqa: ANN401 - as Segmenter.segment takes them
    stem: str,
    folder: Path,
    console: Console,
) -> Segmentation:
    from PIL import Image

    from napari_sclip.cli.batch import shares

    with console.progress(stem) as progress:
        result = segmenter.segment(image, classes, progress=progress)
        source = folder / f"{stem}.png"
        with output_file(source, overwrite=True) as temporary:
            Image.fromarray(image).save(temporary, format="PNG")
        item = ExportItem.from_result(
            result,
            image,
            image_file=source.name,
            device=str(segmenter.device),
            precision=str(segmenter.precision),
        )
        files = write_results(folder, stem, item, overwrite=True)
    console.line(f"\n{source}: {shares(result)}")
    for path in files:
        console.line(f"  {path}")
    return result

"""What a person is asked before the work goes on."""

from __future__ import annotations

import time

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.widgets.state.model import ModelState
from napari_sclip.widgets.state.run import Question
from napari_sclip.widgets.work.recovery import LeftBehind

RECOVERY = "recover"


def ask_download(model: ModelState, *, then_segment: bool) -> Question:
    """Ask whether the chosen model may be downloaded.

    Parameters
    ----------
    model : ModelState
    then_segment : bool
        Whether the run goes on afterwards.
    """
    choice = model.choice
    assert choice is not None
    yes = ("segment", "Download and segment") if then_segment else ("yes", "Download")
    return Question(
        key="download",
        text=(
            f"{choice.name} is not on this computer. Download {choice.size_mb} MB once from the "
            f"hub? Licence of the weights: {choice.licence}. Your images stay here."
        ),
        answers=(yes, ("no", "Not now")),
    )


def ask_replace(name: str, painted: int) -> Question:
    """Ask whether what was painted by hand may be replaced.

    Parameters
    ----------
    name : str
        Of the labels.
    painted : int
        Pixels.
    """
    return Question(
        key="replace",
        text=(
            f"{painted:,} pixels that were painted by hand in “{name}” will be replaced too. One "
            "undo (Ctrl+Z, with the labels active) brings them back."
        ),
        answers=(("yes", "Replace them"), ("no", "Keep them")),
    )


def ask_labels_size(request: ImageRequest) -> Question:
    """Ask what size large labels shall have."""
    smaller = [("read", "Size of the level that is read")] if max(request.factors) > 1 else []
    return Question(
        key="labels-size",
        text=str(request.labels_too_large),
        answers=(
            ("region", "Labels of the region only"),
            *smaller,
            ("image", "Full size"),
            ("no", "Do nothing"),
        ),
    )


def ask_recovery(left: tuple[LeftBehind, ...]) -> Question:
    """Ask whether labels that a killed session left behind shall be brought back."""
    when = time.strftime("%d %b, %H:%M", time.localtime(left[0].when))
    count = sum(len(item.files) for item in left)
    what = "one layer" if count == 1 else f"{count} layers"
    return Question(
        key=RECOVERY,
        text=f"napari did not end as it should. Your labels of {when} were kept ({what}).",
        answers=(("restore", "Bring back"), ("discard", "Throw away"), ("no", "Later")),
    )

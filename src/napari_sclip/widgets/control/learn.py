"""What strokes have taught, and what is carried over from other images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from napari.layers import Labels

from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import count_hand_edits
from napari_sclip.layers.labels.examples import Strokes, scribbles_over, take_strokes
from napari_sclip.layers.labels.targets import why_not_fitting
from napari_sclip.prompts import ClassPrompt
from napari_sclip.widgets.state.widget import WidgetState

if TYPE_CHECKING:
    from napari_sclip.engine.classifier import Classifier


class Teaching:
    """Decides what a run learns from.

    A run always begins with what was carried over, and takes all strokes of its image anew, so
    that a stroke counts once however often one presses the button.

    Parameters
    ----------
    state : WidgetState
    layers : iterable of layers
        Of the viewer.

    Attributes
    ----------
    carried : Classifier or None
        From a preset.
    learned : Classifier or None
        What the last run into the labels that are shown used; None if text alone.
    """

    def __init__(self, state: WidgetState, layers: Iterable[Any]) -> None:
        self._state = state
        self._layers = layers
        self.carried: Classifier | None = None
        self.learned: Classifier | None = None
        self.passed_over = ""
        self._learned_of: WeakKeyDictionary[Any, Classifier] = WeakKeyDictionary()
        self._newest: Classifier | None = None
        state.classes.renamed.connect(self._rename)

    def close(self) -> None:
        """Let go of the table."""
        self._state.classes.renamed.disconnect(self._rename)

    def _rename(self, old: str, new: str) -> None:
        def renamed(known: Classifier | None) -> Classifier | None:
            return None if known is None else known.renamed(old, new)

        self.carried, self.learned = renamed(self.carried), renamed(self.learned)
        self._newest = renamed(self._newest)
        for labels, known in list(self._learned_of.items()):
            self._learned_of[labels] = known.renamed(old, new)

    def forget(self) -> None:
        """Go back to the text alone."""
        self.carry(None)
        self._state.correct.learn = False

    def carry(self, classifier: Classifier | None) -> None:
        """Take over what was learned elsewhere, or nothing."""
        self.carried = classifier
        self.learned = self._newest = None
        self._learned_of.clear()
        self._tell()

    def turn_to(self, labels: Labels | None) -> None:
        """Know what was learned for these labels; they may be of another image."""
        self.learned = None if labels is None else self._learned_of.get(labels)
        self._tell()

    def to_keep(self, classes: Sequence[ClassPrompt]) -> Classifier | None:
        """Return what a preset of classes keeps: learned here, or else last, or carried over."""
        for known in (self.learned, self._newest, self.carried):
            fitting = None if known is None else known.arranged(classes)
            if fitting is not None:
                return fitting
        return None

    def carried_for(self, classes: Sequence[ClassPrompt]) -> Classifier | None:
        """Return what was carried over, if it is about one of these classes."""
        self.passed_over = ""
        if self.carried is None or self.carried.knows_any(classes):
            return self.carried
        names = ", ".join(item.name for item in self.carried.classes)
        self.passed_over = f"What was learned before is of other classes ({names}), and not used."
        return None

    def for_classes(self, classes: Sequence[ClassPrompt]) -> Classifier | None:
        """Return what the last run used, or else what is carried, if it is about these classes."""
        known = self.carried if self.learned is None else self.learned
        return None if known is None else known.arranged(classes)

    def why_not(self, classes: Sequence[ClassPrompt]) -> str:
        """Say why nothing that was learned is of these classes, where a run would make it so."""
        known = self.carried if self.learned is None else self.learned
        if known is None or known.arranged(classes) or not known.knows_any(classes):
            return ""
        return (
            "What was learned is not in it, as the classes are others now: press Segment, and do "
            "this again."
        )

    def strokes_for(
        self, labels: Labels | None, request: ImageRequest, classes: Sequence[ClassPrompt]
    ) -> dict[int, Strokes]:
        """Take the strokes that a run learns from, by the number of the plane."""
        if labels is None or not self._state.correct.learn:
            return {}
        if why_not_fitting(labels, request) is not None:
            return {}
        scribbles = scribbles_over(labels, self._layers)
        taken = {
            number: take_strokes(labels, request, number, classes, scribbles)
            for number in range(len(request.planes))
        }
        strokes = {number: found for number, found in taken.items() if found is not None}
        if not strokes and count_hand_edits(labels, request):
            self.passed_over = (
                f"{self.passed_over} What was painted teaches nothing: it has labels that are of "
                "no class in the table."
            ).strip()
        return strokes

    def took(self, learned: Any, labels: Labels) -> None:  # noqa: ANN401 - a Classifier or None
        """Note what a run into these labels used."""
        self.learned = learned
        self._learned_of.pop(labels, None)
        if learned is not None:
            self._newest = self._learned_of[labels] = learned
        self._tell()

    def _tell(self) -> None:
        correct = self._state.correct
        correct.learned = "" if self.learned is None else f"Learned from {_of(self.learned)}."
        carried = self.carried
        correct.carried = "" if carried is None else f"Carried over: {_of(carried)}."


def _of(classifier: Classifier) -> str:
    pixels = sum(classifier.example_pixels)
    classes = sum(1 for count in classifier.example_pixels if count)
    images = "" if classifier.images == 1 else f", of {classifier.images} images"
    what = "class" if classes == 1 else "classes"
    return f"{pixels:,} pixels in {classes} {what}{images}"

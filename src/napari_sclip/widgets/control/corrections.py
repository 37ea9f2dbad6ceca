"""All that the controller does about corrections: learning, reviewing, explaining, exporting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari.layers import Labels

from napari_sclip.widgets.control.desk import Desk
from napari_sclip.widgets.control.explaining import Explaining
from napari_sclip.widgets.control.labels_link import colored_classes
from napari_sclip.widgets.control.repeating import Repeating
from napari_sclip.widgets.control.reviewing import Reviewing
from napari_sclip.widgets.control.scribbling import Scribbling
from napari_sclip.widgets.control.taking import Taking
from napari_sclip.widgets.control.tally import Tally
from napari_sclip.widgets.control.teaching import Teaching

NOTHING_PAINTED = (
    "Nothing has been painted by hand yet. Choose a class (keys 1 to 9, with the labels active), "
    "paint where the labels are wrong, then press this again."
)


class Corrections:
    """The parts, and what they are told together.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.teaching = Teaching(desk.state, desk.viewer.layers)
        self.tally = Tally(desk.viewer, desk.state)
        self.reviewing = Reviewing(desk, self.teaching, self.tally)
        self.explaining = Explaining(desk, self.teaching)
        self.scribbling = Scribbling(desk, self.tally)
        self.taking = Taking(desk)
        self.repeating = Repeating(desk, self.teaching)

    def close(self) -> None:
        """Let go of the viewer."""
        self.teaching.close()
        self.explaining.close()
        self.scribbling.close()
        self.reviewing.close()
        self.tally.close()

    def follow(self, labels: Labels | None) -> None:
        """Work on these labels from now on."""
        self.teaching.turn_to(labels)
        self.tally.follow(labels)
        if labels is not None:
            self.reviewing.bind(labels)

    def on_written(self, labels: Labels, learned: Any) -> None:  # noqa: ANN401 - a Classifier or None
        """Note that a run has written labels."""
        self.teaching.took(learned, labels)
        self.follow(labels)
        self.reviewing.forget()


class CorrectionActions:
    """What views ask for about corrections; a base of the controller."""

    corrections: Corrections

    def segment(self) -> None:
        """Start a run."""
        raise NotImplementedError

    def refine_from_strokes(self) -> None:
        """Start a run that learns from what was painted by hand."""
        tally = self.corrections.tally
        tally.count()
        correct = self.corrections.desk.state.correct
        known = correct.painted or correct.scribbled or correct.learned
        if not known and not tally.is_behind:
            self.corrections.desk.say(NOTHING_PAINTED)
            return
        correct.learn = True
        self.segment()

    def forget_learned(self) -> None:
        """Go back to the text alone, from the next run on."""
        self.corrections.teaching.forget()
        self.corrections.desk.say("Forgotten. The next run goes by the text alone.")

    def learned_values(self) -> Mapping[str, Any] | None:
        """Return what strokes have taught, as plain values for a preset, or None."""
        corrections = self.corrections
        classes = colored_classes(corrections.desk.state.classes)
        known = corrections.teaching.to_keep(classes)
        return None if known is None else known.to_dict()

    def why_not_learned(self) -> str:
        """Say why what strokes have taught is not of the classes in the table, if so."""
        corrections = self.corrections
        return corrections.teaching.why_not(colored_classes(corrections.desk.state.classes))

    def carry_over(self, values: Mapping[str, Any] | None) -> None:
        """Take over what a preset has learned, or nothing."""
        from napari_sclip.engine.classifier import Classifier

        self.corrections.teaching.carry(None if values is None else Classifier.from_dict(values))

    def tell(self, sentence: str) -> None:
        """Say something at the bottom of the widget."""
        self.corrections.desk.say(sentence)

    def keep_class(self, label: int) -> None:
        """Put a class that was removed from the table back into it."""
        self.corrections.taking.keep_class(label)

    def release_class(self, label: int) -> None:
        """Let the next run replace what was painted of a removed class."""
        self.corrections.taking.release_class(label)
        self.corrections.tally.count()

    def add_scribbles(self) -> None:
        """Add a layer to scribble in."""
        self.corrections.scribbling.add()

    def go_to_unsure(self, *, backwards: bool = False) -> None:
        """Show the next unsure region."""
        self.corrections.reviewing.go(backwards=backwards)

    def mark_checked(self) -> None:
        """Note that the region that was gone to is right, and go to the next."""
        self.corrections.reviewing.mark()

    def mark_all_checked(self, checked: bool) -> None:
        """Note that the whole plane is right, or that nothing of it is known to be."""
        self.corrections.reviewing.mark_all(checked)

    def show_scores(self, name: str) -> None:
        """Show the scores of a class as an image."""
        self.corrections.explaining.show_scores(name)

    def show_margin(self) -> None:
        """Show how sure the labels are as an image."""
        self.corrections.explaining.show_margin()

    def split_objects(self, name: str, *, touching: bool) -> None:
        """Make a layer in which each object of a class has an id of its own."""
        self.corrections.taking.split_objects(name, touching=touching)

    def write_objects_back(self) -> None:
        """Write the objects of the active layer back into the labels that they come from."""
        self.corrections.taking.write_objects_back()

    def list_formats(self) -> None:
        """Find out which formats labels can be saved in."""
        self.corrections.taking.list_formats()

    def export(self, path: str, format_name: str) -> None:
        """Save the labels as they are in the layer."""
        self.corrections.taking.export(path, format_name)

    def start_from_mask(self, path: str) -> None:
        """Make labels of a file, to start from."""
        self.corrections.taking.start_from_mask(path)

    def start_from_layer(self) -> None:
        """Take the active Labels layer, which comes from elsewhere, as the image's labels."""
        self.corrections.taking.start_from_layer()

    def repeat_as(self, language: str) -> str:
        """Return the lines that repeat this run on other files: "shell" or "python"."""
        return self.corrections.repeating.lines(language)

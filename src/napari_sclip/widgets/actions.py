"""What the views ask for; the controller does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Actions(Protocol):
    """The controller, as the views know it. Every method returns at once."""

    def segment(self) -> None:
        """Start a run, or ask what has to be decided first."""

    def cancel(self) -> None:
        """Stop what runs."""

    def answer(self, key: str) -> None:
        """Answer the question that is shown."""

    def download(self) -> None:
        """Ask for, and then start, the download of the chosen model."""

    def unload(self) -> None:
        """Give back the memory of the model and of embedded images."""

    def measure(self) -> None:
        """Time one window, for the estimate."""

    def take_suggestion(self) -> None:
        """Take over the classes (and the model) that fit the image."""

    def paint_with(self, label: int) -> None:
        """Pick the label to paint with in the labels layer."""

    # Corrections

    def refine_from_strokes(self) -> None:
        """Start a run that learns from what was painted by hand."""

    def forget_learned(self) -> None:
        """Go back to the text alone, from the next run on."""

    def learned_values(self) -> Mapping[str, Any] | None:
        """Return what strokes have taught, as plain values for a preset, or None."""

    def why_not_learned(self) -> str:
        """Say why what strokes have taught is not of the classes in the table, if so."""

    def carry_over(self, values: Mapping[str, Any] | None) -> None:
        """Take over what a preset has learned, or nothing."""

    def tell(self, sentence: str) -> None:
        """Say something at the bottom of the widget."""

    def add_scribbles(self) -> None:
        """Add a layer to scribble in: it teaches, and changes no label."""

    def join_removed_classes(self) -> None:
        """Make one class of all that are painted and not in the table."""

    def release_removed_classes(self) -> None:
        """Let the next run replace what was painted of classes that are not in the table."""

    def keep_class(self, label: int) -> None:
        """Put a class that was removed from the table back into it."""

    def release_class(self, label: int) -> None:
        """Let the next run replace what was painted of a removed class."""

    def go_to_unsure(self, *, backwards: bool = False) -> None:
        """Show the next region whose labels are unsure and not checked, the largest first."""

    def mark_checked(self) -> None:
        """Note that the region that was gone to is right, and go to the next."""

    def mark_all_checked(self, checked: bool) -> None:
        """Note that the whole plane is right, or that nothing of it is known to be."""

    # To see why

    def show_scores(self, name: str) -> None:
        """Show the scores of a class as an image."""

    def show_margin(self) -> None:
        """Show how sure the labels are as an image."""

    # To take elsewhere

    def split_objects(self, name: str, *, touching: bool) -> None:
        """Make a layer in which each object of a class has an id of its own."""

    def write_objects_back(self) -> None:
        """Write the objects of the active layer back into the labels that they come from."""

    def list_formats(self) -> None:
        """Find out which formats labels can be saved in."""

    def export(self, path: str, format_name: str) -> None:
        """Save the labels as they are in the layer."""

    def start_from_mask(self, path: str) -> None:
        """Make labels of a file, to start from."""

    def start_from_layer(self) -> None:
        """Take the active Labels layer, which comes from elsewhere, as the image's labels."""

    def repeat_as(self, language: str) -> str:
        """Return the lines that repeat this run on other files: "shell" or "python"."""

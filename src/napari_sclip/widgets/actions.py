"""What the views ask for; the controller does it."""

from __future__ import annotations

from typing import Protocol


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

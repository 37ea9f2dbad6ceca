"""What a piece of work is given to tell how far it is, and to be stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from napari_sclip.layers.labels.targets import PlacedPlane
from napari_sclip.progress import Progress


class Stopped(Exception):  # noqa: N818 - no error: it was asked for
    """The work was asked to stop."""


@dataclass(frozen=True, eq=False)
class PlaneDraft:
    """Labels of a plane as far as its windows were seen.

    Attributes
    ----------
    number : int
        Of the plane.
    plane : PlacedPlane
        0 where no window has been yet.
    rows : range or None
        Those that are to be drawn, as the others were with earlier drafts; None for all.
    """

    number: int
    plane: PlacedPlane
    rows: range | None = None


class Reporter(Protocol):
    """The worker, as the work knows it."""

    def progress(self, progress: Progress) -> None:
        """Tell how far the work is.

        Raises
        ------
        Stopped
            If it is asked to stop.
        """

    def wants_draft(self) -> bool:
        """Whether a draft would be shown now."""

    def draft(self, draft: Any) -> None:  # noqa: ANN401 - the work's own
        """Show something unfinished."""


class Silent:
    """A reporter that nobody listens to."""

    def progress(self, progress: Progress) -> None:
        """Tell nobody."""

    def wants_draft(self) -> bool:
        """Return False."""
        return False

    def draft(self, draft: Any) -> None:  # noqa: ANN401
        """Show nothing."""

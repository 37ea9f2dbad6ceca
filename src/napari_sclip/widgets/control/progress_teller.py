"""Shows how far work is: in the widget, and in napari's activity dock."""

from __future__ import annotations

import time

from napari_sclip.progress import Progress
from napari_sclip.widgets.control.activity import Activity
from napari_sclip.widgets.state.run import RunState


class ProgressTeller:
    """Turns progress into what a person reads.

    Parameters
    ----------
    run : RunState
    """

    def __init__(self, run: RunState) -> None:
        self._run = run
        self._activity = Activity()
        self._started = (0.0, "")

    def tell(self, progress: Progress) -> None:
        """Show progress."""
        text = progress.message + self._time_left(progress)
        run = self._run
        run.total, run.done, run.message = progress.total, progress.done, text
        self._activity.tell(progress)

    def close(self) -> None:
        """Take it out of the activity dock."""
        self._activity.close()

    def _time_left(self, progress: Progress) -> str:
        now = time.monotonic()
        if progress.done == 0 or progress.message != self._started[1]:
            self._started = (now, progress.message)
        passed = now - self._started[0]
        if self._run.task != "segment" or not 0 < progress.done < progress.total or passed < 1:
            return ""
        seconds = passed / progress.done * (progress.total - progress.done)
        return f", about {seconds:.0f} s left" if seconds >= 1 else ""

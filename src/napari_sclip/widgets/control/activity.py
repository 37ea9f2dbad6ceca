"""A run in napari's activity dock."""

from __future__ import annotations

import io
from typing import Any

from napari.utils import progress

from napari_sclip.progress import Progress


class Activity:
    """One bar in the activity dock, while there is something to tell.

    napari's bars handle all waiting events whenever they are told something, so that this may be
    called again, or closed, before it returns.
    """

    def __init__(self) -> None:
        self._bar: Any = None
        self._newest: Progress | None = None
        self._telling = False

    def tell(self, now: Progress) -> None:
        """Show how far the work is."""
        self._newest = now
        if self._telling:
            return
        self._telling = True
        try:
            while self._newest is not None:
                newest, self._newest = self._newest, None
                self._show(newest)
        finally:
            self._telling = False

    def close(self) -> None:
        """Take the bar away."""
        bar, self._bar, self._newest = self._bar, None, None
        if bar is not None:
            bar.close()

    def _show(self, now: Progress) -> None:
        if self._bar is None:
            # What tqdm would print goes nowhere: the bar is for the window.
            self._bar = progress(total=now.total, desc=now.message, file=io.StringIO())
        bar = self._bar
        if bar is not None and bar.total != now.total:
            bar.total = now.total
        if self._bar is bar and bar is not None:
            bar.set_description(now.message)
        if self._bar is bar and bar is not None and now.total and now.done != bar.n:
            bar.update(now.done - bar.n)

"""What the command line prints: results to stdout, everything else to stderr."""

from __future__ import annotations

import contextlib
import re
import sys
import warnings
from collections.abc import Iterator
from types import TracebackType
from typing import Any, TextIO

from napari_sclip.errors import SclipWarning
from napari_sclip.progress import Progress

PROGRAM = "napari-sclip"


class Console:
    """Prints lines and a progress bar that do not run into each other.

    Parameters
    ----------
    quiet : bool
        Print errors and warnings only.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._bar: Any = None

    def line(self, text: str = "") -> None:
        """Print a line of results to stdout, unless quiet."""
        if not self.quiet:
            self._write(sys.stdout, text)

    def data(self, text: str) -> None:
        """Print what was asked for to stdout, quiet or not."""
        self._write(sys.stdout, text)

    def error(self, text: str) -> None:
        """Print an error to stderr, as one line."""
        self._write(sys.stderr, f"{PROGRAM}: error: {one_line(text)}")

    def warning(self, text: str) -> None:
        """Print a warning to stderr, as one line."""
        self._write(sys.stderr, f"{PROGRAM}: warning: {one_line(text)}")

    def note(self, text: str) -> None:
        """Print a line to stderr."""
        self._write(sys.stderr, text)

    @contextlib.contextmanager
    def progress(self, label: str) -> Iterator[ProgressBar]:
        """Show a bar on a terminal while a piece of work runs; elsewhere show nothing.

        Yields
        ------
        ProgressBar
            The callable to give to the engine as ``progress=``.
        """
        with ProgressBar(label, shown=not self.quiet and sys.stderr.isatty()) as bar:
            self._bar = bar
            try:
                yield bar
            finally:
                self._bar = None

    @contextlib.contextmanager
    def showing_warnings(self) -> Iterator[None]:
        """Show warnings as one line each, without Python source."""

        def show(message: Warning | str, *_: object, **__: object) -> None:
            self.warning(str(message))

        with warnings.catch_warnings():
            warnings.simplefilter("default", SclipWarning)
            warnings.showwarning = show
            yield

    def _write(self, stream: TextIO, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        encoding = getattr(stream, "encoding", None) or "utf-8"
        stream.write(f"{text}\n".encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


class ProgressBar:
    """A tqdm bar that follows `Progress` reports.

    Parameters
    ----------
    label : str
        What is worked on; stands before the message.
    shown : bool
        Whether there is a bar at all.
    """

    def __init__(self, label: str, *, shown: bool) -> None:
        self._label = label
        self._shown = shown
        self._bar: Any = None

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def __call__(self, progress: Progress) -> None:
        """Show how far the work is."""
        if not self._shown:
            return
        total = progress.total or None
        text = f"{self._label}: {progress.message}"
        if self._bar is None or self._bar.total != total:
            self._close()
            self._bar = self._open(total, text)
        self._bar.set_description_str(text, refresh=False)
        self._bar.n = progress.done
        self._bar.refresh()

    def clear(self) -> None:
        """Take the bar off the screen until the next report."""
        if self._bar is not None:
            self._bar.clear()

    def _open(self, total: int | None, text: str) -> Any:  # noqa: ANN401 - tqdm has no types
        from tqdm import tqdm

        layout = "{desc} |{bar:20}| {percentage:3.0f} % [{elapsed}]" if total else "{desc}"
        return tqdm(total=total, desc=text, bar_format=layout, leave=False, file=sys.stderr)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def one_line(text: str) -> str:
    """Join the lines of a message, and say options as the command line does."""
    return _ARGUMENT.sub(r"--\1", " ".join(text.split()))


# Messages of the engine say weights= where Python's argument is meant.
_ARGUMENT = re.compile(r"(?<!\S)(weights)=(?=[\s.,:;)]|$)")

"""The command line: ``napari-sclip segment | export | demo | models | doctor``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from napari_sclip import __version__
from napari_sclip.cli import demo, doctor, export, models, segment
from napari_sclip.cli.console import PROGRAM, Console
from napari_sclip.errors import SclipError

FAILED = 1
INTERRUPTED = 130
NOBODY_READS = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str, optional
        Arguments without the program's name; those of this process if left out.

    Returns
    -------
    int
        0 when all is well, 1 when something failed, 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        With 2 if the arguments cannot be understood, 0 after ``--help`` and ``--version``.
    """
    arguments = make_parser().parse_args(argv)
    console = Console(quiet=getattr(arguments, "quiet", False))
    try:
        with console.showing_warnings():
            return int(arguments.run(arguments, console))
    except SclipError as error:
        console.error(str(error))
        return FAILED
    except KeyboardInterrupt:
        console.note(f"{PROGRAM}: interrupted; files written so far are whole.")
        return INTERRUPTED
    except BrokenPipeError:
        # What is still buffered must not meet the closed pipe again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOBODY_READS


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Zero-shot segmentation with SCLIP: name the classes, get labels.",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for command in (segment, export, demo, models, doctor):
        command.add_parser(commands)
    return parser

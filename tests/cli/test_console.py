from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import pytest

from napari_sclip import __version__
from napari_sclip.cli.console import Console
from napari_sclip.engine.segmenter import Segmenter
from napari_sclip.errors import SclipWarning
from napari_sclip.progress import Progress, ProgressCallback
from tests.cli.conftest import SHORT, Run


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def shown(stream: io.StringIO, *, quiet: bool = False) -> str:
        monkeypatch.setattr(sys, "stderr", stream)
        with Console(quiet=quiet).progress("photo.png") as progress:
            progress(Progress(1, 4, "Looking at windows"))
            progress(Progress(4, 4, "Looking at windows"))
            progress(Progress(1, 0, "Waiting"))
        return stream.getvalue()

    text = shown(Terminal())
    assert "photo.png: Looking at windows" in text
    assert " 25 %" in text
    assert "100 %" in text
    assert "photo.png: Waiting" in text
    assert shown(Terminal(), quiet=True) == ""
    assert shown(io.StringIO()) == ""


def test_lines_and_the_bar_do_not_run_into_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    console = Console()
    with console.progress("a") as progress:
        progress(Progress(1, 4, "work"))
        console.error("it failed")
    before, _, after = stream.getvalue().partition("napari-sclip: error: it failed\n")
    assert before.endswith("\r")
    assert after


def test_warnings_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Console().showing_warnings():
        warnings.warn("two\nlines", SclipWarning, stacklevel=1)
    assert capsys.readouterr().err == "napari-sclip: warning: two lines\n"


def test_what_a_terminal_cannot_write_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="cp1252"))
    Console().line("Катя 50 %")
    assert raw.getvalue().rstrip().endswith(b"\\u044f 50 %")


def test_version_and_help_need_no_torch() -> None:
    code = (
        "import sys\n"
        "from napari_sclip.cli import main\n"
        "try:\n    status = main(sys.argv[1:])\n"
        "except SystemExit as stop:\n    status = stop.code\n"
        "print('torch' in sys.modules, 'open_clip' in sys.modules, status)"
    )
    for arguments in (["--version"], ["segment", "--help"], ["models"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
        )
        assert done.stdout.splitlines()[-1] == "False False 0"
        assert done.stderr == ""
        if arguments == ["--version"]:
            assert done.stdout.startswith(f"napari-sclip {__version__}\n")


def test_ctrl_c_in_the_middle_of_an_image(
    run: Run, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Segmenter.embed

    def interrupted(
        self: Segmenter, image: object, config: object, *, progress: ProgressCallback
    ) -> object:
        def stop(report: Progress) -> None:
            progress(report)
            raise KeyboardInterrupt

        return original(self, image, config, progress=stop)  # type: ignore[arg-type]

    monkeypatch.setattr(Segmenter, "embed", interrupted)
    ran = run("segment", photo, "--classes", "red circle, background", "--output", "out", *SHORT)
    assert ran.status == 130
    assert ran.err == "napari-sclip: interrupted; files written so far are whole.\n"
    assert list(Path("out").iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_ends_a_process_cleanly(tmp_path: Path, photo: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for k in range(400):
        (folder / f"{k:03}.png").write_bytes(photo.read_bytes())
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_sclip", "segment", str(folder), "--output", "out",
         "--classes", "red circle, background", *SHORT],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Shells start what runs in the background with the signal ignored.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert first.startswith(str(folder / "000.png"))
    assert process.returncode == 130
    assert err == "napari-sclip: interrupted; files written so far are whole.\n"
    names = sorted(p.name for p in Path("out").iterdir())
    assert 3 <= len(names) < 1200
    assert not any(name.startswith(".") for name in names)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "napari_sclip", "models"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr is not None
    with process.stderr as stream:
        assert stream.read() == ""

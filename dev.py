#!/usr/bin/env python3
"""One command each: ``python3 dev.py`` with ``demo``, ``test``, ``lint`` or ``docs``.

Each makes the virtual environment .venv beside this file if there is none, installs what the
command needs in it, and runs it. Needs Python 3.11 or later and nothing else.

``python3 dev.py test --napari oldest`` runs the tests of layers and widgets with the oldest napari
that is supported, ``--napari main`` with what will be the next one, ``--qt pyside6`` with the other
binding of Qt.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
OLDEST_PYTHON = (3, 11)
OLDEST_NAPARI = "0.6.0"
NAPARI_MAIN = "git+https://github.com/napari/napari.git"
NAPARI_TESTS = ("tests/layers", "tests/widgets")
SIDE_BY_SIDE = ("-n", "logical", "--dist", "worksteal")

# What Qt and OpenGL need on a Debian without a desktop.
X_PACKAGES = (
    "xvfb", "xauth", "libegl1", "libgl1", "libopengl0", "libdbus-1-3", "libfontconfig1",
    "libglib2.0-0", "libxkbcommon-x11-0", "libxcb-cursor0", "libxcb-icccm4", "libxcb-image0",
    "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0", "libxcb-shape0",
    "libxcb-xinerama0",
)  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="dev.py", description="Install what a command needs into .venv, and run it."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", add_help=False, help="run 'napari-sclip demo'; arguments pass on")
    test = commands.add_parser(
        "test", add_help=False, allow_abbrev=False, help="run pytest; arguments pass on"
    )
    test.add_argument("--napari", choices=("newest", "oldest", "main"), default="newest")
    test.add_argument("--qt", choices=("pyqt6", "pyside6"), default="pyqt6")
    commands.add_parser("lint", help="run ruff check, ruff format --check and mypy")
    commands.add_parser("docs", help="build the site of the documentation into build/site")
    arguments, rest = parser.parse_known_args(argv)
    if rest and arguments.command in ("lint", "docs"):
        parser.error(f"{arguments.command} takes no arguments; got {' '.join(rest)}")
    try:
        if arguments.command == "demo":
            install("")
            return call(script("napari-sclip"), "demo", *rest)
        if arguments.command == "test":
            install("test")
            python = script("python")
            if (arguments.napari, arguments.qt) != ("newest", "pyqt6"):
                python = install_beside(arguments.napari, arguments.qt)
                rest = rest or list(NAPARI_TESTS)
            environment = display() | {"QT_API": arguments.qt, "PYTEST_QT_API": arguments.qt}
            side_by_side = [] if chooses_workers(rest) else list(SIDE_BY_SIDE)
            if side_by_side:  # a worker a core; threads of torch's would only wait for one another
                environment |= {"OMP_NUM_THREADS": "1"}
            return call(python, "-m", "pytest", *side_by_side, *rest, **environment)
        install("test")
        return docs() if arguments.command == "docs" else lint()
    except StepFailed as failure:
        say(str(failure))
        return failure.status


class StepFailed(Exception):  # noqa: N818 - a step, not an error of Python's
    """A step towards the command did not succeed."""

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status or 1


def lint() -> int:
    """Run all checks, also after one that failed; return the first status that is not 0."""
    statuses = [
        call(script("ruff"), "check", "."),
        call(script("ruff"), "format", "--check", "."),
        call(script("mypy")),
    ]
    return next((status for status in statuses if status), 0)


def docs() -> int:
    """Build the site anew; a warning of Sphinx is a failure."""
    shutil.rmtree(ROOT / "build" / "site", ignore_errors=True)
    options = ["--fresh-env", "--fail-on-warning", "--keep-going", "--conf-dir", "docs"]
    options += ["--doctree-dir", "build/doctrees"]
    return call(script("python"), "-m", "sphinx", *options, ".", "build/site")


def install(extra: str) -> None:
    """Install the package with an extra into .venv, unless that was done before."""
    make_venv()
    wanted = fingerprint()
    # The tests' installation has all that the demo needs.
    stamps = [VENV / f"dev-{name or 'plain'}.stamp" for name in {extra, "test"}]
    if any(stamp.is_file() and stamp.read_text() == wanted for stamp in stamps):
        return
    target = f"{ROOT}[{extra}]" if extra else str(ROOT)
    say(f"Installing napari-sclip{f'[{extra}]' if extra else ''} into {VENV}")
    status = call(
        script("python"), "-m", "pip", "install", "--disable-pip-version-check", "-e", target
    )
    if status:
        raise StepFailed("The installation failed; pip says why above.", status)
    (VENV / f"dev-{extra or 'plain'}.stamp").write_text(wanted)


def install_beside(napari: str, qt: str) -> str:
    """Make an environment with another napari or Qt, and all else from .venv; return its Python."""
    version = {"oldest": OLDEST_NAPARI}.get(napari, napari)
    folder = VENV / (f"napari-{version}" if qt == "pyqt6" else f"napari-{version}-{qt}")
    python, stamp = script("python", folder), folder / "dev.stamp"
    if stamp.is_file() and stamp.read_text() == fingerprint():
        return python
    say(f"Installing napari {version} with {qt} into {folder}")
    made = call(script("python"), "-m", "venv", "--clear", "--without-pip", str(folder))
    if made:
        raise StepFailed(f"The virtual environment {folder} could not be made.", made)
    # Packages of .venv come after those of this environment, and pip leaves them where they are.
    # Files .pth within .venv are not read, so the source is named too.
    borrowed = f"{site_packages(script('python'))}\n{ROOT / 'src'}\n"
    (site_packages(python) / "borrowed.pth").write_text(borrowed, encoding="utf-8")
    wanted = f"napari[{qt}]" + {"oldest": f"=={version}", "main": f" @ {NAPARI_MAIN}"}.get(
        napari, ""
    )
    status = call(python, "-m", "pip", "install", "--disable-pip-version-check", wanted)
    if status:
        raise StepFailed("The installation failed; pip says why above.", status)
    stamp.write_text(fingerprint())
    return python


def site_packages(python: str) -> Path:
    """Return the folder that the packages of a Python are installed into."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    answer = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return Path(answer.stdout.strip())


def fingerprint() -> str:
    """Hash what an installation depends on."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), (VENV / "pyvenv.cfg").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make_venv() -> None:
    """Make .venv, unless there is one that works."""
    python = script("python")
    if Path(python).is_file() and quiet(python, "-c", ""):
        if not quiet(python, "-m", "pip", "--version") and call(python, "-m", "ensurepip"):
            raise StepFailed(f"{VENV} has no pip. Remove that folder, and run this again.")
        return
    if sys.version_info < OLDEST_PYTHON:
        oldest = ".".join(map(str, OLDEST_PYTHON))
        raise StepFailed(
            f"napari-sclip needs Python {oldest} or later; this is {platform.python_version()}. "
            f"Run dev.py with a newer one, for example 'python{oldest} dev.py'."
        )
    if not quiet(sys.executable, "-c", "import ensurepip, venv"):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        install_packages([f"python{version}-venv"])
    say(f"Making {VENV}")
    status = call(sys.executable, "-m", "venv", "--clear", str(VENV))
    if status:
        raise StepFailed(f"The virtual environment {VENV} could not be made.", status)


def script(name: str, venv: Path | None = None) -> str:
    """Return the place of a program in .venv, or in another environment."""
    venv = venv or VENV
    if os.name == "nt":
        return str(venv / "Scripts" / f"{name}.exe")
    return str(venv / "bin" / name)


def chooses_workers(rest: Sequence[str]) -> bool:
    """Whether arguments of pytest say how many processes there are to be, or need just one."""
    return any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in rest)


def display() -> dict[str, str]:
    """Install what the tests need to open windows; return variables that they need.

    The screens themselves are made by pytest-xvfb, one for each worker.
    """
    if sys.platform != "linux":
        return {}
    has_display = bool(os.environ.get("DISPLAY"))
    if shutil.which("dpkg-query"):
        wanted = [p for p in X_PACKAGES if not (has_display and p in ("xvfb", "xauth"))]
        missing = [name for name in wanted if not is_installed(name)]
        if missing:
            install_packages(missing)
    if has_display or shutil.which("Xvfb"):
        return {}
    say("There is no display and no Xvfb (package xvfb): Qt runs without a screen.")
    return {"QT_QPA_PLATFORM": "offscreen"}


def is_installed(package: str) -> bool:
    """Whether a package of Debian is installed."""
    # Newer releases call some of them NAMEt64.
    answer = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${Status}\n", package, f"{package}t64"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "install ok installed" in answer.stdout.splitlines()


def install_packages(packages: Sequence[str]) -> None:
    """Install packages of Debian as root or through sudo; else say which are missing."""
    by_hand = f"apt-get install {' '.join(packages)}"
    prefix = become_root()
    if prefix is None or shutil.which("apt-get") is None:
        raise StepFailed(f"These packages of the system are missing; install them: {by_hand}")
    say(f"Installing packages of the system: {' '.join(packages)}")
    # As arguments of env: sudo passes no variables on.
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    call(*apt, "update")
    status = call(*apt, "install", "--yes", "--no-install-recommends", *packages)
    if status:
        raise StepFailed(f"Packages of the system could not be installed: {by_hand}", status)


def become_root() -> list[str] | None:
    """Return what to put before a command to run it as root, or None if that can't be."""
    if os.name == "nt":
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and (sys.stdin.isatty() or quiet("sudo", "-n", "true")):
        return ["sudo"]
    return None


def call(*command: str, **environment: str) -> int:
    """Run a command in the repository; return its exit status."""
    try:
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


def quiet(*command: str) -> bool:
    """Whether a command succeeds, whatever it prints."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def say(text: str) -> None:
    """Print a line about what this script does."""
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())

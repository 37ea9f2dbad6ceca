"""dev.py: what it runs, with the commands themselves left out."""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
Calls = list[list[str]]


@pytest.fixture
def dev(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11")
    monkeypatch.setattr(module, "make_venv", lambda: None)
    monkeypatch.setattr(module, "quiet", lambda *command: True)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(module, "is_installed", lambda package: True)
    return module


@pytest.fixture
def calls(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Record what would be run; everything succeeds."""
    return record(dev, monkeypatch, lambda command: 0)


def record(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, status: Callable[[Sequence[str]], int]
) -> Calls:
    made: Calls = []

    def call(*command: str, **_: str) -> int:
        made.append(list(command))
        return status(command)

    monkeypatch.setattr(dev, "call", call)
    return made


def installs(calls: Calls) -> Calls:
    return [command for command in calls if "install" in command]


def test_the_demo_installs_once_and_passes_its_arguments_on(dev: ModuleType, calls: Calls) -> None:
    assert dev.main(["demo", "--output", "there"]) == 0
    assert installs(calls) == [
        [dev.script("python"), "-m", "pip", "install", "--disable-pip-version-check", "-e",
         str(ROOT)]
    ]  # fmt: skip
    assert calls[-1] == [dev.script("napari-sclip"), "demo", "--output", "there"]
    calls.clear()
    assert dev.main(["demo"]) == 0
    assert calls == [[dev.script("napari-sclip"), "demo"]]


def test_the_tests_need_more_and_what_they_need_serves_the_demo(
    dev: ModuleType, calls: Calls
) -> None:
    assert dev.main(["test", "tests/cli", "-k", "a or b", "-x"]) == 0
    assert installs(calls)[0][-1] == f"{ROOT}[test]"
    assert calls[-1] == [
        dev.script("python"), "-m", "pytest", *dev.SIDE_BY_SIDE, "tests/cli", "-k", "a or b", "-x"
    ]  # fmt: skip
    calls.clear()
    dev.main(["demo"])
    dev.main(["test"])
    dev.main(["lint"])
    assert installs(calls) == []


def test_a_changed_pyproject_or_python_installs_again(
    dev: ModuleType, calls: Calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]")
    for path, text in (
        (tmp_path / "pyproject.toml", "[project] # changed"),
        (tmp_path / ".venv" / "pyvenv.cfg", "version = 3.13"),
    ):
        dev.main(["test"])
        calls.clear()
        dev.main(["test"])
        assert installs(calls) == []
        path.write_text(text)
        dev.main(["test"])
        assert len(installs(calls)) == 1


def test_exit_statuses_are_passed_on(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    record(dev, monkeypatch, lambda command: 5 if "pytest" in command else 0)
    assert dev.main(["test"]) == 5
    record(dev, monkeypatch, lambda command: 3 if "demo" in command else 0)
    assert dev.main(["demo"]) == 3


def test_a_failed_installation_ends_it_and_is_tried_again(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = record(dev, monkeypatch, lambda command: 7 if "install" in command else 0)
    assert dev.main(["test"]) == 7
    assert dev.main(["test"]) == 7
    assert len(made) == len(installs(made)) == 2
    assert "The installation failed" in capsys.readouterr().err


def test_lint_runs_every_check_and_fails_if_one_does(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev_calls = record(dev, monkeypatch, lambda command: 0)
    assert dev.main(["lint"]) == 0
    checks = [command for command in dev_calls if "install" not in command]
    assert [command[1:] for command in checks] == [["check", "."], ["format", "--check", "."], []]
    for failing in range(3):
        program = checks[failing]
        again = record(dev, monkeypatch, lambda command, p=program: 4 if list(command) == p else 0)  # type: ignore[misc]
        assert dev.main(["lint"]) == 4
        assert len(again) == 3


@pytest.mark.parametrize("given", [["-n", "3"], ["-n0"], ["--pdb"], ["--numprocesses=2"]])
def test_the_number_of_processes_can_be_chosen(
    dev: ModuleType, calls: Calls, given: list[str]
) -> None:
    assert dev.main(["test", *given]) == 0
    assert calls[-1] == [dev.script("python"), "-m", "pytest", *given]


def test_without_any_display_qt_needs_none(
    dev: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY")
    found = {"dpkg-query", "Xvfb"}
    monkeypatch.setattr(dev.shutil, "which", lambda name: name if name in found else None)
    assert dev.display() == {}
    found.clear()
    assert dev.display() == {"QT_QPA_PLATFORM": "offscreen"}


@pytest.mark.parametrize(("root", "before"), [(True, []), (False, ["sudo"])])
def test_missing_libraries_are_installed(
    dev: ModuleType, calls: Calls, monkeypatch: pytest.MonkeyPatch, root: bool, before: list[str]
) -> None:
    monkeypatch.delenv("DISPLAY")
    monkeypatch.setattr(dev.shutil, "which", lambda name: name)
    monkeypatch.setattr(dev, "is_installed", lambda package: package != "libxcb-cursor0")
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0 if root else 1000)
    assert dev.main(["test"]) == 0
    apt = [command for command in calls if "apt-get" in command]
    start = [*before, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    assert apt[0] == [*start, "update"]
    assert apt[1][: len(start) + 1] == [*start, "install"]
    assert apt[1][-1] == "libxcb-cursor0"
    assert "xvfb" not in apt[1]


def test_missing_libraries_are_named_where_they_cannot_be_installed(
    dev: ModuleType,
    calls: Calls,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dev.shutil, "which", lambda name: None if name == "sudo" else name)
    monkeypatch.setattr(dev, "is_installed", lambda package: package not in ("libegl1", "xvfb"))
    monkeypatch.setattr(dev.os, "geteuid", lambda: 1000)
    assert dev.main(["test"]) == 1
    # There is a display, so xvfb is not needed.
    assert "install them: apt-get install libegl1\n" in capsys.readouterr().err
    assert not any("pytest" in command for command in calls)


@pytest.fixture
def oldest(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Say where the oldest napari goes."""
    monkeypatch.setattr(dev, "site_packages", lambda python: Path(python).parent)
    folder = Path(dev.VENV) / f"napari-{dev.OLDEST_NAPARI}"
    (folder / "bin").mkdir(parents=True)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="its programs are in another folder")
def test_the_oldest_napari_is_installed_once_beside_the_newest(
    dev: ModuleType, calls: Calls, oldest: Path
) -> None:
    python = str(oldest / "bin" / "python")
    assert dev.main(["test", "--napari", "oldest"]) == 0
    assert calls[-3] == [
        dev.script("python"), "-m", "venv", "--clear", "--without-pip", str(oldest)
    ]  # fmt: skip
    assert calls[-2][0] == python
    assert calls[-2][-1] == f"napari[pyqt6]=={dev.OLDEST_NAPARI}"
    assert calls[-1] == [
        python, "-m", "pytest", *dev.SIDE_BY_SIDE, "tests/layers", "tests/widgets"
    ]  # fmt: skip
    borrowed = (oldest / "bin" / "borrowed.pth").read_text(encoding="utf-8").splitlines()
    assert borrowed == [str(dev.VENV / "bin"), str(ROOT / "src")]
    calls.clear()
    assert dev.main(["test", "--napari", "oldest", "tests/layers/test_no_qt.py", "-x"]) == 0
    one = [python, "-m", "pytest", *dev.SIDE_BY_SIDE, "tests/layers/test_no_qt.py", "-x"]
    assert calls == [one]
    assert dev.main(["test", "--napari=newest"]) == 0
    assert calls[-1] == [dev.script("python"), "-m", "pytest", *dev.SIDE_BY_SIDE]


@pytest.mark.skipif(os.name == "nt", reason="its programs are in another folder")
@pytest.mark.parametrize(
    ("options", "folder", "wanted"),
    [
        (["--qt", "pyside6"], "napari-newest-pyside6", "napari[pyside6]"),
        (["--napari", "main"], "napari-main", "napari[pyqt6] @ git+"),
    ],
)
def test_another_qt_or_napari_has_a_place_of_its_own(
    dev: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    folder: str,
    wanted: str,
) -> None:
    monkeypatch.setattr(dev, "site_packages", lambda python: Path(python).parent)
    (Path(dev.VENV) / folder / "bin").mkdir(parents=True)
    made: list[tuple[list[str], dict[str, str]]] = []

    def call(*command: str, **environment: str) -> int:
        made.append((list(command), environment))
        return 0

    monkeypatch.setattr(dev, "call", call)
    assert dev.main(["test", *options]) == 0
    assert made[-2][0][-1].startswith(wanted)
    tests, environment = made[-1]
    assert tests == [
        str(dev.VENV / folder / "bin" / "python"),
        "-m", "pytest", *dev.SIDE_BY_SIDE, "tests/layers", "tests/widgets",
    ]  # fmt: skip
    assert environment["QT_API"] == environment["PYTEST_QT_API"]
    assert environment["QT_API"] == ("pyside6" if "pyside6" in folder else "pyqt6")


def test_a_warning_of_the_documentation_is_a_failure(
    dev: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "pyproject.toml").write_text("[project]")
    old = tmp_path / "build" / "site" / "old.html"
    old.parent.mkdir(parents=True)
    old.touch()
    made = record(dev, monkeypatch, lambda command: 1 if "sphinx" in command else 0)
    assert dev.main(["docs"]) == 1
    assert "--fail-on-warning" in made[-1]
    assert made[-1][-2:] == [".", "build/site"]
    assert not old.exists()


@pytest.mark.parametrize("failing", ["venv", "napari[pyqt6]"])
def test_an_oldest_napari_that_cannot_be_installed_is_tried_again(
    dev: ModuleType, oldest: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    def status(command: Sequence[str]) -> int:
        return 6 if any(part.startswith(failing) for part in command) else 0

    for _ in range(2):
        made = record(dev, monkeypatch, status)
        assert dev.main(["test", "--napari", "oldest"]) == 6
        assert any(part.startswith(failing) for part in made[-1])


def test_the_oldest_napari_is_the_one_that_is_asked_for(dev: ModuleType) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    (wanted,) = (text for text in extras["all"] if text.startswith("napari["))
    assert f"{wanted.partition('>=')[2]}.0" == dev.OLDEST_NAPARI


def test_wrong_arguments_are_refused(dev: ModuleType, calls: Calls) -> None:
    for arguments in (
        [],
        ["lint", "now"],
        ["bake"],
        ["test", "--napari", "older"],
        ["docs", "now"],
    ):
        with pytest.raises(SystemExit) as stop:
            dev.main(arguments)
        assert stop.value.code == 2
    assert calls == []

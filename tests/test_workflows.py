"""What is hosted: the workflows are pinned and modest, and test what the package promises."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github" / "workflows"
FILES = sorted(FOLDER.glob("*.yml"))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")

pytestmark = pytest.mark.skipif(not FILES, reason="the sdist has no workflows")


def read(name: str) -> dict[str, Any]:
    workflow = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    assert isinstance(workflow, dict)
    return workflow


def settings() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def test_all_workflows_are_looked_at() -> None:
    names = {file.name for file in FILES}
    assert names == {"docs.yml", "napari-main.yml", "package.yml", "release.yml", "test.yml"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_a_commit_that_says_its_version(file: Path) -> None:
    used = re.findall(r"uses: (.*)", file.read_text(encoding="utf-8"))
    foreign = [action for action in used if not action.startswith("./")]
    assert used
    assert [action for action in foreign if not PINNED.fullmatch(action)] == []


def test_an_action_has_one_version_everywhere() -> None:
    used = {
        action
        for file in FILES
        for action in re.findall(r"uses: (\S+@.*)", file.read_text(encoding="utf-8"))
    }
    assert len({action.partition("@")[0] for action in used}) == len(used)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_may_do_no_more_than_its_jobs_say(file: Path) -> None:
    workflow = read(file.name)
    assert workflow["permissions"] == {}
    # A workflow that is called shares the caller's name, and would wait for itself.
    assert "github.workflow" not in workflow["concurrency"]["group"]
    for job in workflow["jobs"].values():
        assert job["permissions"]
        assert "uses" in job or job["timeout-minutes"] <= 60
        checkouts = [s for s in job.get("steps", []) if "actions/checkout@" in s.get("uses", "")]
        assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_only_publishing_gets_an_identity() -> None:
    allowed = {
        (file.name, name)
        for file in FILES
        for name, job in read(file.name)["jobs"].items()
        if "write" in job["permissions"].values()
    }
    assert allowed == {
        ("docs.yml", "deploy"), ("release.yml", "publish"), ("release.yml", "announce"),
    }  # fmt: skip


def test_the_matrix_is_what_the_package_promises() -> None:
    matrix = read("test.yml")["jobs"]["test"]["strategy"]["matrix"]
    stated = re.findall(r"Python :: (3\.\d+)", "\n".join(settings()["project"]["classifiers"]))
    assert matrix["python"] == [stated[0], stated[-1]]
    assert settings()["project"]["requires-python"] == f">={stated[0]}"
    assert {system.partition("-")[0] for system in matrix["os"]} == {"ubuntu", "macos", "windows"}
    script = (ROOT / "dev.py").read_text(encoding="utf-8")
    for option in ("napari", "qt"):
        (line,) = re.findall(rf'"--{option}", choices=\(([^)]*)\)', script)
        assert set(matrix[option]) == set(re.findall(r'"(\w+)"', line)) - {"main"}
    (command,) = re.findall(r"dev\.py test .*", (FOLDER / "napari-main.yml").read_text())
    assert command == "dev.py test --napari main"


def test_the_changelog_keeps_its_form() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    dates = []
    for heading in versions[1:]:
        found = re.fullmatch(r"\[\d+\.\d+\.\d+\] - (\d{4}-\d{2}-\d{2})", heading)
        assert found, heading
        dates.append(found[1])
    assert dates == sorted(dates, reverse=True)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.*)$", text, flags=re.MULTILINE)) <= kinds
    links = re.findall(r"^\[([^\]]*)\]: https://", text, flags=re.MULTILINE)
    assert links == [heading[1:].partition("]")[0] for heading in versions]

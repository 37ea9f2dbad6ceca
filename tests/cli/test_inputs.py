from __future__ import annotations

from pathlib import Path

import pytest

from napari_sclip.cli.inputs import Job, plan_jobs
from tests.cli.conftest import Run

OUT = Path("out")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png", "deep/b.png", "deep/er/c.tif"):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "in" / "folder.png").mkdir()
    return Path("in")


def places(jobs: list[Job]) -> list[str]:
    assert not any(job.problem for job in jobs)
    return [(job.folder / job.stem).as_posix() for job in jobs]


def test_a_folder_gives_its_images_by_name(tree: Path) -> None:
    assert places(plan_jobs([tree], OUT)) == ["out/a", "out/b"]


def test_folders_inside_folders_are_repeated_in_the_output(tree: Path) -> None:
    jobs = plan_jobs([tree], OUT, recursive=True)
    assert places(jobs) == ["out/a", "out/b", "out/deep/b", "out/deep/er/c"]


def test_files_keep_their_order_and_come_once(tree: Path) -> None:
    given = [tree / "b.png", tree / "a.JPG", Path("in/../in/b.png"), tree]
    assert places(plan_jobs(given, OUT)) == ["out/b", "out/a"]


def test_images_of_one_stem_keep_their_endings(tree: Path) -> None:
    for name in ("b.jpg", "B.tif"):
        (tree / name).touch()
    assert sorted(places(plan_jobs([tree], OUT))) == [
        "out/B.tif",
        "out/a",
        "out/b.jpg",
        "out/b.png",
    ]


def test_files_of_one_name_in_two_folders_do_not_share_results(tree: Path) -> None:
    first, second, third = plan_jobs([tree / "b.png", tree / "deep/b.png", tree / "a.JPG"], OUT)
    assert (first.problem, third.problem) == ("", "")
    assert "in/deep/b.png would have the same names as those of in/b.png" in second.problem


def test_an_ending_that_looks_like_a_stem_is_no_trap(tree: Path) -> None:
    for name in ("b.jpg", "b.png.tif"):
        (tree / name).touch()
    jobs = plan_jobs([tree], OUT)
    free = [(job.folder, job.stem) for job in jobs if not job.problem]
    assert len(free) == len(set(free)) == 3
    assert [job.source.name for job in jobs if job.problem] == ["b.png.tif"]


def test_results_of_an_earlier_run_are_no_input(tree: Path) -> None:
    for name in ("b_labels.png", "b_overlay.png", "b_scores.tif", "b_classes.json", "c_labels.png"):
        (tree / name).touch()
    assert places(plan_jobs([tree], tree)) == ["in/a", "in/b", "in/c_labels"]


def test_wildcards_that_the_shell_left_are_followed(tree: Path) -> None:
    names = [job.source.name for job in plan_jobs([tree / "b.*"], OUT)]
    assert names == ["b.png"]


def test_a_folder_without_images_says_so(tree: Path, run: Run) -> None:
    (tree / "empty").mkdir()
    (job,) = plan_jobs([tree / "empty"], OUT)
    assert "no image in the folder in/empty (--recursive" in job.problem
    ran = run("segment", tree / "empty", "--classes", "a, b", "--output", "out")
    assert ran.status == 1
    assert ran.err.startswith("napari-sclip: error: There is no image in the folder in/empty")


def test_a_missing_file_is_kept_for_its_own_error() -> None:
    (job,) = plan_jobs([Path("none.png")], OUT)
    assert (job.source, job.problem) == (Path("none.png"), "")

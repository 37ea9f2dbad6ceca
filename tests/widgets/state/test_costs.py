from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from napari_sclip.widgets.state import store as costs
from napari_sclip.widgets.state.store import WindowCost, WindowCosts, WindowKey

KEY = WindowKey("ViT-B-16/openai", "cpu", "fp32", "sclip", 224)
COST = WindowCost(0.75, 1_200_000)
ENTRY = {
    "model": "m", "device": "cpu", "precision": "fp32", "attention": "sclip", "window": 224,
    "seconds": 1, "bytes": 0,
}  # fmt: skip


def test_a_measurement_is_known_in_the_next_session(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    measured = WindowCosts(folder)
    assert measured.get(KEY) is None
    assert measured.put(KEY, COST) is None
    assert measured.get(KEY) == COST
    later = WindowCosts(folder)
    assert later.get(KEY) == COST
    assert later.get(WindowKey("ViT-B-16/openai", "cuda", "fp32", "sclip", 224)) is None


def test_a_second_measurement_replaces_the_first(tmp_path: Path) -> None:
    measured = WindowCosts(tmp_path)
    measured.put(KEY, COST)
    measured.put(KEY, WindowCost(0.5, 3))
    assert WindowCosts(tmp_path).get(KEY) == WindowCost(0.5, 3)


def test_two_windows_of_napari_do_not_forget_each_others(tmp_path: Path) -> None:
    one, other = WindowCosts(tmp_path), WindowCosts(tmp_path)
    other_key = WindowKey("shapes-demo", "cpu", "fp32", "sclip", 64)
    one.put(KEY, COST)
    other.put(other_key, WindowCost(0.1, 2))
    assert other.get(KEY) == COST
    later = WindowCosts(tmp_path)
    assert (later.get(KEY), later.get(other_key)) == (COST, WindowCost(0.1, 2))


def test_the_file_does_not_grow_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MAX_COSTS", 3)
    measured = WindowCosts(tmp_path)
    keys = [WindowKey("m", "cpu", "fp32", "sclip", size) for size in (1, 2, 3, 4)]
    for key in (*keys[:3], keys[0], keys[3]):  # the first is measured again
        measured.put(key, COST)
    kept = WindowCosts(tmp_path)
    assert [kept.get(key) is not None for key in keys] == [True, False, True, True]


@pytest.mark.parametrize(
    "content",
    ["", "{", "null", "7", '"words"', "{}", "[[]]", "[1e999]", "[" * 100_000, "\0", " " * 2**21],
)
def test_a_foreign_file_is_as_good_as_none(content: str, tmp_path: Path) -> None:
    (tmp_path / "window_costs.json").write_text(content)
    measured = WindowCosts(tmp_path)
    assert measured.get(KEY) is None
    assert measured.put(KEY, COST) is None
    assert WindowCosts(tmp_path).get(KEY) == COST


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": float("nan")}, {"seconds": float("inf")}, {"seconds": 0}, {"seconds": -1},
        {"seconds": True}, {"seconds": "1"}, {"seconds": None}, {"seconds": 10**400},
        {"bytes": -1}, {"bytes": 1.5}, {"bytes": True}, {"window": 0}, {"window": 224.0},
        {"window": None}, {"model": 3}, {"attention": None}, {"device": []}, {"precision": {}},
    ],
)  # fmt: skip
def test_a_wrong_entry_is_lost_and_its_neighbours_stay(
    wrong: dict[str, Any], tmp_path: Path
) -> None:
    other = ENTRY | {"window": 64, "seconds": 0.25, "bytes": 9}
    (tmp_path / "window_costs.json").write_text(json.dumps([ENTRY | wrong, 5, other]))
    measured = WindowCosts(tmp_path)
    assert measured.get(WindowKey("m", "cpu", "fp32", "sclip", 224)) is None
    assert measured.get(WindowKey("m", "cpu", "fp32", "sclip", 64)) == WindowCost(0.25, 9)


def test_the_entry_of_that_test_is_a_right_one(tmp_path: Path) -> None:
    (tmp_path / "window_costs.json").write_text(json.dumps([ENTRY]))
    cost = WindowCosts(tmp_path).get(WindowKey("m", "cpu", "fp32", "sclip", 224))
    assert cost == WindowCost(1.0, 0)


def test_a_folder_that_cannot_be_written_is_said_and_known_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    measured = WindowCosts(tmp_path / "file")
    reason = measured.put(KEY, COST)
    assert reason is not None
    assert str(tmp_path / "file") in reason
    assert measured.get(KEY) == COST


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "window_costs.json").mkdir()
    measured = WindowCosts(tmp_path)
    assert measured.put(KEY, COST) is not None
    assert [path.name for path in tmp_path.iterdir()] == ["window_costs.json"]

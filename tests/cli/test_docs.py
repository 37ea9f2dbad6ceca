from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sclip.cli import make_parser
from napari_sclip.config import SegmentationConfig

PAGE = (Path(__file__).parents[2] / "docs" / "headless.md").read_text(encoding="utf-8")


def test_the_examples_of_the_page_run_and_hold(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) >= 8
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        exec(compile(block, "docs/headless.md", "exec"), names)
    assert names["scores"].shape == (3, *names["scene"].labels.shape)
    np.testing.assert_array_equal(names["unsure"], names["margin"] < 0.1)
    assert all(path.exists() for path in (*names["files"], *names["more"]))
    printed = capsys.readouterr().out.splitlines()
    assert "stopped" in printed
    (shown,) = re.findall(r"```text\n(Every class.*?)\n```", PAGE, flags=re.DOTALL)
    assert printed[-1] == shown


def test_the_page_knows_every_setting() -> None:
    table = PAGE.partition("### Settings")[2].partition("###")[0]
    for name, value in SegmentationConfig().to_dict().items():
        assert f"`{name}`" in table
        if name not in ("window", "stride"):
            (row,) = [line for line in table.splitlines() if line.startswith(f"| `{name}`")]
            shown = f'`"{value}"`' if isinstance(value, str) else str(value).removesuffix(".0")
            assert row.split(" | ")[1] == shown


def test_every_option_that_the_page_names_is_one() -> None:
    known: set[str] = set()
    for action in make_parser()._actions:
        commands: Any = action.choices
        for command in commands or ():
            known |= set(commands[command]._option_string_actions)
    page = PAGE.partition("## Command line")[2]
    for option in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page)):
        assert option in known, option

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sclip.layers.io.save import LAYER_FORMATS

PAGE = (Path(__file__).parents[2] / "docs" / "exporting.md").read_text(encoding="utf-8")


def test_each_way_to_read_a_format_gives_the_mask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, *others = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(first, "docs/exporting.md", "exec"), names)
    expected = names["labels"] == 1
    assert len(others) == len(LAYER_FORMATS) == 7
    for block in others:
        names.pop("leaf", None)
        assert len(block.strip().splitlines()) <= 6
        exec(compile(block, "docs/exporting.md", "exec"), names)
        if "area" in names:
            assert names["area"] == expected.sum()
        else:
            np.testing.assert_array_equal(names["leaf"], expected)


def test_the_table_has_every_format_of_layers() -> None:
    table = PAGE.partition("## The formats")[2].partition("\n\n* ")[0]
    named = re.findall(r"^\| `([a-z-]+)` \|", table, flags=re.MULTILINE)
    assert named == [known.name for known in LAYER_FORMATS]

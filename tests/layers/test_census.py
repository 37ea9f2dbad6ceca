"""How much is painted, counted a part at a time."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sclip.layers.labels import annotations as census
from napari_sclip.layers.labels.annotations import take_census

SHAPE = (3, 40, 50)


@pytest.mark.parametrize("top", [4, 300])
@pytest.mark.parametrize("marked", [True, False])
def test_it_is_what_numpy_counts_at_once(
    monkeypatch: pytest.MonkeyPatch, top: int, marked: bool
) -> None:
    monkeypatch.setattr(census, "SLAB_PIXELS", 777)
    random = np.random.default_rng(top)
    data = random.integers(0, top, SHAPE).astype(np.uint16)
    data[0, 0, 0] = top
    predicted = np.where(random.random(SHAPE) < 0.8, data, 1).astype(np.uint16)
    marks = random.random(SHAPE) < 0.1 if marked else None
    painted = data != predicted
    if marks is not None:
        painted |= marks
    found = take_census(data, predicted, marks, (2, 3, 999), [data > 2, predicted > 3])
    assert found.painted == np.count_nonzero(painted)
    assert found.of_missing == {k: np.count_nonzero(data[painted] == k) for k in (2, 3)}
    assert found.scribbled == np.count_nonzero(data > 2) + np.count_nonzero(predicted > 3)
    assert found.ids == ((top,) if top < 256 else tuple(np.unique(data).tolist()))


def test_an_empty_layer() -> None:
    nothing = np.zeros((0, 5), np.uint8)
    assert take_census(nothing, nothing, None) == census.Census((0,), 0, {}, 0)

"""The random sequences of `test_edits_random`, on planes that take several slabs."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from napari_sclip.layers.labels import chunks as slabs
from napari_sclip.layers.labels.targets import Placer
from tests.layers import test_edits_random
from tests.layers.test_edits_random import HEIGHT, WIDTH, Correcting, TestCorrecting, rows, seeds


class InSlabs(Correcting):
    """Three rows are a slab; drafts may be drawn in some rows only."""

    planes = 2

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(slabs, "SLAB_PIXELS", 3 * WIDTH)
        self.patch.setattr(test_edits_random, "PLANES", self.planes)

    def teardown(self) -> None:
        self.patch.undo()
        super().teardown()

    @precondition(lambda self: self.draft is not None)
    @rule(seed=seeds, first=rows, count=st.integers(0, HEIGHT))
    def draw_rows(self, seed: int, first: int, count: int) -> None:
        assert self.draft is not None
        request = self.drafted[0]
        placed = Placer(self.layer, request, self.classes()).place(
            0, self.predict(request, seed)[0]
        )
        self.draft.show_placed(placed, range(len(placed.values))[first : first + count])


class InSlabsOfOnePlane(InSlabs):
    """The prediction is for the whole layer."""

    planes = 1


TestInSlabs = InSlabs.TestCase
TestInSlabsOfOnePlane = InSlabsOfOnePlane.TestCase
for case in (TestInSlabs, TestInSlabsOfOnePlane):
    case.settings = TestCorrecting.settings
del Correcting, TestCorrecting  # collected where they are

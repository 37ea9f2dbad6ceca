"""What a run tells of its labels while it goes on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.labels.layer import new_labels_layer
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.targets import Placer
from napari_sclip.prompts import parse_classes
from napari_sclip.widgets.work import segment
from napari_sclip.widgets.work.reporter import PlaneDraft, Silent
from napari_sclip.widgets.work.segment import SegmentJob, _Drafts

CLASSES = parse_classes("leaf, soil")


class Listening(Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.drafts: list[PlaneDraft] = []

    def draft(self, draft: Any) -> None:
        self.drafts.append(draft)


def test_drafts_tell_the_rows_that_are_new_and_not_too_many_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(segment, "DRAFT_PIXELS", 12 * 50)
    viewer = ViewerModel()
    request = read_request(viewer, viewer.add_image(np.zeros((40, 50), np.uint8)))
    layer = new_labels_layer(request, CLASSES)
    placer = Placer(layer, request, CLASSES)
    nothing: Any = None
    job = SegmentJob(request, nothing, nothing, CLASSES, placer)
    reporter = Listening()
    drafts = _Drafts(nothing, job, 0, reporter)
    labels = np.zeros((40, 50), np.uint8)
    labels[5:10] = 1
    drafts.tell(placer.place(0, labels.copy()))
    labels[8:35] = 2
    for _ in range(4):
        drafts.tell(placer.place(0, labels.copy()))
    rows = [draft.rows for draft in reporter.drafts]
    assert rows == [range(5, 10), range(8, 20), range(20, 32), range(32, 35), range(0)]
    pieces = [draft.plane.room.take((40, 50), np.uint8) for draft in reporter.drafts]
    assert [piece.base is not None for piece in pieces] == [True, False, False, False, False]
    drawing = Draft(layer, request, 0)
    for draft in reporter.drafts:
        drawing.show_placed(draft.plane, draft.rows)
    np.testing.assert_array_equal(layer.data, labels)
    drawing.withdraw()
    assert not layer.data.any()

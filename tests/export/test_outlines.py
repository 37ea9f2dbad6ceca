from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from shapely import Polygon
from shapely.validation import explain_validity

from napari_sclip.export.coco import fill
from napari_sclip.export.outlines import Piece, keyhole, trace_pieces
from tests.export.masks import HARD, small_labels


def painted(pieces: list[Piece], shape: tuple[int, ...]) -> NDArray[Any]:
    """Paint pieces through an independent library: a pixel belongs where its centre lies."""
    from shapely import contains_xy

    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    out = np.zeros(shape, dtype=int)
    for piece in pieces:
        out[contains_xy(Polygon(piece.outer, piece.holes), x, y)] += piece.id
    return out


@given(small_labels())
def test_outlines_hold_the_pixels_of_their_regions(labels: NDArray[Any]) -> None:
    pieces = trace_pieces(labels)
    np.testing.assert_array_equal(painted(pieces, labels.shape), labels)
    for piece in pieces:
        polygon = Polygon(piece.outer, piece.holes)
        assert polygon.is_valid, explain_validity(polygon)
        assert polygon.area == piece.area
        left, top, right, bottom = polygon.bounds
        assert piece.box == (left, top, right - left, bottom - top)
        assert polygon.exterior.is_ccw
        box = np.zeros(labels.shape, dtype=bool)
        box |= fill((piece.outer, *piece.holes), labels.shape)
        np.testing.assert_array_equal(box, painted([piece], labels.shape) > 0)


@pytest.mark.parametrize("labels", HARD)
def test_hard_cases_too(labels: NDArray[Any]) -> None:
    pieces = trace_pieces(labels)
    np.testing.assert_array_equal(painted(pieces, labels.shape), labels)
    assert all(Polygon(r.outer, r.holes).is_valid for r in pieces)


def test_regions_hang_together_by_their_sides() -> None:
    assert [(r.id, r.area) for r in trace_pieces(HARD[2])] == [(3, 1), (3, 1)]
    (ring,) = trace_pieces(HARD[0])
    assert (len(ring.holes), ring.area) == (1, 7)


@given(small_labels())
def test_a_keyhole_encloses_what_the_rings_do(labels: NDArray[Any]) -> None:
    for piece in trace_pieces(labels):
        x, y = keyhole(piece).T
        area = np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y) / 2
        assert area == piece.area
        turned = np.abs(np.diff(np.append(x, x[0]))) * np.abs(np.diff(np.append(y, y[0])))
        assert not turned.any(), "a bridge is slanted"

"""Outlines of pieces along the edges of their pixels: they hold exactly the same pixels."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ring = NDArray[np.int64]
"""Corners (n, 2), x and y in pixels from the image's upper left corner; not closed."""

RIGHT, DOWN, LEFT, UP = range(4)
EDGE_STEPS = np.array([[0, 1], [1, 0], [0, -1], [-1, 0]])


@dataclass(frozen=True, eq=False)
class Piece:
    """Pixels of one id that hang together by their sides.

    Attributes
    ----------
    id : int
    outer : Ring
        Clockwise as it is seen.
    holes : tuple of Ring
        Counterclockwise. They and the outer ring touch each other in single points at most.
    area : int
        Number of pixels.
    """

    id: int
    outer: Ring
    holes: tuple[Ring, ...]
    area: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, width and height."""
        left, top = (int(v) for v in self.outer.min(axis=0))
        right, bottom = (int(v) for v in self.outer.max(axis=0))
        return left, top, right - left, bottom - top


def trace_pieces(labels: NDArray[Any]) -> list[Piece]:
    """Outline all pieces of labels.

    Parameters
    ----------
    labels : (H, W) integer array
        0 belongs to no piece.

    Returns
    -------
    list of Piece
        From the top down, by the first pixel of each.
    """
    from skimage.measure import label

    parts = np.asarray(label(labels, connectivity=1, background=0))
    edges = _edges(parts)
    if not len(edges.owner):
        return []
    order, starts = _follow(edges, parts.shape)
    owners = edges.owner[order[starts]]
    firsts = edges.start[order[starts]]
    rings, areas = _rings(edges, order, starts, parts.shape[1] + 1)
    ids = labels.ravel()[_pixel_of(firsts, parts.shape[1])].tolist()
    outer: dict[int, int] = {}
    holes: dict[int, list[int]] = {}
    for ring, (owner, area) in enumerate(zip(owners.tolist(), areas, strict=True)):
        if area > 0:
            outer[owner] = ring
        else:
            holes.setdefault(owner, []).append(ring)
    pieces = []
    for owner in sorted(outer):
        first, others = outer[owner], holes.get(owner, [])
        area = areas[first] + sum(areas[ring] for ring in others)
        pieces.append(Piece(ids[first], rings[first], tuple(rings[r] for r in others), area))
    return pieces


def keyhole(piece: Piece) -> Ring:
    """Join the holes of a piece to its outline by bridges without width.

    Parameters
    ----------
    piece : Piece

    Returns
    -------
    Ring
        One ring that holds the same pixels, for formats that know no holes.
    """
    # From right to left, so that the bridge of a hole meets what has been joined already.
    ring = piece.outer
    for hole in sorted(piece.holes, key=lambda h: -int(h[:, 0].max())):
        start = int(np.lexsort((hole[:, 1], -hole[:, 0]))[0])
        turned = np.roll(hole, -start, axis=0)
        x, y = turned[0]
        at, meeting = _to_the_right(ring, int(x), int(y))
        bridge = np.array([meeting])
        ring = np.concatenate([ring[: at + 1], bridge, turned, turned[:1], bridge, ring[at + 1 :]])
    return ring


@dataclass(frozen=True, eq=False)
class _Edges:
    """Sides of pixels between two pieces, the owner to the right of each."""

    start: NDArray[np.int64]
    direction: NDArray[np.int64]
    owner: NDArray[np.int64]


def _edges(parts: NDArray[Any]) -> _Edges:
    height, width = parts.shape
    padded = np.zeros((height + 2, width + 2), dtype=parts.dtype)
    padded[1:-1, 1:-1] = parts
    stride = width + 1
    across = padded[:-1, 1:-1] != padded[1:, 1:-1]
    row, column = (a.astype(np.int64) for a in np.nonzero(across))
    above, below = padded[row, column + 1], padded[row + 1, column + 1]
    along = padded[1:-1, :-1] != padded[1:-1, 1:]
    line, place = (a.astype(np.int64) for a in np.nonzero(along))
    before, after = padded[line + 1, place], padded[line + 1, place + 1]
    kinds = (
        (row * stride + column, RIGHT, below),
        (row * stride + column + 1, LEFT, above),
        (line * stride + place, DOWN, before),
        ((line + 1) * stride + place, UP, after),
    )
    start = np.concatenate([s[owner > 0] for s, _, owner in kinds])
    direction = np.concatenate([np.full(np.count_nonzero(o > 0), d) for _, d, o in kinds])
    owner = np.concatenate([o[o > 0] for _, _, o in kinds]).astype(np.int64)
    order = np.argsort(start * 4 + direction)
    return _Edges(start[order], direction[order], owner[order])


def _follow(edges: _Edges, shape: tuple[int, ...]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Chain the edges to rings.

    Where two pixels of a piece touch by a corner, the left turn is taken: the piece hangs
    together there, so that no ring meets itself.

    Returns
    -------
    (n,) and (r,) int arrays
        The edges, ring after ring, and where each ring begins: with its uppermost corner, the
        leftmost of these.
    """
    stride = shape[1] + 1
    steps = EDGE_STEPS @ np.array([stride, 1])
    keys = edges.start * 4 + edges.direction
    end = edges.start + steps[edges.direction]
    following = np.full(len(keys), -1, dtype=np.int64)
    left = np.arange(len(keys))
    for turn in (3, 0, 1):
        wanted = end[left] * 4 + (edges.direction[left] + turn) % 4
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        fits = (keys[at] == wanted) & (edges.owner[at] == edges.owner[left])
        following[left[fits]] = at[fits]
        left = left[~fits]
    after = following.tolist()
    order: list[int] = []
    starts: list[int] = []
    for edge in range(len(after)):
        following_edge = after[edge]
        if following_edge < 0:
            continue
        starts.append(len(order))
        while following_edge >= 0:
            order.append(edge)
            after[edge] = -1
            edge, following_edge = following_edge, after[following_edge]
    return np.array(order), np.array(starts)


def _rings(
    edges: _Edges, order: NDArray[np.int64], starts: NDArray[np.int64], stride: int
) -> tuple[list[Ring], list[int]]:
    """Take the corners of each ring, and the area that it encloses, negative for holes."""
    direction, start = edges.direction[order], edges.start[order]
    # Only upright sides enclose something; what is right of them is taken away.
    sign = np.array([0, 1, 0, -1])[direction]
    areas = np.add.reduceat(sign * (start % stride), starts)
    before = np.roll(direction, 1)
    before[starts] = direction[np.append(starts[1:], len(order)) - 1]
    turning = direction != before
    corners = np.stack([start[turning] % stride, start[turning] // stride], axis=1)
    ends = np.add.reduceat(turning, starts, dtype=np.int64).cumsum()
    places = [0, *ends.tolist()]
    rings = [corners[i:j] for i, j in itertools.pairwise(places)]
    return rings, [int(area) for area in areas]


def _pixel_of(corner: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Return the pixel to the lower right of a corner, or the last one."""
    row, column = np.divmod(corner, width + 1)
    return np.asarray(row * width + np.minimum(column, width - 1))


def _to_the_right(ring: Ring, x: int, y: int) -> tuple[int, tuple[int, int]]:
    """Find the side of a ring that a ray from a point to the right meets first."""
    following = np.roll(ring, -1, axis=0)
    low = np.minimum(ring[:, 1], following[:, 1])
    high = np.maximum(ring[:, 1], following[:, 1])
    meets = (ring[:, 0] == following[:, 0]) & (low <= y) & (y <= high) & (ring[:, 0] >= x)
    candidates = np.flatnonzero(meets)
    nearest = int(candidates[np.argmin(ring[candidates, 0])])
    return nearest, (int(ring[nearest, 0]), y)

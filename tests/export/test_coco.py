from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as coco_mask
from skimage.draw import polygon2mask

from napari_sclip.errors import ImageError
from napari_sclip.export import find_export_format, write_item
from napari_sclip.export.coco import decode_runs, encode_runs, fill
from napari_sclip.export.read_mask import read_mask
from tests.export.masks import item_of
from tests.export.test_read_mask import LABELS


def test_several_images_of_coco_are_refused(tmp_path: Path) -> None:
    path = write_item(
        find_export_format("coco"), tmp_path / "a.json", item_of(np.stack([LABELS, LABELS]))
    )[0]
    assert len(json.loads(path.read_text(encoding="utf-8"))["images"]) == 2
    with pytest.raises(ImageError, match=r"of one image; .* has 2"):
        read_mask(path)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_run_lengths_are_those_of_pycocotools(height: int, width: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    encoded = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    counts = encode_runs(mask, 0, 0, mask.shape)
    assert coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width) == (
        encoded
    )
    for given_counts in (counts, encoded["counts"].decode()):
        again = np.zeros(height * width, dtype=bool)
        for first, end in decode_runs(given_counts, mask.shape):
            assert not again[first:end].any()
            again[first:end] = True
        np.testing.assert_array_equal(again.reshape(width, height).T, mask)
    with pytest.raises(ImageError, match=r"Expected run lengths that fill"):
        decode_runs([*counts, 1], mask.shape)


def star(corners: int, side: float, seed: int = 0) -> NDArray[np.float64]:
    """Make a polygon around the middle of a square, with corners near and far."""
    rng = np.random.default_rng(seed)
    angles = np.sort(rng.random(corners)) * 2 * np.pi
    far = side * (0.1 + 0.35 * rng.random(corners))
    return side / 2 + np.stack([far * np.cos(angles), far * np.sin(angles)], axis=1)


def test_polygons_are_filled_as_other_libraries_do() -> None:
    different = total = 0
    for seed in range(100):
        ring = star(3 + seed % 25, 64, seed)
        mask = fill([ring], (64, 64))
        np.testing.assert_array_equal(mask, polygon2mask((64, 64), ring[:, ::-1] - 0.5))
        encoded = coco_mask.merge(coco_mask.frPyObjects([ring.ravel().tolist()], 64, 64))
        different += int(np.count_nonzero(mask != coco_mask.decode(encoded)))
        total += int(mask.sum())
    # pycocotools rounds along the edges.
    assert different < 0.02 * total


def test_an_outline_of_many_corners_is_read(tmp_path: Path) -> None:
    ring = star(20_000, 1000)
    values = {
        "images": [{"height": 1000, "width": 1000}],
        "categories": [{"id": 4, "name": "leaf"}],
        "annotations": [{"category_id": 4, "segmentation": [ring.ravel().tolist()]}],
    }
    path = tmp_path / "a.json"
    path.write_text(json.dumps(values))
    labels = read_mask(path).labels
    x, y = ring.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2
    assert labels.shape == (1000, 1000)
    assert np.count_nonzero(labels == 4) == pytest.approx(area, rel=0.01)

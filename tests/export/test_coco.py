from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from napari_sclip.errors import ImageError
from napari_sclip.export import find_export_format, write_item
from napari_sclip.export.coco import decode_runs, encode_runs
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

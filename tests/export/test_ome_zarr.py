from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from ome_zarr.format import FormatV04, FormatV05
from ome_zarr.io import parse_url
from ome_zarr.writer import write_image, write_labels

from napari_sclip.export import ExportItem, find_export_format, write_item
from napari_sclip.export.read_mask import read_mask
from tests.export.masks import item_of

FORMATS = {"0.4": "ome-zarr", "0.5": "ome-zarr-0.5"}


@pytest.mark.parametrize("version", FORMATS)
def test_what_the_library_of_the_format_wrote_is_read(tmp_path: Path, version: str) -> None:
    own: Any = {"0.4": FormatV04, "0.5": FormatV05}[version]()
    location = parse_url(tmp_path / "a.ome.zarr", mode="w", fmt=own)
    assert location is not None
    group: Any = zarr.open_group(location.store, mode="a")
    labels = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    write_image(labels * 2, group, axes="yx", fmt=own)
    properties = [{"label-value": 3, "class": "leaf"}]
    label_metadata = {"properties": properties, "colors": [{"label-value": 3, "rgba": [1, 2, 3]}]}
    write_labels(labels, group, "cells", axes="yx", fmt=own, label_metadata=label_metadata)
    mask = read_mask(tmp_path / "a.ome.zarr")
    np.testing.assert_array_equal(mask.labels, labels)
    assert mask.axes == "yx"
    leaf = dict(mask.classes)[3]
    assert (leaf.name, leaf.color) == ("leaf", "#010203")


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u4", "i8"])
def test_stacks_have_their_size_and_smaller_copies(
    tmp_path: Path, version: str, dtype: str
) -> None:
    stack = np.zeros((2, 1100, 1030), dtype=dtype)
    stack[0, :600, :5], stack[1, 1099, 1029] = 3, 9
    item = item_of(stack, pixel_size=(2.0, 0.5, 0.25), units=("micrometer",) * 3)
    (path,) = write_item(find_export_format(FORMATS[version]), tmp_path / "a.ome.zarr", item)
    group: Any = zarr.open_group(str(path), mode="r")
    assert group.metadata.zarr_format == {"0.4": 2, "0.5": 3}[version]
    assert group["1"].shape == (2, 550, 515)
    if version == "0.4":
        described = dict(group.attrs)
        assert described["multiscales"][0]["version"] == "0.4"
        # One plane a chunk; what is all 0 is not there.
        chunks = sorted(
            str(p.relative_to(path / "0")) for p in (path / "0").rglob("[0-9]*/[0-9]*/*")
        )
        assert chunks == ["0/0/0", "1/1/1"]
    else:
        described = dict(group.attrs)["ome"]
        assert described["version"] == "0.5"
        assert group["0"].metadata.dimension_names == ("z", "y", "x")
    mask = read_mask(path)
    np.testing.assert_array_equal(mask.labels, stack)
    assert (mask.axes, mask.pixel_size) == ("zyx", (2.0, 0.5, 0.25))


def test_a_name_that_is_no_unicode_is_written(tmp_path: Path) -> None:
    item = ExportItem(None, np.ones((3, 4), np.uint8), (), image_file="a\udcff.png")
    (path,) = write_item(find_export_format("ome-zarr"), tmp_path / "a.ome.zarr", item)
    assert dict(read_mask(path).classes)[1].name == "label 1"

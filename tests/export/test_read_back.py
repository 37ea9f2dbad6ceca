"""Labels, written and read again with the libraries of each format, are the same."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO
from shapely import contains_xy
from shapely.geometry import shape as shapely_shape
from skimage.draw import polygon2mask

from napari_sclip.export import ExportItem, find_export_format, write_item
from napari_sclip.export.voc import voc_palette
from tests.export.masks import HARD, NAMES, item_of, small_labels

Masks = dict[str, NDArray[np.bool_]]
Read = Callable[[Path, tuple[int, ...]], Masks]


def read_coco(path: Path, shape: tuple[int, ...]) -> Masks:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(path))
    masks = {row["name"]: np.zeros(shape, dtype=bool) for row in coco.loadCats(coco.getCatIds())}
    for annotation in coco.loadAnns(coco.getAnnIds()):
        mask = coco.annToMask(annotation).astype(bool)
        assert annotation["area"] == mask.sum()
        rows, columns = np.nonzero(mask)
        left, top = columns.min(), rows.min()
        assert annotation["bbox"] == [
            left, top, columns.max() - left + 1, rows.max() - top + 1
        ]  # fmt: skip
        name = coco.loadCats(annotation["category_id"])[0]["name"]
        assert not (masks[name] & mask).any()
        masks[name] |= mask
    return masks


def read_voc(path: Path, shape: tuple[int, ...]) -> Masks:
    lines = path.with_name("labelmap.txt").read_text(encoding="utf-8").splitlines()[1:]
    with Image.open(path) as picture:
        assert picture.mode == "P"
        shown = np.asarray(picture.convert("RGB"))
    masks = {}
    for line in lines:
        name, color, _, _ = line.split(":")
        masks[name] = (shown == [int(part) for part in color.split(",")]).all(axis=2)
    del masks["background"]
    return {name.replace("-", ":"): mask for name, mask in masks.items()}


def read_yolo(path: Path, shape: tuple[int, ...]) -> Masks:
    import yaml

    names = yaml.safe_load(path.with_name("data.yaml").read_text(encoding="utf-8"))["names"]
    assert list(names) == list(range(len(names)))
    masks = {name: np.zeros(shape, dtype=bool) for name in names.values()}
    for line in path.read_text(encoding="ascii").splitlines():
        number, *shares = line.split()
        corners = np.array(shares, dtype=float).reshape(-1, 2) * [shape[1], shape[0]]
        mask = polygon2mask((shape[0], shape[1]), corners[:, ::-1] - 0.5)
        masks[names[int(number)]] |= mask
    return masks


def read_geojson(path: Path, shape: tuple[int, ...]) -> Masks:
    values = json.loads(path.read_text(encoding="utf-8"))
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    masks: Masks = {}
    for feature in values["features"]:
        assert feature["properties"]["objectType"] == "annotation"
        polygon = shapely_shape(feature["geometry"])
        assert polygon.is_valid
        name = feature["properties"]["classification"]["name"]
        masks.setdefault(name, np.zeros(shape, dtype=bool))
        masks[name] |= contains_xy(polygon, x, y)
    return masks


def read_png(path: Path, shape: tuple[int, ...]) -> Masks:
    with Image.open(path) as picture:
        labels = np.asarray(picture)
    return {name: labels == k for k, name in NAMES.items()}


def read_tiff(path: Path, shape: tuple[int, ...]) -> Masks:
    with tifffile.TiffFile(path) as file:
        assert file.is_ome
        labels = file.asarray()
    return {name: labels == k for k, name in NAMES.items()}


def read_ome_zarr(path: Path, shape: tuple[int, ...]) -> Masks:
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    location = parse_url(path)
    assert location is not None
    found = {node.zarr.basename(): node for node in Reader(location)()}
    node = found["classes"]
    labels = np.asarray(node.data[0])
    properties = node.metadata["properties"]
    return {p["class"]: labels == k for k, p in properties.items() if k != 0}


READERS: dict[str, Read] = {
    "labels": read_png,
    "tiff": read_tiff,
    "ome-zarr": read_ome_zarr,
    "ome-zarr-0.5": read_ome_zarr,
    "coco": read_coco,
    "voc": read_voc,
    "yolo": read_yolo,
    "geojson": read_geojson,
}


@contextlib.contextmanager
def written(name: str, item: ExportItem) -> Iterator[Path]:
    known = find_export_format(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"photo{known.ending(item.classes)}"
        assert write_item(known, path, item)[0] == path
        yield path


def check(name: str, labels: NDArray[Any]) -> None:
    with written(name, item_of(labels)) as path:
        masks = READERS[name](path, labels.shape)
    for k, class_name in NAMES.items():
        found = masks.get(class_name, np.zeros(labels.shape, dtype=bool))
        np.testing.assert_array_equal(found, labels == k)
    assert set(masks) <= set(NAMES.values())


@pytest.mark.parametrize("name", READERS)
@given(labels=small_labels())
def test_small_labels_read_back_equal(name: str, labels: NDArray[Any]) -> None:
    check(name, labels)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("labels", HARD)
def test_hard_cases_read_back_equal(name: str, labels: NDArray[Any]) -> None:
    check(name, labels)


def test_the_palette_is_that_of_voc() -> None:
    palette = voc_palette()
    assert palette[:4] == [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]
    assert palette[255] == (224, 224, 192)
    assert len(set(palette)) == 256

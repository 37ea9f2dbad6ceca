"""Small regions and holes of labels."""

from __future__ import annotations

import numpy as np
import pytest

from napari_sclip.core.refine.regions import clean_labels
from napari_sclip.progress import Progress


def picture(*rows: str) -> np.ndarray:
    return np.array([[int(c) for c in row.replace(".", "0")] for row in rows], dtype=np.uint8)


def test_nothing_is_asked_for() -> None:
    labels = picture("12", ".1")
    assert clean_labels(labels) is labels
    assert clean_labels(labels, min_region_pixels=1) is labels


def test_a_small_region_is_given_to_what_surrounds_it() -> None:
    labels = picture(
        "11111.......",
        "12111....3..",
        "11111.......",
        "22222.......",
    )
    expected = picture(
        "11111.......",
        "11111.......",
        "11111.......",
        "22222.......",
    )
    np.testing.assert_array_equal(clean_labels(labels, 2), expected)


def test_the_longest_border_decides() -> None:
    labels = picture("1112", "1332", "1112")
    np.testing.assert_array_equal(clean_labels(labels, 3), picture("1112", "1112", "1112"))


def test_a_region_that_is_just_large_enough_stays() -> None:
    labels = picture("1111", "1221", "1111")
    np.testing.assert_array_equal(clean_labels(labels, 2), labels)
    assert (clean_labels(labels, 3) == 1).all()


def test_pixels_that_touch_at_a_corner_are_one_region() -> None:
    labels = picture("2...", ".2..", "..2.", "....")
    np.testing.assert_array_equal(clean_labels(labels, 3), labels)


def test_small_regions_among_small_ones_go_from_the_outside() -> None:
    labels = picture("1111111", "1222221", "1233321", "1222221", "1111111")
    labels[2, 3] = 4
    assert (clean_labels(labels, 13) == 1).all()


def test_where_all_regions_are_small_they_stay() -> None:
    labels = picture("12", "34")
    np.testing.assert_array_equal(clean_labels(labels, 9), labels)


def test_holes_are_filled_by_what_surrounds_them() -> None:
    labels = picture(
        "11111.2222",
        "1.1.1.2..2",
        "11111.2222",
    )
    expected = picture(
        "11111.2222",
        "11111.2..2",
        "11111.2222",
    )
    np.testing.assert_array_equal(clean_labels(labels, max_hole_pixels=1), expected)
    expected[1, 7:9] = 2
    np.testing.assert_array_equal(clean_labels(labels, max_hole_pixels=2), expected)


def test_what_several_classes_surround_or_the_border_is_no_hole() -> None:
    labels = picture("111222", "11..22", "111222", ".11112")
    np.testing.assert_array_equal(clean_labels(labels, max_hole_pixels=9), labels)


def test_a_hole_does_not_leak_through_a_corner() -> None:
    labels = picture("1111", "1.11", "11.1", "1111")
    assert (clean_labels(labels, max_hole_pixels=1) == 1).all()


def test_another_class_inside_is_no_hole() -> None:
    labels = picture("111", "121", "111")
    np.testing.assert_array_equal(clean_labels(labels, max_hole_pixels=9), labels)


def test_a_speck_in_a_hole_goes_first() -> None:
    labels = picture("11111", "1...1", "1.2.1", "1...1", "11111")
    assert (clean_labels(labels, 2, 9) == 1).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 6), (5, 1)])
@pytest.mark.parametrize("value", [0, 1])
def test_tiny_labels(shape: tuple[int, int], value: int) -> None:
    labels = np.full(shape, value, dtype=np.uint8)
    np.testing.assert_array_equal(clean_labels(labels, 100, 100), labels)


def test_large_ids_stay() -> None:
    labels = np.full((9, 9), 65535, dtype=np.uint16)
    labels[4, 4], labels[0, 0] = 0, 1234
    cleaned = clean_labels(labels, 2, 1)
    assert cleaned.dtype == np.uint16
    assert (cleaned == 65535).all()
    assert labels[4, 4] == 0, "what was given is not changed"


def test_after_it_no_region_is_small_unless_it_stands_alone() -> None:
    from skimage.measure import label

    labels = np.random.default_rng(5).integers(0, 4, (80, 90)).astype(np.uint8)
    cleaned = clean_labels(labels, 12)
    regions = label(cleaned, background=0, connectivity=2)
    assert np.bincount(regions.ravel())[1:].min() >= 12
    assert regions.max() > 3


def test_it_stops_when_told() -> None:
    def stop(_: Progress) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        clean_labels(picture("12", "21"), 3, progress=stop)
    with pytest.raises(InterruptedError):
        clean_labels(picture("12", "21"), max_hole_pixels=3, progress=stop)

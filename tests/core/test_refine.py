"""Refinements give the numbers of their papers, and the same whatever the pieces."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import dask.array as da
import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate, normalize

from napari_sclip import config
from napari_sclip.core.axis_map import bilinear
from napari_sclip.core.image import ImagePlane, read_image
from napari_sclip.core.refine import REFINEMENTS, Refiner, pieces
from napari_sclip.core.refine.guided_filter import prepare_guided_filter
from napari_sclip.core.refine.pamr import prepare_pamr
from napari_sclip.core.scores import Decision, predict_labels, predict_margin, predict_scores
from napari_sclip.core.similarity import DenseMap, Rectangle
from napari_sclip.progress import Progress
from tests.agreement import clear_pixels
from tests.golden import golden

NAMES = sorted(REFINEMENTS)


def nothing() -> None:
    """Tell nobody."""


def guide_of_the_authors() -> torch.Tensor:
    """Make the picture that guided the golden values: resized for the model, and back."""
    pixels = torch.from_numpy(golden()["resized_normalized"])
    return interpolate(pixels[None], size=(150, 200), mode="bilinear")[0]


def test_the_configuration_knows_the_refinements() -> None:
    assert tuple(REFINEMENTS) == config.REFINEMENTS
    assert all(REFINEMENTS[name].name == name for name in REFINEMENTS)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.25, 0.5)])
def test_pamr_is_that_of_the_authors(scale: float, shift: float) -> None:
    similarity = torch.from_numpy(golden()["slide/logits"])
    guide = guide_of_the_authors() * scale + shift
    refined = prepare_pamr(guide)(similarity, slice(0, 150), nothing)
    np.testing.assert_allclose(refined, golden()["slide/pamr_logits"], atol=1e-5, rtol=0)


def test_pamr_of_some_rows_is_that_of_all() -> None:
    similarity = torch.from_numpy(golden()["slide/logits"])
    apply = prepare_pamr(guide_of_the_authors(), dilations=(2, 4), steps=3)
    whole = apply(similarity, slice(0, 150), nothing)
    for keep in (slice(0, 1), slice(5, 40), slice(60, 61), slice(141, 150)):
        torch.testing.assert_close(apply(similarity, keep, nothing), whole[:, keep])


def test_a_guided_filter_is_a_ridge_regression_in_every_square() -> None:
    """Straight from the definition: fit in the square round each pixel, then average the fits."""
    height, width, radius, epsilon = 7, 9, 2, 0.01
    random = np.random.default_rng(3)
    guide, values = random.random((height, width, 3)), random.random((height, width))
    fits = np.empty((height, width, 4))

    def square(y: int, x: int) -> tuple[slice, slice]:
        return (
            slice(max(0, y - radius), y + radius + 1),
            slice(max(0, x - radius), x + radius + 1),
        )

    for y, x in np.ndindex(height, width):
        colours, here = guide[square(y, x)].reshape(-1, 3), values[square(y, x)].ravel()
        centred = colours - colours.mean(0)
        covariance = centred.T @ centred / len(here) + epsilon * np.eye(3)
        slope = np.linalg.solve(covariance, centred.T @ (here - here.mean()) / len(here))
        fits[y, x] = *slope, here.mean() - slope @ colours.mean(0)
    expected = np.empty((height, width))
    for y, x in np.ndindex(height, width):
        fit = fits[square(y, x)].reshape(-1, 4).mean(0)
        expected[y, x] = fit[:3] @ guide[y, x] + fit[3]
    picture = torch.from_numpy(guide).permute(2, 0, 1).float()
    apply = prepare_guided_filter(picture, radius=radius, epsilon=epsilon)
    similarity = torch.from_numpy(values)[None].float()
    found = apply(similarity, slice(0, height), nothing)[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    some = apply(similarity, slice(2, 5), nothing)[0]
    np.testing.assert_allclose(some, expected[2:5], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 2)])
def test_tiny_pictures(name: str, size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    guide = torch.rand(3, *size, generator=generator)
    similarity = torch.rand(2, *size, generator=generator)
    refined = REFINEMENTS[name].prepare(guide)(similarity, slice(0, size[0]), nothing)
    assert refined.shape == similarity.shape
    assert refined.min() >= similarity.min() - 0.2
    if size == (1, 1):
        torch.testing.assert_close(refined, similarity)


@pytest.mark.parametrize("name", NAMES)
def test_an_even_picture_and_even_similarities_stay_even(name: str) -> None:
    refined = REFINEMENTS[name].prepare(torch.full((3, 40, 50), 0.3))(
        torch.full((2, 40, 50), 0.7), slice(0, 40), nothing
    )
    torch.testing.assert_close(refined, torch.full((2, 40, 50), 0.7))


def a_square(noise: float = 0.02) -> tuple[np.ndarray, np.ndarray]:
    """Make a picture of a red square on green, and where the square is."""
    inside = np.zeros((120, 160), dtype=bool)
    inside[30:85, 40:110] = True
    image = np.where(inside[..., None], [0.8, 0.2, 0.2], [0.2, 0.6, 0.3])
    image += np.random.default_rng(0).normal(0, noise, image.shape)
    return np.clip(image, 0, 1).astype(np.float32), inside


def coarse(inside: np.ndarray) -> DenseMap:
    """What a model may see of it: a feature for every 16 pixels."""
    height, width = inside.shape
    blocks = inside[: height // 16 * 16, : width // 16 * 16].reshape(
        height // 16, 16, width // 16, 16
    )
    share = torch.from_numpy(blocks.mean(axis=(1, 3))).float()
    features = torch.stack([share, 1 - share], dim=-1)
    return DenseMap(features, bilinear(height // 16, height), bilinear(width // 16, width))


TEXT = torch.eye(2)
DECISION = Decision((1, 1), 1, 20.0, 0.0, 0.0)


def refiner(name: str, image: object, phases: int = 1) -> Refiner:
    return Refiner(REFINEMENTS[name], read_image(image), phases)


@pytest.mark.parametrize("phases", [1, 2])
@pytest.mark.parametrize("name", NAMES)
def test_edges_move_to_those_of_the_picture(name: str, phases: int) -> None:
    image, inside = a_square()
    plain, _ = predict_labels(coarse(inside), TEXT, DECISION)
    refined, _ = predict_labels(
        coarse(inside), TEXT, DECISION, refiner=refiner(name, image, phases)
    )
    wrong, left = ((labels != inside).sum() for labels in (plain, refined))
    assert wrong > 300
    assert left < wrong / 4


def gathered(made: Refiner, dense: DenseMap, text: torch.Tensor) -> np.ndarray:
    out = np.full((len(text), *dense.shape), np.nan, dtype=np.float32)
    for piece in made.rectangles(dense, text):
        assert isinstance(piece, Rectangle)
        assert np.isnan(out[(slice(None), *piece.place)]).all(), "a pixel comes twice"
        out[(slice(None), *piece.place)] = piece.similarity
    assert not np.isnan(out).any(), "every pixel comes"
    return out


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_bands_and_chunks_change_nothing(
    name: str, phases: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 256, (611, 70, 3), dtype=np.uint8)
    features = normalize(torch.from_numpy(random.normal(size=(12, 5, 6))).float(), dim=-1)
    dense = DenseMap(features, bilinear(12, 611), bilinear(5, 70))
    text = normalize(torch.from_numpy(random.normal(size=(4, 6))).float(), dim=-1)
    made = refiner(name, image, phases)
    whole = gathered(made, dense, text)
    monkeypatch.setattr(pieces, "PIECE_VALUES", 1)
    monkeypatch.setattr(pieces, "LEAST_ROWS", 33)
    monkeypatch.setattr(pieces, "CHUNK_VALUES", 1)
    assert len(made._bands(611 // phases, 70, 4)) > 5
    np.testing.assert_allclose(gathered(made, dense, text), whole, atol=1e-5)


def test_phases_are_pictures_of_their_own() -> None:
    image, inside = a_square()
    dense = coarse(inside)
    found = gathered(refiner("pamr", image, 2), dense, TEXT)
    plain = gathered(
        Refiner(dataclasses.replace(REFINEMENTS["pamr"], prepare=unfiltered), PLANE), dense, TEXT
    )
    for y, x in np.ndindex(2, 2):
        guide = torch.from_numpy(image[y::2, x::2].copy()).permute(2, 0, 1)
        part = torch.from_numpy(plain[:, y::2, x::2].copy())
        expected = prepare_pamr(guide)(part, slice(0, part.shape[1]), nothing)
        np.testing.assert_allclose(found[:, y::2, x::2], expected, atol=1e-5)


PLANE = ImagePlane(array=np.zeros((120, 160), dtype=np.uint8), low=0, high=255, fill=None)


def unfiltered(guide: torch.Tensor) -> Callable[..., torch.Tensor]:
    return lambda similarity, keep, tell: similarity[:, keep]


@pytest.mark.parametrize("name", NAMES)
def test_gray_dask_and_numpy_pictures_are_the_same(name: str) -> None:
    image, inside = a_square()
    gray = (image.mean(-1) * 65535).astype(np.uint16)
    forms = [
        gray,
        np.stack([gray] * 3, axis=-1),
        da.from_array(gray, chunks=(50, 64)),
        (gray / 65535).astype(np.float64),
    ]
    first, *others = (gathered(refiner(name, form), coarse(inside), TEXT) for form in forms)
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_labels_scores_and_margin_agree(name: str) -> None:
    image, inside = a_square(noise=0.1)
    made = refiner(name, image)
    decision = dataclasses.replace(DECISION, threshold=0.7)
    labels, _ = predict_labels(coarse(inside), TEXT, decision, refiner=made)
    scores = predict_scores(coarse(inside), TEXT, decision, refiner=made)
    margin = predict_margin(coarse(inside), TEXT, decision, refiner=made)
    expected = np.array([1, 0])[scores.argmax(0)] * (scores.max(0) >= 0.7)
    clear = clear_pixels(scores, threshold=0.7)
    np.testing.assert_array_equal(labels[clear], expected[clear])
    ordered = np.sort(scores, axis=0)
    np.testing.assert_allclose(margin, ordered[-1] - ordered[-2], atol=1e-6)
    assert len(np.unique(labels)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_one_class_and_many_classes(name: str) -> None:
    image, inside = a_square()
    dense = coarse(inside)
    one, _ = predict_labels(
        dense, TEXT[:1], Decision((1,), None, 20.0, 0.0, 0.0), refiner=refiner(name, image)
    )
    assert (one == 1).all()
    many = torch.cat([torch.full((298, 2), -1.0), TEXT])
    decision = Decision((1,) * 300, None, 20.0, 0.0, 0.0)
    labels, _ = predict_labels(dense, many, decision, refiner=refiner(name, image))
    assert labels.dtype == np.uint16
    assert set(np.unique(labels)) == {299, 300}


@pytest.mark.parametrize("phases", [1, 2])
def test_small_classes_are_dropped_by_their_refined_area(phases: int) -> None:
    image, inside = a_square()
    text = torch.eye(2)[[0, 1, 1]] + torch.tensor([[0.0, 0], [0, 0], [0.5, 0]])
    decision = Decision((1, 1, 1), None, 20.0, 0.0, 0.2)
    made = refiner("pamr", image, phases)
    labels, dropped = predict_labels(coarse(inside), text, decision, refiner=made)
    free = dataclasses.replace(decision, min_area_fraction=0.0)
    before, _ = predict_labels(coarse(inside), text, free, refiner=made)
    areas = np.bincount(before.ravel(), minlength=4)[1:]
    assert dropped == tuple(k for k in range(3) if areas[k] <= 0.2 * inside.size)
    assert dropped
    scores = predict_scores(coarse(inside), text, decision, dropped, refiner=made)
    clear = clear_pixels(scores)
    np.testing.assert_array_equal(labels[clear], scores.argmax(0)[clear] + 1)


@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("name", NAMES)
def test_it_tells_how_far_it_is_and_stops_when_told(name: str, phases: int) -> None:
    image, inside = a_square()
    reports: list[Progress] = []
    for _ in refiner(name, image, phases).rectangles(coarse(inside), TEXT, progress=reports.append):
        pass
    assert len(reports) >= 5 * phases**2
    assert [r.done for r in reports] == list(range(1, reports[-1].total + 1))
    assert reports[0].message == "Refining the edges"

    class EnoughError(Exception):
        """Raised by the person."""

    seen = 0

    def stop(_: Progress) -> None:
        nonlocal seen
        seen += 1
        raise EnoughError

    with pytest.raises(EnoughError):
        predict_labels(
            coarse(inside), TEXT, DECISION, progress=stop, refiner=refiner(name, image, phases)
        )
    assert seen == 1


@pytest.mark.parametrize("name", NAMES)
def test_memory_of_a_hundred_classes_is_bounded(name: str) -> None:
    """What a band works with, besides what is filtered at once, stays below the bound."""
    made = refiner(name, np.zeros((2, 2)))
    shape, prompts = (3000, 4000), 100
    bands = made._bands(*shape, prompts)
    kept = REFINEMENTS[name].values_per_pixel
    largest = max(
        (b.last - b.first) * shape[1] * kept + (b.bottom - b.top) * shape[1] * prompts
        for b in bands
    )
    assert largest <= pieces.PIECE_VALUES
    assert 4 * pieces.PIECE_VALUES < 1e9
    assert len(bands) < 20

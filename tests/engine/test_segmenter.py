"""The Python contract, on the bundled model."""

from __future__ import annotations

import dataclasses
from typing import Any

import dask.array as da
import numpy as np
import pytest
import torch

from napari_sclip import (
    ClassPrompt,
    Progress,
    Scene,
    SclipError,
    SclipWarning,
    SegmentationConfig,
    Segmenter,
    make_scene,
)
from napari_sclip.errors import ClassesError, ConfigError, DeviceError, ImageError, ModelError
from tests.agreement import clear_pixels

CLASSES = "red circle, green = green square | green blob, background = plain background"
QUICK = SegmentationConfig(short_side=None, templates="plain")


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(5, size=(150, 170))


def test_result_has_what_the_contract_names(demo: Segmenter, scene: Scene) -> None:
    result = demo.segment(scene.image, CLASSES, QUICK)
    assert result.labels.shape == (150, 170)
    assert result.labels.dtype == np.uint8
    assert set(np.unique(result.labels)) <= {0, 1, 2}
    assert [c.name for c in result.classes] == ["red circle", "green", "background"]
    assert result.label_ids == {"red circle": 1, "green": 2, "background": 0}
    scores = result.scores()
    assert scores.shape == (3, 150, 170)
    assert scores.dtype == np.float32
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert (scores.sum(0) <= 1 + 1e-5).all()
    margin = result.margin()
    assert margin.shape == (150, 170)
    ordered = np.sort(scores, axis=0)
    np.testing.assert_allclose(margin, ordered[-1] - ordered[-2], atol=1e-6)
    ids = np.array([1, 2, 0])
    clear = clear_pixels(scores)
    np.testing.assert_array_equal(result.labels[clear], ids[scores.argmax(0)][clear])


def test_the_background_may_stand_anywhere(demo: Segmenter, scene: Scene) -> None:
    embedding = demo.embed(scene.image, QUICK)
    last = demo.classify(embedding, "red circle, green square, background")
    first = demo.classify(embedding, "background, red circle, green square")
    clear = clear_pixels(first.scores())
    np.testing.assert_array_equal(last.labels[clear], first.labels[clear])
    assert first.label_ids == {"background": 0, "red circle": 1, "green square": 2}


def test_without_a_background_every_pixel_has_a_class(demo: Segmenter, scene: Scene) -> None:
    result = demo.segment(scene.image, ["red circle", "green square"], QUICK)
    assert set(np.unique(result.labels)) <= {1, 2}


def test_embedding_once_equals_segmenting_and_makes_no_vision_pass(
    demo: Segmenter, scene: Scene
) -> None:
    embedding = demo.embed(scene.image, QUICK)
    before = demo.vision.windows_computed
    again = demo.classify(embedding, CLASSES)
    other = demo.classify(embedding, "blue ring, background", SegmentationConfig(threshold=0.9))
    assert demo.vision.windows_computed == before
    np.testing.assert_array_equal(again.labels, demo.segment(scene.image, CLASSES, QUICK).labels)
    assert demo.vision.windows_computed == before + embedding.windows
    assert other.config.threshold == 0.9
    assert other.config.short_side is None, "what concerns the vision pass is the embedding's"


def test_window_and_stride_are_those_of_the_model_unless_given(demo: Segmenter) -> None:
    size = demo.input_size
    assert size != 224
    left_alone = demo.resolve(SegmentationConfig(threshold=0.1))
    assert (left_alone.window, left_alone.stride) == (size, size // 2)
    given = demo.resolve(SegmentationConfig(window=224, stride=112))
    assert (given.window, given.stride) == (224, 112)


def test_count_windows_is_what_is_computed(demo: Segmenter, scene: Scene) -> None:
    embedding = demo.embed(scene.image, QUICK)
    assert demo.count_windows((150, 170), QUICK) == embedding.windows > 1


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_the_dtype_does_not_change_the_labels(demo: Segmenter, scene: Scene, dtype: str) -> None:
    expected = demo.segment(scene.image, CLASSES, QUICK).labels
    image: Any = scene.image
    if dtype == "uint16":
        image = scene.image.astype(np.uint16) * 257
    elif dtype.startswith("float"):
        image = (scene.image / 255).astype(dtype)
    found = demo.segment(image, CLASSES, QUICK).labels
    assert (found == expected).mean() > 0.999


def test_dask_images_and_grey_and_alpha(demo: Segmenter, scene: Scene) -> None:
    expected = demo.segment(scene.image, CLASSES, QUICK).labels
    lazy = da.from_array(scene.image, chunks=(64, 64, 3))
    np.testing.assert_array_equal(demo.segment(lazy, CLASSES, QUICK).labels, expected)
    alpha = np.dstack([scene.image, np.zeros((150, 170), np.uint8)])
    np.testing.assert_array_equal(demo.segment(alpha, CLASSES, QUICK).labels, expected)
    assert demo.segment(scene.image[..., 0], CLASSES, QUICK).labels.shape == (150, 170)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_gives_nearly_the_same_labels(
    demo: Segmenter, scene: Scene, precision: str
) -> None:
    half = Segmenter.load("shapes-demo", device="cpu", precision=precision)
    embedding = half.embed(scene.image, QUICK)
    assert embedding.dense.features.dtype == torch.float32
    expected = demo.segment(scene.image, CLASSES, QUICK).labels
    assert (half.classify(embedding, CLASSES).labels == expected).mean() > 0.97


def test_images_smaller_than_the_window_are_taken_whole(demo: Segmenter, scene: Scene) -> None:
    result = demo.segment(scene.image[:50, :70], CLASSES, QUICK)
    assert result.labels.shape == (50, 70)
    assert demo.count_windows((50, 70), QUICK) == 1


def test_threshold_leaves_unsure_pixels_undecided(demo: Segmenter, scene: Scene) -> None:
    embedding = demo.embed(scene.image, QUICK)
    plain = demo.classify(embedding, "red circle, green square")
    best = plain.scores().max(0)
    threshold = float(np.median(best))
    config = dataclasses.replace(QUICK, threshold=threshold)
    result = demo.classify(embedding, "red circle, green square", config)
    clear = clear_pixels(best[None], threshold)
    np.testing.assert_array_equal((result.labels == 0)[clear], (best < threshold)[clear])


def test_small_classes_are_dropped_and_others_take_their_place(
    demo: Segmenter, scene: Scene
) -> None:
    embedding = demo.embed(scene.image, QUICK)
    names = [c.name for c in scene.classes if not c.background]
    plain = demo.classify(embedding, names)
    areas = np.bincount(plain.labels.ravel(), minlength=len(names) + 1)[1:]
    smallest = int(areas.argmin())
    share = (areas[smallest] + 0.5) / areas.sum()
    assert np.sort(areas)[1] > areas[smallest] + 1, "the scene must have one smallest class"
    config = dataclasses.replace(QUICK, min_area_fraction=float(share))
    result = demo.classify(embedding, names, config)
    assert result.dropped == (names[smallest],)
    assert (result.labels != smallest + 1).all()
    kept = plain.labels != smallest + 1
    np.testing.assert_array_equal(result.labels[kept], plain.labels[kept])
    assert (result.scores()[smallest] == 0).all()


def test_more_than_255_classes_have_ids_of_their_own(demo: Segmenter, scene: Scene) -> None:
    last = ClassPrompt("last", ("green square", "red ring", "blue blob"))
    embedding = demo.embed(scene.image, QUICK)
    two = demo.classify(embedding, [ClassPrompt("first", ("red circle",)), last])
    classes = [ClassPrompt(f"class {k}", ("red circle",)) for k in range(299)]
    result = demo.classify(embedding, [*classes, last])
    assert result.labels.dtype == np.uint16
    # Which of the equal classes comes first is decided by the last digits.
    clear = clear_pixels(two.scores())
    np.testing.assert_array_equal((result.labels == 300)[clear], (two.labels == 2)[clear])
    assert 0 < (result.labels == 300).sum() < result.labels.size
    assert result.labels.min() >= 1


def test_averaging_on_patches_is_smaller_and_close(demo: Segmenter, scene: Scene) -> None:
    exact = demo.embed(scene.image, QUICK)
    averaged = demo.embed(scene.image, dataclasses.replace(QUICK, average_on="patches"))
    assert averaged.nbytes < exact.nbytes / 1.5
    labels = [demo.classify(e, CLASSES).labels for e in (exact, averaged)]
    assert labels[1].shape == (150, 170)
    assert (labels[0] == labels[1]).mean() > 0.85


def test_averaging_on_patches_is_exact_where_windows_do_not_overlap(
    demo: Segmenter, scene: Scene
) -> None:
    image = scene.image[: demo.input_size, : demo.input_size]
    exact = demo.segment(image, CLASSES, QUICK)
    averaged = demo.segment(image, CLASSES, dataclasses.replace(QUICK, average_on="patches"))
    np.testing.assert_allclose(exact.scores(), averaged.scores(), atol=1e-5)


def test_progress_is_told_and_stops_the_work(demo: Segmenter, scene: Scene) -> None:
    seen: list[Progress] = []
    demo.segment(scene.image, CLASSES, QUICK, progress=seen.append)
    assert seen[0].done == 0
    assert all(0 <= p.done <= p.total for p in seen)
    assert seen[-1].done == seen[-1].total
    windows = [p for p in seen if "windows" in p.message]
    assert windows[-1].done == windows[-1].total == demo.count_windows((150, 170), QUICK)

    class Stopped(Exception):  # noqa: N818 - a signal of the caller's own
        pass

    def stop(progress: Progress) -> None:
        if progress.done > 0:
            raise Stopped

    before = demo.vision.windows_computed
    with pytest.raises(Stopped):
        demo.embed(scene.image, QUICK, progress=stop)
    computed = demo.vision.windows_computed - before
    assert 0 < computed < demo.count_windows((150, 170), QUICK)


def test_unknown_words_are_warned_of() -> None:
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    image = make_scene(1, size=(96, 96), objects=1).image
    with pytest.warns(SclipWarning, match="shapes-demo was never trained on the words of 'cat'"):
        segmenter.segment(image, "cat, red circle", QUICK)


def test_a_prompt_longer_than_the_tower_reads_is_cut_with_a_warning() -> None:
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    image = make_scene(1, size=(96, 96), objects=1).image
    prompt = ClassPrompt("long", ("red circle " * 60,))
    with pytest.warns(SclipWarning, match="reads 75 tokens at most"):
        result = segmenter.segment(image, [prompt, "background"], QUICK)
    assert result.labels.shape == (96, 96)


def test_an_embedding_of_another_mode_is_refused(demo: Segmenter, scene: Scene) -> None:
    other = Segmenter.load("shapes-demo", device="cpu", attention="vanilla")
    with pytest.raises(ConfigError, match="Embed the image again"):
        other.classify(demo.embed(scene.image, QUICK), CLASSES)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"model": "no-such-model"}, ModelError, "shapes-demo"),
        ({"device": "gpu"}, DeviceError, "auto, cpu, cuda, cuda:N, mps"),
        ({"device": "cuda:99"}, DeviceError, "not available"),
        ({"precision": "fp8"}, DeviceError, "auto, fp32, fp16, bf16"),
        ({"attention": "slip"}, ConfigError, "sclip, sclip-reduced, vanilla"),
    ],
)
def test_load_refuses_what_it_does_not_know(
    arguments: dict[str, str], error: type[SclipError], message: str
) -> None:
    with pytest.raises(error, match=message):
        Segmenter.load(**{"model": "shapes-demo", **arguments})  # type: ignore[arg-type]  # a mix


@pytest.mark.parametrize(
    ("image", "classes", "config", "error", "message"),
    [
        (np.zeros((1, 1)), "a, b", None, ImageError, "at least 2 x 2"),
        (np.zeros((50, 50)), "", None, ClassesError, "at least one class"),
        (np.zeros((50, 50)), "a", {"window": 100}, ConfigError, "multiple of the model's patch"),
        (np.zeros((50, 50)), "a", {"stride": 200}, ConfigError, "stride must lie in 1..window"),
        (np.zeros((5, 5)), "a", {"short_side": None}, ImageError, "smaller than one patch"),
        (np.zeros((2, 4000)), "a", None, ImageError, "would be enlarged"),
    ],
)
def test_segment_refuses_what_it_cannot_use(
    demo: Segmenter,
    image: np.ndarray,
    classes: str,
    config: dict[str, Any] | None,
    error: type[SclipError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        demo.segment(image, classes, SegmentationConfig(**(config or {})))


def test_a_configuration_of_another_kind_is_refused(demo: Segmenter) -> None:
    with pytest.raises(ConfigError, match="must be a SegmentationConfig; got dict"):
        demo.embed(np.zeros((50, 50)), {"window": 64})  # type: ignore[arg-type]  # the point
    embedding = demo.embed(np.zeros((96, 96)), QUICK)
    with pytest.raises(ConfigError, match="must be a SegmentationConfig; got dict"):
        demo.classify(embedding, CLASSES, {"window": 64})  # type: ignore[arg-type]  # the point


def test_what_is_no_embedding_is_refused(demo: Segmenter) -> None:
    with pytest.raises(ConfigError, match=r"Expected an Embedding.*got ndarray"):
        demo.classify(np.zeros((96, 96)), CLASSES)  # type: ignore[arg-type]  # the point


def test_unknown_words_are_told_once_and_in_one_warning(recwarn: pytest.WarningsRecorder) -> None:
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    embedding = segmenter.embed(np.zeros((96, 96)), QUICK)
    classes = [f"unicorn {'x' * k}" for k in range(1, 21)]
    segmenter.classify(embedding, classes)
    segmenter.classify(embedding, classes)
    (warning,) = (w for w in recwarn if issubclass(w.category, SclipWarning))
    assert "and 12 more" in str(warning.message)

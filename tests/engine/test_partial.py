"""What is shown of an image while its windows are still being computed."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from napari_sclip import SegmentationConfig, Segmenter, make_scene
from napari_sclip.engine.partial import PartialEmbedding
from napari_sclip.errors import ConfigError, ImageError

CLASSES = "red circle, green = green square | green blob, background = plain background"
SHAPE = (200, 230)
SCENE = make_scene(5, size=SHAPE)
PIXELS = SegmentationConfig(short_side=None, templates="plain")
PATCHES = dataclasses.replace(PIXELS, average_on="patches")
BOTH = pytest.mark.parametrize("config", [PIXELS, PATCHES], ids=["pixels", "patches"])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two windows at once, so that there is something to see on small images."""
    monkeypatch.setattr("napari_sclip.engine.vision_encoder.CPU_TOKENS", 300)


def seen_mask(partial: PartialEmbedding) -> np.ndarray:
    mask = np.zeros(partial.embedding.shape, dtype=int)
    for place in partial.seen:
        mask[place] += 1
    assert mask.max() <= 1, "the rectangles overlap"
    return mask.astype(bool)


def windows_so_far(partial: PartialEmbedding) -> list[tuple[slice, slice]]:
    rows, columns = partial.layout.rows, partial.layout.columns
    places = [
        (slice(y, y + rows.window), slice(x, x + columns.window))
        for y in rows.starts
        for x in columns.starts
    ]
    return places[: partial.done]


@BOTH
@pytest.mark.parametrize("short_side", [None, 150, 310])
def test_what_has_been_seen_grows_to_the_whole_image(
    demo: Segmenter, config: SegmentationConfig, short_side: int | None
) -> None:
    config = dataclasses.replace(config, short_side=short_side)
    dones, masks = [], []

    def look(partial: PartialEmbedding) -> None:
        assert len(partial.seen) <= 2
        assert partial.embedding.windows == partial.done
        assert partial.total == demo.count_windows(SHAPE, config)
        dones.append(partial.done)
        masks.append(seen_mask(partial))
        resized = np.zeros((partial.layout.rows.length, partial.layout.columns.length))
        for place in windows_so_far(partial):
            resized[place] = 1
        stretched = F.interpolate(
            torch.from_numpy(resized)[None, None], size=SHAPE, mode="bilinear"
        )[0, 0].numpy()
        np.testing.assert_array_equal(masks[-1], stretched >= 1 - 1e-6)

    embedding = demo.embed(SCENE.image, config, partial=look)
    assert dones == sorted(set(dones))
    assert dones[-1] == embedding.windows
    assert len(dones) > 2
    assert not masks[0].all()
    assert masks[-1].all()
    assert all((later | ~earlier).all() for earlier, later in itertools.pairwise(masks))


def test_labels_of_a_part_are_those_of_the_windows_that_are_done(demo: Segmenter) -> None:
    text = demo.text.embed(["red circle", "green square", "green blob", "plain background"], ["{}"])
    ids = np.array([1, 2, 2, 0])
    compared = []

    def look(partial: PartialEmbedding) -> None:
        total, count = torch.zeros(4, *SHAPE), torch.zeros(SHAPE)
        down, across = partial.layout.rows.patches, partial.layout.columns.patches
        columns = len(partial.layout.columns.starts)
        for number, place in enumerate(windows_so_far(partial)):
            y, x = divmod(number, columns)
            window = partial.embedding.dense.features[
                y * down : (y + 1) * down, x * across : (x + 1) * across
            ]
            similarity = (window @ text.T).permute(2, 0, 1)[None]
            size = partial.layout.rows.window, partial.layout.columns.window
            total[:, *place] += F.interpolate(similarity, size=size, mode="bilinear")[0]
            count[place] += 1
        similarity = total / count.clamp_min(1)
        expected = ids[similarity.argmax(0).numpy()]
        score = similarity.mul(40).softmax(0).amax(0).numpy()
        unsure = dataclasses.replace(PIXELS, threshold=float(np.median(score)))
        mask = seen_mask(partial)
        np.testing.assert_array_equal(mask, count.numpy() > 0)
        labels = demo.classify_partial(partial, CLASSES)
        assert (labels[~mask] == 0).all()
        compared.append((labels == expected)[mask].mean())
        assert compared[-1] > 0.9999, "the last digits may decide a pixel"
        expected[score < unsure.threshold] = 0
        sure = demo.classify_partial(partial, CLASSES, unsure)
        clear = np.abs(score - unsure.threshold) > 1e-5
        assert (sure == expected)[mask & clear].mean() > 0.9999

    demo.embed(SCENE.image, PIXELS, partial=look)
    assert len(compared) > 2


@BOTH
@pytest.mark.parametrize("threshold", [0.0, 0.5])
def test_the_last_part_has_the_labels_of_the_whole(
    demo: Segmenter, config: SegmentationConfig, threshold: float
) -> None:
    config = dataclasses.replace(config, short_side=210, threshold=threshold)
    parts: list[np.ndarray] = []
    embedding = demo.embed(
        SCENE.image,
        config,
        partial=lambda partial: parts.append(demo.classify_partial(partial, CLASSES)),
    )
    expected = demo.classify(embedding, CLASSES).labels
    assert parts[-1].dtype == expected.dtype
    np.testing.assert_array_equal(parts[-1], expected)
    assert len(np.unique(expected)) > 1


@BOTH
def test_where_all_windows_are_done_a_part_has_the_final_labels(
    demo: Segmenter, config: SegmentationConfig
) -> None:
    parts: list[tuple[np.ndarray, int]] = []

    def look(partial: PartialEmbedding) -> None:
        complete = partial.done // len(partial.layout.columns.starts)
        starts = partial.layout.rows.starts
        # Above the next row of windows nothing changes any more; a patch is left for its edge.
        final = starts[complete] - partial.patch if complete < len(starts) else SHAPE[0]
        parts.append((demo.classify_partial(partial, CLASSES), max(0, final)))

    embedding = demo.embed(SCENE.image, config, partial=look)
    expected = demo.classify(embedding, CLASSES).labels
    assert any(0 < final < SHAPE[0] for _, final in parts)
    for labels, final in parts:
        agree = labels[:final] == expected[:final]
        assert agree.size == 0 or agree.mean() > 0.9999


@BOTH
def test_watching_does_not_change_the_embedding(
    demo: Segmenter, config: SegmentationConfig
) -> None:
    expected = demo.embed(SCENE.image, config).dense.features
    shared: list[torch.Tensor] = []
    found = demo.embed(
        SCENE.image, config, partial=lambda p: shared.append(p.embedding.dense.features)
    )
    assert torch.equal(found.dense.features, expected)
    assert {tensor.data_ptr() for tensor in shared} == {found.dense.features.data_ptr()}


def test_windows_that_are_missing_are_zeros(demo: Segmenter) -> None:
    zeros: list[float] = []

    def look(partial: PartialEmbedding) -> None:
        features = partial.embedding.dense.features
        zeros.append(float((features == 0).all(-1).double().mean()))
        assert zeros[-1] == pytest.approx(1 - partial.done / partial.total)

    demo.embed(SCENE.image, PIXELS, partial=look)
    assert zeros[-1] == 0


def test_small_classes_are_not_dropped_in_a_part(demo: Segmenter) -> None:
    all_dropped = dataclasses.replace(PIXELS, min_area_fraction=1.0)
    parts: list[np.ndarray] = []
    embedding = demo.embed(
        SCENE.image,
        PIXELS,
        partial=lambda p: parts.append(demo.classify_partial(p, CLASSES, all_dropped)),
    )
    assert parts[-1].any()
    np.testing.assert_array_equal(parts[-1], demo.classify(embedding, CLASSES).labels)


def test_many_classes_have_the_dtype_of_the_result(demo: Segmenter) -> None:
    names = [f"class {k} = red circle" for k in range(300)]
    kinds: set[np.dtype] = set()
    demo.embed(
        SCENE.image, PIXELS, partial=lambda p: kinds.add(demo.classify_partial(p, names).dtype)
    )
    assert kinds == {np.dtype(np.uint16)}


def test_classes_can_be_read_ahead() -> None:
    segmenter = Segmenter.load("shapes-demo", device="cpu")
    segmenter.embed_classes(CLASSES, PIXELS)
    read = segmenter.text.prompts_computed
    assert read == 4
    segmenter.embed(SCENE.image, PIXELS, partial=lambda p: segmenter.classify_partial(p, CLASSES))
    assert segmenter.text.prompts_computed == read


def test_what_the_callable_raises_stops_the_run(demo: Segmenter) -> None:
    class Stopped(Exception):  # noqa: N818 - a signal of the caller's own
        pass

    def stop(partial: PartialEmbedding) -> None:
        raise Stopped

    before = demo.vision.windows_computed
    with pytest.raises(Stopped):
        demo.embed(SCENE.image, PIXELS, partial=stop)
    assert demo.vision.windows_computed - before == 2, "one batch"


def test_an_image_that_is_refused_has_no_parts(demo: Segmenter) -> None:
    parts: list[PartialEmbedding] = []
    with pytest.raises(ImageError):
        demo.embed(np.full((40, 40), 7.0), PIXELS, partial=parts.append)
    assert not parts


def test_a_part_of_another_mode_is_refused(demo: Segmenter) -> None:
    other = Segmenter.load("shapes-demo", device="cpu", attention="vanilla")
    with pytest.raises(ConfigError, match="Embed the image again"):
        demo.embed(
            SCENE.image, PIXELS, partial=lambda p: other.classify_partial(p, CLASSES) and None
        )

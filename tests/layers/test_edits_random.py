"""Random sequences of edits, undos, runs and changes of classes: no hand-drawn pixel is lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from napari.components import ViewerModel
from napari.layers import Labels

from napari_sclip import SegmentationConfig
from napari_sclip.engine.result import Segmentation
from napari_sclip.layers.image.options import ReadOptions
from napari_sclip.layers.image.read import read_request
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.labels.annotations import hand_edits
from napari_sclip.layers.labels.layer import add_classes, label_lut, new_labels_layer, rename_class
from napari_sclip.layers.labels.partial import Draft
from napari_sclip.layers.labels.schema import read_legend
from napari_sclip.layers.labels.targets import find_target
from napari_sclip.layers.labels.write import update_labels
from napari_sclip.prompts import ClassPrompt

PLANES, HEIGHT, WIDTH = 2, 12, 14
NAMES = ("leaf", "soil", "root", "stone", "moss")

rows = st.integers(0, HEIGHT - 1)
columns = st.integers(0, WIDTH - 1)
seeds = st.integers(0, 2**16)


@dataclass(frozen=True, eq=False)
class Truth:
    """What must be in the layer, without the draft that may be drawn over it."""

    data: np.ndarray
    predicted: np.ndarray
    painted: np.ndarray
    over: np.ndarray | bool = False  # what the stroke went over that led here
    ran: tuple[np.ndarray, np.ndarray] | None = (
        None  # labels before and after the run that led here
    )

    @property
    def by_hand(self) -> np.ndarray:
        by_hand: np.ndarray = (self.data != self.predicted) | self.painted
        return by_hand


class Correcting(RuleBasedStateMachine):
    """A person at a Labels layer, and a plain account of what must be there."""

    @initialize()
    def open(self) -> None:
        self.viewer = ViewerModel()
        shape = (PLANES, HEIGHT, WIDTH)
        self.image = self.viewer.add_image(np.zeros(shape, np.uint8))
        self.shapes = self.viewer.add_shapes(ndim=3)
        self.names = list(NAMES[:2])
        request = read_request(self.viewer, self.image)
        self.layer = new_labels_layer(request, self.classes())
        self.viewer.add_layer(self.layer)
        self.layer.brush_size = 3
        self.layer.n_edit_dimensions = 2
        nothing = np.zeros(shape, np.uint8)
        self.now = Truth(nothing, nothing, np.zeros(shape, bool))
        self.before: list[Truth] = []
        self.after: list[Truth] = []
        self.scripted = False
        self.draft: Draft | None = None
        self.drafted: tuple[ImageRequest, np.ndarray] = (request, np.zeros(shape, bool))

    def classes(self) -> tuple[ClassPrompt, ...]:
        return tuple(ClassPrompt(name) for name in self.names)

    # A hand

    def stroke(self, *strokes: Callable[[Labels], None]) -> None:
        """Paint, and take down what that must have changed.

        During a run that is all that the strokes went over, else what napari says: what had
        another label.
        """
        shown = self.layer.data.copy()
        over = np.zeros(shown.shape, bool)
        for act in strokes:
            elsewhere = Labels(np.full_like(shown, 9))
            elsewhere.brush_size = self.layer.brush_size
            elsewhere.n_edit_dimensions = 2
            act(elsewhere)
            over |= elsewhere.data != 9
        free = np.zeros(shown.shape, bool)
        if self.draft is not None:
            self.draft._target.view(free)[...] = self.draft._free
        with self.layer.block_history():
            for act in strokes:
                act(self.layer)
        self.note(shown, over & free)

    def note(self, shown_before: np.ndarray, met: np.ndarray | bool = False) -> None:
        """Take down what a tool has changed."""
        changed = (self.layer.data != shown_before) | met
        if not changed.any():
            return
        data = np.where(changed, self.layer.data, self.now.data)
        self.push(replace(self.now, data=data, over=changed, ran=None))
        self.drafted[1][changed] = True

    def push(self, truth: Truth) -> None:
        self.before.append(self.now)
        self.after.clear()
        self.now = truth

    @rule(plane=st.integers(0, PLANES - 1))
    def look_at(self, plane: int) -> None:
        if self.draft is None:
            self.viewer.dims.set_current_step(0, plane)

    @property
    def plane(self) -> int:
        return int(self.viewer.dims.current_step[0])

    @rule(row=rows, column=columns, label=st.integers(0, 5), size=st.integers(1, 5))
    def paint(self, row: int, column: int, label: int, size: int) -> None:
        self.layer.brush_size = size
        self.stroke(lambda layer: layer.paint((self.plane, row, column), label))

    @rule(
        points=st.lists(st.tuples(rows, columns), min_size=2, max_size=4), label=st.integers(0, 3)
    )
    def drag(self, points: list[tuple[int, int]], label: int) -> None:
        def dab(layer: Labels, row: int, column: int) -> None:
            layer.paint(coord=(self.plane, row, column), new_label=label)

        self.stroke(*(partial(dab, row=row, column=column) for row, column in points))

    @rule(row=rows, column=columns, label=st.integers(0, 4))
    def fill(self, row: int, column: int, label: int) -> None:
        shown = self.layer.data.copy()
        self.layer.fill((self.plane, row, column), label)
        self.note(shown)

    @rule(seed=seeds, label=st.integers(0, 3))
    def polygon(self, seed: int, label: int) -> None:
        random = np.random.default_rng(seed)
        corners = random.uniform(0, (HEIGHT, WIDTH), (3, 2))
        points = np.insert(corners, 0, self.plane, axis=1)
        self.stroke(lambda layer: layer.paint_polygon(points, label))

    @precondition(lambda self: not (self.scripted and self.draft))
    @rule()
    def undo(self) -> None:
        shown = self.layer.data.copy()
        self.layer.undo()
        if self.before:
            over = self.now.over
            ran = self.now.ran
            self.after.append(self.now)
            self.now = self.moved_to(self.before.pop(), ran)
            self.forget_strokes(shown, over)

    @precondition(lambda self: not (self.scripted and self.draft))
    @rule()
    def redo(self) -> None:
        shown = self.layer.data.copy()
        self.layer.redo()
        if self.after:
            now, then = self.now, self.after.pop()
            self.before.append(now)
            self.now = self.moved_to(then, None if then.ran is None else then.ran[::-1])
            self.forget_strokes(shown, self.now.over)

    def moved_to(self, truth: Truth, ran: tuple[np.ndarray, np.ndarray] | None) -> Truth:
        """Go to the other side of a step, with what a script has set since.

        Undoing a run leaves alone what the run had not changed; a stroke is napari's affair.
        """
        if not self.scripted:
            return truth
        if ran is None:
            return replace(truth, data=self.layer.data.copy())
        there, here = ran
        return replace(truth, data=np.where(there != here, there, self.now.data))

    def forget_strokes(self, shown: np.ndarray, over: np.ndarray | bool) -> None:
        self.drafted[1][(self.layer.data != shown) | over] = False

    @rule(seed=seeds)
    def set_by_a_script(self, seed: int) -> None:
        data = self.now.data.copy()
        mask = np.random.default_rng(seed).random(data.shape) < 0.1
        data[mask] = seed % 4
        self.layer.data = data.copy()
        self.now = replace(self.now, data=data)
        self.scripted = True
        if self.draft is not None:
            target = self.draft._target
            target.view(self.drafted[1])[...] |= target.view(data != self.started_on)

    # The classes

    @precondition(lambda self: self.draft is None)
    @rule(seed=seeds)
    def change_classes(self, seed: int) -> None:
        random = np.random.default_rng(seed)
        free = [name for name in NAMES if name not in self.names]
        known = {row.name for row in read_legend(self.layer)}
        choice = seed % 4
        if choice == 0 and free:
            self.names.append(free[0])
        elif choice == 1 and len(self.names) > 1:
            self.names.pop(int(random.integers(len(self.names))))
        elif choice == 2:
            random.shuffle(self.names)
        elif free and free[-1] not in known:
            old = self.names[0]
            self.names[0] = free[-1]
            rename_class(self.layer, old, free[-1])

    # A run

    def ask(self, seed: int, *, whole: bool) -> ImageRequest:
        if seed % 3 == 0:
            self.shapes.data = []
            box = np.array([[3, 2], [3, 9], [8, 9], [8, 2]], float)
            self.shapes.add_rectangles(np.insert(box, 0, self.plane, axis=1))
            self.shapes.selected_data = {0}
            options = ReadOptions(region="shape", shapes=self.shapes)
        else:
            options = ReadOptions(planes="all" if whole else "current")
        return read_request(self.viewer, self.image, options)

    def predict(self, request: ImageRequest, seed: int) -> dict[int, np.ndarray]:
        random = np.random.default_rng(seed)
        coarse = random.integers(0, len(self.names) + 1, (len(request.planes), 4, 5))
        height, width = request.read_shape
        fine = coarse.repeat(4, axis=1).repeat(4, axis=2)[:, :height, :width]
        return dict(enumerate(fine.astype(np.uint8)))

    @precondition(lambda self: self.draft is None)
    @rule(seed=seeds, keep=st.booleans(), whole=st.booleans())
    def run(self, seed: int, keep: bool, whole: bool) -> None:
        self.write(self.ask(seed, whole=whole), seed, keep=keep, painted={})

    def write(
        self, request: ImageRequest, seed: int, *, keep: bool, painted: dict[int, np.ndarray]
    ) -> None:
        labels = self.predict(request, seed)
        result = _result(labels[0], self.classes())
        add_classes(self.layer, self.classes())
        update_labels(self.layer, request, result, labels, keep_edits=keep, painted=painted)
        ids = {row.name: row.id for row in read_legend(self.layer)}
        lut = np.array([0, *(ids[name] for name in self.names)])
        data, predicted, hand = (
            a.copy() for a in (self.now.data, self.now.predicted, self.now.painted)
        )
        strokes = self.drafted[1] if painted else np.zeros_like(hand)
        for number, plane in labels.items():
            target = find_target(request, number)
            inside = np.ones(plane.shape, bool) if target.mask is None else target.mask
            before = target.view(self.now.by_hand | strokes) if keep else np.zeros_like(inside)
            free = inside & ~before
            target.view(data)[free] = lut[plane][free]
            target.view(predicted)[free] = lut[plane][free]
            target.view(hand)[free] = False
            target.view(hand)[inside & before] = True
        if (data != self.now.data).any():
            self.push(Truth(data, predicted, hand, ran=(self.now.data, data)))
        elif not self.after:
            self.now = replace(self.now, data=data, predicted=predicted, painted=hand)

    # Partial results

    @precondition(lambda self: self.draft is None)
    @rule(seed=seeds)
    def start_run(self, seed: int) -> None:
        request = self.ask(seed, whole=False)
        add_classes(self.layer, self.classes())
        self.draft = Draft(self.layer, request, 0, label_lut(self.layer, self.classes()))
        self.drafted = (request, np.zeros(self.now.data.shape, bool))
        self.started_on = self.now.data

    @precondition(lambda self: self.draft is not None)
    @rule(seed=seeds, part=st.integers(0, HEIGHT))
    def draw_partial(self, seed: int, part: int) -> None:
        assert self.draft is not None
        labels = self.predict(self.drafted[0], seed)[0]
        labels[part:] = 0
        self.draft.show(labels)

    @precondition(lambda self: self.draft is not None)
    @rule(seed=seeds, cancelled=st.booleans())
    def end_run(self, seed: int, cancelled: bool) -> None:
        assert self.draft is not None
        painted = {0: self.draft.withdraw()}
        self.draft = None
        np.testing.assert_array_equal(self.layer.data, self.now.data)
        if not cancelled:
            self.write(self.drafted[0], seed, keep=True, painted=painted)
        self.drafted[1][...] = False

    # What must hold

    @invariant()
    def all_is_as_it_must_be(self) -> None:
        if not hasattr(self, "layer") or self.draft is not None:
            return
        np.testing.assert_array_equal(self.layer.data, self.now.data)
        request = read_request(self.viewer, self.image, ReadOptions(planes="all"))
        found = np.stack([hand_edits(self.layer, request, k) for k in range(PLANES)])
        np.testing.assert_array_equal(found, self.now.by_hand)


def _result(labels: np.ndarray, classes: tuple[ClassPrompt, ...]) -> Segmentation:
    nothing: Any = None
    return Segmentation(
        labels=labels,
        classes=classes,
        dropped=(),
        config=SegmentationConfig(short_side=64),
        model="a-model",
        weights_sha256="ab" * 32,
        attention="sclip",
        _dense=nothing,
        _text=nothing,
        _decision=nothing,
    )


TestCorrecting = Correcting.TestCase
TestCorrecting.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

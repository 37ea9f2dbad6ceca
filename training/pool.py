"""Random windows of synthetic scenes, with what can be seen in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from training.vocabulary import phrase_areas

from napari_sclip.samples.captions import write_caption
from napari_sclip.samples.painter import Painting, paint_scene
from napari_sclip.samples.shapes import COLORS, SHAPES, TEXTURE_NAMES

SCENE_SIZE = (336, 448)
RADIUS = (0.08, 0.24)
SEEN = 0.03
"""Share of the window from which on something counts as seen."""
UNSEEN = 0.004
CLOSE_UP = 0.25
"""Smallest scale of a window."""
BACKGROUND_SEEN = 0.10
BACKGROUND_UNSEEN = 0.02


@dataclass(frozen=True)
class Batch:
    """Windows and what is true of them.

    Attributes
    ----------
    images : (B, 3, side, side) float32 in 0..1
    truth : (B, P) float32
        1 where the phrase is true of the window, -1 where not, 0 where too little is seen to say.
    captions : list of str
    contents : list of str
        Equal for windows whose captions differ by the order of the words alone.
    """

    images: torch.Tensor
    truth: torch.Tensor
    captions: list[str]
    contents: list[str]


class ScenePool:
    """Scenes kept in memory, replaced one after the other while training goes on.

    Parameters
    ----------
    count : int
        Number of scenes kept.
    side : int
        Side of the model's window in pixels.
    seed : int
    """

    def __init__(self, count: int, side: int, seed: int) -> None:
        self.side = side
        self.rng = np.random.default_rng(seed)
        self.paintings: list[Painting] = [self._paint() for _ in range(count)]
        self.oldest = 0
        # Drawing fresh normal noise for each batch would take a tenth of the time.
        self.noise = torch.from_numpy(self.rng.standard_normal(1 << 23, dtype=np.float32))

    def log_odds(self, batches: int = 40) -> torch.Tensor:
        """(P,) log odds of each phrase being true of a window, from a sample of windows."""
        truth = torch.cat([self.draw(128).truth for _ in range(batches)])
        true, false = (truth > 0).sum(0) + 1.0, (truth < 0).sum(0) + 1.0
        return (true / false).log()

    def renew(self, count: int) -> None:
        """Replace the oldest `count` scenes by new ones."""
        for _ in range(count):
            self.paintings[self.oldest] = self._paint()
            self.oldest = (self.oldest + 1) % len(self.paintings)

    def draw(self, count: int, groups: int = 8) -> Batch:
        """Draw `count` windows, each of `groups` equal parts at a scale of its own."""
        images, pairs, grounds, captions, contents = [], [], [], [], []
        for _ in range(groups):
            side = round(self.side * self._scale())
            windows = []
            for _ in range(count // groups):
                window, pair, ground, caption, content = self._window(side)
                windows.append(window)
                pairs.append(pair)
                grounds.append(ground)
                captions.append(caption)
                contents.append(content)
            stack = torch.from_numpy(np.stack(windows)).permute(0, 3, 1, 2).float() / 255.0
            if side != self.side:
                stack = torch.nn.functional.interpolate(
                    stack, size=(self.side, self.side), mode="bilinear", antialias=side > self.side
                )
            images.append(stack)
        truth = _truth(np.stack(pairs), np.stack(grounds))
        return Batch(self._vary(torch.cat(images)), torch.from_numpy(truth), captions, contents)

    def _paint(self) -> Painting:
        return paint_scene(self.rng, SCENE_SIZE, int(self.rng.integers(2, 8)), RADIUS)

    def _scale(self) -> float:
        # Many windows at the scale at which the model will be used.
        chance = self.rng.random()
        if chance < 0.4:
            return 1.0
        low, high = (CLOSE_UP, 0.5) if chance < 0.52 else (0.5, 1.7)
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def _window(
        self, side: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], str, str]:
        painting = self.paintings[self.rng.integers(len(self.paintings))]
        height, width = painting.owners.shape
        if side < 0.5 * self.side:
            # Close to the surface of an object, often with no background in sight.
            owned = np.flatnonzero(painting.owners)
            row, col = divmod(int(owned[self.rng.integers(len(owned))]), width)
            top = int(np.clip(row - side // 2, 0, height - side))
            left = int(np.clip(col - side // 2, 0, width - side))
        elif self.rng.random() < 0.8:
            item = painting.objects[self.rng.integers(len(painting.objects))]
            shift = self.rng.uniform(-0.5, 0.5, 2) * (side + item.radius)
            top = int(np.clip(item.center[0] + shift[0] - side / 2, 0, height - side))
            left = int(np.clip(item.center[1] + shift[1] - side / 2, 0, width - side))
        else:
            top = int(self.rng.integers(height - side + 1))
            left = int(self.rng.integers(width - side + 1))
        region = (slice(top, top + side), slice(left, left + side))
        window, owners = painting.image[region], painting.owners[region]
        shares = np.bincount(owners.ravel(), minlength=len(painting.objects) + 1) / side**2
        pairs = np.zeros(len(COLORS) * len(SHAPES), dtype=np.float32)
        seen = []
        for item, share in zip(painting.objects, shares[1:], strict=True):
            pairs[COLORS.index(item.color) * len(SHAPES) + SHAPES.index(item.shape)] += share
            if share >= SEEN:
                seen.append(item.phrase)
        ground = np.zeros(len(TEXTURE_NAMES), dtype=np.float32)
        ground[TEXTURE_NAMES.index(painting.texture)] = shares[0]
        texture = painting.texture if shares[0] >= BACKGROUND_SEEN else None
        content = write_caption(sorted(seen), texture)
        self.rng.shuffle(seen)
        caption = write_caption(seen, texture)
        if self.rng.random() < 0.5:
            window = window[:, ::-1]
        if self.rng.random() < 0.5:
            window = window[::-1]
        return window, pairs, ground, caption, content

    def _vary(self, images: torch.Tensor) -> torch.Tensor:
        count = len(images)
        gain = self.rng.uniform(0.85, 1.15, (count, 1, 1, 1)).astype(np.float32)
        offset = self.rng.uniform(-0.04, 0.04, (count, 1, 1, 1)).astype(np.float32)
        noise = self.rng.uniform(0.0, 0.03, (count, 1, 1, 1)).astype(np.float32)
        images = images * torch.from_numpy(gain) + torch.from_numpy(offset)
        start = int(self.rng.integers(len(self.noise) - images.numel()))
        grain = self.noise[start : start + images.numel()].view_as(images)
        return images.addcmul_(torch.from_numpy(noise), grain).clamp_(0.0, 1.0)


def _truth(
    pair_areas: NDArray[np.float32], background_areas: NDArray[np.float32]
) -> NDArray[np.float32]:
    areas = phrase_areas(pair_areas, background_areas)
    backgrounds = 1 + background_areas.shape[1]
    high = np.full(areas.shape[1], SEEN, dtype=np.float32)
    low = np.full(areas.shape[1], UNSEEN, dtype=np.float32)
    high[-backgrounds:], low[-backgrounds:] = BACKGROUND_SEEN, BACKGROUND_UNSEEN
    truth = np.where(areas >= high, 1.0, np.where(areas <= low, -1.0, 0.0))
    return truth.astype(np.float32)

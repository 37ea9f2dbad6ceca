"""What the patch under a point of an image attends to."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.attention import AttentionInputs, find_attention_mode
from napari_sclip.core.image import check_image
from napari_sclip.core.strips import read_window
from napari_sclip.core.vision import attention_of_patch
from napari_sclip.core.windows import AxisWindows
from napari_sclip.engine.layout import plan_windows
from napari_sclip.engine.vision_encoder import VisionEncoder
from napari_sclip.errors import ImageError
from napari_sclip.progress import ProgressCallback, report

REMEMBERED_WINDOWS = 4


@dataclass(frozen=True, eq=False)
class AttentionMap:
    """What one patch attends to within its window.

    Attributes
    ----------
    weights : (Hp, Wp) float32 array
        How the attention is spread over the patches of the window; sums to 1. The class token is
        left out, and the rest scaled up.
    class_token : float
        Share of the attention that goes to the class token, 0..1.
    patch : tuple of int
        Row and column of the patch that attends.
    mode : str
        Name of the attention mode.
    head : int or None
        None is the mean of all heads.
    heads : int
        How many there are.
    rows, columns : tuple of float
        Where the patch grid lies: its edges in pixels of the image, 0 being the upper (left) edge
        of the first pixel.
    """

    weights: np.ndarray
    class_token: float
    patch: tuple[int, int]
    mode: str
    head: int | None
    heads: int
    rows: tuple[float, float]
    columns: tuple[float, float]


@dataclass
class WindowMemory:
    """The windows that were looked at last, by their pixels."""

    _inputs: OrderedDict[bytes, AttentionInputs] = field(default_factory=OrderedDict)

    def inputs(
        self, window: torch.Tensor, encoder: VisionEncoder, progress: ProgressCallback | None
    ) -> AttentionInputs:
        """Run a window through the vision tower, unless it was one of the last ones."""
        key = hashlib.blake2b(window.numpy().data, digest_size=16)
        key.update(str(tuple(window.shape)).encode())
        known = self._inputs.get(key.digest())
        if known is None:
            known = encoder.last_block_inputs(
                window, lambda: report(progress, 0, 1, "Looking at a window")
            )
            self._inputs[key.digest()] = known
            while len(self._inputs) > REMEMBERED_WINDOWS:
                self._inputs.popitem(last=False)
        self._inputs.move_to_end(key.digest())
        return known


def attention_at(
    image: Any,  # noqa: ANN401 - any array-like
    point: tuple[float, float],
    config: SegmentationConfig,
    encoder: VisionEncoder,
    normalisation: tuple[tuple[float, float, float], tuple[float, float, float]],
    memory: WindowMemory,
    *,
    mode: str | None = None,
    head: int | None = None,
    progress: ProgressCallback | None = None,
) -> AttentionMap:
    """Find what the patch under a point attends to in the last block.

    The window whose middle is nearest to the point goes through the vision tower. Another point
    in it, another head or another mode cost no further pass.

    Parameters
    ----------
    image : numpy or dask-like array
        As `Segmenter.segment` takes it. No more of it is read than the window needs.
    point : tuple of float
        Row and column in pixels of the image; (0, 0) is the middle of the first pixel.
    config : SegmentationConfig
        Short side, window and stride, resolved, place the windows.
    encoder : VisionEncoder
    normalisation : tuple
        Mean and standard deviation of the model's preprocessing.
    memory : WindowMemory
        Of this encoder.
    mode : str, optional
        Name of an attention mode, "vanilla" for CLIP's own; that of the encoder if left out.
    head : int, optional
        Of the attention heads, from 0; the mean of all if left out.
    progress : callable, optional
        Called between blocks; raising from it stops the work.

    Returns
    -------
    AttentionMap

    Raises
    ------
    ImageError
        If the point lies outside the image, or the image cannot be read.
    ConfigError
        If there is no such head or mode.
    """
    rule = encoder.mode if mode is None else find_attention_mode(mode)
    array = check_image(image)
    shape = int(array.shape[0]), int(array.shape[1])
    if not all(-0.5 <= p <= n - 0.5 for p, n in zip(point, shape, strict=True)):
        raise ImageError(
            f"Expected a point within the image of {shape[0]} x {shape[1]} pixels; got "
            f"({point[0]:g}, {point[1]:g}). Choose a row and a column of the image."
        )
    patch = encoder.source.patch
    layout = plan_windows(shape, config, patch)
    down = _find(layout.rows, float(point[0]), shape[0], patch)
    across = _find(layout.columns, float(point[1]), shape[1], patch)
    window = read_window(
        array,
        layout.rows,
        layout.columns,
        (down.window, across.window),
        normalisation,
        nonfinite=config.nonfinite,
    )
    inputs = memory.inputs(window, encoder, progress)
    with torch.inference_mode():
        weights, class_token = attention_of_patch(inputs, rule, (down.patch, across.patch), head)
    return AttentionMap(
        weights=weights,
        class_token=class_token,
        patch=(down.patch, across.patch),
        mode=rule.name,
        head=head,
        heads=int(inputs.q.shape[1]),
        rows=down.edges,
        columns=across.edges,
    )


@dataclass(frozen=True)
class _Found:
    """Where a point lies along one axis: which window, which patch of it, the window's edges."""

    window: int
    patch: int
    edges: tuple[float, float]


def _find(windows: AxisWindows, point: float, length: int, patch: int) -> _Found:
    """Take the window whose middle is nearest; the patches' pixels are those the tower sees."""
    scale = windows.length / length
    position = (point + 0.5) * scale
    away = [abs(start + windows.window / 2 - position) for start in windows.starts]
    number = int(np.argmin(away))
    start = windows.starts[number]
    own = int(np.clip((position - start) // patch, 0, windows.patches - 1))
    return _Found(number, own, (start / scale, (start + windows.patches * patch) / scale))

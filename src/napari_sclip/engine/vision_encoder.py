"""Windows through the vision tower in batches that fit the memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from napari_sclip.core.attention import AttentionInputs, AttentionMode
from napari_sclip.core.strips import WindowReader
from napari_sclip.core.transformer import move
from napari_sclip.core.vision import (
    VisionTower,
    dense_features,
    last_block_inputs,
    run_earlier_blocks,
)
from napari_sclip.engine.devices import PRECISIONS, release_memory
from napari_sclip.errors import DeviceError, is_out_of_memory
from napari_sclip.progress import ProgressCallback, notify, report

CPU = torch.device("cpu")
CPU_TOKENS = 800
GPU_TOKENS = 12_800
"""Tokens of a batch to begin with: 4 or 64 windows of 14 x 14 patches."""


class VisionEncoder:
    """Computes the dense features of windows.

    Parameters
    ----------
    tower : VisionTower
        float32, on the CPU.
    mode : AttentionMode
    device : torch.device
    precision : str
        A key of `PRECISIONS`.
    """

    def __init__(
        self, tower: VisionTower, mode: AttentionMode, device: torch.device, precision: str
    ) -> None:
        self.source = tower
        self.mode = mode
        self.device = device
        self.precision = precision
        self.windows_computed = 0
        self._towers: dict[torch.device, VisionTower] = {}

    def encode(
        self, reader: WindowReader, progress: ProgressCallback | None = None
    ) -> Iterator[tuple[int, Tensor]]:
        """Compute all windows of an image.

        Where the memory does not suffice the batch is halved, and at last the CPU is used,
        with a warning.

        Parameters
        ----------
        reader : WindowReader
        progress : callable, optional
            Told after every batch, and within it after every window read and every block of
            the tower; work stops where it raises.

        Yields
        ------
        number : int
            Number of the first window of a batch, row by row.
        features : (B, Hp, Wp, D) float32 tensor
            L2-normalised, on the device that computed them.

        Raises
        ------
        DeviceError
            If the memory of the CPU does not suffice for one window either.
        """
        done = 0

        def tell() -> None:
            report(progress, done, reader.count, "Looking at windows")

        batch = self.first_batch(reader.rows.patches * reader.columns.patches)
        run = _Run(self, device=self.device, batch=batch, between=tell)
        tell()
        waiting: list[Tensor] = []
        for window in reader.windows():
            tell()
            waiting.append(window)
            if len(waiting) < run.batch and done + len(waiting) < reader.count:
                continue
            for features in run.compute(torch.stack(waiting)):
                yield done, features
                done += len(features)
                tell()
            waiting = []

    def last_block_inputs(
        self, window: Tensor, between: Callable[[], None] | None = None
    ) -> AttentionInputs:
        """Run one window up to the attention of the last block, whatever the mode.

        Parameters
        ----------
        window : (3, h, w) float32 tensor
            Normalised pixels.
        between : callable, optional
            Called after every block; raising from it stops the work.

        Raises
        ------
        DeviceError
            If the memory of the CPU does not suffice either.
        """

        def compute(tower: VisionTower, windows: Tensor, tell: Callable[[], None]) -> Tensor:
            found.append(last_block_inputs(tower, *run_earlier_blocks(tower, windows, tell)))
            return windows

        found: list[AttentionInputs] = []
        run = _Run(self, self.device, batch=1, between=between or (lambda: None), work=compute)
        list(run.compute(window[None]))
        return found[-1]

    def first_batch(self, patches: int) -> int:
        """Windows of so many patches that are computed at once while memory suffices."""
        budget = GPU_TOKENS if self.device.type == "cuda" else CPU_TOKENS
        return max(1, budget // (1 + patches))

    def tower_on(self, device: torch.device) -> VisionTower:
        """Return the tower on a device, in fp32 on a CPU that stands in for another device."""
        if device not in self._towers:
            stands_in = device != self.device
            dtype = torch.float32 if stands_in else PRECISIONS[self.precision]
            self._towers[device] = move(self.source, device, dtype)
        return self._towers[device]


class _Run:
    """One pass: its batch size and device change as memory demands."""

    def __init__(
        self,
        encoder: VisionEncoder,
        device: torch.device,
        batch: int,
        between: Callable[[], None],
        work: Callable[[VisionTower, Tensor, Callable[[], None]], Tensor] | None = None,
    ) -> None:
        self.encoder = encoder
        self.device = device
        self.batch = batch
        self._between = between
        self._work = work or self._features
        self._is_telling = False

    def compute(self, windows: Tensor) -> Iterator[Tensor]:
        for part in torch.split(windows, self.batch):
            yield from self._compute_or_shrink(part)

    def _compute_or_shrink(self, windows: Tensor) -> Iterator[Tensor]:
        features = self._attempt(windows)
        if features is not None:
            yield features
            return
        release_memory(self.device)
        if len(windows) > 1:
            self.batch = min(self.batch, (len(windows) + 1) // 2)
        elif self.device == CPU:
            raise DeviceError(
                "The memory of this machine does not suffice for one window of "
                f"{windows.shape[-2]} x {windows.shape[-1]} pixels. Close other programs, or "
                "choose a smaller window or model."
            )
        else:
            notify(
                f"The memory of {self.device} does not suffice for one window; the CPU is used "
                "instead, which is slower. Close other programs that use the GPU, or choose a "
                "smaller window or model."
            )
            self.device = CPU
        yield from self.compute(windows)

    def _attempt(self, windows: Tensor) -> Tensor | None:
        try:
            with torch.inference_mode():
                tower = self.encoder.tower_on(self.device)
                ready = windows.to(device=self.device, dtype=tower.patch_weight.dtype)
                features = self._work(tower, ready, self._tell)
        except (RuntimeError, MemoryError) as error:
            if self._is_telling or not is_out_of_memory(error):
                raise
            return None
        self.encoder.windows_computed += len(windows)
        return features

    def _features(self, tower: VisionTower, windows: Tensor, tell: Callable[[], None]) -> Tensor:
        return dense_features(tower, windows, self.encoder.mode, tell)

    def _tell(self) -> None:
        # What the callback raises stops the work, even if it looks like a lack of memory.
        self._is_telling = True
        self._between()
        self._is_telling = False

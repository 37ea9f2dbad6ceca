"""Train the bundled model on windows of synthetic scenes and captions about them.

Only image-level supervision: which phrases are true of a window, never where. Example::

    python -m training.train_shapes_demo --minutes 74 --checkpoint-dir runs/shapes-demo
"""

from __future__ import annotations

import argparse
import logging
import math
import random
import time
from pathlib import Path
from typing import Any

import torch
from open_clip import CLIP
from training.evaluate import evaluate
from training.forward import encode_texts, encode_windows
from training.losses import caption_loss, phrase_loss
from training.model import CONFIG, Average, build_model, normalize_pixels
from training.pool import ScenePool
from training.vocabulary import draw_sentences, tokenize, used_tokens

from napari_sclip.samples.scenes import make_scene

log = logging.getLogger("train")

HELD_OUT_SEED = 10_000_000
"""Seeds of scenes from here on are for evaluation while training, and for choosing `best.pt`."""


class Trainer:
    """Model, optimiser, average and the clock of one run."""

    def __init__(self, options: argparse.Namespace) -> None:
        torch.manual_seed(options.seed)
        self.options = options
        self.device = torch.device(options.device)
        self.tokens = used_tokens().to(self.device)
        self.model: CLIP = build_model(self.tokens).to(self.device)
        self.sigmoid = torch.nn.Parameter(torch.tensor([math.log(10.0), -3.0], device=self.device))
        self.optimizer = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98), eps=1e-6)
        self.average = Average(self.model)
        self.step = 0
        self.elapsed = 0.0
        self.draw = random.Random(options.seed)
        self.best = 0.0
        self.checkpoint = Path(options.checkpoint_dir) / "checkpoint.pt"

    def _groups(self) -> list[dict[str, Any]]:
        decayed = [p for p in self.model.parameters() if p.ndim >= 2]
        free = [p for p in self.model.parameters() if p.ndim < 2]
        return [
            {"params": decayed, "weight_decay": self.options.weight_decay},
            {"params": [*free, self.sigmoid], "weight_decay": 0.0},
        ]

    def progress(self) -> float:
        """Share of the run that is done, in 0..1."""
        if self.options.steps:
            return min(1.0, self.step / float(self.options.steps))
        return min(1.0, self.elapsed / (60.0 * float(self.options.minutes)))

    def rate(self) -> float:
        """Learning rate: linear warm-up, then half a cosine down to nearly nothing."""
        warm = min(1.0, (self.step + 1) / float(self.options.warmup))
        left = 0.5 * (1.0 + math.cos(math.pi * self.progress()))
        return float(self.options.rate) * warm * (0.01 + 0.99 * left)

    def train_step(self, pool: ScenePool, log_odds: torch.Tensor) -> dict[str, float]:
        """Draw one batch and take one optimiser step."""
        batch = pool.draw(self.options.batch)
        # The end of the run sees whole windows, as they are used.
        dropped = self.options.patch_dropout if self.progress() < self.options.full_from else 0.0
        ids = tokenize([*draw_sentences(self.draw), *batch.captions]).to(self.device)
        images = normalize_pixels(batch.images.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bf16):
            seen = encode_windows(self.model, images, dropped).float()
            texts = encode_texts(self.model, self.tokens, ids)
        seen = torch.nn.functional.normalize(seen, dim=-1)
        phrases, captions = texts[: -len(batch.captions)], texts[-len(batch.captions) :]
        by_phrase = phrase_loss(
            seen,
            phrases,
            batch.truth.to(self.device),
            self.sigmoid[0].exp(),
            self.sigmoid[1],
            log_odds,
        )
        scale = self.model.logit_scale.exp().clamp(max=100.0)
        by_caption = caption_loss(seen, captions, batch.contents, scale)
        loss = by_phrase + self.options.caption_weight * by_caption
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.average.update(self.model)
        self.step += 1
        return {"phrase": by_phrase.item(), "caption": by_caption.item()}

    def averaged_model(self) -> CLIP:
        """Build the model with the averaged parameters."""
        model = build_model(self.tokens).to(self.device)
        model.load_state_dict({**self.model.state_dict(), **self.average.values})
        return model.eval()

    def save(self, figure: float) -> None:
        """Write a checkpoint, and the same as `best.pt` where no `figure` was higher so far.

        A broken write leaves the older file.
        """
        paths = [self.checkpoint]
        if figure > self.best:
            self.best = figure
            paths.append(self.checkpoint.with_name("best.pt"))
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        state = {
            "config": CONFIG,
            "tokens": self.tokens.cpu(),
            "average": self.average.values,
            "average_steps": self.average.steps,
            "model": self.model.state_dict(),
            "sigmoid": self.sigmoid.detach(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "best": self.best,
            "elapsed": self.elapsed,
        }
        for path in paths:
            partial = path.with_suffix(".part")
            torch.save(state, partial)
            partial.replace(path)

    def resume(self) -> None:
        """Go on from the checkpoint."""
        state = torch.load(self.checkpoint, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.sigmoid.data.copy_(state["sigmoid"])
        self.average.values = state["average"]
        self.average.steps = state["average_steps"]
        self.step, self.elapsed = state["step"], state["elapsed"]
        self.best = state["best"]


def train(options: argparse.Namespace) -> None:
    """Train until the time or the steps are used up."""
    trainer = Trainer(options)
    if options.resume and trainer.checkpoint.exists():
        trainer.resume()
        log.info("resumed at step %d, %.1f min", trainer.step, trainer.elapsed / 60)
    side = CONFIG["model_cfg"]["vision_cfg"]["image_size"]
    pool = ScenePool(options.scenes, side, options.seed + 1 + trainer.step)
    log_odds = pool.log_odds().to(trainer.device)
    held_out = [make_scene(HELD_OUT_SEED + i) for i in range(options.held_out)]
    log.info("%d scenes ready, %d tokens used", options.scenes, len(trainer.tokens))
    mark, evaluated = time.monotonic(), trainer.elapsed
    while trainer.progress() < 1.0:
        losses = trainer.train_step(pool, log_odds)
        pool.renew(options.renew)
        now = time.monotonic()
        trainer.elapsed += now - mark
        mark = now
        if trainer.step % 50 == 0:
            shown = " ".join(f"{name} {value:.3f}" for name, value in losses.items())
            log.info("step %d %.1f min %s", trainer.step, trainer.elapsed / 60, shown)
        due = trainer.elapsed - evaluated > 60.0 * options.evaluate_minutes
        if due or trainer.progress() >= 1.0:
            evaluated = trainer.elapsed
            model = trainer.averaged_model()
            figures = {}
            for attention in ("sclip", "vanilla"):
                accuracy, overlap = evaluate(model, trainer.tokens, held_out, attention)
                figures[attention] = accuracy + overlap
                log.info(
                    "step %d %s in-object %.3f mIoU %.3f",
                    trainer.step,
                    attention,
                    accuracy,
                    overlap,
                )
            trainer.save(figures["sclip"])


def main() -> None:
    """Read the options and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--minutes", type=float, default=74.0)
    parser.add_argument("--steps", type=int, default=0, help="instead of --minutes")
    parser.add_argument("--checkpoint-dir", default="runs/shapes-demo")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--weight-decay", type=float, default=0.02)
    parser.add_argument("--warmup", type=int, default=200)
    parser.add_argument("--patch-dropout", type=float, default=0.5)
    parser.add_argument("--full-from", type=float, default=0.85)
    parser.add_argument("--caption-weight", type=float, default=0.3)
    parser.add_argument("--scenes", type=int, default=1500)
    parser.add_argument("--renew", type=int, default=1, help="new scenes a step")
    parser.add_argument("--held-out", type=int, default=16)
    parser.add_argument("--evaluate-minutes", type=float, default=5.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    train(options)


if __name__ == "__main__":
    main()

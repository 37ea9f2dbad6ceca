"""Write the packaged model from a checkpoint of `train_shapes_demo.py`.

The averaged weights, as half floats under open_clip's names; the embedding has all rows of
CLIP's vocabulary again, those of tokens that never occurred being zero. Example::

    python -m training.pack_shapes_demo runs/shapes-demo/best.pt
"""

from __future__ import annotations

import argparse
import json
import logging
from pathlib import Path

import numpy as np
import open_clip
import torch
from training.model import VOCABULARY

TARGET = Path(__file__).parents[1] / "src" / "napari_sclip" / "data" / "shapes-demo"

log = logging.getLogger("pack")


def pack(checkpoint: Path, target: Path) -> None:
    """Write `open_clip_config.json` and `weights.npz` into `target`.

    Parameters
    ----------
    checkpoint : Path
    target : Path
        Made if missing; files of these names are replaced.
    """
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    weights = {name: value.float() for name, value in state["average"].items()}
    compact = weights["token_embedding.weight"]
    full = torch.zeros(VOCABULARY, compact.shape[1])
    full[state["tokens"]] = compact
    weights["token_embedding.weight"] = full
    _check(state["config"], weights)
    target.mkdir(parents=True, exist_ok=True)
    text = json.dumps(state["config"], indent=2) + "\n"
    (target / "open_clip_config.json").write_text(text, encoding="utf-8")
    arrays = {name: value.numpy().astype(np.float16) for name, value in weights.items()}
    np.savez_compressed(target / "weights.npz", **arrays)
    size = (target / "weights.npz").stat().st_size
    log.info("step %d, %d arrays, %.2f MB", state["step"], len(arrays), size / 1e6)


def _check(config: dict[str, dict[str, object]], weights: dict[str, torch.Tensor]) -> None:
    """Refuse what open_clip itself could not load, or half floats could not hold."""
    model = open_clip.CLIP(**config["model_cfg"])
    missing, unexpected = model.load_state_dict(weights, strict=False)
    # Masks are buffers that open_clip makes itself.
    if unexpected or any(name != "attn_mask" for name in missing):
        raise ValueError(f"names differ: missing {missing}, unexpected {unexpected}")
    if any(not bool(value.half().isfinite().all()) for value in weights.values()):
        raise ValueError("weights beyond the range of half floats")


def main() -> None:
    """Read the options and pack."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--target", type=Path, default=TARGET)
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pack(options.checkpoint, options.target)


if __name__ == "__main__":
    main()

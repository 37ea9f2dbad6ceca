"""Image-level losses only: what a window shows, never where."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional


def caption_loss(
    images: torch.Tensor, texts: torch.Tensor, contents: Sequence[str], scale: torch.Tensor
) -> torch.Tensor:
    """CLIP's symmetric InfoNCE; another window that shows the same is no negative.

    Parameters
    ----------
    images, texts : (B, D) float32, L2-normalised
    contents : sequence of str
        Equal where two windows show the same.
    scale : () float32

    Returns
    -------
    () float32
    """
    logits = scale * images @ texts.T
    keys = {caption: i for i, caption in enumerate(dict.fromkeys(contents))}
    key = torch.tensor([keys[caption] for caption in contents], device=logits.device)
    same = (key[:, None] == key[None, :]) & ~torch.eye(
        len(key), dtype=torch.bool, device=logits.device
    )
    logits = logits.masked_fill(same, float("-inf"))
    target = torch.arange(len(key), device=logits.device)
    return 0.5 * (
        functional.cross_entropy(logits, target) + functional.cross_entropy(logits.T, target)
    )


def phrase_loss(
    images: torch.Tensor,
    phrases: torch.Tensor,
    truth: torch.Tensor,
    scale: torch.Tensor,
    bias: torch.Tensor,
    log_odds: torch.Tensor,
) -> torch.Tensor:
    """SigLIP's pairwise sigmoid loss of windows against all phrases.

    How common a phrase is goes into an offset of its own, as in logit adjustment (Menon et al.,
    2021): the similarity need not carry it. Otherwise the background, true of nearly every
    window, is similar to everything.

    Parameters
    ----------
    images : (B, D) float32, L2-normalised
    phrases : (P, D) float32, L2-normalised
    truth : (B, P) float32
        1 true, -1 false, 0 not counted.
    scale, bias : () float32
    log_odds : (P,) float32
        Of each phrase being true of a random window.

    Returns
    -------
    () float32
        Mean over windows of the sum over phrases.
    """
    logits = scale * images @ phrases.T + bias + log_odds
    return -(functional.logsigmoid(truth * logits) * truth.abs()).sum(1).mean()

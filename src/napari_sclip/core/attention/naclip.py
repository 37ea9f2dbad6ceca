"""NACLIP: keys with keys and a preference for neighbours (Hajimiri et al., WACV 2025)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.attention.base import AttentionInputs, AttentionMode, softmax_weights

SIGMA_PATCHES = 5.0


def neighbour_bias(grid: tuple[int, int], like: Tensor) -> Tensor:
    """``exp(-|i - j|² / 2σ²)`` between patches i and j; 0 from and to the class token.

    Parameters
    ----------
    grid : tuple of int
        Patches of the window, (Hp, Wp).
    like : tensor
        Gives the dtype and the device.

    Returns
    -------
    (N, N) tensor
        N is 1 + Hp * Wp.
    """
    rows, columns = torch.meshgrid(
        torch.arange(grid[0], device=like.device, dtype=torch.float32),
        torch.arange(grid[1], device=like.device, dtype=torch.float32),
        indexing="ij",
    )
    places = torch.stack([rows.flatten(), columns.flatten()], dim=1)
    squared = (places[:, None] - places[None]).square().sum(-1)
    bias = torch.exp(-squared / (2 * SIGMA_PATCHES**2))
    return F.pad(bias, (1, 0, 1, 0)).to(like.dtype)


def neighbour_attention(inputs: AttentionInputs) -> Tensor:
    """``softmax(k kᵀ / √d + ω) v``, ω being `neighbour_bias`."""
    bias = neighbour_bias(inputs.grid, inputs.k)
    return F.scaled_dot_product_attention(inputs.k, inputs.k, inputs.v, attn_mask=bias)


def neighbour_weights(inputs: AttentionInputs, token: int) -> Tensor:
    """Row of ``softmax(k kᵀ / √d + ω)``."""
    bias = neighbour_bias(inputs.grid, inputs.k)[token]
    return softmax_weights(inputs.k[:, :, token], inputs.k, bias)


MODE = AttentionMode(
    name="naclip",
    attend=neighbour_attention,
    weigh=neighbour_weights,
    reduced=True,
    summary="softmax(k kT + neighbours) v; residual and MLP dropped (Hajimiri et al., 2025)",
)

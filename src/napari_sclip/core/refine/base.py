"""What a refinement of the edges is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


class Filter(Protocol):
    """Moves similarities to the edges of the picture that it was prepared with."""

    def __call__(self, similarity: Tensor, keep: slice, tell: Callable[[], None]) -> Tensor:
        """Filter similarities.

        Parameters
        ----------
        similarity : (P, h, w) tensor
            As high and wide as the picture; prompts are filtered independently.
        keep : slice
            The rows that are wanted. Beyond them lies the halo, or the picture ends.
        tell : callable
            Called `steps` times, evenly; raising from it stops the work.

        Returns
        -------
        (P, rows kept, w) tensor
        """


@dataclass(frozen=True)
class Refinement:
    """A local filter of similarities, guided by the picture.

    Attributes
    ----------
    name : str
        Name that users choose it by.
    summary : str
        What it does in one line.
    prepare : callable
        Makes the `Filter` of a picture: a (3, h, w) float32 tensor, 0..1.
    halo : int
        Rows above and below a pixel that it depends on.
    steps : int
        How often a filter tells how far it is.
    values_per_pixel : int
        Of 4 bytes, which a filter keeps and works with for each pixel, beside the similarities.
    """

    name: str
    summary: str
    prepare: Callable[[Tensor], Filter]
    halo: int
    steps: int
    values_per_pixel: int

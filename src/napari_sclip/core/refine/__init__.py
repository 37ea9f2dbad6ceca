"""Refinements of the edges. One file and one line each."""

from __future__ import annotations

from napari_sclip.core.refine import guided_filter, pamr
from napari_sclip.core.refine.base import Filter, Refinement
from napari_sclip.core.refine.pieces import Refiner

REFINEMENTS: dict[str, Refinement] = {
    refinement.name: refinement for refinement in (pamr.REFINEMENT, guided_filter.REFINEMENT)
}
"""By their names; `napari_sclip.config.REFINEMENTS` has the same."""

__all__ = ["REFINEMENTS", "Filter", "Refinement", "Refiner"]

"""What a segmentation gives."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.refine import Refiner
from napari_sclip.core.scores import Decision, predict_class_score, predict_margin, predict_scores
from napari_sclip.core.similarity import DenseMap
from napari_sclip.errors import ClassesError
from napari_sclip.prompts import ClassPrompt, label_ids


@dataclass(frozen=True, eq=False)
class Segmentation:
    """Labels of one image; scores are computed when asked for.

    Attributes
    ----------
    labels : (H, W) uint8 or uint16 array
        Class k of the list, counted from 1 over the classes that are not the background;
        0 is background or undecided.
    classes : tuple of ClassPrompt
        In the order given.
    dropped : tuple of str
        Names of the classes that were dropped for their small area.
    config : SegmentationConfig
        The settings used, window and stride resolved.
    model : str
        Name of the model.
    weights_sha256 : str
        Hash of the file of the model's weights.
    attention : str
        Name of the attention mode.
    """

    labels: np.ndarray
    classes: tuple[ClassPrompt, ...]
    dropped: tuple[str, ...]
    config: SegmentationConfig
    model: str
    weights_sha256: str
    attention: str
    _dense: DenseMap = field(repr=False)
    _text: torch.Tensor = field(repr=False)
    _decision: Decision = field(repr=False)
    _refiner: Refiner | None = field(default=None, repr=False)

    @property
    def label_ids(self) -> dict[str, int]:
        """Label id of each class by its name."""
        return dict(zip((c.name for c in self.classes), label_ids(self.classes), strict=True))

    def scores(self) -> np.ndarray:
        """Compute the scores of all classes.

        Returns
        -------
        (K, H, W) float32 array
            0..1, classes in the order given: softmax over all prompts, the best prompt of a
            class standing for it, dropped classes zeroed. A refinement of the edges is in
            them; where small regions were given away or holes filled, the labels differ from
            the best score.
        """
        with torch.inference_mode():
            return predict_scores(
                self._dense, self._text, self._decision, self._dropped_indices(), self._refiner
            )

    def class_scores(self, name: str) -> np.ndarray:
        """Compute the scores of one class, in a K-th of the memory that all take.

        Parameters
        ----------
        name : str
            Of one of `classes`.

        Returns
        -------
        (H, W) float32 array
            0..1, as `scores` gives them.

        Raises
        ------
        ClassesError
            If there is no class of this name.
        """
        names = [item.name for item in self.classes]
        if name not in names:
            raise ClassesError(f"Expected one of the classes {', '.join(names)}; got {name!r}.")
        with torch.inference_mode():
            return predict_class_score(
                self._dense,
                self._text,
                self._decision,
                names.index(name),
                self._dropped_indices(),
                self._refiner,
            )

    def margin(self) -> np.ndarray:
        """Compute how sure the labels are.

        Returns
        -------
        (H, W) float32 array
            Best minus second best score, 0..1, of the scores as `scores` gives them.
        """
        with torch.inference_mode():
            return predict_margin(
                self._dense, self._text, self._decision, self._dropped_indices(), self._refiner
            )

    def _dropped_indices(self) -> list[int]:
        return [k for k, item in enumerate(self.classes) if item.name in self.dropped]

"""The engine's front: load a model, embed an image once, classify it often."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import torch

from napari_sclip.config import SegmentationConfig
from napari_sclip.core.attention import find_attention_mode
from napari_sclip.core.image import ImagePlane
from napari_sclip.core.refine.regions import clean_labels
from napari_sclip.core.scores import predict_labels, predict_seen_labels
from napari_sclip.core.similarity import DenseMap
from napari_sclip.engine.attention_at import AttentionMap, WindowMemory, attention_at
from napari_sclip.engine.classifier import Classifier
from napari_sclip.engine.devices import choose_device, choose_precision
from napari_sclip.engine.embedding import Embedding, embed_image
from napari_sclip.engine.inputs import (
    Classes,
    Reading,
    check_config,
    check_embedding,
    named_classes,
    read_rows,
)
from napari_sclip.engine.layout import Layout, check_window, plan_windows
from napari_sclip.engine.learning import adapt, relearn
from napari_sclip.engine.partial import PartialCallback, PartialEmbedding
from napari_sclip.engine.result import Segmentation
from napari_sclip.engine.text_cache import TextCache
from napari_sclip.engine.text_encoder import TextEncoder
from napari_sclip.engine.vision_encoder import VisionEncoder
from napari_sclip.models.open_clip import build_towers, check_architecture
from napari_sclip.models.source import ModelSource, load_source
from napari_sclip.progress import ProgressCallback
from napari_sclip.prompts import ClassPrompt


class ModelsChoice(str):
    """An attention mode that gives way to the one that suits the model."""

    __slots__ = ()


class Segmenter:
    """Segments images by classes given as text; made by `Segmenter.load`.

    Attributes
    ----------
    model : str
        Name of the model.
    attention : str
        Name of the attention mode.
    device : torch.device
        Where the model computes.
    precision : str
        Of the vision tower: fp32, fp16 or bf16.
    patch, input_size : int
        Side in pixels of a patch, and of the window that the model was trained with.
    normalisation : tuple
        Mean and standard deviation of the model's preprocessing.
    fingerprint : str
        Of the model and its attention mode.
    """

    def __init__(
        self,
        source: ModelSource,
        *,
        device: torch.device,
        precision: str,
        attention: str,
        progress: ProgressCallback | None = None,
    ) -> None:
        mode = find_attention_mode(attention)
        towers = build_towers(source, progress)
        self.model = source.name
        self.weights_sha256 = source.weights_sha256
        self.attention = mode.name
        self.device = device
        self.precision = precision
        self.patch = towers.vision.patch
        self.input_size = towers.vision.input_size
        self.vision = VisionEncoder(towers.vision, mode, device, precision)
        self.normalisation = (source.mean, source.std)
        self._windows = WindowMemory()
        self.text = TextEncoder(towers, device, TextCache())
        self.fingerprint = f"{towers.fingerprint}:{mode.name}"

    @classmethod
    def load(
        cls,
        model: str,
        *,
        weights: str | os.PathLike[str] | None = None,
        device: str = "auto",
        precision: str = "auto",
        attention: str = ModelsChoice("sclip"),
        progress: ProgressCallback | None = None,
    ) -> Segmenter:
        """Load a model.

        Parameters
        ----------
        model : str
            A name of the registry ("shapes-demo" comes with the package), an architecture
            name of open_clip together with `weights`, or an ``hf-hub:`` id.
        weights : path-like, optional
            A checkpoint on this disk: .pt, .bin, .safetensors or .npz.
        device : str
            "auto", "cpu", "cuda", "cuda:N" or "mps".
        precision : str
            "auto" (fp16 on CUDA, fp32 elsewhere), "fp32", "fp16" or "bf16".
        attention : str
            Name of an attention mode. Left alone (or "auto"), the one that suits the model:
            "sclip" for OpenAI's ViT-B/16 and "sclip-reduced" for every other backbone.
        progress : callable, optional
            Told how far downloading and reading are; raising from it stops them.

        Returns
        -------
        Segmenter

        Raises
        ------
        ModelError
            If the model is unknown, cannot be treated, or does not fit its checkpoint.
        DownloadError
            If the weights could not be brought to this machine.
        DeviceError
            If the device or the precision is unknown or not available.
        ConfigError
            If the attention mode is unknown.
        """
        chosen = choose_device(device)
        precision = choose_precision(precision, chosen)
        left_alone = isinstance(attention, ModelsChoice) or attention == "auto"
        if not left_alone:
            find_attention_mode(attention)
        source = load_source(model, weights=weights, progress=progress, check=check_architecture)
        mode = source.attention if left_alone else attention
        return cls(source, device=chosen, precision=precision, attention=mode, progress=progress)

    def resolve(self, config: SegmentationConfig | None = None) -> SegmentationConfig:
        """Return the settings that this model uses for `config`, window and stride resolved.

        Raises
        ------
        ConfigError
            If they do not fit the model.
        """
        check_config(config)
        resolved = (config or SegmentationConfig()).for_input_size(self.input_size)
        check_window(resolved, self.patch)
        return resolved

    def count_windows(
        self, shape: tuple[int, int], config: SegmentationConfig | None = None
    ) -> int:
        """Count the windows that an image of this height and width in pixels takes."""
        return plan_windows(shape, self.resolve(config), self.patch).count

    def segment(
        self,
        image: Any,  # noqa: ANN401 - any array-like
        classes: Classes,
        config: SegmentationConfig | None = None,
        *,
        progress: ProgressCallback | None = None,
    ) -> Segmentation:
        """Segment an image.

        Parameters
        ----------
        image : numpy or dask-like array
            (H, W), (H, W, 3) or (H, W, 4), any real dtype; integers are read by the range of
            their dtype, floats must lie in 0..1.
        classes : str or sequence of (str or ClassPrompt) or Classifier
            As "cat, grass = lawn | meadow, background = wall | floor", or what `adapt` gave.
        config : SegmentationConfig, optional
        progress : callable, optional
            Given a `Progress`; raising from it stops the work.

        Returns
        -------
        Segmentation

        Raises
        ------
        SclipError
            If the image, the classes or the settings are not usable; says what was expected,
            what came and what to do.
        """
        self._named(classes)
        embedding = self.embed(image, config, progress=progress)
        return self.classify(embedding, classes, config, progress=progress)

    def embed(
        self,
        image: Any,  # noqa: ANN401 - any array-like
        config: SegmentationConfig | None = None,
        *,
        progress: ProgressCallback | None = None,
        partial: PartialCallback | None = None,
    ) -> Embedding:
        """Look at an image once, for `classify` to use as often as wanted.

        Parameters and errors are those of `segment`; one parameter is added.

        Parameters
        ----------
        partial : callable, optional
            Given a `PartialEmbedding` after every batch of windows, for `classify_partial`;
            raising from it stops the work.
        """
        resolved = self.resolve(config)

        def made_of(dense: DenseMap, windows: int, plane: ImagePlane | None = None) -> Embedding:
            return Embedding(
                dense=dense,
                config=resolved,
                model=self.model,
                fingerprint=self.fingerprint,
                windows=windows,
                plane=plane,
            )

        def after_batch(dense: DenseMap, layout: Layout, done: int) -> None:
            if partial is not None:
                partial(PartialEmbedding(made_of(dense, done), layout, self.patch, done))

        return made_of(
            *embed_image(image, resolved, self.vision, self.normalisation, progress, after_batch)
        )

    def embed_classes(
        self,
        classes: Classes,
        config: SegmentationConfig | None = None,
        *,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Look at classes ahead, so that `classify` and `classify_partial` need no text pass.

        Parameters and errors are those of `segment`.
        """
        check_config(config)
        self._read(classes, config or SegmentationConfig(), progress)

    def classify(
        self,
        embedding: Embedding,
        classes: Classes,
        config: SegmentationConfig | None = None,
        *,
        progress: ProgressCallback | None = None,
    ) -> Segmentation:
        """Label an embedded image; makes no vision pass.

        Parameters
        ----------
        embedding : Embedding
            Of a segmenter with the same model and attention mode.
        classes : str or sequence of (str or ClassPrompt) or Classifier
        config : SegmentationConfig, optional
            That of the embedding if left out. What concerns the vision pass (short side,
            window, stride, where windows are averaged) is the embedding's in any case, and
            the templates are a classifier's own.
        progress : callable, optional

        Returns
        -------
        Segmentation

        Raises
        ------
        SclipError
            If the classes are not usable or the embedding is another model's.
        """
        self._check(embedding, config)
        self._named(classes)
        refiner = embedding.refiner(embedding.with_settings(config).refine)
        read = self._read(classes, embedding.with_settings(config), progress)
        parsed, decision, settings = read.classes, read.decision, read.settings
        text = read.rows.to(embedding.dense.features.device)
        with torch.inference_mode():
            labels, dropped = predict_labels(embedding.dense, text, decision, progress, refiner)
        labels = clean_labels(
            labels, settings.min_region_pixels, settings.max_hole_pixels, progress
        )
        return Segmentation(
            labels=labels,
            classes=parsed,
            dropped=tuple(parsed[k].name for k in dropped),
            config=settings,
            model=self.model,
            weights_sha256=self.weights_sha256,
            attention=self.attention,
            _dense=embedding.dense,
            _text=text,
            _decision=decision,
            _refiner=refiner,
        )

    def classify_partial(
        self,
        partial: PartialEmbedding,
        classes: Classes,
        config: SegmentationConfig | None = None,
    ) -> np.ndarray:
        """Label what has been seen of an image whose windows are still being computed.

        Call it within the callable that was given to `embed`; call `embed_classes` before
        `embed`, so that it makes no text pass there.

        Parameters
        ----------
        partial : PartialEmbedding
        classes, config
            As `classify` takes them. `min_area_fraction` is ignored, since which classes are
            small is not known yet, and so are `refine` and what is done to regions and holes.

        Returns
        -------
        (H, W) uint8 or uint16 array
            As `Segmentation.labels`; 0 where no window has been yet.

        Raises
        ------
        SclipError
            If the classes are not usable or the embedding is another model's.
        """
        self._check(partial.embedding, config)
        read = self._read(classes, partial.embedding.with_settings(config), None)
        dense, text = partial.embedding.dense, read.rows.to(partial.embedding.dense.features.device)
        with torch.inference_mode():
            return predict_seen_labels(dense, text, read.decision, partial.seen, partial.scale())

    def adapt(
        self,
        embedding: Embedding,
        labels: np.ndarray,
        classes: Classes,
        config: SegmentationConfig | None = None,
        *,
        where: np.ndarray | None = None,
        progress: ProgressCallback | None = None,
    ) -> Classifier:
        """Learn from labelled pixels, without a vision pass: see `adapt` in `engine`.

        Parameters, what is returned and errors are those of `napari_sclip.engine.learning.adapt`.
        """
        self._check(embedding, config)
        named = self._named(classes)
        before = classes if isinstance(classes, Classifier) else None
        settings = embedding.with_settings(config)
        return adapt(
            embedding, labels, named, settings, self.text, self.patch, where, before, progress
        )

    def relearn(
        self, classifier: Classifier, classes: Classes, *, progress: ProgressCallback | None = None
    ) -> Classifier:
        """Take what was learned over to other classes; see `napari_sclip.engine.learning`."""
        self._named(classifier)
        return relearn(classifier, self._named(classes), self.text, progress)

    def attention_at(
        self,
        image: Any,  # noqa: ANN401 - any array-like
        point: tuple[float, float],
        *,
        config: SegmentationConfig | None = None,
        mode: str | None = None,
        head: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> AttentionMap:
        """Show what the patch under a point attends to: see `attention_at` in `engine`.

        Parameters, what is returned and errors are those of
        `napari_sclip.engine.attention_at.attention_at`.
        """
        own = self.resolve(config), self.vision, self.normalisation, self._windows
        return attention_at(image, point, *own, mode=mode, head=head, progress=progress)

    def _check(self, embedding: object, config: object) -> None:
        check_config(config)
        check_embedding(embedding, self.fingerprint, f"{self.model} with {self.attention!r}")

    def _named(self, classes: Classes) -> tuple[ClassPrompt, ...]:
        return named_classes(classes, self.fingerprint, f"{self.model} with {self.attention!r}")

    def _read(
        self, classes: Classes, settings: SegmentationConfig, progress: ProgressCallback | None
    ) -> Reading:
        """Embed the prompts of classes, and say how labels follow from them."""
        named = self._named(classes)
        given = classes if isinstance(classes, Classifier) else named
        return read_rows(given, settings, self.text, progress)

"""The model in memory and the images that it has seen."""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import hashlib
import json
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_sclip.config import SegmentationConfig
from napari_sclip.errors import ModelError
from napari_sclip.layers.image.request import ImageRequest
from napari_sclip.layers.image.rgb import PlaneView
from napari_sclip.progress import ProgressCallback
from napari_sclip.widgets.state.model import ModelSelection

EMBEDDINGS_BYTES = 512 * 10**6
"""Embedded images beyond this are let go, those unused for longest first."""

VISION_FIELDS = ("short_side", "window", "stride", "average_on", "nonfinite")


class NeedsDownloadError(ModelError):
    """The weights are not on this disk, and nobody has agreed to their download."""


@dataclass(eq=False)
class LastResult:
    """What was classified last, so that a closer look at it costs nothing twice.

    Attributes
    ----------
    key : hashable
        Of `result_key`.
    result : Segmentation
    margin : (H, W) array or None
        Of the result, once somebody asked for it.
    """

    key: Hashable
    result: Any
    margin: np.ndarray | None = None

    @property
    def embedding_key(self) -> Hashable:
        """Of the embedding that the result refers to."""
        return self.key[0] if isinstance(self.key, tuple) else None


def result_key(embedding_key: Hashable, classes: Any, config: Any) -> Hashable:  # noqa: ANN401
    """Name what an embedding gives for classes (or a `Classifier`) and settings."""
    named = tuple(classes) if isinstance(classes, Sequence) else classes
    return embedding_key, named, config


class Session:
    """Keeps one model and the embeddings that it made; used by one worker at a time.

    Parameters
    ----------
    load : callable, optional
        Takes the place of `Segmenter.load`.
    """

    def __init__(self, load: Callable[..., Any] | None = None) -> None:
        self._load = load
        self._selection: ModelSelection | None = None
        self._segmenter: Any = None
        self._embeddings: OrderedDict[Hashable, Any] = OrderedDict()
        self._arrays: dict[Hashable, frozenset[int]] = {}
        self._guard = threading.Lock()  # an image may go while a worker embeds another
        self._sizes: dict[ModelSelection, tuple[int, int]] = {}
        self._fingerprints: dict[tuple[str, str | None, str], str] = {}
        self.last: LastResult | None = None
        self.lock = threading.Lock()

    @property
    def loaded(self) -> str:
        """What is in memory, in words; nothing if no model is."""
        segmenter = self._segmenter
        if segmenter is None:
            return ""
        return f"{segmenter.model} on {segmenter.device}, {segmenter.precision}"

    def sizes(self, selection: ModelSelection) -> tuple[int, int] | None:
        """Sides in pixels of a patch and of the input, of a model that was loaded once."""
        return self._sizes.get(selection)

    def is_of(self, fingerprint: str, selection: ModelSelection) -> bool:
        """Whether this may be the fingerprint of a model; only if it was loaded once it is sure."""
        known = self._fingerprints.get(_weights_of(selection))
        if known is None:
            return fingerprint not in self._fingerprints.values()
        return known == fingerprint

    def segmenter(self, selection: ModelSelection, progress: ProgressCallback | None = None) -> Any:  # noqa: ANN401 - a Segmenter, or what a test puts in its place
        """Return the model, loaded now if it is not in memory; another one is let go first.

        Raises
        ------
        NeedsDownloadError
            If its weights are not on this disk.
        SclipError
            As `Segmenter.load`.
        """
        if self._segmenter is not None and self._selection == selection:
            return self._segmenter
        self.unload()
        if self._load is None:
            _check_on_disk(selection)
            from napari_sclip.engine.segmenter import Segmenter

            load: Callable[..., Any] = Segmenter.load
        else:
            load = self._load
        self._segmenter = load(
            selection.name,
            weights=selection.weights,
            device=selection.device,
            precision=selection.precision,
            attention=selection.attention,
            progress=progress,
        )
        self._selection = selection
        self._fingerprints[_weights_of(selection)] = self._segmenter.fingerprint
        if hasattr(self._segmenter, "patch"):
            self._sizes[selection] = self._segmenter.patch, self._segmenter.input_size
        return self._segmenter

    def embedding(self, key: Hashable) -> Any | None:  # noqa: ANN401
        """Return the embedding kept under a key, or None."""
        with self._guard:
            if key in self._embeddings:
                self._embeddings.move_to_end(key)
            return self._embeddings.get(key)

    def keep(self, key: Hashable, embedding: Any, request: ImageRequest | None = None) -> None:  # noqa: ANN401
        """Keep an embedding; the newest stays whatever its size.

        Parameters
        ----------
        key : hashable
        embedding : Embedding
        request : ImageRequest, optional
            What was read; with its arrays the embedding goes.
        """
        sources = () if request is None else request.sources
        with self._guard:
            self._embeddings[key] = embedding
            self._embeddings.move_to_end(key)
            self._arrays[key] = frozenset(id(source.array) for source in sources)
            while len(self._embeddings) > 1 and self._bytes() > EMBEDDINGS_BYTES:
                self._drop(next(iter(self._embeddings)))

    def keep_only(self, arrays: Collection[int]) -> bool:
        """Let go of the embeddings of images that are gone; tell if the last used was one.

        Parameters
        ----------
        arrays : collection of int
            The ``id`` of each array that is still there.
        """
        with self._guard:
            gone = [key for key, of in self._arrays.items() if not of.issubset(arrays)]
            last_used = next(reversed(self._embeddings), None)
            for key in gone:
                self._drop(key)
        return last_used in gone

    @property
    def embeddings_bytes(self) -> int:
        """Bytes that the embeddings take."""
        with self._guard:
            return self._bytes()

    def _bytes(self) -> int:
        return sum(int(embedding.nbytes) for embedding in self._embeddings.values())

    def _drop(self, key: Hashable) -> None:
        del self._embeddings[key], self._arrays[key]
        if self.last is not None and self.last.embedding_key == key:
            self.last = None

    def close(self) -> None:
        """Unload as soon as no worker uses the session; for a worker."""
        with self.lock:
            self.unload()

    def unload(self) -> None:
        """Let go of the model and of all embeddings, and give their memory back."""
        segmenter, self._segmenter, self._selection = self._segmenter, None, None
        with self._guard:
            self._embeddings.clear()
            self._arrays.clear()
        self.last = None
        if segmenter is None:
            return
        device = getattr(segmenter, "device", None)
        del segmenter
        gc.collect()
        if "torch" in sys.modules and device is not None and self._load is None:
            from napari_sclip.engine.devices import release_memory

            release_memory(device)
        _trim()


def _trim() -> None:
    """Give freed memory back to the system, where the C library (glibc) has a call for it."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


def _weights_of(selection: ModelSelection) -> tuple[str, str | None, str]:
    """Leave out what a fingerprint does not depend on."""
    return selection.name, selection.weights, selection.attention


def _check_on_disk(selection: ModelSelection) -> None:
    if selection.weights is not None:
        return
    from napari_sclip.models.registry import MODELS
    from napari_sclip.models.weights import weights_on_disk

    entry = next((e for e in MODELS if e.name == selection.name), None)
    if entry is not None and weights_on_disk(entry) is None:
        raise NeedsDownloadError(
            f"Expected the weights of {entry.name} on this disk; they are not there. Download "
            f"them once ({entry.size_mb} MB)."
        )


def run_signature(request: ImageRequest, config: SegmentationConfig) -> Hashable:
    """Tell runs apart that need different embeddings, without looking at a pixel.

    Parameters
    ----------
    request : ImageRequest
    config : SegmentationConfig
    """
    described = request.describe()
    for name in ("image", "layers"):
        del described[name]
    looks = [
        (
            source.look.gamma,
            source.look.opacity,
            source.look.blending,
            _colors(source.look.colormap),
        )
        for source in request.sources
    ]
    vision = {name: _plain(getattr(config, name)) for name in VISION_FIELDS}
    arrays = tuple(id(source.array) for source in request.sources)
    return json.dumps([described, looks, vision, arrays], sort_keys=True)


def plane_key(
    request: ImageRequest,
    number: int,
    plane: np.ndarray | PlaneView,
    config: SegmentationConfig,
    fingerprint: str,
) -> Hashable:
    """Name the embedding of a plane: by its pixels where they are in memory.

    Parameters
    ----------
    request : ImageRequest
    number : int
        Of the plane.
    plane : array or PlaneView
        What `read_plane` gave.
    config : SegmentationConfig
        Resolved.
    fingerprint : str
        Of the model and its attention mode.
    """
    vision = tuple(_plain(getattr(config, name)) for name in VISION_FIELDS)
    if isinstance(plane, np.ndarray):
        digest = hashlib.blake2b(np.ascontiguousarray(plane).data, digest_size=16).hexdigest()
        return plane.shape, str(plane.dtype), digest, vision, fingerprint
    one = dataclasses.replace(request, planes=(request.planes[number],))
    return run_signature(one, config), _pixels(request, plane), fingerprint


def _pixels(request: ImageRequest, plane: PlaneView) -> str:
    """Hash what is in memory and may be changed there; nothing of lazily loaded arrays."""
    digest = hashlib.blake2b(digest_size=16)
    if all(isinstance(source.array, np.ndarray) for source in request.sources):
        for band in plane.bands():
            digest.update(np.ascontiguousarray(band).data)
    return digest.hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _colors(colormap: Any) -> str | None:  # noqa: ANN401 - napari has no types
    if colormap is None:
        return None
    return hashlib.blake2b(np.asarray(colormap.colors).tobytes(), digest_size=8).hexdigest()

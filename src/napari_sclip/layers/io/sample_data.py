"""Sample data for napari's menu: images, and what to look for in them; no network is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_sclip.layers.image.read import Suggestion, suggestion_metadata
from napari_sclip.layers.labels.layer import colormap, features
from napari_sclip.layers.labels.schema import choose_ids, make_legend
from napari_sclip.models.registry import DEFAULT_MODEL
from napari_sclip.prompts import format_classes
from napari_sclip.samples.scenes import make_scene

LayerData = tuple[np.ndarray, dict[str, Any], str]
"""Array, arguments and type of a layer."""

DEMO_MODEL = "shapes-demo"

CAT_CLASSES = "cat, background = wall | blanket | curtain"
COFFEE_CLASSES = (
    "coffee = coffee | espresso, cup = cup | mug, saucer = saucer | plate, spoon, "
    "background = wooden table | wood | desk"
)
TISSUE_CLASSES = (
    "gland = brown stained gland | brown tissue, "
    "connective tissue = tissue with blue cells | blue and white fibers, "
    "background = white background | blank white area"
)


def scene_2() -> list[LayerData]:
    """Four shapes on a gradient."""
    return _scene(2)


def scene_12() -> list[LayerData]:
    """Three shapes on a gradient, two of them blue."""
    return _scene(12)


def scene_26() -> list[LayerData]:
    """Four shapes on stripes, two of them crosses."""
    return _scene(26)


def cat() -> list[LayerData]:
    """Photo of a cat, (300, 451, 3) uint8."""
    return _photo("Photo: cat", "chelsea", CAT_CLASSES)


def coffee() -> list[LayerData]:
    """Photo of a cup of coffee, (400, 600, 3) uint8."""
    return _photo("Photo: coffee", "coffee", COFFEE_CLASSES)


def stained_tissue() -> list[LayerData]:
    """Micrograph of glands, stained brown, among blue cells, (512, 512, 3) uint8."""
    return _photo("Micrograph: stained tissue", "immunohistochemistry", TISSUE_CLASSES)


def _scene(seed: int) -> list[LayerData]:
    """Return a scene, and its ground truth as hidden labels."""
    scene = make_scene(seed)
    found = ", ".join(c.name for c in scene.classes if not c.background)
    name = f"Scene {seed}: {found}"
    suggestion = Suggestion(format_classes(scene.classes), DEMO_MODEL)
    legend = make_legend(scene.classes, choose_ids(scene.classes))
    # Not noted as labels of this plugin: those are written to, and the truth must stay.
    truth = {
        "name": f"{name} ground truth",
        "features": features(legend),
        "colormap": colormap(legend),
        "visible": False,
    }
    return [_image(scene.image, name, suggestion), (scene.labels, truth, "labels")]


def _photo(name: str, picture: str, classes: str) -> list[LayerData]:
    """Return a picture that scikit-image brings along in its wheel."""
    import skimage.data

    image = np.asarray(getattr(skimage.data, picture)())
    return [_image(image, name, Suggestion(classes, DEFAULT_MODEL))]


def _image(image: np.ndarray, name: str, suggestion: Suggestion) -> LayerData:
    return image, {"name": name, "rgb": True, "metadata": suggestion_metadata(suggestion)}, "image"

"""Classes and a model that fit an image, noted in its layer by whoever made the layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from napari_sclip.errors import ClassesError
from napari_sclip.layers.legend import KEY
from napari_sclip.prompts import parse_classes


@dataclass(frozen=True)
class Suggestion:
    """What to look for in an image.

    Attributes
    ----------
    classes : str
        In the form that `parse_classes` reads.
    model : str or None
        Name of the registry; None leaves the model open.
    """

    classes: str
    model: str | None = None


def read_suggestion(layer: Any) -> Suggestion | None:  # noqa: ANN401 - napari has no types
    """Read what fits the image of a layer; None if nothing usable is noted.

    Parameters
    ----------
    layer : Layer
        Of any kind. Its metadata may come from a file or another program, so whatever cannot
        be used counts as missing.
    """
    own = layer.metadata.get(KEY)
    noted = own.get("suggestion") if isinstance(own, Mapping) else None
    if not isinstance(noted, Mapping) or not isinstance(noted.get("classes"), str):
        return None
    try:
        parse_classes(noted["classes"])
    except ClassesError:
        return None
    model = noted.get("model")
    return Suggestion(noted["classes"], model if isinstance(model, str) and model else None)


def suggestion_metadata(suggestion: Suggestion) -> dict[str, Any]:
    """Return the metadata of a layer from which `read_suggestion` reads the suggestion."""
    return {KEY: {"suggestion": {"classes": suggestion.classes, "model": suggestion.model}}}

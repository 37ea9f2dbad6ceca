"""The words of the synthetic scenes: what captions say and prompts may ask for."""

from __future__ import annotations

from collections.abc import Sequence

from napari_sclip.samples.shapes import TEXTURE_NAMES

BACKGROUND_PROMPTS: tuple[str, ...] = (
    "background",
    *(f"{texture} background" for texture in TEXTURE_NAMES),
)


def with_article(phrase: str) -> str:
    """Put "a" or "an" before a phrase."""
    return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"


def write_caption(phrases: Sequence[str], texture: str | None) -> str:
    """Write one sentence about what can be seen.

    Parameters
    ----------
    phrases : sequence of str
        One phrase an object, for instance "red circle"; may be empty.
    texture : str or None
        The kind of background, or None where no background can be seen.

    Returns
    -------
    str
        For instance "a red circle and an orange cell on a striped background".
    """
    named = [with_article(phrase) for phrase in phrases]
    listed = " and ".join(filter(None, (", ".join(named[:-1]), *named[-1:])))
    ground = with_article(f"{texture} background") if texture else ""
    return " on ".join(filter(None, (listed, ground)))

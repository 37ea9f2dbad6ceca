"""Prompts to text embeddings, remembered in memory and on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from napari_sclip.core.text import TextTower, embed_texts
from napari_sclip.core.transformer import move
from napari_sclip.engine.text_cache import TextCache, cache_key
from napari_sclip.models.open_clip import Towers
from napari_sclip.progress import ProgressCallback, notify, report

PROMPTS_AT_ONCE = 8
MAX_QUOTED = 60
MAX_LISTED = 8


class TextEncoder:
    """Embeds prompts, each the normalised mean over the templates.

    Parameters
    ----------
    towers : Towers
    device : torch.device
        Computes in float32 there, whatever the precision of the vision tower.
    cache : TextCache
    """

    def __init__(self, towers: Towers, device: torch.device, cache: TextCache) -> None:
        self.towers = towers
        self.device = device
        self.cache = cache
        self.prompts_computed = 0
        self._tower: TextTower | None = None
        self._memory: dict[str, Tensor] = {}
        self._told: set[str] = set()

    def embed(
        self,
        prompts: Sequence[str],
        templates: Sequence[str],
        progress: ProgressCallback | None = None,
    ) -> Tensor:
        """Embed prompts.

        Parameters
        ----------
        prompts : sequence of str
        templates : sequence of str
            Each with one ``{}``.
        progress : callable, optional
            Told after every few prompts that had to be computed, and within them; raising from
            it stops the work.

        Returns
        -------
        (P, D) float32 tensor
            L2-normalised, on the encoder's device.
        """
        keys = {p: cache_key(self.towers.fingerprint, templates, p) for p in prompts}
        size = self._size()
        missing = []
        for prompt, key in keys.items():
            if key in self._memory:
                continue
            kept = self.cache.load(key, size)
            if kept is None:
                missing.append(prompt)
            else:
                self._memory[key] = torch.from_numpy(kept).to(self.device)
        self._warn_of_unknown_words(list(keys))
        for first in range(0, len(missing), PROMPTS_AT_ONCE):
            tell = partial(report, progress, first, len(missing), "Reading prompts")
            tell()
            some = missing[first : first + PROMPTS_AT_ONCE]
            for prompt, embedding in zip(some, self._compute(some, templates, tell), strict=True):
                self._memory[keys[prompt]] = embedding
                self.cache.save(keys[prompt], embedding.cpu().numpy())
        if missing:
            self.cache.prune()
            report(progress, len(missing), len(missing), "Reading prompts")
        return torch.stack([self._memory[keys[p]] for p in prompts])

    def _size(self) -> int:
        text = self.towers.text
        last = text.ln_final if text.projection is None else text.projection
        return int(last.weight.shape[0])

    @torch.inference_mode()
    def _compute(
        self, prompts: Sequence[str], templates: Sequence[str], between: Callable[[], None]
    ) -> Tensor:
        if self._tower is None:
            self._tower = move(self.towers.text, self.device, torch.float32)
        sentences = [t.replace("{}", prompt) for prompt in prompts for t in templates]
        embedded = embed_texts(self._tower, self._tokenize(sentences), between)
        self.prompts_computed += len(prompts)
        means = embedded.view(len(prompts), len(templates), -1).mean(1)
        return F.normalize(means, dim=-1)

    def _tokenize(self, sentences: Sequence[str]) -> Tensor:
        length = self.towers.text.context_length
        tokens = np.zeros((len(sentences), length), dtype=np.int64)
        cut = []
        for row, sentence in enumerate(sentences):
            ids = self.towers.encode(sentence)
            if len(ids) > length - 2:
                cut.append(sentence)
            ids = [self.towers.start_token, *ids[: length - 2], self.towers.end_token]
            tokens[row, : len(ids)] = ids
        if cut:
            notify(
                f"The text tower reads {length - 2} tokens at most; what comes after them was "
                f"cut from {len(cut)} sentence(s), the first being {_short(cut[0])!r}. Use a "
                "shorter prompt."
            )
        return torch.from_numpy(tokens)

    def _warn_of_unknown_words(self, prompts: Sequence[str]) -> None:
        """Warn, once a prompt, of tokens that were never trained: they have rows of zeros."""
        table = self.towers.text.token_embedding
        new = [p for p in prompts if p not in self._told]
        self._told.update(new)
        unknown = [p for p in new if not bool(table[self.towers.encode(p) or [0]].any(dim=1).all())]
        if unknown:
            notify(
                f"{self.towers.name} was never trained on the words of "
                f"{_listed(unknown)}: expect nothing sensible for them. Choose a "
                "model for real photos."
            )


def _short(text: str) -> str:
    return text if len(text) <= MAX_QUOTED else f"{text[:MAX_QUOTED]}..."


def _listed(prompts: Sequence[str]) -> str:
    named = ", ".join(repr(_short(prompt)) for prompt in prompts[:MAX_LISTED])
    more = len(prompts) - MAX_LISTED
    return f"{named} and {more} more" if more > 0 else named

"""Texts of a known language as vectors: English by the model taught for search, other languages by two models."""

from collections.abc import Collection, Sequence
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from agent.ports import Embedder
from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.remembered import RememberedEmbedder
from tools.embedding.sentences import PairedEmbedder, sentence_encoder

_SECOND_SHARE = 0.5
# A question and its answer lie farther apart there than in the first model's English: stretched, a cosine means about
# the same in both.
_STRETCH = 1.3


class ReadBy(StrEnum):
    """Which model's cosines a search has: what is near differs between them."""

    PLAIN = "plain"
    TAUGHT = "taught"
    BOTH = "both"


class ByLanguage:
    """An embedder that is told the texts' language.

    With `beside`, texts in another language than English are read by both models, half by each; English is read by the
    first alone, unless `english` is false, where nothing that is searched is English. All rows have the same
    `dimensions`. `taught` tells that the first was taught for search.
    """

    def __init__(
        self, first: Embedder, beside: Embedder | None = None, *, english: bool = True, taught: bool = False
    ) -> None:
        self._first = first
        self._alone = ReadBy.TAUGHT if taught else ReadBy.PLAIN
        self._paired = _paired(first, beside) if beside is not None else None
        self._english = english
        by = "-by-language" if english else ""
        self.name = first.name if self._paired is None else f"{self._paired.name}{by}"

    @property
    def dimensions(self) -> int:
        """Values of a row; an endpoint's are known once it has answered."""
        return self._first.dimensions if self._paired is None else self._paired.dimensions

    async def embed(self, texts: Sequence[str], language: str) -> NDArray[np.float32]:
        """One L2-normalised row per text, in order.

        Raises:
            ConnectorError: a model or its endpoint failed.
        """
        if self._paired is None:
            return await self._first.embed(texts)
        if self._both(language):
            return await self._paired.embed(texts)
        rows = await self._first.embed(texts)
        return np.pad(rows, ((0, 0), (0, self.dimensions - rows.shape[1])))

    def read_by(self, language: str) -> ReadBy:
        """Whose cosines a question in this language has."""
        return ReadBy.BOTH if self._both(language) else self._alone

    def stretch(self, language: str) -> float:
        """What a cosine with a question in this language is multiplied by, so that it means what it does in English."""
        return _STRETCH if self._both(language) else 1.0

    def _both(self, language: str) -> bool:
        return self._paired is not None and (language != "en" or not self._english)


def by_language(embedder: Embedder, languages: Collection[str]) -> ByLanguage:
    """Return what embeds a base whose articles are in these languages: with one that reads English, both models."""
    foreign = any(language != "en" for language in languages)
    first = searching(embedder)
    beside = sentence_encoder() if foreign and reads_english(embedder) else None
    return ByLanguage(first, beside, english="en" in languages, taught=first is not embedder)


def searching(embedder: Embedder) -> Embedder:
    """Return what questions and the passages that answer them are read by: a model's own encoder for that, if any."""
    beneath = embedder.beneath if isinstance(embedder, RememberedEmbedder) else embedder
    for_search = beneath.for_search if isinstance(beneath, MiniLmEmbedder) else None
    return embedder if for_search is None else for_search


def beyond_english(embedder: Embedder) -> Embedder:
    """Return what embeds texts of other languages: with a model that reads English, both models."""
    return _paired(embedder, sentence_encoder()) if reads_english(embedder) else embedder


def _paired(first: Embedder, second: Embedder) -> PairedEmbedder:
    return PairedEmbedder(first, second, share=_SECOND_SHARE)


def reads_english(embedder: Embedder) -> bool:
    """Whether a model is good at English and hardly knows other languages."""
    beneath = embedder.beneath if isinstance(embedder, RememberedEmbedder) else embedder
    return isinstance(beneath, MiniLmEmbedder)

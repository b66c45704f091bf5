"""Tickets as numbers for the learnt classifiers: a subject, a text below it, and what they look like.

Words are hashed, so that a model holds no word of a customer.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from tools.hashing import Hasher, Part, SpellingTerms, WordTerms, side_by_side

Vectors = NDArray[np.float32]

MAX_CHARS = 20_000
# What an embedding reads of a text; more than this it can't take in.
EMBEDDED_CHARS = 1000

_FIRST_LINE_BUCKETS, _TEXT_BUCKETS, _SPELLING_BUCKETS, _LINE_BUCKETS = 2**14, 2**16, 2**14, 2**14
_FIRST_LINE, _TEXT, _SPELLING, _LINES, _MEANING, _SHAPE = 1.0, 3.0, 0.7, 1.0, 1.4, 0.5

_WORD = r"(?u)\b\w[\w']*\b|\?"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE = re.compile(r"```.*?(?:```|\Z)", re.DOTALL)
_LINK = re.compile(r"https?://\S+|!\[[^\]]*\]\([^)]*\)")
_TROUBLE = re.compile(r"traceback|exception|\bstack\b|error")
_REPORT = re.compile(r"\b(?:expected|actual|reproduc\w*)\b")
_WISH = re.compile(r"\b(?:would be|feature|suggest\w*|propos\w*|support for|allow|add)\b")
_ASKS = re.compile(r"\b(?:how|why|what|is it possible|can i|is there)\b")


@dataclass(frozen=True, slots=True)
class TicketText:
    """The first line of a message (a subject, most often) and all of it."""

    first_line: str
    whole: str

    @classmethod
    def of(cls, text: str) -> "TicketText":
        """Split a message of any length."""
        text = text[:MAX_CHARS].strip()
        return cls(text.split("\n", 1)[0].strip(), text)

    @property
    def body(self) -> str:
        """What stands below the first line, or the line itself when there is nothing below it."""
        below = self.whole[len(self.first_line) :].strip()
        return _LINK.sub(" url ", _CODE.sub(" codeblock ", _COMMENT.sub(" ", below or self.first_line)))

    @property
    def gist(self) -> str:
        """The first line and the beginning of the prose, for an embedding."""
        prose = " ".join(line.strip() for line in self.body.splitlines() if line.strip() and not line.startswith("#"))
        return f"{self.first_line}. {prose[:EMBEDDED_CHARS]}" if prose != self.first_line else self.first_line


class TicketFeatures:
    """Texts to counted, hashed rows; keeps nothing of them."""

    width = _FIRST_LINE_BUCKETS + _TEXT_BUCKETS + _SPELLING_BUCKETS + _LINE_BUCKETS

    def __init__(self) -> None:
        words = WordTerms(2, word=_WORD, strip_accents=False)
        self._first_lines = Hasher(words, _FIRST_LINE_BUCKETS)
        self._texts = Hasher(words, _TEXT_BUCKETS)
        self._spelling = Hasher(SpellingTerms(2, 5, strip_accents=False), _SPELLING_BUCKETS)
        self._lines = Hasher(_lines_of, _LINE_BUCKETS)

    def count(self, texts: Sequence[TicketText]) -> csr_matrix:
        """One row of `width` per text: dampened counts of first-line words, words, spelling and whole lines."""
        counting = (
            (self._first_lines, [text.first_line for text in texts]),
            (self._texts, [text.body for text in texts]),
            (self._spelling, [text.first_line for text in texts]),
            (self._lines, [text.whole for text in texts]),
        )
        counted = side_by_side([Part([hasher.count(each) for each in of], hasher.buckets) for hasher, of in counting])
        counted.data = 1 + np.log(counted.data)
        return counted


def rarity(counted: csr_matrix) -> NDArray[np.float32]:
    """The inverse document frequency of every column, smoothed."""
    seen = np.bincount(counted.indices, minlength=counted.shape[1])
    found: NDArray[np.float32] = (np.log((1 + counted.shape[0]) / (1 + seen)) + 1).astype(np.float32)
    return found


def weigh(
    counted: csr_matrix, idf: NDArray[np.float32], meanings: Sequence[Vectors], texts: Sequence[TicketText]
) -> csr_matrix:
    """Rows for a classifier: each kind of word normalised by itself and weighed, then meaning and shape.

    `meanings` are matrices of embeddings (of the first lines, of the gists), with a row per text; none without an
    embedder.
    """
    weighed = counted.copy()
    weighed.data = weighed.data * idf[weighed.indices]
    ends = np.cumsum([0, _FIRST_LINE_BUCKETS, _TEXT_BUCKETS, _SPELLING_BUCKETS, _LINE_BUCKETS])
    parts = [
        _normalised(weighed[:, start:end]) * weight
        for start, end, weight in zip(ends, ends[1:], (_FIRST_LINE, _TEXT, _SPELLING, _LINES), strict=False)
    ]
    parts += [csr_matrix(np.asarray(meaning, dtype=np.float32) * _MEANING) for meaning in meanings]
    parts.append(csr_matrix(np.array([_shape(text) for text in texts], dtype=np.float32) * _SHAPE))
    return csr_matrix(hstack(parts))


def _normalised(rows: csr_matrix) -> csr_matrix:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths > 0)
    return csr_matrix(rows.multiply(scale[:, np.newaxis]))


def _lines_of(text: str) -> list[str]:
    """The lines themselves: forms and templates leave whole lines behind."""
    return [line.strip().lower() for line in text.splitlines() if line.strip()]


def _shape(text: TicketText) -> list[float]:
    whole, lower, first = text.whole, text.whole.lower(), text.first_line.lower()
    return [
        float(len(_CODE.findall(whole))),
        float(np.log1p(len(whole)) / 8),
        float("?" in whole),
        float("?" in first),
        len(re.findall(r"^#+ ", whole, re.MULTILINE)) / 5,
        len(re.findall(r"^\s*[-*] ", whole, re.MULTILINE)) / 10,
        len(re.findall(r"^\s*\d+\. ", whole, re.MULTILINE)) / 5,
        float("[x]" in lower or "[ ]" in lower),
        float("http" in lower),
        float(bool(re.search(r"\d+\.\d+", whole))),
        float(bool(_TROUBLE.search(lower))),
        float(bool(_REPORT.search(lower))),
        float(bool(_WISH.search(lower))),
        float(bool(_ASKS.search(first))),
        float(len(lower.split()) < 30),
    ]

"""Which language a text is in, among those that Helpgraph speaks."""

import hashlib
from array import array
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from agent.types import LANGUAGES, Language
from tools.arrays import read_arrays, write_arrays

_ARRAYS = ("chances", "priors", "classes", "moves", "rows", "outputs")


@dataclass(frozen=True, slots=True)
class Guess:
    """A language and how sure we are, in [0, 1]."""

    language: Language
    confidence: float


class _Kept:
    """The identifier of this process: its tables are the same for everybody."""

    identifier: LanguageIdentifier | None = None


def prepare(cache_dir: Path) -> None:
    """Make ready to identify, so that no text has to wait for it; blocks.

    Unpacking the tables takes the better part of a second, so what our languages need of them is kept in `cache_dir`.
    """
    if _Kept.identifier is None:
        key = hashlib.sha256(f"{version('py3langid')}\x1e{LANGUAGES}".encode()).hexdigest()[:24]
        path = cache_dir / f"languages-{key}.npz"
        _Kept.identifier = _read(path) or _unpack(path)


def _identifier() -> LanguageIdentifier:
    if _Kept.identifier is None:
        _Kept.identifier = _unpack(None)
    return _Kept.identifier


def _unpack(path: Path | None) -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    if path is not None:
        tables = (
            identifier.nb_ptc,
            identifier.nb_pc,
            identifier.nb_classes,
            identifier.tk_nextmove,
            identifier.tk_row,
            identifier.tk_output,
        )
        arrays = {name: np.asarray(table) for name, table in zip(_ARRAYS, tables, strict=True)}
        write_arrays(path, arrays, packed=True)
    return identifier


def _read(path: Path) -> LanguageIdentifier | None:
    stored = read_arrays(path, _ARRAYS)
    if stored is None:
        return None
    # Looked up byte by byte, which arrays of Python's do faster than numpy's.
    moves, rows = (array(stored[name].dtype.char, stored[name].tobytes()) for name in ("moves", "rows"))
    return LanguageIdentifier(
        stored["chances"],
        stored["priors"],
        stored["classes"].tolist(),
        moves,
        stored["outputs"].tolist(),
        norm_probs=True,
        tk_row=rows,
    )


def identify(text: str) -> Guess:
    """Identify the language of `text`; a text without letters is nothing in particular (confidence 0)."""
    if not any(char.isalpha() for char in text):
        return Guess("en", 0.0)
    name, confidence = _identifier().classify(text[:2000])
    return Guess(name, float(confidence))

"""A learnt model and its folder: arrays, a manifest, and a name that is the hash of both."""

import hashlib
import json
import logging
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from agent.errors import Misconfigured
from tools.arrays import Arrays
from tools.knowledge.matching import Questions
from tools.learned.classifier import ARRAYS as CLASSIFIER_ARRAYS
from tools.learned.classifier import LearnedClassifier
from tools.learned.logistic import ARRAYS as ODDS_ARRAYS
from tools.learned.logistic import Odds
from tools.learned.outcomes import ARRAYS as OUTCOME_ARRAYS
from tools.learned.outcomes import Outcomes

logger = logging.getLogger(__name__)

FORMAT = 2
MANIFEST = "manifest.json"
_SCRATCH = "writing-"
_LEFT_AFTER_S = 3600
_QUESTION_ARRAYS = ("article_ids", "vectors", "data", "indices", "indptr", "stems", "stem_counts")
_ARRAYS = {
    "kind": CLASSIFIER_ARRAYS,
    "category": CLASSIFIER_ARRAYS,
    "questions": _QUESTION_ARRAYS,
    "outcomes": OUTCOME_ARRAYS,
    "answers": ODDS_ARRAYS,
}


class DamagedModel(Exception):
    """The folder doesn't hold what its manifest says; the message says what."""


def log_odds(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """The log-odds of probabilities, which count as no surer than one in a hundred either way."""
    clipped = np.clip(probabilities, 0.01, 0.99)
    odds: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return odds


@dataclass(frozen=True, slots=True)
class Trust:
    """What the engine's own probability of an answer is worth on this team's tickets: a line in log-odds."""

    slope: float = 1.0
    shift: float = 0.0

    def __call__(self, probability: float) -> float:
        return float(1 / (1 + np.exp(-(self.slope * log_odds(np.array(probability)) + self.shift))))


@dataclass(frozen=True, slots=True)
class LearnedModel:
    """Everything learnt. `embedder` names the model behind the vectors; "" when it learnt from words alone.

    `outcomes` say what tickets like a message came to, and `answers` whether the best article answers it, which
    replaces `trust`; both or neither are there. `report` is what was measured when it was learnt, as JSON.
    """

    embedder: str
    kind: LearnedClassifier | None = None
    category: LearnedClassifier | None = None
    questions: Questions | None = None
    trust: Trust = Trust()
    outcomes: Outcomes | None = None
    answers: Odds | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


def write(model: LearnedModel, shelf: Path) -> str:
    """Write the model into a folder of its own below `shelf` and return its id.

    The same model has the same id and is written once.

    Raises:
        Misconfigured: the folder can't be written.
    """
    try:
        shelf.mkdir(parents=True, exist_ok=True)
        _sweep(shelf)
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=shelf) as scratch:
            folder = Path(scratch) / "model"
            folder.mkdir()
            files = _write_arrays(model, folder)
            content = {
                "format": FORMAT,
                "embedder": model.embedder,
                "trust": {"slope": model.trust.slope, "shift": model.trust.shift},
                "files": files,
            }
            model_id = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
            manifest = {
                **content,
                "model_id": model_id,
                "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "report": dict(model.report),
            }
            (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True), encoding="utf-8")
            if not _is_whole(shelf / model_id):
                shutil.rmtree(shelf / model_id, ignore_errors=True)
                folder.rename(shelf / model_id)
    except OSError as exc:
        raise Misconfigured(f"the model folder {shelf} can't be written ({exc.strerror})") from exc
    return model_id


def _sweep(shelf: Path) -> None:
    """Remove what a process that was killed while it wrote has left."""
    for scratch in shelf.glob(f"{_SCRATCH}*"):
        if time.time() - scratch.stat().st_mtime > _LEFT_AFTER_S:
            shutil.rmtree(scratch, ignore_errors=True)


def read(folder: Path) -> LearnedModel:
    """Read a model's folder back.

    Raises:
        DamagedModel: a file is missing, was changed or can't be read.
    """
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if manifest["format"] != FORMAT:
            raise DamagedModel(f"its format is {manifest['format']}, this version reads {FORMAT}")
        content = {name: manifest[name] for name in ("format", "embedder", "trust", "files")}
        if hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16] != folder.name:
            raise DamagedModel("its name isn't the hash of its manifest")
        arrays = {name: _read_arrays(folder, name, digest) for name, digest in manifest["files"].items()}
        return LearnedModel(
            embedder=manifest["embedder"],
            kind=_classifier(arrays.get("kind")),
            category=_classifier(arrays.get("category")),
            questions=_questions(arrays["questions"]) if "questions" in arrays else None,
            trust=Trust(float(manifest["trust"]["slope"]), float(manifest["trust"]["shift"])),
            outcomes=Outcomes.from_arrays(arrays["outcomes"]) if "outcomes" in arrays else None,
            answers=Odds.from_arrays(arrays["answers"]) if "answers" in arrays else None,
            report=manifest["report"],
        )
    except (OSError, ValueError, KeyError, TypeError, IndexError, EOFError, zipfile.BadZipFile) as exc:
        raise DamagedModel(str(exc) or type(exc).__name__) from exc


def _is_whole(folder: Path) -> bool:
    try:
        read(folder)
    except DamagedModel:
        return False
    return True


def _write_arrays(model: LearnedModel, folder: Path) -> dict[str, str]:
    parts: dict[str, Arrays] = {}
    if model.kind is not None:
        parts["kind"] = model.kind.to_arrays()
    if model.category is not None:
        parts["category"] = model.category.to_arrays()
    if model.questions is not None:
        parts["questions"] = _question_arrays(model.questions)
    if model.outcomes is not None:
        parts["outcomes"] = model.outcomes.to_arrays()
    if model.answers is not None:
        parts["answers"] = model.answers.to_arrays()
    for name, arrays in parts.items():
        with (folder / f"{name}.npz").open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
    return {name: _digest(folder / f"{name}.npz") for name in parts}


def _read_arrays(folder: Path, name: str, digest: str) -> Arrays:
    path = folder / f"{name}.npz"
    if _digest(path) != digest:
        raise DamagedModel(f"{path.name} isn't what was written")
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return {key: stored[key] for key in _ARRAYS[name]}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _classifier(arrays: Arrays | None) -> LearnedClassifier | None:
    return LearnedClassifier.from_arrays(arrays) if arrays is not None else None


def _question_arrays(questions: Questions) -> Arrays:
    return {
        "article_ids": np.array(questions.article_ids, dtype=np.str_),
        "vectors": questions.vectors,
        "data": questions.wording.data,
        "indices": questions.wording.indices,
        "indptr": questions.wording.indptr,
        "stems": np.array([stem for stems in questions.stems for stem in sorted(stems)], dtype=np.uint64),
        "stem_counts": np.array([len(stems) for stems in questions.stems], dtype=np.int64),
    }


def _questions(arrays: Arrays) -> Questions:
    count = len(arrays["article_ids"])
    wording = csr_matrix((arrays["data"], arrays["indices"], arrays["indptr"]), shape=(count, 1024))
    ends = np.cumsum(arrays["stem_counts"])
    stems = tuple(frozenset(int(s) for s in part) for part in np.split(arrays["stems"], ends[:-1])) if count else ()
    if not count == len(arrays["vectors"]) == len(stems):
        raise ValueError("the arrays of the known questions are of different lengths")
    return Questions(tuple(str(a) for a in arrays["article_ids"]), arrays["vectors"].astype(np.float32), wording, stems)

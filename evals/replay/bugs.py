"""Which replayed tickets report the same bug, decided in the tickets' order as the built-in tracker would."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from evals.replay.case import Case
from tools.storage.tracker import SAME_WORDS
from tools.storage.word_overlap import word_overlap


class Reported(BaseModel):
    """A bug as a case reported it: kept beside the cases, so that a run that goes on knows those before it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bug_id: str
    is_new: bool
    gist: str
    vector: str | None


@dataclass
class BugGroups:
    """The bugs of a run so far. Two reports are one bug when they are as alike as the tracker's own rule wants."""

    same_bug: float
    same_words: float = SAME_WORDS
    _vectors: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32))
    _vector_ids: list[str] = field(default_factory=list)
    _gists: dict[str, str] = field(default_factory=dict)

    def known(self, reported: Reported) -> None:
        """Take in a bug of an earlier part of the run."""
        if reported.is_new:
            self._add(reported.bug_id, reported.gist, _vector(reported.vector))

    def place(self, gist: str, vector: str | None) -> Reported:
        """Say which bug this is: one of those before, or a new one."""
        array = _vector(vector)
        bug_id = self._same(gist, array)
        is_new = bug_id is None
        if bug_id is None:
            bug_id = f"BUG-{len(self._gists) + 1}"
            self._add(bug_id, gist, array)
        return Reported(bug_id=bug_id, is_new=is_new, gist=gist, vector=vector)

    def _add(self, bug_id: str, gist: str, vector: NDArray[np.float32] | None) -> None:
        self._gists[bug_id] = gist
        if vector is None:
            return
        known = len(self._vector_ids)
        if known == len(self._vectors):
            # Twice the room each time: a matrix made anew for each bug would cost more than the comparing.
            room = np.zeros((max(64, 2 * known), len(vector)), dtype=np.float32)
            if known:
                room[:known] = self._vectors
            self._vectors = room
        self._vectors[known] = vector
        self._vector_ids.append(bug_id)

    def _same(self, gist: str, vector: NDArray[np.float32] | None) -> str | None:
        if vector is not None:
            if not self._vector_ids:
                return None
            cosines = self._vectors[: len(self._vector_ids)] @ vector
            best = int(np.argmax(cosines))
            return self._vector_ids[best] if cosines[best] >= self.same_bug else None
        alike = {bug_id: word_overlap(known, gist) for bug_id, known in self._gists.items()}
        best_id = max(alike, key=lambda bug_id: alike[bug_id], default=None)
        return best_id if best_id is not None and alike[best_id] >= self.same_words else None


def with_bug(case: Case, reported: Reported) -> Case:
    """The case with the bug that its report belongs to; what is told twice in one ticket stays one report."""
    effects = tuple(
        effect.model_copy(update={"bug_id": reported.bug_id, "is_new": reported.is_new and bool(effect.is_new)})
        if effect.kind == "bug"
        else effect
        for effect in case.effects
    )
    return case.model_copy(update={"effects": effects})


def _vector(text: str | None) -> NDArray[np.float32] | None:
    return np.frombuffer(bytes.fromhex(text), dtype="<f4") if text is not None else None

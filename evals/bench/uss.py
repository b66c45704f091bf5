"""User satisfaction simulation: which turns left the customer dissatisfied."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import Misconfigured
from evals.bench.arena import Progress, open_arena
from evals.bench.report import BenchResult, Part
from evals.statistics.measured import Measured, bootstrap

NAME = "uss"
DISSATISFIED_BELOW = 2.5


@dataclass(frozen=True, slots=True)
class RatedTurn:
    """A customer's message with what was said before, oldest first; `rating` is the mean of 1 (bad) to 5."""

    dialogue: int
    text: str
    history: tuple[tuple[str, str], ...]
    rating: float

    @property
    def dissatisfied(self) -> bool:
        """Whether the annotators found so, on average."""
        return self.rating < DISSATISFIED_BELOW


def read_turns(path: Path) -> list[RatedTurn]:
    """Read a dialogue file: lines of role, text, action and ratings, with an empty line between dialogues.

    The action and the rating of the whole dialogue are left alone: a product has neither.

    Raises:
        Misconfigured: it can't be read, or holds no rated turn.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: can't be read as text ({type(exc).__name__})") from exc
    turns = [turn for number, block in enumerate(text.split("\n\n")) for turn in _of_dialogue(number, block)]
    if not turns:
        raise Misconfigured(f"{path}: no rated turn in it (lines of role, text, action and ratings, tab-separated)")
    return turns


def _of_dialogue(number: int, block: str) -> Sequence[RatedTurn]:
    turns: list[RatedTurn] = []
    history: list[tuple[str, str]] = []
    for line in block.split("\n"):
        parts = line.split("\t")
        role, said = parts[0].strip().upper(), parts[1].strip() if len(parts) > 1 else ""
        if role == "USER" and said != "OVERALL":
            ratings = [float(part) for part in parts[3].split(",") if part.strip()] if len(parts) > 3 else []
            if ratings:
                turns.append(RatedTurn(number, said, tuple(history), sum(ratings) / len(ratings)))
            history.append(("customer", said))
        elif role == "SYSTEM":
            history.append(("bot", said))
    return turns


def splits(data: Path) -> list[str]:
    """Every dialogue file in the folder, by its name without the ending."""
    found = [path.stem for path in sorted(data.glob("*.txt"))]
    if not found:
        raise Misconfigured(f"{data}: no dialogue file (*.txt) in it")
    return found


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Take the turns one by one, with what was said before, and read whether the engine finds them dissatisfied.

    Nothing is trained on the dialogues.
    """
    measured = []
    async with open_arena([], on_progress=on_progress) as arena:
        for part in parts:
            turns = read_turns(data / f"{part}.txt")
            found = []
            for place, turn in enumerate(turns):
                found.append((await arena.ask(turn.text, turn.history)).dissatisfied >= 0.5)
                on_progress(part, place + 1, len(turns))
            measured.append(Part(part, score(turns, found)))
    return BenchResult(NAME, measured)


def score(turns: Sequence[RatedTurn], found: Sequence[bool]) -> dict[str, Measured]:
    """Unweighted average recall, and F1 of "dissatisfied"; whole dialogues are drawn for the intervals."""
    truth, said = np.array([turn.dissatisfied for turn in turns]), np.array(found)
    dialogues = [turn.dialogue for turn in turns]
    return {
        "uar": bootstrap(
            len(turns), lambda drawn: unweighted_average_recall(truth[drawn], said[drawn]), groups=dialogues
        ),
        "f1": bootstrap(len(turns), lambda drawn: _f1(truth[drawn], said[drawn]), groups=dialogues),
    }


def unweighted_average_recall(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    """The mean of the recall of both classes; not a number when one of them doesn't occur."""
    if truth.all() or not truth.any():
        return float("nan")
    return float((said[truth].mean() + (~said)[~truth].mean()) / 2)


def _f1(truth: NDArray[np.bool_], said: NDArray[np.bool_]) -> float:
    either = truth.sum() + said.sum()
    return float(2 * (truth & said).sum() / either) if either else float("nan")

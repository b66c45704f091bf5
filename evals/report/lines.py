"""The lines of a run's folder, cases beside their scores, read as often as needed and never held."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from agent.errors import BadTurn
from agent.wire import JsonObject
from evals.replay.record import CASES
from evals.scoring.written import SCORES


@dataclass(frozen=True, slots=True)
class JsonLines:
    """The objects of a file of JSON lines, read anew each time; a last line that was cut off is left out."""

    path: Path

    def __iter__(self) -> Iterator[JsonObject]:
        """Each line's object."""
        for line in whole_lines(self.path):
            yield orjson.loads(line)


def scored_lines(folder: Path) -> JsonLines:
    """The scores of a run: `ticket_id`, `run`, `score` and `label` of each case, in the cases' order."""
    return JsonLines(folder / SCORES)


def side_by_side(folder: Path, scored: Iterable[JsonObject]) -> Iterator[tuple[bytes, JsonObject]]:
    """Each case's line, not read yet, with its scores.

    Raises:
        BadTurn: the two are not of the same cases.
    """
    try:
        yield from zip(whole_lines(folder / CASES), scored, strict=True)
    except ValueError as exc:
        raise BadTurn(f"the scores in {folder} are not of all of its cases: score the run again") from exc


def whole_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file that end in a newline."""
    with path.open("rb") as file:
        yield from (line for line in file if line.endswith(b"\n"))

"""The scores of a run's folder: its cases against the labels of their tickets, into `scores.jsonl`."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from agent.errors import BadTurn
from agent.policy import Policy
from evals.labels.label import Label
from evals.progress import OnProgress
from evals.replay.case import Case, Timing
from evals.replay.record import read_cases, read_timings
from evals.scoring.summary import Collector, Summary
from evals.scoring.written import writing_scores
from evals.tickets.ticket import Ticket

_STAGE = "scoring"


def score_run(
    folder: Path, labelled: Iterable[tuple[Ticket, Label]], policy: Policy, *, cases: int, on_progress: OnProgress
) -> Summary:
    """Score the cases of a run, one at a time, and write what each came to.

    Args:
        folder: of the run.
        labelled: the tickets with their labels, in the order in which they were replayed; there may be more of them.
        policy: the one that the run went by.
        cases: how many there are, for the progress.
        on_progress: is told how far it has come.

    Raises:
        BadTurn: a case's ticket is not among them.
        Misconfigured: the folder can't be written.
    """
    collector = Collector(policy)
    with writing_scores(folder, policy) as write:
        for done, (case, timing, label) in enumerate(_together(folder, labelled), 1):
            write(collector.add(case, label, timing), label)
            on_progress(_STAGE, done, cases)
    return collector.summary()


def _together(folder: Path, labelled: Iterable[tuple[Ticket, Label]]) -> Iterator[tuple[Case, Timing, Label]]:
    """Cases with their timings and labels; the repetitions of a ticket stand together."""
    tickets = iter(labelled)
    pairs = zip(read_cases(folder), read_timings(folder), strict=True)
    for ticket_id, group in groupby(pairs, key=lambda pair: pair[0].ticket_id):
        label = next((label for ticket, label in tickets if ticket.ticket_id == ticket_id), None)
        if label is None:
            raise BadTurn(f"the run in {folder} has the ticket {ticket_id!r}, which the file of tickets hasn't")
        for case, timing in group:
            yield case, timing, label

"""Small runs made by hand, scored as a replay's are."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agent.policy import Policy
from agent.wire import to_json
from evals.labels.label import Known, Label
from evals.replay.case import Case
from evals.report.baseline import Baseline, measure_baseline
from evals.report.lines import scored_lines
from evals.report.write import write_report
from evals.scoring.summary import Collector, Summary
from evals.tickets.ticket import Ticket
from tests.evals.labels.arrange import ticket
from tests.evals.scoring.making import POLICY, answer, bug, case, filed, for_person, handoff, how_to, question

MANIFEST: dict[str, Any] = {
    "revision": "0123456789abcdef",
    "engine": {"name": "local"},
    "settings": {"model": None},
    "knowledge": {"articles": 3},
    "tickets": {"sha256": "f" * 64, "refused": {"the customer wrote nothing": 1}},
    "workspace": {"workspace_id": "acme"},
    "policy": to_json(POLICY),
    "chosen": {"seed": 7},
}
DECISION = {
    "route": "handoff",
    "handoff_reason": "risk",
    "reasons": [{"name": "risk", "value": 0.61, "weight": 0.37, "towards": "handoff"}],
    "expected_cost": {"answer": 4.2, "handoff": 0.9},
    "understanding": {"kind": "how_to", "kind_confidence": 0.9, "category": "login", "category_confidence": 0.8},
}
GOLD = (("needs_person", Known("gold", "gold", 1.0)),)


@dataclass(frozen=True, slots=True)
class Made:
    """A scored run in its folder."""

    folder: Path
    summary: Summary
    policy: Policy


def make_run(folder: Path, pairs: Iterable[tuple[Case, Label | None]], policy: Policy = POLICY) -> Made:
    """Write the cases and their scores, as a replay does."""
    folder.mkdir(parents=True, exist_ok=True)
    collector = Collector(policy)
    with (folder / "cases.jsonl").open("wb") as cases, (folder / "scores.jsonl").open("wb") as scores:
        for made, label in pairs:
            score = collector.add(made, label, None)
            cases.write(made.model_dump_json().encode() + b"\n")
            line = {"ticket_id": made.ticket_id, "run": made.run, "score": score.to_json(), "label": to_json(label)}
            scores.write(orjson.dumps(line) + b"\n")
    return Made(folder, collector.summary(), policy)


def report_of(made: Made, **changed: Any) -> tuple[Path, ...]:
    """Write its report."""
    given: dict[str, Any] = {"baseline": some_baseline(), **changed}
    return write_report(made.folder, made.summary, scored_lines(made.folder), MANIFEST, made.policy, **given)


def some_pairs(*, says: str = "How do I reset my password?") -> list[tuple[Case, Label | None]]:
    """One of each: right, wrong, handed over rightly and needlessly, missed, asked, a bug, unknown, failed, leaked."""
    passed, passing = handoff(1, queue="billing")
    handed = passed.model_copy(update={"decision": DECISION, "texts": (says,), "human_reply": "I've refunded it."})
    bug_turn, bug_filed = filed()
    thanks = answer().model_copy(update={"texts": ("thanks!",), "claims": (), "citations": (), "found": ()})
    return [
        (case(answer(), ticket_id="T-right", language="en"), how_to("T-right")),
        (case(answer("other"), ticket_id="T-wrong", language="de"), how_to("T-wrong", known=GOLD)),
        (case(handed, ticket_id="T-handed", effects=(passing,), ending="handed_off"), for_person("T-handed")),
        (case(handed, ticket_id="T-needless", effects=(passing,), ending="handed_off"), how_to("T-needless")),
        (case(answer(), ticket_id="T-missed"), for_person("T-missed")),
        (case(question(), ticket_id="T-waits"), for_person("T-waits")),
        (case(question(), ticket_id="T-open", ending="diverged", customer_messages=3), how_to("T-open")),
        (case(answer(support=0.1), ticket_id="T-unsupported"), how_to("T-unsupported")),
        (case(bug_turn, ticket_id="T-bug", effects=(bug_filed,)), bug("T-bug")),
        (case(answer("reset"), ticket_id="T-unknown"), None),
        (case(thanks, ticket_id="T-thanks"), None),
        (case(ticket_id="T-failed", ending="failed"), how_to("T-failed")),
        (case(ticket_id="T-leaked", ending="leaked"), how_to("T-leaked")),
    ]


def make_big_run(folder: Path, count: int) -> Made:
    """The same kinds of cases over and over, under ids of their own; the summary is that of one of each."""
    made = make_run(folder, some_pairs())
    names = [pair[0].ticket_id.encode() for pair in some_pairs()]
    for name in ("cases.jsonl", "scores.jsonl"):
        kinds = (folder / name).read_bytes().splitlines(keepends=True)
        with (folder / name).open("wb") as file:
            file.writelines(kinds)
            for number in range(len(kinds), count):
                kind = number % len(kinds)
                file.write(kinds[kind].replace(b'"%s"' % names[kind], b'"T-%05d"' % number))
    return made


def some_baseline() -> Baseline:
    """Of three tickets."""
    return measure_baseline(zip(then_tickets(), (how_to("T1"), how_to("T2"), for_person("T3")), strict=True))


def then_tickets() -> list[Ticket]:
    """Three tickets of the past."""
    return [ticket("How?", "So.", number=1), ticket("And how?", "So too.", number=2), ticket("Refund me", number=3)]

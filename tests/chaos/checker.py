"""The independent look at what is left after a round: invariants I1 to I10 of docs/chaos.md.

It reads rows and transcripts, and shares no code with the product: names of events and the formula of an effect's key
are written here again, from the documents.
"""

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.chaos.hook_checks import check_hooks
from tests.chaos.people_checks import check_people
from tests.chaos.stream_checks import check_streams
from tests.chaos.tables import Row, Tables
from tests.chaos.transcript import ENDS, Talk

Kind = Literal["lost", "doubled", "stuck", "gap", "wrong", "crossed"]

MESSAGE = "helpgraph.message.v1"
JOINED = "helpgraph.joined.v1"
OUTCOME = "helpgraph.outcome.v1"
TICKET = "helpgraph.ticket.v1"
HANDOFF = "helpgraph.handoff.v1"
MODE = "helpgraph.mode.v1"
_OVER = ("finished", "failed", "parked")
_PEOPLE = ("waiting", "with_person")
_AGAIN_LATER = (503, 507)
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Finding:
    """An invariant that doesn't hold, what kind of harm it is, where, and what was seen."""

    invariant: str
    kind: Kind
    where: str
    what: str


class Log:
    """The rows, sorted by conversation and turn."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.conversations = {row["conversation_id"]: row for row in tables.conversations}
        self.turns = {row["turn_id"]: row for row in tables.turns}
        self.events: dict[str, list[Row]] = defaultdict(list)
        self.of_turn: dict[str, list[Row]] = defaultdict(list)
        for row in tables.events:
            self.events[row["conversation_id"]].append(row)
            if row["turn_id"] is not None:
                self.of_turn[row["turn_id"]].append(row)

    def kind_of(self, turn_id: str, *kinds: str) -> list[Row]:
        """A turn's events of these kinds."""
        return [row for row in self.of_turn[turn_id] if row["kind"] in kinds]


def check(tables: Tables, talks: Sequence[Talk], *, whole: bool) -> list[Finding]:
    """Return everything that doesn't hold. `whole`: the rows are those of every conversation there is."""
    log = Log(tables)
    return [
        *_messages(log, talks),
        *_turns(log, talks),
        *_bugs(log, whole=whole),
        *_handoffs(log),
        *(Finding("I4", "gap", where, what) for where, what in check_streams(tables, talks)),
        *_nothing_open(log, whole=whole),
        *_sequence(log),
        *_projections(log),
        *_tenants(log),
        *(Finding("I10", harm, where, what) for harm, where, what in check_hooks(tables)),
        *(Finding("I9", harm, where, what) for harm, where, what in check_people(tables, talks)),
    ]


def effect_key(turn: Row, effect: str) -> str:
    """The key under which an effect of a turn happens once."""
    name = f"{turn['workspace_id']}\n{turn['conversation_id']}\n{turn['turn_id']}\n{effect}\n0"
    return hashlib.sha256(name.encode()).hexdigest()


def _messages(log: Log, talks: Sequence[Talk]) -> Iterator[Finding]:
    """I1: what was acknowledged is in the log, once, as it was sent; and nothing that nobody sent."""
    said: dict[str, list[Row]] = defaultdict(list)
    for rows in log.events.values():
        for row in rows:
            if row["kind"] == MESSAGE and row["event"]["value"]["author"] == "customer":
                said[row["event"]["value"]["message_id"]].append(row)
    kept = Counter(row["client_message_id"] for row in log.tables.client_messages)
    sent: set[str] = set()
    for talk in talks:
        for message in talk.messages:
            sent.add(message.message_id)
            found = said[message.message_id]
            where = f"message {message.message_id}"
            if message.acknowledged and (not found or not kept[message.message_id]):
                yield Finding("I1", "lost", where, "acknowledged, and not in the log")
            if len(found) > 1 or kept[message.message_id] > 1:
                yield Finding("I1", "doubled", where, f"{len(found)} times in the log")
            if any(row["event"]["value"]["text"] != message.text for row in found):
                yield Finding("I1", "wrong", where, "the log has another text")
            if any(row["conversation_id"] != talk.conversation_id for row in found):
                yield Finding("I1", "crossed", where, "in another conversation than it was sent to")
    known = {talk.conversation_id for talk in talks}
    for message_id, found in said.items():
        if message_id not in sent and any(row["conversation_id"] in known for row in found):
            yield Finding("I1", "wrong", f"message {message_id}", "in the log, and nobody sent it")


def _turns(log: Log, talks: Sequence[Talk]) -> Iterator[Finding]:
    """I2: an accepted turn ends, once."""
    for turn_id in log.turns:
        for kinds, name in ((ENDS, "end event"), ((OUTCOME,), "outcome")):
            number = len(log.kind_of(turn_id, *kinds))
            if number == 0:
                yield Finding("I2", "stuck", f"turn {turn_id}", f"no {name}")
            elif number > 1:
                yield Finding("I2", "doubled", f"turn {turn_id}", f"{number} times an {name}")
        # What is away for a while, a store or a model, is waited for or done without.
        if any(row["event"]["value"]["reason"] == "turn_failed" for row in log.kind_of(turn_id, HANDOFF)):
            yield Finding("I2", "wrong", f"turn {turn_id}", "failed of itself")
    for row in log.tables.client_messages:
        if row["turn_id"] not in log.turns:
            yield Finding("I2", "lost", f"message {row['client_message_id']}", "no turn answers it")
    for talk in talks:
        for message in talk.messages:
            if message.ended_at is None:
                yield Finding("I2", "stuck", f"message {message.message_id}", "its client never saw an end")
        where = f"conversation {talk.conversation_id}"
        for problem in talk.problems:
            yield Finding("I2", "wrong", where, problem)
        for refusal in talk.refusals:
            if refusal.status not in _AGAIN_LATER or refusal.retry_after is None:
                answer = f"{refusal.status}, retry after {refusal.retry_after}"
                yield Finding("I2", "wrong", where, f"{refusal.request} was answered {answer}")
        for status in talk.reads:
            if status != 200:
                yield Finding("I2", "wrong", where, f"couldn't be read while the disk was full: {status}")


def _bugs(log: Log, *, whole: bool) -> Iterator[Finding]:
    """I3: a turn that told of a ticket filed exactly one, and the counts follow from the filings."""
    filings: dict[str, list[Row]] = defaultdict(list)
    for row in log.tables.bug_filings:
        filings[row["effect_key"]].append(row)
    turn_of = {effect_key(turn, "bug"): turn for turn in log.tables.turns}
    for key, turn in turn_of.items():
        where, told, found = f"turn {turn['turn_id']}", log.kind_of(turn["turn_id"], TICKET), filings[key]
        if len(told) > 1:
            yield Finding("I3", "doubled", where, f"told of {len(told)} tickets")
        if told and not found:
            yield Finding("I3", "lost", where, "told of a ticket that was never filed")
        if len(found) > 1:
            yield Finding("I3", "doubled", where, f"filed {len(found)} times")
        # A turn that failed after it had filed went to a person, with all that was said; or a person ended it then.
        if found and not told and turn["status"] == "finished" and turn["outcome"] != "delivered":
            yield Finding("I3", "wrong", where, f"filed {found[0]['bug_id']}, and told nobody")
        for row in told:
            ticket = row["event"]["value"]
            if found and (ticket["bug_id"], ticket["is_new"]) != (found[0]["bug_id"], bool(found[0]["is_new"])):
                yield Finding("I3", "wrong", where, f"told of {ticket['bug_id']}, filed {found[0]['bug_id']}")
    if whole:
        for key in filings.keys() - turn_of.keys():
            if filings[key]:
                yield Finding("I3", "doubled", f"filing {key[:12]}", "no turn has this key")
    yield from _counts(log, {key: rows for key, rows in filings.items() if rows}, turn_of, whole=whole)


def _counts(log: Log, filings: dict[str, list[Row]], turn_of: dict[str, Row], *, whole: bool) -> Iterator[Finding]:
    reported = {
        (row["bug_id"], turn_of[key]["conversation_id"])
        for key, rows in filings.items()
        if key in turn_of
        for row in rows
    }
    counted = Counter((row["bug_id"], row["conversation_id"]) for row in log.tables.bug_occurrences)
    for pair in reported - counted.keys():
        yield Finding("I3", "lost", f"bug {pair[0]}", f"doesn't count conversation {pair[1]}")
    for pair, number in counted.items():
        if number > 1:
            yield Finding("I3", "doubled", f"bug {pair[0]}", f"counts conversation {pair[1]} {number} times")
        if pair not in reported and (whole or pair[1] in log.conversations):
            yield Finding("I3", "doubled", f"bug {pair[0]}", f"counts conversation {pair[1]}, which filed nothing")
    opened = Counter((row["workspace_id"], row["bug_id"]) for rows in filings.values() for row in rows if row["is_new"])
    for bug in log.tables.bugs:
        number = opened[bug["workspace_id"], bug["bug_id"]]
        if number != 1:
            yield Finding("I3", "doubled", f"bug {bug['bug_id']}", f"opened by {number} filings")
    of_workspace = Counter(bug["workspace_id"] for bug in log.tables.bugs)
    for counter in log.tables.bug_counters:
        if counter["last_number"] != of_workspace[counter["workspace_id"]]:
            have = of_workspace[counter["workspace_id"]]
            yield Finding("I7", "wrong", "bug numbers", f"counted to {counter['last_number']}, and there are {have}")


def _handoffs(log: Log) -> Iterator[Finding]:
    """I3: a turn hands over once, and a conversation is in front of people once."""
    for turn_id, turn in log.turns.items():
        handed = len(log.kind_of(turn_id, HANDOFF))
        if handed > 1:
            yield Finding("I3", "doubled", f"turn {turn_id}", f"handed over {handed} times")
        if (turn["outcome"] == "handed_off") != (handed == 1):
            yield Finding("I3", "lost", f"turn {turn_id}", f"outcome {turn['outcome']}, {handed} handoffs")
    rows: dict[str, list[Row]] = defaultdict(list)
    for row in log.tables.handoffs:
        rows[row["conversation_id"]].append(row)
    for conversation_id, conversation in log.conversations.items():
        where = f"conversation {conversation_id}"
        waits = conversation["mode"] in _PEOPLE
        still_open = sum(row["closed_at"] is None for row in rows[conversation_id])
        if still_open != waits:
            harm: Kind = "lost" if still_open < waits else "doubled"
            yield Finding("I3", harm, where, f"{still_open} open handoffs, {conversation['mode']}")
        modes = _modes(log.events[conversation_id])
        # Asked for, taken unasked, or closed by somebody who never had it.
        begun = sum(
            now in (*_PEOPLE, "closed") and before not in _PEOPLE
            for before, now in zip(["bot", *modes], modes, strict=False)
        )
        if len(rows[conversation_id]) != begun:
            kind: Kind = "lost" if len(rows[conversation_id]) < begun else "doubled"
            yield Finding("I3", kind, where, f"{len(rows[conversation_id])} handoffs, the log has {begun}")


def _nothing_open(log: Log, *, whole: bool) -> Iterator[Finding]:
    """I5: nothing is being worked on any more, and in the end nothing is kept of it."""
    for turn_id, turn in log.turns.items():
        if turn["status"] not in _OVER:
            yield Finding("I5", "stuck", f"turn {turn_id}", f"still {turn['status']} after {turn['attempts']} attempts")
    for conversation_id, conversation in log.conversations.items():
        if conversation["lease_until"] > log.tables.now:
            yield Finding("I5", "stuck", f"conversation {conversation_id}", "still held by a worker")
    for thread_id in log.tables.open_threads:
        left = log.turns.get(thread_id.split("-")[0])
        if whole and left is not None and left["status"] in _OVER:
            yield Finding("I5", "stuck", f"turn {left['turn_id']}", "over, and its checkpoint is still kept")


def _sequence(log: Log) -> Iterator[Finding]:
    """I6: numbers are dense, and one writer at a time wrote: turns don't mix, and nothing follows an end."""
    for conversation_id, conversation in log.conversations.items():
        where, rows = f"conversation {conversation_id}", log.events[conversation_id]
        numbers = [row["seq"] for row in rows]
        if numbers != list(range(1, len(numbers) + 1)) or conversation["last_seq"] != len(numbers):
            yield Finding("I6", "gap", where, f"{len(numbers)} events up to {conversation['last_seq']}")
        running: str | None = None
        over: set[str] = set()
        for row in rows:
            turn_id, kind = row["turn_id"], row["kind"]
            if turn_id is None or kind in (MESSAGE, JOINED, MODE):
                continue
            if turn_id in over:
                yield Finding("I6", "doubled", where, f"event {row['seq']} ({kind}) after the end of turn {turn_id}")
            elif kind == "RUN_STARTED":
                if running is not None:
                    yield Finding("I6", "doubled", where, f"turn {turn_id} began while {running} ran")
                running = turn_id
            elif turn_id != running:
                yield Finding("I6", "doubled", where, f"event {row['seq']} ({kind}) of a turn that doesn't run")
            if kind in ENDS:
                over.add(turn_id)
                running = None
        yield from _words(where, rows)


def _words(where: str, rows: Sequence[Row]) -> Iterator[Finding]:
    """A message of the bot is what was streamed of it since its last start: two writers would mix their words."""
    streamed: dict[str, str] = {}
    for row in rows:
        event = row["event"]
        match row["kind"]:
            case "TEXT_MESSAGE_START":
                streamed[event["messageId"]] = ""
            case "TEXT_MESSAGE_CONTENT":
                streamed[event["messageId"]] = streamed.get(event["messageId"], "") + event["delta"]
            case kind if kind == MESSAGE and event["value"]["author"] == "bot":
                value = event["value"]
                if streamed.get(value["message_id"]) != value["text"]:
                    yield Finding("I6", "wrong", where, f"message {value['message_id']} isn't what was streamed of it")


def _projections(log: Log) -> Iterator[Finding]:
    """I7: what is kept beside the log is what the log says, and the file is whole."""
    for problem in log.tables.damage:
        yield Finding("I7", "wrong", "the database's file", problem)
    for turn_id, turn in log.turns.items():
        where = f"turn {turn_id}"
        outcomes = [row["event"]["value"]["outcome"] for row in log.kind_of(turn_id, OUTCOME)]
        if (turn["status"] in _OVER) != bool(log.kind_of(turn_id, *ENDS)):
            yield Finding("I7", "wrong", where, f"is {turn['status']}, its end is another in the log")
        if outcomes and turn["outcome"] != outcomes[-1]:
            yield Finding("I7", "wrong", where, f"outcome {turn['outcome']}, the log has {outcomes[-1]}")
        started = [row["seq"] for row in log.kind_of(turn_id, "RUN_STARTED")]
        if [turn["run_started_seq"]] != started:
            yield Finding("I7", "wrong", where, f"began at {turn['run_started_seq']}, in the log at {started}")
    at = {
        (row["conversation_id"], row["event"]["value"]["message_id"]): row
        for row in log.tables.events
        if row["kind"] == MESSAGE
    }
    joined = {row["event"]["value"]["message_id"] for row in log.tables.events if row["kind"] == JOINED}
    for message in log.tables.client_messages:
        event = at.get((message["conversation_id"], message["client_message_id"]))
        if event is None or (event["seq"], event["turn_id"]) != (message["seq"], message["turn_id"]):
            yield Finding("I7", "wrong", f"message {message['client_message_id']}", "isn't where its row says")
        if bool(message["joined"]) != (message["client_message_id"] in joined):
            yield Finding("I7", "wrong", f"message {message['client_message_id']}", "joined a turn, or didn't")
    for conversation_id, conversation in log.conversations.items():
        modes = _modes(log.events[conversation_id])
        if conversation["mode"] != (modes[-1] if modes else "bot"):
            yield Finding("I7", "wrong", f"conversation {conversation_id}", f"mode {conversation['mode']}, log {modes}")
        if conversation["handbacks"] != modes.count("handed_back"):
            yield Finding("I7", "wrong", f"conversation {conversation_id}", f"{conversation['handbacks']} hand-backs")


def _tenants(log: Log) -> Iterator[Finding]:
    """I8: no row carries another workspace's name, or an id of another conversation."""
    owner: dict[str, str] = {}
    for row in log.tables.conversations:
        owner[row["conversation_id"]] = row["conversation_id"]
        owner[row["thread_id"]] = row["conversation_id"]
        owner[row["owner_id"].rpartition(":")[2]] = row["conversation_id"]
    for row in log.tables.turns:
        owner[row["turn_id"]] = row["conversation_id"]
    for row in log.tables.client_messages:
        owner[row["client_message_id"]] = row["conversation_id"]
    for name in ("events", "turns", "client_messages", "handoffs", "desk_replies", "deliveries"):
        for row in getattr(log.tables, name):
            conversation = log.conversations.get(row["conversation_id"])
            where = f"{name} of conversation {row['conversation_id']}"
            if conversation is None or row["workspace_id"] != conversation["workspace_id"]:
                yield Finding("I8", "crossed", where, f"workspace {row['workspace_id']}")
            strangers = {
                found
                for found in _ID.findall(json.dumps(row, default=str))
                if owner.get(found, row["conversation_id"]) != row["conversation_id"]
            }
            if strangers:
                yield Finding("I8", "crossed", where, f"has ids of another conversation: {sorted(strangers)[:3]}")


def _modes(rows: Sequence[Row]) -> list[str]:
    return [row["event"]["value"]["mode"] for row in rows if row["kind"] == MODE]

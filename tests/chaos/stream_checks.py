"""I4: each client's events are the log's, in order, without a gap or a repeat. Shares no code with the product."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from tests.chaos.tables import Row, Tables
from tests.chaos.transcript import ENDS, Stream, Talk

# What a stream of one run closes by itself, and so without a number.
_CLOSING = ("STEP_FINISHED", "TEXT_MESSAGE_END")
_STEPS = ("STEP_STARTED", "STEP_FINISHED")


def check_streams(tables: Tables, talks: Sequence[Talk]) -> Iterator[tuple[str, str]]:
    """Yield where a stream isn't what the log has, and how."""
    everything: dict[str, list[Row]] = defaultdict(list)
    visible: dict[str, list[Row]] = defaultdict(list)
    for row in tables.events:
        everything[row["conversation_id"]].append(row)
        if row["audience"] == "all":
            visible[row["conversation_id"]].append(row)
    turn_of = {(row["conversation_id"], row["client_message_id"]): row for row in tables.client_messages}
    attempts = {row["turn_id"]: row["attempts"] for row in tables.turns}
    for talk in talks:
        rows = visible[talk.conversation_id]
        for stream in talk.streams:
            where = f"{stream.kind} stream of conversation {talk.conversation_id}"
            if stream.kind == "run":
                message = turn_of.get((talk.conversation_id, str(stream.message_id)))
                if message is None:
                    yield where, f"streamed message {stream.message_id}, which isn't in the log"
                    continue
                mine = [row for row in rows if row["turn_id"] == message["turn_id"]]
                once = attempts.get(message["turn_id"], 0) <= 1
                found = _run(stream, mine, message["seq"], once=once)
            else:
                found = _log(stream, everything[talk.conversation_id] if stream.kind == "staff" else rows)
            yield from ((where, what) for what in found)


def _log(stream: Stream, rows: Sequence[Row]) -> Iterator[str]:
    """The log as it is, from an event on; a watcher has seen all of it."""
    expected = [row for row in rows if row["seq"] > stream.after]
    got = [item.seq for item in stream.received]
    wanted = [row["seq"] for row in expected]
    if got != wanted[: len(got)]:
        at = next((n for n, pair in enumerate(zip(got, wanted, strict=False)) if pair[0] != pair[1]), len(wanted))
        yield f"event {at + 1} is {got[at : at + 3]}, in the log {wanted[at : at + 3]}"
        return
    if stream.kind == "follow" and len(got) < len(wanted):
        yield f"ends at {got[-1:]}, the log at {wanted[-1]}"
    for item, row in zip(stream.received, expected, strict=False):
        if item.event != row["event"]:
            yield f"event {item.seq} isn't the log's"


def _run(stream: Stream, rows: Sequence[Row], message_seq: int, *, once: bool) -> Iterator[str]:
    """A run: what the log has of its turn, in order; only a step that was tried again may be left out."""
    received = stream.received
    if not received:
        return
    if received[0].event["type"] != "RUN_STARTED":
        yield f"begins with {received[0].event['type']}"
    numbered = [(item.seq, item.event) for item in received if item.seq is not None]
    if any(item.seq is None and item.event["type"] not in _CLOSING for item in received):
        yield "has an event without a number"
    if any(before[0] >= after[0] for before, after in pairwise(numbered)):
        yield f"numbers don't rise: {[seq for seq, _ in numbered]}"
    in_log = {row["seq"]: row for row in rows}
    for seq, event in numbered:
        row = in_log.get(seq)
        if event["type"] == "RUN_STARTED":
            if seq != message_seq and (row is None or row["kind"] != "RUN_STARTED"):
                yield f"begins at {seq}, where no run does"
        elif row is None:
            yield f"event {seq} isn't the turn's"
        elif event["type"] in ENDS:
            if row["kind"] != event["type"] or event.get("runId") != stream.run_id:
                yield f"ends at {seq} as the log doesn't"
        elif row["event"] != event:
            yield f"event {seq} isn't the log's"
    if not numbered:
        return
    first, last, got = numbered[0][0], numbered[-1][0], {seq for seq, _ in numbered}
    closed = {item.event.get("messageId") for item in received if item.seq is None}
    steps = {event["stepName"] for _, event in numbered if event["type"] == "STEP_STARTED"}
    for row in rows:
        passed_over = row["kind"] == "RUN_STARTED" or (row["kind"] in _STEPS and not once)
        # The end of a step that had begun before the stream did.
        passed_over |= row["kind"] == "STEP_FINISHED" and row["event"]["stepName"] not in steps
        # The stream had closed the message by itself, before a snapshot, when a person ended the turn.
        passed_over |= row["kind"] == "TEXT_MESSAGE_END" and row["event"]["messageId"] in closed
        if first < row["seq"] <= last and row["seq"] not in got and not passed_over:
            yield f"event {row['seq']} ({row['kind']}) is missing"
    if stream.ended and received[-1].event["type"] not in ENDS:
        yield "goes on after its end"

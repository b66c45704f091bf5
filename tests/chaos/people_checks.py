"""I9: between a person's taking and letting go the bot is silent, and each act of theirs is in the log once.

Shares no code with the product.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

from tests.chaos.tables import Row, Tables
from tests.chaos.transcript import Deed, Talk

Harm = Literal["lost", "doubled", "wrong"]
Seen = tuple[Harm, str, str]

MESSAGE = "helpgraph.message.v1"
MODE = "helpgraph.mode.v1"
# A message that reaches a person has a run around it with one step, in which it ends; nothing else of a turn is there.
_SPEAKS = (
    *("TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END"),
    *("helpgraph.ticket.v1", "helpgraph.handoff.v1", "helpgraph.decision.v1", "helpgraph.evidence.v1"),
)
_LEAVES = {"hand_back": "handed_back", "resolve": "closed"}


def check_people(tables: Tables, talks: Sequence[Talk]) -> Iterator[Seen]:
    """Yield what kind of harm was done, where, and what was seen."""
    events: dict[str, list[Row]] = defaultdict(list)
    for row in tables.events:
        events[row["conversation_id"]].append(row)
    for conversation_id, rows in events.items():
        yield from _silence(f"conversation {conversation_id}", rows)
    for talk in talks:
        where, rows = f"conversation {talk.conversation_id}", events[talk.conversation_id]
        yield from _replies(where, talk, rows, tables)
        yield from _moves(where, talk, rows)


def _silence(where: str, rows: Sequence[Row]) -> Iterator[Seen]:
    """Nothing of the bot's between a person's coming and going."""
    person = False
    for row in rows:
        if row["kind"] == MODE:
            person = row["event"]["value"]["mode"] == "with_person"
        elif person and _is_the_bots(row):
            yield "wrong", where, f"event {row['seq']} ({row['kind']}) of the bot while a person has the conversation"


def _is_the_bots(row: Row) -> bool:
    match row["kind"]:
        case "STEP_STARTED" | "STEP_FINISHED":
            return bool(row["event"]["stepName"] != "finish")
        case kind if kind == MESSAGE:
            return bool(row["event"]["value"]["author"] == "bot")
        case kind:
            return kind in _SPEAKS


def _replies(where: str, talk: Talk, rows: Sequence[Row], tables: Tables) -> Iterator[Seen]:
    """What a person said is there once, under their name; and nothing that no person said."""
    said: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["kind"] == MESSAGE and row["event"]["value"]["author"] == "person":
            said[row["event"]["value"]["text"]].append(row)
    kept = [row for row in tables.desk_replies if row["conversation_id"] == talk.conversation_id]
    replies = {deed.text: deed for deed in talk.deeds_of("reply")}
    for text, deed in replies.items():
        found, rows_of_it = said[text], [row for row in kept if row["client_message_id"] == deed.client_message_id]
        name = f"reply {deed.client_message_id}"
        if deed.acknowledged and not (found and rows_of_it):
            yield "lost", where, f"{name} was acknowledged, and isn't in the log"
        if len(found) > 1 or len(rows_of_it) > 1:
            yield "doubled", where, f"{name} is {len(found)} times in the log"
        if any(row["event"]["value"]["author_name"] != deed.person for row in found):
            yield "wrong", where, f"{name} has another name"
        if [row["seq"] for row in found] != [row["seq"] for row in rows_of_it]:
            yield "wrong", where, f"{name} isn't where its row says"
    for text, found in said.items():
        if found and text not in replies:
            yield "wrong", where, f"event {found[0]['seq']}: a person's words that nobody said"


def _moves(where: str, talk: Talk, rows: Sequence[Row]) -> Iterator[Seen]:
    """Each taking and letting go that was acknowledged is there, and each is there once however often it was sent."""
    modes = [row["event"]["value"] for row in rows if row["kind"] == MODE]
    takes = talk.deeds_of("take")
    for deed in takes:
        yield from _times(where, deed, sum(m["mode"] == "with_person" and m["person"] == deed.person for m in modes))
    if any(m["mode"] == "with_person" and m["person"] not in {deed.person for deed in takes} for m in modes):
        yield "wrong", where, "was taken by somebody who didn't"
    for what, mode in _LEAVES.items():
        deeds, times = talk.deeds_of(what), sum(m["mode"] == mode for m in modes)
        for deed in deeds:
            yield from _times(where, deed, times)
        if times and not deeds:
            yield "wrong", where, f"is {mode}, and nobody did that"


def _times(where: str, deed: Deed, times: int) -> Iterator[Seen]:
    if deed.acknowledged and not times:
        yield "lost", where, f"{deed.what} by {deed.person} was acknowledged, and isn't in the log"
    if times > 1:
        yield "doubled", where, f"{deed.what} by {deed.person} was sent {deed.posts} times, and is there {times} times"

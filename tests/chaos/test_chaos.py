"""Some rounds of chaos on each database; and the checker finds whatever is doctored in what they leave."""

import ast
import asyncio
import copy
import pickle
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import checker, plan
from tests.chaos.checker import HANDOFF, JOINED, MESSAGE, MODE, OUTCOME, TICKET, Finding, check, effect_key
from tests.chaos.plan import Database, Plan
from tests.chaos.rounds import Result, play
from tests.chaos.tables import Row, Tables, read_tables
from tests.chaos.tally import Tally
from tests.chaos.transcript import Received, Refusal, Stream, Talk, Told
from tests.chaos.world import World

# Chosen so that every fault there is comes up, kills most of all, in rounds with a model and without.
SEEDS = {"sqlite": ("ans", 2), "postgres": ("ftz", 2)}
CONVERSATIONS = 4
_INDEPENDENT = ("checker", "hook_checks", "people_checks", "stream_checks", "tables", "transcript")
_OURS = ("agent", "tools", "graphs", "server", "evals")

Doctor = Callable[[Tables, list[Talk]], None]


@pytest.fixture(scope="module")
def on_sqlite(installed_by_words: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """What rounds on SQLite came to."""
    return _played("sqlite", tmp_path_factory.mktemp("chaos"), installed_by_words)


def _played(database: Database, folder: Path, installed: Path) -> list[Result]:
    async def all_of_them() -> list[Result]:
        world = World(database, folder, installed)
        try:
            await world.start(model=_plans(database)[0].model)
            return [await play(world, each.seed, conversations=CONVERSATIONS) for each in _plans(database)]
        finally:
            await world.close()

    return asyncio.run(all_of_them())


def _plans(database: Database) -> list[Plan]:
    name, number = SEEDS[database]
    return [plan.draw(f"{name}-{n}", database, conversations=CONVERSATIONS) for n in range(number)]


def test_nothing_is_lost_doubled_stuck_or_skipped_on_sqlite(on_sqlite: list[Result]) -> None:
    _expect_nothing(on_sqlite)


@pytest.mark.postgres
def test_nothing_is_lost_doubled_stuck_or_skipped_by_two_servers_on_postgres(
    installed_by_words: Path, tmp_path: Path
) -> None:
    _expect_nothing(_played("postgres", tmp_path, installed_by_words))


def _expect_nothing(results: list[Result]) -> None:
    tally = Tally()
    for result in results:
        tally.add(result)
    print("\n".join(tally.lines()))
    assert [(result.plan.seed, finding) for result in results for finding in result.findings] == []
    # A round that hits nothing, or in which nothing of interest is said, shows nothing.
    assert sum(tally.in_flight) > tally.kills
    assert {"take", "reply", "hand_back", "resolve"} <= tally.deeds.keys()
    assert {"local", "llm"} <= tally.engines.keys()
    assert tally.restarted_turns > 0
    assert {"answered", "bug_filed", "bug_counted", "handed_off"} <= tally.outcomes.keys()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_the_rounds_of_the_suite_have_every_fault(database: Database) -> None:
    drawn = _plans(database)

    assert {fault for each in drawn for fault in each.faults} == set(plan.FAULTS[database])
    assert {each.model for each in drawn} == {False, True}


def test_a_round_is_drawn_from_its_seed() -> None:
    first, again, other = (plan.draw(seed, "postgres", conversations=5) for seed in ("a-1", "a-1", "a-2"))

    assert first == again
    assert first.customer(2, 0) == again.customer(2, 0)
    assert first.customer(2, 0) != other.customer(2, 0)
    assert first.strikes != other.strikes


def test_the_checker_shares_no_code_with_the_product() -> None:
    for name in _INDEPENDENT:
        tree = ast.parse((Path(checker.__file__).parent / f"{name}.py").read_text())
        for node in ast.walk(tree):
            modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for module in modules:
                assert module.split(".")[0] not in _OURS
                assert not module.startswith("tests.") or module.removeprefix("tests.chaos.") in _INDEPENDENT


# --- every check can fail ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kept(on_sqlite: list[Result]) -> bytes:
    """Rows and transcripts of a whole run, in which everything holds: pickled, which is copied ten times sooner."""
    tables, talks = on_sqlite[-1].tables, [talk for result in on_sqlite for talk in result.talks]
    assert tables is not None
    for result in on_sqlite[:-1]:
        assert result.tables is not None
        for name in (
            "conversations",
            "events",
            "turns",
            "client_messages",
            "handoffs",
            "desk_replies",
            "deliveries",
            "told",
        ):
            getattr(tables, name).extend(getattr(result.tables, name))
    tables.open_threads = []
    assert check(tables, talks, whole=True) == []
    return pickle.dumps((tables, talks))


def _event(tables: Tables, kind: str, **value: object) -> Row:
    """The first event of a kind whose value has these fields."""
    return next(
        row
        for row in tables.events
        if row["kind"] == kind and all(row["event"]["value"].get(name) == wanted for name, wanted in value.items())
    )


def _drop_event(kind: str, **value: object) -> Doctor:
    return lambda tables, talks: tables.events.remove(_event(tables, kind, **value))


def _double_event(kind: str, **value: object) -> Doctor:
    def doctor(tables: Tables, talks: list[Talk]) -> None:
        row = _event(tables, kind, **value)
        tables.events.insert(tables.events.index(row), copy.deepcopy(row))

    return doctor


def _set(table: str, name: str, value: object) -> Doctor:
    def doctor(tables: Tables, talks: list[Talk]) -> None:
        getattr(tables, table)[0][name] = value

    return doctor


def _drop_row(table: str) -> Doctor:
    return lambda tables, talks: getattr(tables, table).pop(0)


def _double_row(table: str, **changes: object) -> Doctor:
    return lambda tables, talks: getattr(tables, table).append({**getattr(tables, table)[0], **changes})


def _change_value(kind: str, name: str, value: object, **having: object) -> Doctor:
    def doctor(tables: Tables, talks: list[Talk]) -> None:
        _event(tables, kind, **having)["event"]["value"][name] = value

    return doctor


def _stream(tables: Tables, talks: list[Talk], kind: str) -> Stream:
    """A stream of this kind that has the first steps of a turn; a run's turn was tried once."""
    once = {row["turn_id"] for row in tables.turns if row["attempts"] == 1}
    asked = {row["client_message_id"] for row in tables.client_messages if row["turn_id"] in once}
    return next(
        stream
        for talk in talks
        for stream in talk.streams
        if stream.kind == kind
        and (kind != "run" or stream.message_id in asked)
        and len(stream.received) > 6
        and all(item.event["type"].startswith("STEP_") for item in stream.received[3:5])
    )


def _in_stream(kind: str, doctor: Callable[[list[Received]], Any]) -> Doctor:
    return lambda tables, talks: doctor(_stream(tables, talks, kind).received)


def _swap(received: list[Received]) -> None:
    received[3], received[4] = received[4], received[3]


def _alter(received: list[Received]) -> None:
    received[4].event = {**received[4].event, "more": True}


def _resume_with_a_gap(tables: Tables, talks: list[Talk]) -> None:
    watched = _stream(tables, talks, "follow")
    talk = next(talk for talk in talks if watched in talk.streams)
    talk.streams.append(Stream("resume", after=0, received=[copy.deepcopy(item) for item in watched.received[1:]]))


def _never_ended(tables: Tables, talks: list[Talk]) -> None:
    talks[0].messages[0].ended_at = None


def _refused(status: int, retry_after: str | None) -> Doctor:
    return lambda tables, talks: talks[0].refusals.append(Refusal("POST /v1/agui", status, retry_after))


def _said_by_nobody(tables: Tables, talks: list[Talk]) -> None:
    talks[0].messages.pop(0)


def _sent_elsewhere(tables: Tables, talks: list[Talk]) -> None:
    talks[1].messages.append(talks[0].messages[0])


def _another_key(tables: Tables, talks: list[Talk]) -> None:
    tables.bug_filings.append({**tables.bug_filings[0], "effect_key": "0" * 64, "is_new": False})


def _ended_turn(tables: Tables) -> list[Row]:
    """The events of a turn that was answered at once."""
    turn_id = next(row["turn_id"] for row in tables.turns if row["outcome"] == "answered" and row["attempts"] == 1)
    return [row for row in tables.events if row["turn_id"] == turn_id]


def _end_twice(tables: Tables, talks: list[Talk]) -> None:
    tables.events.append(copy.deepcopy(next(row for row in _ended_turn(tables) if row["kind"] == "RUN_FINISHED")))


def _no_end(tables: Tables, talks: list[Talk]) -> None:
    tables.events.remove(next(row for row in _ended_turn(tables) if row["kind"] == "RUN_FINISHED"))


def _late_writer(tables: Tables, talks: list[Talk]) -> None:
    rows = _ended_turn(tables)
    late = copy.deepcopy(next(row for row in rows if row["kind"] == "STEP_STARTED"))
    tables.events.insert(tables.events.index(rows[-1]) + 1, late)


def _two_writers(tables: Tables, talks: list[Talk]) -> None:
    row = next(row for row in tables.events if row["kind"] == "TEXT_MESSAGE_CONTENT")
    row["event"]["delta"] += " " + row["event"]["delta"]


def _two_runs(tables: Tables, talks: list[Talk]) -> None:
    rows = _ended_turn(tables)
    other = next(turn for turn in tables.turns if turn["conversation_id"] != rows[0]["conversation_id"])
    begun = {**copy.deepcopy(next(row for row in rows if row["kind"] == "RUN_STARTED")), "turn_id": other["turn_id"]}
    tables.events.insert(tables.events.index(rows[-1]), begun)


def _ticket(tables: Tables) -> Row:
    """The ticket that a turn told of at its end: a turn that failed, or a person ended, may have filed and not told."""
    told = {row["turn_id"] for row in tables.turns if row["outcome"] in ("bug_filed", "bug_counted")}
    return next(row for row in tables.events if row["kind"] == TICKET and row["turn_id"] in told)


def _filed_in_silence(tables: Tables, talks: list[Talk]) -> None:
    tables.events.remove(_ticket(tables))


def _filed_otherwise(tables: Tables, talks: list[Talk]) -> None:
    _ticket(tables)["event"]["value"]["bug_id"] = "BUG-0"


def _never_filed(tables: Tables, talks: list[Talk]) -> None:
    turn = next(turn for turn in tables.turns if turn["turn_id"] == _ticket(tables)["turn_id"])
    tables.bug_filings = [row for row in tables.bug_filings if row["effect_key"] != effect_key(turn, "bug")]


def _open_checkpoint(tables: Tables, talks: list[Talk]) -> None:
    tables.open_threads.append(f"{tables.turns[0]['turn_id']}-1")


def _another_workspace(tables: Tables, talks: list[Talk]) -> None:
    tables.events[0]["workspace_id"] = "another"


def _another_conversation(tables: Tables, talks: list[Talk]) -> None:
    strangers = [row for row in tables.conversations if row["conversation_id"] != tables.events[0]["conversation_id"]]
    tables.events[0]["event"]["value"]["text"] += strangers[0]["owner_id"]


def _occurrence_of_nobody(tables: Tables, talks: list[Talk]) -> None:
    pairs = {(row["bug_id"], row["conversation_id"]) for row in tables.bug_occurrences}
    bug_id = tables.bug_occurrences[0]["bug_id"]
    other = next(c for c in tables.conversations if (bug_id, c["conversation_id"]) not in pairs)
    tables.bug_occurrences.append({**tables.bug_occurrences[0], "conversation_id": other["conversation_id"]})


def _drop_last_mode(tables: Tables, talks: list[Talk]) -> None:
    tables.events.remove([row for row in tables.events if row["kind"] == MODE][-1])


def _fails_of_itself(tables: Tables, talks: list[Talk]) -> None:
    _event(tables, HANDOFF)["event"]["value"]["reason"] = "turn_failed"


def _bot_in_between(kind: str, **event: object) -> Doctor:
    """An event of the bot's right after a person has taken the conversation."""

    def doctor(tables: Tables, talks: list[Talk]) -> None:
        taken = _event(tables, MODE, mode="with_person")
        late = {**taken, "kind": kind, "event": {"type": kind, **event}}
        tables.events.insert(tables.events.index(taken) + 1, late)

    return doctor


def _drop_deed(what: str) -> Doctor:
    def doctor(tables: Tables, talks: list[Talk]) -> None:
        talk = next(talk for talk in talks if talk.deeds_of(what))
        talk.deeds = [deed for deed in talk.deeds if deed.what != what]

    return doctor


def _too_often(mode: str, what: str) -> Doctor:
    """A move that is in the log more often than it was sent."""

    def doctor(tables: Tables, talks: list[Talk]) -> None:
        row = _event(tables, MODE, mode=mode)
        posts = sum(deed.posts for talk in talks for deed in talk.deeds_of(what))
        tables.events += [copy.deepcopy(row) for _ in range(posts)]

    return doctor


def _heard(tables: Tables) -> list[Told]:
    assert tables.told is not None
    return tables.told


def _unheard(tables: Tables, talks: list[Talk]) -> None:
    first = _heard(tables)[0].event_id
    tables.told = [each for each in _heard(tables) if each.event_id != first]


def _heard_backwards(tables: Tables, talks: list[Talk]) -> None:
    _heard(tables).reverse()


def _heard_of_nothing(tables: Tables, talks: list[Talk]) -> None:
    first = _heard(tables)[0]
    _heard(tables).append(Told(f"{first.event_id.partition('.')[0]}.999999", first.body))


def _heard_otherwise(tables: Tables, talks: list[Talk]) -> None:
    _heard(tables)[0].body["data"]["author"] = "somebody"


def _heard_twice(tables: Tables, talks: list[Talk]) -> None:
    first = _heard(tables)[0]
    _heard(tables).append(Told(first.event_id, {**first.body, "type": "another"}))


def _forged(tables: Tables, talks: list[Talk]) -> None:
    tables.forged = 1


DOCTORED: dict[str, tuple[str, str, Doctor]] = {
    "an acknowledged message is not in the log": ("I1", "lost", _drop_event(MESSAGE, author="customer")),
    "an acknowledged message has no row": ("I1", "lost", _drop_row("client_messages")),
    "a message is in the log twice": ("I1", "doubled", _double_event(MESSAGE, author="customer")),
    "a message has two rows": ("I1", "doubled", _double_row("client_messages")),
    "a message has another text": ("I1", "wrong", _change_value(MESSAGE, "text", "another", author="customer")),
    "a message that nobody sent": ("I1", "wrong", _said_by_nobody),
    "a message in another conversation": ("I1", "crossed", _sent_elsewhere),
    "a turn has no end": ("I2", "stuck", _no_end),
    "a turn ends twice": ("I2", "doubled", _end_twice),
    "a turn has no outcome": ("I2", "stuck", _drop_event(OUTCOME)),
    "a turn has two outcomes": ("I2", "doubled", _double_event(OUTCOME)),
    "a message's turn is gone": ("I2", "lost", _drop_row("turns")),
    "a client never saw the end": ("I2", "stuck", _never_ended),
    "a client was refused for good": ("I2", "wrong", _refused(500, None)),
    "a client wasn't told when to try again": ("I2", "wrong", _refused(503, None)),
    "a client had a problem": ("I2", "wrong", lambda tables, talks: talks[0].problems.append("no answer")),
    "a full disk couldn't be read": ("I2", "wrong", lambda tables, talks: talks[0].reads.append(503)),
    "a turn failed of itself": ("I2", "wrong", _fails_of_itself),
    "a ticket was told of and never filed": ("I3", "lost", _never_filed),
    "a filing is there twice": ("I3", "doubled", _double_row("bug_filings")),
    "a filing under another key": ("I3", "doubled", _another_key),
    "a turn tells of two tickets": ("I3", "doubled", _double_event(TICKET)),
    "a bug was filed in silence": ("I3", "wrong", _filed_in_silence),
    "another bug was told of than filed": ("I3", "wrong", _filed_otherwise),
    "a report isn't counted": ("I3", "lost", _drop_row("bug_occurrences")),
    "a report is counted twice": ("I3", "doubled", _double_row("bug_occurrences")),
    "a report of nobody is counted": ("I3", "doubled", _occurrence_of_nobody),
    "a bug is there that nobody opened": ("I3", "doubled", _double_row("bugs", bug_id="BUG-0")),
    "a turn hands over twice": ("I3", "doubled", _double_event(HANDOFF)),
    "a handoff isn't in the log": ("I3", "lost", _drop_event(HANDOFF)),
    "a handoff reaches nobody": ("I3", "lost", _drop_row("handoffs")),
    "a conversation waits twice": ("I3", "doubled", _double_row("handoffs")),
    "a closed handoff too many": ("I3", "doubled", _double_row("handoffs", closed_at="2026-01-01")),
    "a run lacks an event": ("I4", "gap", _in_stream("run", lambda received: received.pop(4))),
    "a run repeats an event": ("I4", "gap", _in_stream("run", lambda received: received.insert(4, received[4]))),
    "a run is out of order": ("I4", "gap", _in_stream("run", _swap)),
    "a run has another event": ("I4", "gap", _in_stream("run", _alter)),
    "a run has no beginning": ("I4", "gap", _in_stream("run", lambda received: received.pop(0))),
    "a run goes on after its end": ("I4", "gap", _in_stream("run", lambda received: received.append(received[4]))),
    "a watcher missed an event": ("I4", "gap", _in_stream("follow", lambda received: received.pop(4))),
    "a watcher saw an event twice": ("I4", "gap", _in_stream("follow", lambda r: r.insert(4, r[4]))),
    "a watcher saw another event": ("I4", "gap", _in_stream("follow", _alter)),
    "a watcher missed the end": ("I4", "gap", _in_stream("follow", lambda received: received.pop())),
    "a person missed an event": ("I4", "gap", _in_stream("staff", lambda received: received.pop(4))),
    "a person saw another event": ("I4", "gap", _in_stream("staff", _alter)),
    "a resumed stream begins too late": ("I4", "gap", _resume_with_a_gap),
    "a turn is still running": ("I5", "stuck", _set("turns", "status", "running")),
    "a conversation is still held": ("I5", "stuck", _set("conversations", "lease_until", 9e9)),
    "a checkpoint is still kept": ("I5", "stuck", _open_checkpoint),
    "a number is missing": ("I6", "gap", _drop_event(MESSAGE, author="bot")),
    "the counter is behind": ("I6", "gap", _set("conversations", "last_seq", 1)),
    "a late writer wrote": ("I6", "doubled", _late_writer),
    "two runs at once": ("I6", "doubled", _two_runs),
    "words of two writers": ("I6", "wrong", _two_writers),
    "a turn's outcome is another": ("I7", "wrong", _set("turns", "outcome", "another")),
    "a turn began elsewhere": ("I7", "wrong", _set("turns", "run_started_seq", 0)),
    "a turn's status is another": ("I7", "wrong", _set("turns", "status", "accepted")),
    "a message is elsewhere": ("I7", "wrong", _set("client_messages", "seq", 0)),
    "a message joined in silence": ("I7", "wrong", _drop_event(JOINED)),
    "the mode is another": ("I7", "wrong", _set("conversations", "mode", "another")),
    "a change of mode isn't in the log": ("I7", "wrong", _drop_last_mode),
    "the file is damaged": ("I7", "wrong", lambda tables, talks: tables.damage.append("row 7 missing from index")),
    "hand-backs are miscounted": ("I7", "wrong", _set("conversations", "handbacks", 7)),
    "the numbers of bugs don't end where they are counted to": ("I7", "wrong", _set("bug_counters", "last_number", 99)),
    "a row of another workspace": ("I8", "crossed", _another_workspace),
    "an id of another conversation": ("I8", "crossed", _another_conversation),
    "a person's reply is lost": ("I9", "lost", _drop_event(MESSAGE, author="person")),
    "a person's reply has no row": ("I9", "lost", _drop_row("desk_replies")),
    "a person's reply is there twice": ("I9", "doubled", _double_event(MESSAGE, author="person")),
    "a person's reply has two rows": ("I9", "doubled", _double_row("desk_replies")),
    "a person's reply has another name": ("I9", "wrong", _change_value(MESSAGE, "author_name", "Eve", author="person")),
    "a person's reply is elsewhere": ("I9", "wrong", _set("desk_replies", "seq", 0)),
    "a person said what nobody said": ("I9", "wrong", _drop_deed("reply")),
    "the bot speaks while a person does": (
        "I9",
        "wrong",
        _bot_in_between("TEXT_MESSAGE_CONTENT", messageId="m", delta="So"),
    ),
    "the bot works while a person does": ("I9", "wrong", _bot_in_between("STEP_STARTED", stepName="judge")),
    "a taking isn't in the log": ("I9", "lost", _drop_event(MODE, mode="with_person")),
    "nobody took the conversation": ("I9", "wrong", _drop_deed("take")),
    "a hand-back isn't in the log": ("I9", "lost", _drop_event(MODE, mode="handed_back")),
    "a hand-back too many": ("I9", "doubled", _too_often("handed_back", "hand_back")),
    "nobody handed the conversation back": ("I9", "wrong", _drop_deed("hand_back")),
    "a closing isn't in the log": ("I9", "lost", _drop_event(MODE, mode="closed")),
    "nobody closed the conversation": ("I9", "wrong", _drop_deed("resolve")),
    "the team's system never heard": ("I10", "lost", _unheard),
    "it heard in another order": ("I10", "gap", _heard_backwards),
    "it heard of nothing": ("I10", "wrong", _heard_of_nothing),
    "it heard something else": ("I10", "wrong", _heard_otherwise),
    "it heard two things under one id": ("I10", "wrong", _heard_twice),
    "it heard a forger": ("I10", "wrong", _forged),
    "a delivery isn't known to have come": ("I10", "wrong", _set("deliveries", "status", "waiting")),
}


@pytest.mark.parametrize("name", DOCTORED)
def test_the_checker_names_what_was_doctored(name: str, kept: bytes) -> None:
    tables, talks = pickle.loads(kept)  # noqa: S301  # Our own.
    invariant, kind, doctor = DOCTORED[name]

    doctor(tables, talks)

    assert (invariant, kind) in _named(check(tables, talks, whole=True))


def test_every_invariant_is_doctored() -> None:
    assert {invariant for invariant, _, _ in DOCTORED.values()} == {f"I{n}" for n in range(1, 11)}


def test_a_turn_that_never_filed_has_another_key() -> None:
    turn = {"workspace_id": "w", "conversation_id": "c", "turn_id": "t"}

    assert effect_key(turn, "bug") != effect_key({**turn, "turn_id": "u"}, "bug")


def test_the_checker_reads_what_is_really_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    with closing(sqlite3.connect(path)) as file:
        for table in (*_tables_with_conversation(), "bugs", "bug_counters", "bug_filings", "bug_occurrences"):
            columns = (
                "conversation_id, seq, first_seq, event" if table in _tables_with_conversation() else "workspace_id"
            )
            file.execute(f"CREATE TABLE {table} ({columns})")
        file.execute("INSERT INTO events VALUES ('a', 1, 0, '{\"type\": \"X\"}'), ('b', 1, 0, '{}')")
        file.commit()

    tables = read_tables(str(path), str(tmp_path / "none"), ["a"])

    assert [row["event"] for row in tables.events] == [{"type": "X"}]
    assert tables.now > 0


def _tables_with_conversation() -> Sequence[str]:
    return ("conversations", "events", "turns", "client_messages", "handoffs", "desk_replies", "deliveries")


def _named(findings: Sequence[Finding]) -> set[tuple[str, str]]:
    return {(finding.invariant, finding.kind) for finding in findings}

"""What a run's stream may leave out of its turn, and what it may not."""

from tests.chaos.stream_checks import check_streams
from tests.chaos.tables import Row, Tables
from tests.chaos.transcript import Event, Received, Stream, Talk


def step(kind: str, name: str) -> Event:
    return {"type": f"STEP_{kind}", "stepName": name}


ENDED: Event = {"type": "RUN_FINISHED", "runId": "r2"}
# A second message joined the turn at 2, while its first step was under way.
LOG: list[Event] = [
    step("STARTED", "understand"),
    {"type": "CUSTOM"},
    step("FINISHED", "understand"),
    step("STARTED", "judge"),
    step("FINISHED", "judge"),
    ENDED,
]


def found(*seen: int) -> list[str]:
    """What is found in the joined message's stream when it holds these events after its beginning."""
    rows: list[Row] = [
        {"conversation_id": "c", "seq": n, "turn_id": "t", "audience": "all", "kind": event["type"], "event": event}
        for n, event in enumerate(LOG, start=1)
    ]
    tables = Tables(
        events=rows,
        turns=[{"turn_id": "t", "attempts": 1}],
        client_messages=[{"conversation_id": "c", "client_message_id": "m2", "turn_id": "t", "seq": 2}],
    )
    stream = Stream("run", "m2", "r2", received=[Received({"type": "RUN_STARTED"}, 2)])
    stream.received += [Received(LOG[n - 1], n) for n in seen]
    return [what for _, what in check_streams(tables, [Talk("c", streams=[stream])])]


def test_the_end_of_a_step_that_began_before_the_stream_may_be_left_out() -> None:
    assert found(4, 5, 6) == []


def test_the_end_of_a_step_that_the_stream_has_begun_may_not() -> None:
    assert found(4, 6) == ["event 5 (STEP_FINISHED) is missing"]


def test_the_beginning_of_a_step_may_not() -> None:
    assert found(5, 6) == ["event 4 (STEP_STARTED) is missing"]

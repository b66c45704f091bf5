"""What a log line may hold: what is on the list, and nothing that a customer, a page or a key could fill."""

import ast
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import Conflict
from tools.observing.context import count_statement, current_work, working_on
from tools.observing.logs import FIELDS, OURS, JsonLines, TextLines, event_of, fields_of, set_up_logging

ROOT = Path(__file__).parents[3]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def record(
    message: object, *args: object, name: str = "graphs.turns", error: BaseException | None = None
) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    return logging.LogRecord(name, logging.INFO, "file.py", 7, message, args, info)


def logged() -> Iterator[tuple[str, ast.Call]]:
    """Every call of a logger in our packages, with its place."""
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"), attr=level)) if level in LEVELS:
                        yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def test_every_message_is_a_constant_whose_places_are_on_the_list() -> None:
    calls = list(logged())

    assert len(calls) > 40
    for where, call in calls:
        message = call.args[0]
        assert isinstance(message, ast.Constant), where
        assert isinstance(message.value, str), where
        args = tuple("x" for _ in call.args[1:])
        named = fields_of(record(message.value, *args))
        assert set(named) <= FIELDS
        # Every value has a name on the list: else it would be dropped unseen.
        assert len(named) == len(args) == message.value.count("%"), where


def test_a_line_of_json_has_ids_event_and_fields() -> None:
    with working_on(turn_id="t1", conversation_id="c1", workspace_id="orrery", request_id="r1"):
        line = json.loads(JsonLines().format(record("turn done turn_id=%s ms=%d", "t1", 12)))

    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "graphs.turns",
        "event": "turn done",
        "turn_id": "t1",
        "conversation_id": "c1",
        "workspace_id": "orrery",
        "request_id": "r1",
        "ms": 12,
    }


def test_a_line_of_text_says_the_same() -> None:
    with working_on(turn_id="t1"):
        line = TextLines().format(record("tool too slow tool=%s turn_id=%s", "search", "t1"))

    assert line.endswith("INFO graphs.turns tool too slow turn_id=t1 tool=search")


@pytest.mark.parametrize(
    ("message", "args"),
    [
        ("refused secret=%s", ("canary",)),
        ("refused tool=%s", ("canary with words",)),
        ("refused tool=%s", ("canary\nline",)),
        ("refused tool=%s", ("c" * 201,)),
    ],
)
@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_what_is_not_on_the_list_or_has_words_in_it_is_left_out(
    lines: logging.Formatter, message: str, args: tuple[object, ...]
) -> None:
    line = lines.format(record(message, *args))

    assert "canary" not in line
    assert "ccc" not in line
    assert "refused" in line


@pytest.mark.parametrize("lines", [JsonLines(), TextLines()])
def test_an_exception_shows_its_kinds_and_places_and_not_what_it_says(lines: logging.Formatter) -> None:
    try:
        try:
            raise OSError(28, "canary on /canary/path")
        except OSError as inner:
            raise Conflict("message id 'canary' was used") from inner
    except Conflict as error:
        line = lines.format(record("turn failed", error=error))

    assert "canary" not in line
    for part in ("agent.errors.Conflict", "OSError errno=28", "test_logs.py"):
        assert part in line


@pytest.mark.parametrize("message", ["Task failed: canary", {"canary": 1}, "a %s of canaries"])
def test_of_a_librarys_message_only_a_constant_is_written(message: object) -> None:
    args = ("canary",) if message == "a %s of canaries" else ()
    line = JsonLines().format(record(message, *args, name="asyncio"))

    assert "canary" not in line.replace("a %s of canaries", "")
    assert json.loads(line)["logger"] == "asyncio"


def test_an_event_is_the_words_of_its_message() -> None:
    assert event_of(record("not used model_id=%s its=%s; learn again", "a", "b")) == "not used ; learn again"


def test_logging_that_somebody_set_up_is_left_alone() -> None:
    before = list(logging.getLogger().handlers)
    assert before

    set_up_logging("warning", "json")

    assert logging.getLogger().handlers == before


def test_work_ends_where_it_was_bound() -> None:
    with working_on(turn_id="t1") as outer:
        count_statement("read", 0.25)
        count_statement("commit", 0.25)
        with working_on(turn_id="t2"):
            count_statement("write", 0.25)
            assert current_work().database.seconds == 0.25
        assert current_work().ids() == {"turn_id": "t1"}
    count_statement("read", 1.0)

    assert (outer.database.statements, outer.database.seconds) == (1, 0.5)
    assert current_work().database.statements == 0

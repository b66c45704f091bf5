"""Requests made up from the API's own description: whatever fits it, or just doesn't, is no failure of ours.

What is answered is what the description says.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.server.harness import BOT_KEYS, Here, bearer, serving

EXAMPLES = 8
TIMEOUT_S = 30
UNHURRIED = 100_000
# What a description promises.
TRUE = [status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    """A server in a thread, because the requests are synchronous."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[Here] = []
    loop = asyncio.new_event_loop()

    async def serve(folder: Path) -> None:
        async with serving(
            folder, messages_per_minute=UNHURRIED, sessions_per_minute=UNHURRIED, inbox_password=None
        ) as running:
            found.append(running)
            ready.set()
            await stop.wait()

    folder = tmp_path_factory.mktemp("schema")
    thread = threading.Thread(target=lambda: loop.run_until_complete(serve(folder)))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join(30)
    loop.close()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_made_up_requests_never_break_the_server(here: Here, mode: GenerationMode) -> None:
    schema = schemathesis.openapi.from_url(f"{here.url}/openapi.json")
    tried: dict[str, int] = {}
    broken: list[str] = []
    untrue: list[str] = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        # Streams stay open for as long as somebody listens.
        if operation.path.endswith("/events"):
            continue

        def one(case: "Case[Any]", label: str = operation.label) -> None:
            response = case.call(headers=bearer(BOT_KEYS[0]), timeout=TIMEOUT_S)
            tried[label] = tried.get(label, 0) + 1
            try:
                case.validate_response(response, checks=TRUE)
            except FailureGroup as failed:
                untrue.append(f"{label} {response.status_code} {failed.exceptions}")
            if response.status_code >= 500:
                broken.append(f"{label} {response.status_code} {case.as_curl_command()}")

        _exhaust(operation.as_strategy(generation_mode=mode), one)

    assert broken == []
    assert untrue == []
    assert sum(tried.values()) > 100


def _exhaust(cases: st.SearchStrategy["Case[Any]"], one: Callable[["Case[Any]"], None]) -> None:
    """Try some cases, the same ones each time."""
    quiet = settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @quiet
    @given(case=cases)
    def attempt(case: "Case[Any]") -> None:
        one(case)

    with suppress(Unsatisfiable):
        # An operation without parameters has nothing that could be wrong.
        attempt()

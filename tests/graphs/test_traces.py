"""Whole turns of a whole installation, traced: what arrives at LangSmith and at a collector, and what never does."""

import asyncio
import json
import logging
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from langsmith.utils import get_env_var

from agent.prompting import load_prompt
from agent.types import Identity, IdentityLevel
from graphs.asking import AskBody, ask
from graphs.assembly import Runtime, open_runtime
from graphs.settings import load_settings
from graphs.turns import SubmittedMessage
from tests.installed import EXAMPLE
from tests.model_server.hosting import in_thread
from tests.model_server.replies import Reply, says, structured
from tests.model_server.server import ModelServer
from tests.tools.tracing import canaries
from tests.tools.tracing.receivers import (
    Receiver,
    attributes,
    collected_spans,
    langsmith_runs,
    langsmith_tree,
    span_tree,
)
from tools.storage.scope import Scope

KEY = "a-key-of-langsmith"
QUESTION = "I forgot my password, how do I reset it?"
IDENTITY = Identity(
    IdentityLevel.VERIFIED, user_id="user_quill_42", account_id="acct_quill_77", display_name="Wilhelmina Quartz"
)
PAGE: dict[str, object] = {
    "route": canaries.PAGE[0].text,
    "title": canaries.PAGE[1].text,
    "recent_actions": [canaries.PAGE[2].text],
    "errors": [canary.text for canary in canaries.PAGE[3:]],
    "form": {"sessionToken": "form-token-value", "card": 4012888888881881, "phone": 4915123456789},
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's product with a few of its articles, and canaries in them and in its only account."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copy(EXAMPLE / "workspace.yaml", folder)
    shutil.copy(EXAMPLE / "pages.yaml", folder)
    (folder / "articles").mkdir()
    for name in ("invite-members", "export-reports", "refunds-faq", "rest-api-keys"):
        shutil.copy(EXAMPLE / "articles" / f"{name}.md", folder / "articles")
    planted = "\n".join(f"- {canary.text}" for canary in canaries.ARTICLE)
    article = (EXAMPLE / "articles" / "reset-password.md").read_text(encoding="utf-8")
    article = article.replace("## Reset it", f"## Reset a forgotten password by hand\n\n{planted}\n\n## Reset it")
    (folder / "articles" / "reset-password.md").write_text(article, encoding="utf-8")
    account = {
        "account_id": "acct_quill_77",
        "name": "Quillfeather Holdings",
        "plan": "team",
        "recent_events": [{"at": "2026-11-20", "text": canary.text} for canary in canaries.ACCOUNT[4:6]],
        "clock_orders": [{"order_id": "QF-ORDER-5512", "status": "shipped", "ordered_on": "2026-11-01"}],
        "users": [
            {"user_id": "user_quill_42", "name": "Wilhelmina Quartz", "email": "w@quill.example", "role": "owner"}
        ],
    }
    (folder / "accounts.json").write_text(json.dumps([account]), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Path:
    """One database for the module; what the engine learns of the example is kept between runs."""
    assert pytestconfig.cache is not None
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(pytestconfig.cache.mkdir("models"), target_is_directory=True)
    return folder


@pytest.fixture
def model() -> Iterator[ModelServer]:
    """A model that answers by the book and repeats a customer's secrets."""
    with in_thread(_answer) as server:
        yield server


def _answer(body: dict[str, Any]) -> Reply:
    schema = (body.get("response_format") or {}).get("json_schema", {}).get("name")
    if schema == "Heard":
        question = f"How do I reset the password of {canaries.MESSAGE[0].text}?"
        return structured({"kind": "how_to", "sentiment": 0, "wants_person": 0, "risk": 0, "question": question})
    if schema == "Opinion":
        return structured({"person_needed": 0.0})
    said = f"Written by {canaries.MESSAGE[0].text}, who has {canaries.MESSAGE[3].text}."
    return says(f"On the sign-in page, select **Forgot password?**. [1] {said} [1]")


@asynccontextmanager
async def installation(workspace: Path, data_dir: Path, **settings: object) -> AsyncIterator[Runtime]:
    async with open_runtime(load_settings(workspace=workspace, data_dir=data_dir, embedding="off", **settings)) as here:
        if not (data_dir / "ingested").exists():
            await here.knowledge.ingest(workspace / "articles")
            (data_dir / "ingested").touch()
        await here.turns.start()
        yield here


def traced(langsmith: Receiver, collector: Receiver) -> dict[str, object]:
    return {"langsmith_key": KEY, "langsmith_url": langsmith.url, "otlp_endpoint": collector.url}


def with_model(model: ModelServer) -> dict[str, object]:
    return {"model": "scripted", "model_url": model.url, "model_judges": "always"}


async def customer_asks(
    here: Runtime, text: str = QUESTION, page: dict[str, object] | None = None
) -> list[dict[str, Any]]:
    """Have a message answered as the widget does, and return what the customer's stream says."""
    scope = Scope(here.workspace.workspace_id, "visitor-1", "customer")
    conversation = await here.log.create_conversation(
        scope, thread_id="", identity=IDENTITY, channel="widget", language="en", now=datetime.now(UTC)
    )
    conversation_id = conversation.conversation_id
    await here.turns.submit(scope, conversation_id, SubmittedMessage("m1", text, run_id="run-m1", page=page))
    async with asyncio.timeout(60):
        while True:
            found = await here.log.read(scope, conversation_id, after_seq=0, staff=False, limit=2000)
            events = [logged.event for logged in found]
            if any(event["type"] == "RUN_FINISHED" for event in events):
                return events
            await asyncio.sleep(0.02)


async def everything_the_team_sees(here: Runtime) -> str:
    """All events of all conversations, as their texts: what articles and accounts said is in them."""
    staff = Scope(here.workspace.workspace_id, None, "staff")
    events: list[object] = []
    for stamp in await here.log.recent(staff):
        found = await here.log.read(staff, stamp.conversation_id, after_seq=0, staff=True, limit=2000)
        events += [logged.event for logged in found]
    return json.dumps(events, ensure_ascii=False).replace("\\n", "\n")


def said_to_customer(events: list[dict[str, Any]]) -> str:
    return "".join(str(event["delta"]) for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


async def test_a_turn_with_a_model_arrives_as_turn_nodes_and_calls(
    workspace: Path, data_dir: Path, model: ModelServer, langsmith: Receiver, collector: Receiver
) -> None:
    async with installation(workspace, data_dir, **traced(langsmith, collector), **with_model(model)) as here:
        events = await customer_asks(here)

    assert "Forgot password" in said_to_customer(events)
    nodes = ["page_context", "understand", "retrieve", "judge", "answer", "check", "finish"]
    assert [path for path in langsmith_tree(langsmith) if path.count("/") < 2] == [
        "turn",
        *(f"turn/{n}" for n in nodes),
    ]
    assert {"turn/understand/understand", "turn/answer/answer", "turn/judge/chosen_route"} <= set(
        langsmith_tree(langsmith)
    )
    assert [path for path in span_tree(collector) if path.count("/") < 2] == ["turn", *(f"turn/{n}" for n in nodes)]
    assert {"turn/understand/chat scripted", "turn/answer/chat scripted"} <= set(span_tree(collector))


async def test_a_call_is_traced_with_its_prompts_hash_its_model_and_its_tokens(
    workspace: Path, data_dir: Path, model: ModelServer, langsmith: Receiver, collector: Receiver
) -> None:
    async with installation(workspace, data_dir, **traced(langsmith, collector), **with_model(model)) as here:
        await customer_asks(here)

    digest = load_prompt("answer").digest
    [run] = [run for run in langsmith_runs(langsmith).values() if run["name"] == "answer" and run["run_type"] == "llm"]
    metadata = run["extra"]["metadata"]
    assert (metadata["prompt"], metadata["prompt_hash"], metadata["ls_model_name"]) == ("answer", digest, "scripted")
    assert metadata["usage_metadata"]["input_tokens"] > 0
    assert [event["name"] for event in run["events"]] == ["start", "new_token", "end"]
    [span] = [s for s in collected_spans(collector) if attributes(s).get("gen_ai.prompt.name") == "answer"]
    told = attributes(span)
    assert told["helpgraph.prompt.hash"] == digest
    assert told["gen_ai.operation.name"] == "chat"
    assert told["gen_ai.request.model"] == told["gen_ai.response.model"] == "scripted"
    assert told["gen_ai.response.finish_reasons"] == ["stop"]
    assert told["gen_ai.usage.input_tokens"] == metadata["usage_metadata"]["input_tokens"]
    assert told["gen_ai.usage.output_tokens"] == metadata["usage_metadata"]["output_tokens"]
    assert 0 < told["gen_ai.response.time_to_first_chunk"] < 60


async def test_the_turn_carries_its_ids_and_what_became_of_it(
    workspace: Path, data_dir: Path, langsmith: Receiver, collector: Receiver
) -> None:
    async with installation(workspace, data_dir, **traced(langsmith, collector), langsmith_project="mine") as here:
        events = await customer_asks(here)

    [outcome] = [event["value"] for event in events if event.get("name") == "helpgraph.outcome.v1"]
    [run] = [run for run in langsmith_runs(langsmith).values() if run["name"] == "turn"]
    [span] = [span for span in collected_spans(collector) if span.name == "turn"]
    assert run["session_name"] == "mine"
    assert run["extra"]["metadata"]["turn_id"] == outcome["turn_id"] == attributes(span)["helpgraph.turn_id"]
    assert attributes(span)["helpgraph.outcome"] == "answered"
    assert attributes(span)["helpgraph.route"] == "answer"
    assert attributes(span)["helpgraph.database.statements"] > 0
    assert 0 < attributes(span)["helpgraph.database.seconds"] < 60
    assert attributes(span)["helpgraph.workspace_id"] == run["extra"]["metadata"]["workspace_id"] == "orrery"
    assert {came.headers["x-api-key"] for came in langsmith.came} == {KEY}


@pytest.mark.parametrize("engine", ["local", "llm"])
async def test_no_secret_and_nobodys_data_leaves(
    engine: str, workspace: Path, data_dir: Path, model: ModelServer, langsmith: Receiver, collector: Receiver
) -> None:
    settings = with_model(model) if engine == "llm" else {}
    text = "\n".join([QUESTION, "Regards, Wilhelmina", *(canary.text for canary in canaries.MESSAGE)])

    async with installation(workspace, data_dir, **traced(langsmith, collector), **settings) as here:
        await customer_asks(here, text, PAGE)
        # Whatever way the first turn went: this one reads and quotes the article.
        await customer_asks(here, "How do I reset a forgotten password by hand?", PAGE)
        known = await everything_the_team_sees(here)

    assert len(canaries.ALL) == 40
    # They were there to be taken out.
    for canary in (*canaries.ARTICLE, *canaries.ACCOUNT[:2], *canaries.ACCOUNT[4:]):
        assert canary.hidden in known, canary
    arrived = langsmith.everything + collector.everything
    hidden = [canary.hidden for canary in canaries.ALL]
    hidden += ["Wilhelmina", "Quartz", "form-token-value", "4012888888881881", "4915123456789"]
    assert [value for value in hidden if value in arrived] == []
    # And yet there is something to read.
    assert {"[email]", "[secret]", "[number]", "[card]", "[iban]", "[ip]", "[name]", "[query]"} <= marks(
        langsmith.everything
    )
    assert "I forgot my password, how do I reset it?" in langsmith.everything
    assert "Forgot password?" in langsmith.everything
    if engine == "llm":
        sent = json.dumps([request.body for request in model.requests], ensure_ascii=False)
        assert canaries.MESSAGE[0].text in sent


def marks(text: str) -> set[str]:
    return set(re.findall(r"\[[a-z]+\]", text))


async def test_a_collector_gets_no_texts_at_all(
    workspace: Path, data_dir: Path, model: ModelServer, langsmith: Receiver, collector: Receiver
) -> None:
    async with installation(workspace, data_dir, **traced(langsmith, collector), **with_model(model)) as here:
        events = await customer_asks(here)

    assert collector.came
    for text in (QUESTION, said_to_customer(events), "Forgot password", "sign-in"):
        assert text not in collector.everything


async def test_langsmith_gets_no_texts_when_told_so(
    workspace: Path, data_dir: Path, model: ModelServer, langsmith: Receiver, collector: Receiver
) -> None:
    settings = {**traced(langsmith, collector), **with_model(model), "trace_texts": False}
    async with installation(workspace, data_dir, **settings) as here:
        await customer_asks(here)

    assert "turn/answer/answer" in langsmith_tree(langsmith)
    assert load_prompt("answer").digest in langsmith.everything
    for text in (QUESTION, "Forgot password", "sign-in", "You are the support agent"):
        assert text not in langsmith.everything


async def test_a_question_of_the_command_line_is_traced_too(
    workspace: Path, data_dir: Path, langsmith: Receiver, collector: Receiver
) -> None:
    async with installation(workspace, data_dir, **traced(langsmith, collector)) as here:
        await ask(here, AskBody(question=QUESTION, page=None, account=None))

    assert "turn/answer" in langsmith_tree(langsmith)
    assert "turn/answer" in span_tree(collector)


async def test_nothing_is_sent_without_our_settings_whatever_the_environment_says(
    workspace: Path,
    data_dir: Path,
    model: ModelServer,
    langsmith: Receiver,
    collector: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ambient(langsmith, collector).items():
        monkeypatch.setenv(name, value)
    forget_environment()

    async with installation(workspace, data_dir, **with_model(model)) as here:
        events = await customer_asks(here)

    forget_environment()
    assert "Forgot password" in said_to_customer(events)
    assert (langsmith.came, collector.came) == ([], [])


def forget_environment() -> None:
    """langsmith remembers what it once read of the environment."""
    get_env_var.cache_clear()  # type: ignore[attr-defined]  # Its overloads hide that it is cached.


def ambient(langsmith: Receiver, collector: Receiver) -> dict[str, str]:
    """What an environment may hold that belongs to other programs."""
    return {
        "LANGSMITH_TRACING": "true",
        "LANGSMITH_TRACING_V2": "true",
        "LANGCHAIN_TRACING_V2": "true",
        "LANGCHAIN_TRACING": "true",
        "LANGSMITH_API_KEY": "another-key",
        "LANGCHAIN_API_KEY": "another-key",
        "LANGSMITH_ENDPOINT": langsmith.url,
        "LANGCHAIN_ENDPOINT": langsmith.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "LANGSMITH_OTEL_ENABLED": "true",
    }


_RUN_SOMETHING = """
import sys
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.langchain import wait_for_all_tracers
if "off" in sys.argv:
    from tools.tracing.opening import trace_nothing_by_environment
    trace_nothing_by_environment()
RunnableLambda(lambda value: value).invoke("what a customer wrote")
wait_for_all_tracers()
"""


@pytest.mark.parametrize("off", [False, True])
def test_it_is_our_switch_that_keeps_langchain_from_tracing(off: bool, langsmith: Receiver) -> None:
    environment = os.environ | {
        "LANGSMITH_TRACING": "true",
        "LANGCHAIN_TRACING": "true",
        "LANGSMITH_API_KEY": "another-key",
        "LANGSMITH_ENDPOINT": langsmith.url,
    }
    command = [sys.executable, "-c", _RUN_SOMETHING, *(["off"] if off else [])]

    done = subprocess.run(command, env=environment, cwd=EXAMPLE.parents[1], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert bool(langsmith.came) is not off


async def test_receivers_that_refuse_change_nothing_for_the_customer(
    workspace: Path, data_dir: Path, langsmith: Receiver, collector: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    async with installation(workspace, data_dir) as here:
        plain = said_to_customer(await customer_asks(here))
    langsmith.status = collector.status = 500

    async with installation(workspace, data_dir, **traced(langsmith, collector)) as here:
        answers = [said_to_customer(await customer_asks(here)) for _ in range(3)]

    assert answers == [plain] * 3
    assert langsmith.came
    assert collector.came
    warned = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(record.getMessage().split("receiver=")[1].split()[0] for record in warned) == ["langsmith", "otlp"]

"""A real server on a real port, in front of real storage; only the language behind it is scripted."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.applications import Starlette

from agent.deps import TurnDeps
from agent.ports import AnswerBrief
from agent.types import LANGUAGES, Sentence, ToolCall
from graphs.assembly import Runtime
from graphs.checkpoints import open_checkpointer
from graphs.settings import Settings
from graphs.supervisor import Supervisor
from graphs.turns import TurnLimits, TurnService
from server.app import create_app
from server.arriving import BoundedHttp
from server.auth import sign_identity
from server.context import Doors
from server.installation import path_of
from server.metrics import Metrics
from server.opening import make_doors
from server.settings import ServerSettings
from server.several import create_several
from tests.fakes import ScriptedEngine, fake_deps
from tests.loopback import NO_TLS
from tests.migrated import put_migrated
from tests.turn_graph import turn_graph_that_keeps
from tools.accounts import AccountRecord, FileAccounts
from tools.knowledge.store import KnowledgeStore
from tools.pages import PageMap
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import ConversationLog
from tools.storage.sessions import Sessions
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Wakeups
from tools.workspace import Workspace

WORKSPACE = "example"
CONCURRENT_TURNS = 16
SECRET = "a secret of the product's backend"
HASH_SECRET = "another secret of the product's backend"
WEBHOOK_SECRET = "a secret of which those of webhooks are made"
PASSWORD = "a password of the team"
BOT_KEYS = ("first-bot-key", "second-bot-key")
ACCOUNT = {
    "account_id": "acct_1",
    "name": "Example Ltd",
    "plan": "team",
    "users": [{"user_id": "user_1", "name": "Ada", "email": "ada@example.com", "role": "admin"}],
}
USUAL: dict[str, object] = {
    "inbox_password": SecretStr(PASSWORD),
    "api_keys": [SecretStr(key) for key in BOT_KEYS],
    "identity_secret": SecretStr(SECRET),
    "identity_hash_secret": SecretStr(HASH_SECRET),
}
Event = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """One message of a stream: its event, and its id if it has one."""

    event: Event
    seq: int | None

    @property
    def kind(self) -> str:
        return str(self.event.get("name") or self.event["type"])


@dataclass
class Here:
    """A server that runs, and a client that nobody is signed in with."""

    url: str
    http: httpx.AsyncClient
    doors: Doors
    app: FastAPI

    @property
    def runtime(self) -> Runtime:
        return self.doors.runtime

    async def session(self, **body: object) -> "Customer":
        answer = await self.http.post("/v1/sessions", json=body)
        assert answer.status_code == 200, answer.text
        return Customer(self, answer.json())

    def identity_token(self, user_id: str = "user_1") -> str:
        return sign_identity(SECRET, workspace_id=WORKSPACE, user_id=user_id, account_id="acct_1", name="Ada")

    @asynccontextmanager
    async def staff(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser of somebody on the team."""
        async with httpx.AsyncClient(base_url=self.url, timeout=30, trust_env=False, verify=NO_TLS) as client:
            answer = await client.post("/inbox/login", json={"password": PASSWORD})
            assert answer.status_code == 204, answer.text
            yield client


@dataclass
class Customer:
    """A widget's session."""

    here: Here
    begun: dict[str, Any]

    @property
    def conversation_id(self) -> str:
        return str(self.begun["conversation_id"])

    @property
    def headers(self) -> dict[str, str]:
        return bearer(self.begun["session_token"])

    def path(self, action: str) -> str:
        return f"/v1/conversations/{self.conversation_id}/{action}"

    async def post(self, action: str, body: object = None) -> httpx.Response:
        return await self.here.http.post(self.path(action), json=body, headers=self.headers)

    async def say(self, text: str, message_id: str | None = None, **changes: object) -> list[Sent]:
        """Post a message and read its run to the end."""
        body = run_input(self.conversation_id, text, message_id, **changes)
        async with self.here.http.stream("POST", "/v1/agui", json=body, headers=self.headers) as answer:
            if answer.status_code != 200:
                await answer.aread()
            assert answer.status_code == 200, answer.text
            return [sent async for sent in read_stream(answer)]

    async def events(self, after: int | None = None, **params: str) -> list[Sent]:
        """Read the conversation's stream to its end."""
        headers = self.headers if after is None else {**self.headers, "Last-Event-ID": str(after)}
        async with self.here.http.stream("GET", self.path("events"), params=params, headers=headers) as answer:
            if answer.status_code != 200:
                await answer.aread()
            assert answer.status_code == 200, answer.text
            return [sent async for sent in read_stream(answer)]


@dataclass
class PacedEngine(ScriptedEngine):
    """Says a part of its answer each time it is told to go on."""

    may_go_on: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        self.briefs.append(brief)
        for part in self.parts:
            await self.may_go_on.acquire()
            yield part


def bearer(token: str) -> dict[str, str]:
    """The header that says who calls."""
    return {"Authorization": f"Bearer {token}"}


def run_input(thread_id: str, text: object, message_id: str | None = None, **changes: object) -> dict[str, Any]:
    """AG-UI's `RunAgentInput` with one message."""
    body: dict[str, Any] = {
        "threadId": thread_id,
        "runId": f"run-{uuid4().hex}",
        "state": {},
        "messages": [{"id": message_id or uuid4().hex, "role": "user", "content": text}],
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }
    return {**body, **changes}


async def read_stream(answer: httpx.Response) -> AsyncIterator[Sent]:
    """The events of a stream, read as strictly as AG-UI's own client does: parts end in two line feeds."""
    rest = ""
    async for text in answer.aiter_text():
        rest += text
        assert "\r" not in rest
        *parts, rest = rest.split("\n\n")
        for part in parts:
            fields = [line.partition(": ") for line in part.split("\n") if not line.startswith(":")]
            data = "\n".join(value for name, _, value in fields if name == "data")
            ids = [value for name, _, value in fields if name == "id"]
            if data:
                yield Sent(json.loads(data), int(ids[0]) if ids else None)


def bot_texts(events: list[Sent]) -> list[str]:
    """The final texts of the bot's messages."""
    values = [sent.event["value"] for sent in events if sent.kind == "helpgraph.message.v1"]
    return [value["text"] for value in values if value["author"] == "bot"]


@asynccontextmanager
async def serving(
    folder: Path,
    deps: TurnDeps | None = None,
    *,
    database_url: str | None = None,
    workspace_id: str = WORKSPACE,
    **settings: object,
) -> AsyncIterator[Here]:
    """Serve an installation on a free port; `settings` are the server's. Without a URL its database is in `folder`."""
    async with _doors(folder, deps, database_url, workspace_id, Metrics(), settings) as doors:
        app = create_app(doors)
        async with on_a_port(app) as url, _client(url) as http:
            yield Here(url, http, doors, app)


@asynccontextmanager
async def serving_several(
    folder: Path, deps: TurnDeps, database_url: str, given: dict[str, dict[str, object]]
) -> AsyncIterator[list[Here]]:
    """Serve workspaces from one process, each with settings of its own, given by id."""
    metrics = Metrics(by_workspace=True)
    async with AsyncExitStack() as stack:
        every: dict[str, Doors] = {}
        for name, settings in given.items():
            (folder / name).mkdir()
            opening = _doors(folder / name, deps, database_url, name, metrics.of(name), settings)
            every[name] = await stack.enter_async_context(opening)
        app = create_several(every, metrics)
        url = await stack.enter_async_context(on_a_port(app))
        found = []
        for name, doors in every.items():
            below = f"{url}{path_of(name)}"
            http = await stack.enter_async_context(_client(below))
            found.append(Here(below, http, doors, app.state.apps[name]))
        yield found


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, verify=NO_TLS)


@asynccontextmanager
async def _doors(
    folder: Path,
    deps: TurnDeps | None,
    database_url: str | None,
    workspace_id: str,
    metrics: Metrics,
    settings: dict[str, object],
) -> AsyncIterator[Doors]:
    given = {**USUAL, **settings}
    async with _installation(folder, deps or fake_deps(), database_url, workspace_id, metrics) as runtime:
        read = ServerSettings.model_validate(given) if settings else _usual_settings(_surroundings())
        yield make_doors(runtime, read, metrics)


def _surroundings() -> tuple[str, ...]:
    """What settings are read from."""
    return (os.getcwd(), *sorted(f"{name}={value}" for name, value in os.environ.items() if "HELPGRAPH_" in name))


# Reading settings takes a fifth of a server's start.
@cache
def _usual_settings(surroundings: tuple[str, ...]) -> ServerSettings:
    return ServerSettings.model_validate(USUAL)


@cache
def _usual_installation(surroundings: tuple[str, ...]) -> Settings:
    return Settings.model_validate({"webhook_secret": WEBHOOK_SECRET})


@asynccontextmanager
async def on_a_port(app: Starlette, http: type[BoundedHttp] = BoundedHttp) -> AsyncIterator[str]:
    config = uvicorn.Config(app, port=0, http=http, log_config=None, access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            while not server.started:
                assert not running.done(), "the server didn't start"
                await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def _installation(
    folder: Path, deps: TurnDeps, database_url: str | None, workspace_id: str, metrics: Metrics
) -> AsyncIterator[Runtime]:
    if database_url is None:
        await put_migrated(folder)
    db = await Database.open(database_url, data_dir=folder)
    wakeups, supervisor = Wakeups(db.channel()), Supervisor()
    await wakeups.start()
    log = ConversationLog(db, wakeups)
    tracker = BuiltInTracker(db, None)
    accounts = FileAccounts([AccountRecord.model_validate(ACCOUNT)])
    deps = replace(deps, tracker=tracker, accounts=accounts)
    knowledge = await KnowledgeStore.open(db, folder, None, workspace_id)
    async with open_checkpointer(db.url, data_dir=folder) as checkpointer:
        graph = turn_graph_that_keeps(checkpointer)
        limits = TurnLimits(turn_timeout_s=10, concurrent_turns=CONCURRENT_TURNS, max_message_chars=8000)
        turns = TurnService(
            log,
            graph,
            deps,
            workspace_id=workspace_id,
            wakeups=wakeups,
            limits=limits,
            metrics=metrics,
            supervisor=supervisor,
        )
        runtime = Runtime(
            settings=_usual_installation(_surroundings()).model_copy(
                update={"data_dir": folder, "database_url": SecretStr(database_url) if database_url else None}
            ),
            workspace=Workspace(workspace_id, "Example", LANGUAGES, deps.policy, None),
            db=db,
            wakeups=wakeups,
            log=log,
            desk=Desk(log),
            sessions=Sessions(db),
            tracker=tracker,
            embedder=None,
            knowledge=knowledge,
            engine=deps.engine,
            pages=PageMap.load(None),
            accounts=accounts,
            deps=deps,
            graph=graph,
            turns=turns,
            supervisor=supervisor,
        )
        try:
            yield runtime
        finally:
            turns.stop()
            await supervisor.close(grace_s=0)
            await knowledge.close()
            await wakeups.stop()
            await db.close()

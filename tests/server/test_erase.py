"""Whoever asks for it gets everything that is held about them, and it goes: no byte of it is left anywhere."""

import asyncio
import os
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import orjson
import psycopg
import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, empty_checkpoint
from psycopg import sql
from sqlalchemy import text

from agent.errors import BadTurn
from agent.types import BugDraft, Kind, PageContext, Understanding
from agent.types import Message as Earlier
from agent.untrusted import Untrusted
from graphs.acts import act
from graphs.private_file import write_private
from graphs.running import RunningServer, announce
from tests.fakes import CALM, ScriptedEngine, fake_deps
from tests.server.harness import Customer, Here, serving
from tests.server.hooks import listening
from tests.server.test_inbox import of, wait_for_mode
from tools.storage.bug_words import BLANK_TITLE
from tools.storage.personal import HOLDINGS, IMPERSONAL
from tools.storage.schema import metadata

CANARY = "zqxkanary"
NEIGHBOUR = "plainneighbour"


@dataclass
class Hearing(ScriptedEngine):
    """Hears a bug where something is broken, and drafts it in the customer's words."""

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Earlier, ...], page: PageContext
    ) -> Understanding:
        heard = await ScriptedEngine.understand(self, texts, history, page)
        return replace(heard, kind=Kind.BUG) if "broken" in heard.question.render_plain() else heard

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Earlier, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        said = texts[0].render_plain()
        return BugDraft(said, said, "a file", said, (said,), page.route or "", said, said, "medium")


async def live(here: Here, name: str) -> Customer:
    """Use everything there is, and say one's name wherever one can."""
    page = {"route": f"/reports/{name}", "title": name}
    customer = await here.session(identity_token=here.identity_token(f"{name}-id"), page=page)
    await customer.say(f"Where are my invoices? I'm {name}", forwardedProps={"page": page})
    await customer.say(f"The quarterly report export is broken and comes out empty, {name}")
    await customer.post("feedback", {"message_id": f"{name}-message", "helpful": False})
    await customer.post("handoff", {"text": f"A person for {name}, please"})
    await wait_for_mode(customer, "waiting")
    async with here.runtime.db.transaction() as conn:
        # Whether people are there depends on the day of the week.
        asked = text("UPDATE conversations SET asked_email = true WHERE conversation_id = :of")
        await conn.execute(asked, {"of": customer.conversation_id})
    await customer.say(f"write to {name}@example.org")
    async with here.staff() as staff:
        view = (await staff.get(of(customer))).json()["conversation"]
        assert view["contact_email"] == f"{name}@example.org"
        assert view["mode"] == "waiting"
        await staff.post(f"{of(customer)}/take", json={"person": "Grace"}, headers={"Idempotency-Key": of(customer)})
        reply = {"text": f"Hello {name}", "client_message_id": f"{name}-reply", "person": "Grace"}
        assert (await staff.post(f"{of(customer)}/reply", json=reply)).status_code == 200
        await staff.post(f"{of(customer)}/resolve", json={"outcome": "solved", "note": f"{name} is happy"})
    await customer.post("rating", {"stars": 5, "comment": f"{name} says thanks"})
    # What a process that is killed in the middle of a turn leaves behind.
    latest = f"SELECT max(turn_id) FROM turns WHERE conversation_id = '{customer.conversation_id}'"  # noqa: S608  # An id of our own.
    saver = here.runtime.graph.checkpointer
    assert isinstance(saver, BaseCheckpointSaver)
    at: RunnableConfig = {"configurable": {"thread_id": f"{(await one(here, latest))[0]}-1", "checkpoint_ns": ""}}
    versions: ChannelVersions = {"said": "1"}
    state = {**empty_checkpoint(), "channel_values": {"said": name}, "channel_versions": versions}
    kept = await saver.aput(at, cast(Checkpoint, state), {}, versions)
    await saver.aput_writes(kept, [("said", f"{name} again")], "task")
    return customer


async def one(here: Here, query: str) -> Any:
    async with here.runtime.db.reading() as conn:
        return (await conn.execute(text(query))).one()


def bytes_with(folder: Path, word: str) -> list[str]:
    """The files that have the word anywhere in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path.name for path in files if word.encode() in path.read_bytes()]


def rows_with(url: str, word: str) -> list[str]:
    """The tables of a PostgreSQL database that have the word in any row, in plain or as bytes."""
    found = []
    with psycopg.connect(url) as conn:
        tables = conn.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert len(tables) > len(HOLDINGS)
        for (table,) in tables:
            query = sql.SQL("SELECT count(*) FROM {t} WHERE {t}::text LIKE ANY (%s)").format(t=sql.Identifier(table))
            counted = conn.execute(query, [[f"%{word}%", f"%{word.encode().hex()}%"]]).fetchone()
            if counted and counted[0]:
                found.append(table)
    return found


@asynccontextmanager
async def announced(folder: Path, here: Here) -> AsyncIterator[None]:
    path = announce(folder, here.url, {"example": RunningServer(here.url, here.doors.admin_token)})
    yield
    path.unlink()


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_no_byte_of_an_erased_customer_is_left(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The commands go to the workspace that is served here, whatever the machine's own is.
    monkeypatch.delenv("HELPGRAPH_WORKSPACE", raising=False)
    url: str | None = request.getfixturevalue("postgres_url") if kind == "postgres" else None

    def places(word: str) -> list[str]:
        return bytes_with(tmp_path, word) + (rows_with(url, word) if url else [])

    deps = fake_deps(engine=Hearing(understanding=CALM))
    async with serving(tmp_path, deps, database_url=url) as here, announced(tmp_path, here):
        settings = here.runtime.settings
        with listening() as hooks:
            added = await act(settings, "webhooks", {"do": "add", "name": "crm", "url": hooks.url})
            hooks.secret = added["secret"]
            canary, neighbour = await live(here, CANARY), await live(here, NEIGHBOUR)
            async with asyncio.timeout(60):
                while (await act(settings, "webhooks", {"do": "deliveries", "unsettled": True}))["deliveries"]:
                    await asyncio.sleep(0.1)
        (title, reports) = await one(here, "SELECT b.title, (SELECT count(*) FROM bug_occurrences) FROM bugs b")
        assert CANARY in title
        assert reports == 2
        theirs = await act(settings, "export", {"user": f"{NEIGHBOUR}-id"})
        mine = await act(settings, "export", {"user": f"{CANARY}-id"})
        assert places(CANARY)

        counted = await act(settings, "erase", {"user": f"{CANARY}-id"})
        assert (await act(settings, "export", {"user": f"{CANARY}-id"}))["tables"] == mine["tables"]
        proof = await act(settings, "erase", {"user": f"{CANARY}-id", "yes": True})

        left = places(CANARY)
        with pytest.raises(Exception, match="nothing is held"):
            await act(settings, "export", {"user": f"{CANARY}-id"})
        after = await act(settings, "export", {"user": f"{NEIGHBOUR}-id"})
        assert (await here.http.get(canary.path("messages"), headers=canary.headers)).status_code == 401
        assert (await neighbour.say("Where are my invoices?"))[-1].kind == "RUN_FINISHED"
        async with here.staff() as staff:
            (bug,) = (await staff.get("/v1/inbox/bugs")).json()["bugs"]
            detail = (await staff.get(f"/v1/inbox/bugs/{bug['bug_id']}")).json()
        last = await act(settings, "erase", {"user": f"{NEIGHBOUR}-id", "yes": True})
        gone = places(NEIGHBOUR)
        again = await here.session()
        await again.say("The quarterly report export is broken and comes out empty")
        async with here.staff() as staff:
            bugs = (await staff.get("/v1/inbox/bugs")).json()["bugs"]

    assert left == []
    assert places(CANARY) == []
    assert CANARY not in orjson.dumps(proof).decode()
    # Everything that was counted is in the export, and went.
    assert counted == {"erased": False, "found": proof["found"]}
    assert {name: len(rows) for name, rows in mine["tables"].items()} | {"checkpoints": 1} == counted["found"]
    assert all(counted["found"].values()), counted
    assert {name: gone["rows"] for name, gone in proof["gone"].items()} == counted["found"]
    assert not any(proof["looked_again"]["rows"].values())
    assert proof["files_scrubbed"] is True
    assert (proof["looked_again"]["bytes"] or {"ids_found": 0})["ids_found"] == 0
    # The other customer's data is as it was; the bug they share is told in their words now.
    told = after["tables"].pop("bugs")
    assert theirs["tables"].pop("bugs") == []
    assert [row["title"] for row in told] == [bug["title"]]
    assert NEIGHBOUR in bug["title"]
    assert {**after, "exported_at": ""} == {**theirs, "exported_at": ""}
    assert (bug["occurrences"], bug["customers"], len(detail["reports"])) == (2, 2, 1)
    # Without anybody to tell it, it keeps its counts, and nothing is taken for it any more.
    assert gone == []
    assert last["gone"]["bugs"] == {"rows": 1, "how": "blanked"}
    assert [(b["title"], b["occurrences"]) for b in bugs] == [
        (BLANK_TITLE, 2),
        ("The quarterly report export is broken and comes out empty", 1),
    ]


def test_every_table_is_in_a_list() -> None:
    held = {holding.table.name for holding in HOLDINGS}

    assert held | IMPERSONAL.keys() == metadata.tables.keys()
    assert not held & IMPERSONAL.keys()


def test_a_table_with_a_conversation_is_personal() -> None:
    # One that names a conversation holds something of its customer.
    named = {t.name for t in metadata.tables.values() if {"conversation_id", "owner_id"} & set(t.columns.keys())}

    assert named <= {holding.table.name for holding in HOLDINGS}


def test_nobody_else_reads_an_export(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    write_private(path, {"a": 1}, force=False)
    with pytest.raises(BadTurn, match="is there already"):
        write_private(path, {"a": 2}, force=False)
    assert orjson.loads(path.read_bytes()) == {"a": 1}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    os.chmod(path, 0o644)  # As a careless hand leaves it.
    write_private(path, {"a": 2}, force=True)
    assert orjson.loads(path.read_bytes()) == {"a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

"""`helpgraph export` and `helpgraph erase`, as an operator meets them."""

import asyncio
import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.types import Identity, IdentityLevel
from tests.shell import Shell
from tools.storage.database import Database
from tools.storage.log import ConversationLog
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups

ADA = Identity(IdentityLevel.VERIFIED, "ada", None, "Ada")
WORKSPACE = "orrery"


def wrote(data_dir: Path, owner_id: str = "user:ada") -> str:
    """Have somebody write a message, and return the conversation's id."""

    async def write() -> str:
        db = await Database.open(None, data_dir=data_dir)
        log, scope = ConversationLog(db, Wakeups()), Scope(WORKSPACE, owner_id, "customer")
        now = datetime.now(UTC)
        conversation = await log.create_conversation(
            scope, thread_id="", identity=ADA, channel="widget", language="en", now=now
        )
        await log.accept(
            scope,
            conversation.conversation_id,
            client_message_id="m1",
            text="Where are my invoices?",
            page=None,
            run_id="run",
            wish=False,
            now=now,
        )
        await db.close()
        return conversation.conversation_id

    return asyncio.run(write())


def test_from_the_export_to_the_proof(shell: Shell, tmp_path: Path) -> None:
    wrote(shell.data_dir)
    out, proof = tmp_path / "ada.json", tmp_path / "proof.json"

    assert shell.run("export", "--user", "ada", "--out", str(out))[0] == 0
    exported = json.loads(out.read_text())
    assert [m["text"] for m in exported["tables"]["client_messages"]] == ["Where are my invoices?"]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    again = shell.run("export", "--user", "ada", "--out", str(out))
    assert again[0] == 2
    assert "is there already" in again[1]
    assert shell.run("export", "--user", "ada", "--out", str(out), "--force")[0] == 0

    code, said = shell.run("erase", "--user", "ada")
    assert code == 0
    assert "client_messages 1" in said
    assert "Nothing was changed" in said
    code, said = shell.run("erase", "--user", "ada", "--yes", "--proof", str(proof))
    assert code == 0, said
    assert "0 found" in said
    assert json.loads(proof.read_text())["gone"]["client_messages"] == {"rows": 1, "how": "removed"}
    second = tmp_path / "second.json"
    for more in ((), ("--yes", "--proof", str(second))):
        code, said = shell.run("erase", "--user", "ada", *more)
        assert (code, "nothing is held" in said) == (1, True), said
    nothing = json.loads(second.read_text())
    assert (nothing["erased"], any(nothing["found"].values())) == (False, False)
    assert shell.run("export", "--user", "ada", "--out", str(out), "--force")[0] == 1


def test_visitors_and_conversations_have_no_user(shell: Shell, tmp_path: Path) -> None:
    conversation_id = wrote(shell.data_dir, "visitor:0123")
    wrote(shell.data_dir, "visitor:4567")
    out = tmp_path / "one.json"

    assert shell.run("export", "--conversation", conversation_id, "--out", str(out))[0] == 0
    assert json.loads(out.read_text())["tables"]["conversations"][0]["owner_id"] == "visitor:0123"
    for visitor in ("visitor:0123", "4567"):
        code, said = shell.run("erase", "--visitor", visitor, "--yes")
        assert code == 0
        assert "conversations 1 removed 0" in said


def test_what_is_old_goes_by_hand(shell: Shell, tmp_path: Path) -> None:
    wrote(shell.data_dir)

    code, said = shell.run("erase", "--older-than", "1", "--yes", "--proof", str(tmp_path / "proof.json"))
    assert code == 0, said
    # It is of today, and nobody has answered it.
    assert json.loads((tmp_path / "proof.json").read_text())["gone"] == {"checkpoints": {"rows": 0, "how": "removed"}}
    assert "client_messages 1" in shell.run("erase", "--user", "ada")[1]


@pytest.mark.parametrize(
    "given",
    [
        ("export",),
        ("export", "--user", ""),
        ("export", "--user", "ada", "--visitor", "b"),
        ("erase", "--user", "ada", "--conversation", "b", "--yes"),
        ("erase", "--user", "ada", "--proof", "proof.json"),
        ("erase", "--user", "ada", "--yes", "--proof", "no/such/folder/proof.json"),
        ("erase", "--user", "ada", "--surely"),
        ("erase", "--user", "ada", "--older-than", "3", "--yes"),
        ("erase", "--older-than", "0", "--yes"),
        ("erase", "--older-than", "soon", "--yes"),
    ],
)
def test_what_is_asked_wrongly_changes_nothing(shell: Shell, given: tuple[str, ...]) -> None:
    wrote(shell.data_dir)
    code, said = shell.run(*given)

    assert code == 2, said
    assert "client_messages 1" in shell.run("erase", "--user", "ada")[1]

"""A backup of the database, made beside a running server, is put back: what is in it goes on, the rest is refused."""

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from tests.installed import EXAMPLE, copy_of
from tests.loopback import NO_TLS
from tests.server.harness import bearer, run_input
from tests.serving import served

QUESTION = "Where can I download my invoices?"
BUG = "Bug: the timer crashes the app as soon as I press pause"


class Talk:
    """A customer's conversation, whichever server has it."""

    def __init__(self, client: httpx.Client) -> None:
        begun = client.post("/v1/sessions", json={}).raise_for_status().json()
        self.path = f"/v1/conversations/{begun['conversation_id']}"
        self.conversation_id = str(begun["conversation_id"])
        self.headers = bearer(begun["session_token"])

    def say(self, client: httpx.Client, text: str) -> str:
        """Ask, and return the whole run as it was streamed."""
        body = run_input(self.conversation_id, text, uuid4().hex)
        said = client.post("/v1/agui", json=body, headers=self.headers).raise_for_status().text
        assert '"RUN_FINISHED"' in said
        return said

    def messages(self, client: httpx.Client) -> dict[str, Any]:
        """What the widget shows of it."""
        found: dict[str, Any] = client.get(f"{self.path}/messages", headers=self.headers).raise_for_status().json()
        return found


def test_a_server_goes_on_from_a_backup_that_was_put_back(installed_by_words: Path, tmp_path: Path) -> None:
    data_dir, backup = copy_of(installed_by_words, tmp_path / "data"), tmp_path / "backup.db"
    options = ("--workspace", str(EXAMPLE))
    with served(data_dir, *options) as running, httpx.Client(base_url=running.url, timeout=60, verify=NO_TLS) as client:
        kept = Talk(client)
        kept.say(client, QUESTION)
        before = kept.messages(client)
        with closing(sqlite3.connect(data_dir / "helpgraph.db")) as live, closing(sqlite3.connect(backup)) as copied:
            live.backup(copied)
        kept.say(client, BUG)
        lost = Talk(client)
        lost.say(client, QUESTION)
        newest = kept.messages(client)["last_event_id"]
        running.stop(signal.SIGTERM)

    for name in ("helpgraph.db-wal", "helpgraph.db-shm"):
        (data_dir / name).unlink(missing_ok=True)
    backup.replace(data_dir / "helpgraph.db")

    with served(data_dir, *options) as again, httpx.Client(base_url=again.url, timeout=60, verify=NO_TLS) as client:
        assert kept.messages(client) == before
        # A client that has seen more than there is hears so, and gets what there is without a number.
        stream = f"{kept.path}/events"
        ahead = client.get(stream, headers={**kept.headers, "Last-Event-ID": str(newest)})
        anew = client.get(stream, headers=kept.headers)
        said = kept.say(client, BUG)
        refused = client.get(f"{lost.path}/messages", headers=lost.headers)
        ready = client.get("/readyz").json()
        again.stop(signal.SIGTERM)
        printed = (data_dir / "said").read_text()

    assert ahead.status_code == 409
    assert "MESSAGES_SNAPSHOT" in anew.text
    # The first bug of the backup's tracker: nothing of the one that is gone is counted.
    assert "BUG-1" in said
    assert refused.status_code in (401, 404)
    assert refused.json()["detail"]
    assert int(ready["knowledge"].split()[0]) > 0
    assert "Traceback" not in printed

"""Keys of bots: shown once, kept as a hash, gone when revoked."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from agent.errors import BadTurn, Conflict, NotFound
from graphs.keys import keys
from graphs.stores import stores_of
from tests.server.harness import BOT_KEYS, WORKSPACE, Here, bearer, serving
from tests.server.test_erase import bytes_with
from tests.shell import Shell
from tools.storage.api_keys import ApiKeys

NOW = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)


async def knock(here: Here, token: str) -> httpx.Response:
    return await here.http.get("/v1/models", headers=bearer(token))


async def test_a_key_opens_until_it_is_revoked(here: Here, tmp_path: Path) -> None:
    stores = stores_of(here.runtime)
    key = (await keys(stores, {"do": "add", "name": "helpdesk"}))["key"]
    before = (await keys(stores, {"do": "list"}))["keys"]
    assert (await knock(here, key)).status_code == 200
    # The settings' own go on working beside it.
    assert (await knock(here, BOT_KEYS[0])).status_code == 200
    for wrong in (key[:-1], key + "x", key.upper(), "hgk_", "helpdesk"):
        assert (await knock(here, wrong)).status_code == 401, wrong
    after = (await keys(stores, {"do": "list"}))["keys"]
    body = {"messages": [{"role": "user", "content": "Hello"}]}
    assert (await here.http.post("/v1/chat/completions", json=body, headers=bearer(key))).status_code == 200

    await keys(stores, {"do": "revoke", "name": "helpdesk"})

    assert (await knock(here, key)).status_code == 401
    assert before[0]["last_used_on"] is None
    assert after[0]["last_used_on"] == datetime.now(UTC).date().isoformat()
    assert bytes_with(tmp_path, key) == []


async def test_a_hash_is_no_key(here: Here) -> None:
    key = (await keys(stores_of(here.runtime), {"do": "add", "name": "helpdesk"}))["key"]
    async with here.runtime.db.reading() as conn:
        kept = (await conn.execute(text("SELECT key_hash FROM api_keys"))).scalar_one()

    for token in (kept, f"hgk_{kept}", key.removeprefix("hgk_")):
        assert (await knock(here, token)).status_code == 401


async def test_a_key_is_of_its_workspace(here: Here) -> None:
    kept = ApiKeys(here.runtime.db)
    elsewhere = await kept.add("elsewhere", "helpdesk", now=NOW)
    mine = await kept.add(WORKSPACE, "helpdesk", now=NOW)

    assert (await knock(here, elsewhere)).status_code == 401
    assert (await knock(here, mine)).status_code == 200
    assert len(await kept.entries(WORKSPACE)) == 1


async def test_the_last_use_is_kept_by_day(here: Here) -> None:
    kept = ApiKeys(here.runtime.db)
    key = await kept.add(WORKSPACE, "helpdesk", now=NOW)
    used = []
    for at in (NOW, NOW - timedelta(hours=5), NOW + timedelta(minutes=2)):
        assert await kept.opens(WORKSPACE, key, now=at)
        used.append((await kept.entries(WORKSPACE))[0].last_used_on)

    assert used == ["2026-03-04", "2026-03-04", "2026-03-05"]


async def test_a_machine_with_keys_is_open_to_them_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, api_keys=[]) as here:
        stores = stores_of(here.runtime)
        assert (await knock(here, "whatever")).status_code == 200
        await keys(stores, {"do": "add", "name": "helpdesk"})
        assert (await knock(here, "whatever")).status_code == 401
        await keys(stores, {"do": "revoke", "name": "helpdesk"})
        # Revoking the last one is no way to open the door to everyone.
        assert (await knock(here, "whatever")).status_code == 401


async def test_what_cannot_be_done_is_said(here: Here) -> None:
    stores = stores_of(here.runtime)
    await keys(stores, {"do": "add", "name": "helpdesk"})
    with pytest.raises(Conflict, match="'helpdesk' already"):
        await keys(stores, {"do": "add", "name": "helpdesk"})
    with pytest.raises(NotFound):
        await keys(stores, {"do": "revoke", "name": "another"})
    for name in ("", " ", "two words", "x" * 101, "-a", None):
        with pytest.raises(BadTurn):
            await keys(stores, {"do": "add", "name": name})


def test_by_hand(shell: Shell) -> None:
    code, key = shell.run("keys", "add", "helpdesk")
    assert code == 0
    assert key.startswith("hgk_")
    assert len(key) > 40
    listed = shell.run("keys", "list")
    assert (listed[0], key in listed[1]) == (0, False)
    assert "helpdesk" in listed[1]
    assert "never" in listed[1]
    (one,) = json.loads(shell.run("keys", "list", "--json")[1])
    assert (one["name"], one["last_used_on"], one["revoked_at"]) == ("helpdesk", None, None)
    assert shell.run("keys", "add", "helpdesk")[0] == 1
    assert shell.run("keys", "revoke", "helpdesk")[0] == 0
    assert shell.run("keys", "revoke", "helpdesk")[0] == 1
    for wrong in (("keys", "add"), ("keys", "add", "two words"), ("keys", "forget", "helpdesk"), ("keys", "list", "x")):
        code, said = shell.run(*wrong)
        assert code == 2, said
    assert "revoke" in shell.run("keys", "--help")[1]

"""The team's own systems are told what happens: signed, in order, once more after whatever went wrong."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from agent.errors import BadTurn, Conflict, NotFound
from graphs.privacy import erase
from graphs.stores import stores_of
from graphs.webhooks import webhooks
from tests.graphs.test_privacy_commands import wrote
from tests.server.harness import Here, serving
from tests.server.hooks import Hooks, Told, listening
from tests.server.test_inbox import wait_for_mode
from tests.shell import Shell
from tools.storage.hooks import KINDS, USUAL_KINDS
from tools.webhooks.signing import secret_of, signed_headers

CANARY = "zqxkanary"


@pytest.fixture
def hooks() -> Iterator[Hooks]:
    with listening() as receiver:
        yield receiver


async def subscribe(here: Here, hooks: Hooks, *kinds: str, name: str = "crm") -> None:
    body = {"do": "add", "name": name, "url": hooks.url, "kinds": list(kinds)}
    hooks.secret = (await webhooks(stores_of(here.runtime), body))["secret"]


async def told(hooks: Hooks, number: int) -> list[Told]:
    return await asyncio.to_thread(hooks.wait_for, lambda taken: len(taken) >= number)


async def test_a_conversation_is_told_in_the_order_of_its_log_and_without_its_words(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, *KINDS)
    customer = await here.session()
    await customer.say(f"How do I export? {CANARY}")
    assert (await customer.post("handoff", {})).is_success
    await wait_for_mode(customer, "waiting")
    assert (await customer.post("rating", {"stars": 2, "comment": CANARY})).is_success

    taken = await asyncio.to_thread(
        hooks.wait_for, lambda taken: any(each.kind == "conversation.rated" for each in taken)
    )
    seqs = [each.body["data"]["seq"] for each in taken]
    assert seqs == sorted(set(seqs))
    assert [each.event_id for each in taken] == [f"{customer.conversation_id}.{seq}" for seq in seqs]
    assert {each.kind for each in taken} >= {"message.created", "turn.ended", "conversation.mode_changed"}
    assert any(each.body["data"].get("mode") == "waiting" for each in taken)
    assert CANARY not in str(taken)
    assert hooks.forged == 0


async def test_only_what_was_asked_for_is_told(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "turn.ended")
    customer = await here.session()
    await customer.say("How do I export?")
    await customer.say("And how do I import?")
    assert {each.kind for each in await told(hooks, 2)} == {"turn.ended"}
    listed = (await webhooks(stores_of(here.runtime), {"do": "list"}))["webhooks"]
    assert listed[0]["kinds"] == ["turn.ended"]


async def test_nobody_is_told_of_what_was_before(here: Here, hooks: Hooks) -> None:
    customer = await here.session()
    await customer.say("How do I export?")
    await subscribe(here, hooks)
    await customer.say("And how do I import?")
    [first] = await told(hooks, 1)
    assert first.body["data"]["seq"] > 4


async def test_what_a_receiver_missed_comes_later_once_and_in_order(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "message.created")
    hooks.answer = lambda body: (503, {})
    customers = [await here.session() for _ in range(3)]
    for customer in customers:
        await customer.say("How do I export?")
    await asyncio.to_thread(hooks.wait_for, lambda taken: len(hooks.told) >= 1)
    stores = stores_of(here.runtime)
    await asyncio.sleep(0.2)
    tried = len(hooks.told)
    assert tried <= 3, "a receiver that is away is left alone, however much waits for it"
    waiting = (await webhooks(stores, {"do": "list"}))["webhooks"][0]
    assert (waiting["waiting"], waiting["given_up"], waiting["last_error"]) == (6, 0, "status 503")

    hooks.answer = lambda body: (204, {})
    await webhooks(stores, {"do": "retry"})
    taken = await told(hooks, 6)

    assert len({each.event_id for each in taken}) == len(taken) == 6
    for customer in customers:
        seqs = [t.body["data"]["seq"] for t in taken if t.body["data"]["conversation_id"] == customer.conversation_id]
        assert seqs == sorted(seqs)
        assert len(seqs) == 2
    first = {each.event_id for each in hooks.told[:tried]}
    assert first <= {each.event_id for each in taken}, "what is tried again keeps its id"


async def test_one_conversation_that_is_refused_holds_up_no_other(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "turn.ended")
    refused, taken = await here.session(), await here.session()

    def answer(body: dict[str, Any]) -> tuple[int, dict[str, str]]:
        return (400 if body["data"]["conversation_id"] == refused.conversation_id else 204), {}

    hooks.answer = answer
    await refused.say("How do I export?")
    await taken.say("How do I export?")
    [one] = await told(hooks, 1)
    assert one.body["data"]["conversation_id"] == taken.conversation_id


async def test_a_receiver_that_is_gone_for_good_is_not_asked_again(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "turn.ended")
    hooks.answer = lambda body: (410, {})
    customer = await here.session()
    await customer.say("How do I export?")
    stores = stores_of(here.runtime)
    async with asyncio.timeout(20):
        while (found := (await webhooks(stores, {"do": "deliveries"}))["deliveries"])[0]["status"] == "waiting":
            await asyncio.sleep(0.05)
    assert (found[0]["status"], found[0]["refusals"], found[0]["last_error"]) == ("given_up", 1, "status 410")
    hooks.answer = lambda body: (204, {})
    assert await webhooks(stores, {"do": "retry", "name": "crm"}) == {"again": 1}
    assert [each.kind for each in await told(hooks, 1)] == ["turn.ended"]


async def test_a_redirect_is_not_followed(here: Here, hooks: Hooks) -> None:
    with listening() as elsewhere:
        await subscribe(here, hooks, "turn.ended")
        hooks.answer = lambda body: (307, {"location": elsewhere.url})
        tried = await webhooks(stores_of(here.runtime), {"do": "test", "name": "crm"})
        assert tried == {"result": "refused", "error": "status 307"}
        assert elsewhere.told == []
        assert elsewhere.forged == 0


async def test_who_is_erased_is_told_of_no_more(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "turn.ended")
    hooks.answer = lambda body: (503, {})
    customer = await here.session()
    await customer.say("How do I export?")
    stores = stores_of(here.runtime)
    await asyncio.to_thread(hooks.wait_for, lambda taken: hooks.told)
    proof = await erase(stores, {"conversation": customer.conversation_id, "yes": True})
    assert proof["gone"]["deliveries"]["rows"] == 1
    assert (await webhooks(stores, {"do": "deliveries"}))["deliveries"] == []


async def test_a_webhook_is_its_workspaces_own(hooks: Hooks, tmp_path: Path, postgres_url: str) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        serving(tmp_path / "a", database_url=postgres_url) as here,
        serving(tmp_path / "b", database_url=postgres_url, workspace_id="elsewhere") as there,
    ):
        await subscribe(here, hooks, "turn.ended")
        assert await webhooks(stores_of(there.runtime), {"do": "list"}) == {"webhooks": []}
        with pytest.raises(NotFound):
            await webhooks(stores_of(there.runtime), {"do": "remove", "name": "crm"})
        stranger, customer = await there.session(), await here.session()
        await stranger.say("How do I export?")
        await customer.say("How do I export?")
        [one] = await told(hooks, 1)
        assert one.body["data"]["conversation_id"] == customer.conversation_id
        assert (await webhooks(stores_of(there.runtime), {"do": "deliveries"}))["deliveries"] == []


async def test_two_servers_tell_each_thing_once(hooks: Hooks, tmp_path: Path, postgres_url: str) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        serving(tmp_path / "a", database_url=postgres_url) as one,
        serving(tmp_path / "b", database_url=postgres_url) as other,
    ):
        await subscribe(one, hooks, "turn.ended")

        async def talk(here: Here) -> None:
            for _ in range(5):
                await (await here.session()).say("How do I export?")

        await asyncio.gather(*(talk(here) for here in (one, other) for _ in range(2)))
        taken = await told(hooks, 20)
        await asyncio.sleep(1.5)
        assert len(hooks.told) == len({each.event_id for each in taken}) == 20


async def test_a_removed_webhook_is_told_of_nothing(here: Here, hooks: Hooks) -> None:
    await subscribe(here, hooks, "turn.ended")
    stores = stores_of(here.runtime)
    assert await webhooks(stores, {"do": "remove", "name": "crm"}) == {}
    await (await here.session()).say("How do I export?")
    assert (await webhooks(stores, {"do": "deliveries"}))["deliveries"] == []
    with pytest.raises(NotFound):
        await webhooks(stores, {"do": "remove", "name": "crm"})


async def test_what_cannot_be_done_is_said(here: Here, hooks: Hooks) -> None:
    stores = stores_of(here.runtime)
    await subscribe(here, hooks)
    with pytest.raises(Conflict, match="already"):
        await webhooks(stores, {"do": "add", "name": "crm", "url": hooks.url})
    for body, words in (
        ({"name": "two words", "url": hooks.url}, "letters"),
        ({"name": "other", "url": hooks.url, "kinds": ["turn.begun"]}, "turn.ended"),
        ({"name": "other", "url": "ftp://example.com"}, "https"),
        ({"name": "other", "url": "http://example.com/hooks"}, "https"),
        ({"name": "other", "url": "https://me:secret@example.com/"}, "password"),
        ({"name": "other", "url": "https://exa mple.com/"}, "https"),
        ({"name": "other", "url": "https://example.com:99999/"}, "https"),
        ({"name": "other"}, "https"),
    ):
        with pytest.raises(BadTurn, match=words):
            await webhooks(stores, {"do": "add", **body})
    for do in ("test", "secret"):
        with pytest.raises(NotFound):
            await webhooks(stores, {"do": do, "name": "nobody"})


def test_another_name_another_secret_and_no_forgery_passes() -> None:
    master = "a master secret of 32 characters."
    mine = secret_of(master, "example", "crm")
    also = ((master, "example", "crm2"), (master, "elsewhere", "crm"), ("another", "example", "crm"))
    others = {secret_of(*each) for each in also}
    assert len(others - {mine}) == 3
    body = b'{"type":"turn.ended"}'
    headers = signed_headers(mine, "c.1", body, at_s=1_700_000_000)
    for secret in others:
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(body, dict(headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError, match="old"):
        standardwebhooks.Webhook(mine).verify(body, dict(headers))


def test_by_hand(shell: Shell, hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = shell.run("webhooks", "add", "crm", hooks.url)
    assert code == 2
    assert "HELPGRAPH_WEBHOOK_SECRET" in said
    monkeypatch.setenv("HELPGRAPH_WEBHOOK_SECRET", "too short")
    assert shell.run("webhooks", "list")[0] == 2
    monkeypatch.setenv("HELPGRAPH_WEBHOOK_SECRET", "a secret of thirty-two characters")
    assert shell.run("webhooks", "list") == (0, "there are no webhooks")
    code, hooks.secret = shell.run("webhooks", "add", "crm", hooks.url, "--kind", "turn.ended")
    assert code == 0
    assert shell.run("webhooks", "secret", "crm") == (0, hooks.secret)
    assert shell.run("webhooks", "test", "crm") == (0, "delivered")
    assert [each.kind for each in hooks.told] == ["webhook.test"]
    hooks.answer = lambda body: (500, {})
    assert shell.run("webhooks", "test", "crm") == (1, "away: status 500")
    listed = shell.run("webhooks", "list")[1]
    assert "turn.ended" in listed
    assert hooks.secret not in listed
    assert shell.run("webhooks", "deliveries", "--unsettled") == (0, "there are no deliveries")
    assert json.loads(shell.run("webhooks", "list", "--json")[1])[0]["kinds"] == ["turn.ended"]
    assert shell.run("webhooks", "add", "audit", hooks.url, "--kind", "message.created")[0] == 0
    event = f"{wrote(shell.data_dir)}.1"
    # Nothing of it is broken where the terminal is narrow.
    monkeypatch.setenv("COLUMNS", "80")
    said = shell.run("webhooks", "deliveries")[1]
    assert said.endswith(f" waiting audit message.created {event}")
    (one,) = json.loads(shell.run("webhooks", "deliveries", "--json")[1])
    assert (one["event"], one["refusals"], one["last_error"]) == (event, 0, None)
    assert shell.run("webhooks", "retry")[0] == 0
    assert shell.run("webhooks", "remove", "crm")[0] == 0
    assert shell.run("webhooks", "remove", "crm")[0] == 1
    for wrong in (("add", "crm"), ("add", "two words", hooks.url), ("list", "x"), ("forget",)):
        assert shell.run("webhooks", *wrong)[0] == 2
    assert "deliveries" in shell.run("webhooks", "--help")[1]


def test_the_usual_kinds_leave_out_what_comes_with_every_message() -> None:
    assert set(KINDS) - set(USUAL_KINDS) == {"message.created"}

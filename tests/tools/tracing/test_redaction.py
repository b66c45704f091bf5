"""Values of a turn as plain JSON that may leave."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from langchain_core.messages import HumanMessage
from pydantic import BaseModel, SecretStr

from agent.types import AccountFacts, Author, Identity, IdentityLevel, Message, Source, Untrusted
from tests.fakes import MONDAY_NOON, ask, passage
from tools.tracing.redaction import Redactor, names_in

ADA = Identity(IdentityLevel.VERIFIED, user_id="user_ada", account_id="acct_9", display_name="Ada Lovelace")


class Colour(StrEnum):
    RED = "red"


class Form(BaseModel):
    mail: str
    key: SecretStr


@dataclass(frozen=True)
class Loud:
    """Says everything when printed."""

    secret_of: str = "ada@example.com"

    def __repr__(self) -> str:
        raise AssertionError("nobody prints this")


class Foreign:
    def __repr__(self) -> str:
        return "ada@example.com"


def redacted(value: object, *names: str) -> Any:
    found = Redactor(names).value(value)
    json.dumps(found)
    return found


def test_a_request_is_plain_json_with_its_ids_and_without_its_people() -> None:
    turn_id = "4f1c9a7be0d24f0c8a55d1c2b3a49e77"
    request = ask("I'm ada@example.com", turn_id=turn_id, identity=ADA, contact_email="ada@example.com")

    found = redacted(request, *names_in([request]))

    assert found["turn_id"] == turn_id
    assert found["texts"] == ["I'm [email]"]
    assert found["identity"] == {
        "level": "verified",
        "user_id": "[name]",
        "account_id": "[name]",
        "display_name": "[name]",
    }
    assert found["contact_email"] == "[name]"
    assert found["now"] == MONDAY_NOON.isoformat().replace("T", " ") or found["now"] == str(MONDAY_NOON)


def test_names_come_from_identities_accounts_and_authors_and_never_from_the_bot() -> None:
    said = Untrusted.of("Hello", Source.CUSTOMER)
    account = AccountFacts("acct_9", Untrusted.of("Analytical Engines Ltd", Source.ACCOUNT))
    history = (
        Message("m1", Author.PERSON, said, MONDAY_NOON, author_name="Grace Hopper"),
        Message("m2", Author.BOT, said, MONDAY_NOON, author_name="Helpgraph"),
    )

    found = names_in([{"request": ask("Hi", identity=ADA, history=history), "account": account}])

    assert found == {
        *("user_ada", "acct_9", "Ada Lovelace", "Ada", "Lovelace", "Analytical Engines Ltd"),
        *("Grace Hopper", "Grace", "Hopper"),
    }


def test_a_name_is_masked_in_texts_that_came_before_it_was_known() -> None:
    found = redacted({"said": "Ada here, from analytical engines ltd"}, "Ada", "Analytical Engines Ltd")

    assert found == {"said": "[name] here, from [name]"}


def test_a_page_is_masked_whatever_its_keys_and_values_are() -> None:
    page = {
        "sessionToken": "abc",
        "csrf-token": ["abc"],
        "password": 1234,
        "input_tokens": 12,
        "has_token": True,
        "ada@example.com": 1,
        "card": 4111111111111111,
        "width": 1280,
        "ratio": 0.123456789,
        "nothing": None,
        "turn_id": "4f1c9a7be0d24f0c8a55d1c2b3a49e77",
    }

    assert redacted(page) == {
        "sessionToken": "[secret]",
        "csrf-token": "[secret]",
        "password": "[secret]",
        "input_tokens": 12,
        "has_token": True,
        "[email]": 1,
        "card": "[card]",
        "width": 1280,
        "ratio": 0.123456789,
        "nothing": None,
        # A page may call anything so: only our own values have ids that are kept.
        "turn_id": "[secret]",
    }


def test_models_messages_enums_times_and_sets_become_json() -> None:
    value = {
        "form": Form(mail="ada@example.com", key=SecretStr("key")),
        "message": HumanMessage("ada@example.com"),
        "colour": Colour.RED,
        "at": datetime(2026, 11, 23, 12, tzinfo=UTC),
        "set": {"ada@example.com"},
        "text": Untrusted.of("ada@example.com", Source.PAGE),
        "passage": passage().passage_id,
    }

    found = redacted(value)

    assert found["form"] == {"mail": "[email]", "key": "[secret]"}
    assert found["message"]["content"] == "[email]"
    assert found["colour"] == "red"
    assert found["at"] == "2026-11-23 12:00:00+00:00"
    assert (found["set"], found["text"]) == (["[email]"], "[email]")


def test_what_is_unknown_is_named_and_never_printed() -> None:
    assert redacted([Foreign(), Loud(), b"ada@example.com"]) == ["[Foreign]", {"secret_of": "[email]"}, "[bytes]"]


def test_too_deep_and_too_much_is_left_out() -> None:
    deep: Any = "ada@example.com"
    for _ in range(200):
        deep = [deep]

    assert "[left out]" in json.dumps(redacted(deep))
    assert "[left out]" in json.dumps(redacted([[] for _ in range(60_000)]))

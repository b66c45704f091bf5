"""Who the customer is: what the product's backend vouches for, and nothing else."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from pydantic import SecretStr

from agent.errors import Misconfigured
from server.settings import load_server_settings
from tests.fakes import ScriptedEngine, fake_deps
from tests.server.harness import HASH_SECRET, SECRET, WORKSPACE, Here, serving


def token(key: str = SECRET, algorithm: str = "HS256", **changes: object) -> str:
    now = datetime.now(UTC)
    claims: dict[str, object] = {
        "sub": "user_1",
        "account_id": "acct_1",
        "aud": WORKSPACE,
        "exp": now + timedelta(minutes=30),
        **changes,
    }
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, key, algorithm=algorithm)


def unsigned(**changes: object) -> str:
    return token(key="", algorithm="none", **changes)


NOW = datetime.now(UTC)
FORGED: dict[str, Callable[[], str]] = {
    "another secret": lambda: token(key="another secret of somebody else entirely"),
    "no signature": unsigned,
    "its end cut off": lambda: token()[:-4],
    "another algorithm": lambda: token(key=SECRET * 4, algorithm="HS512"),
    "over": lambda: token(exp=NOW - timedelta(minutes=5)),
    "not yet": lambda: token(nbf=NOW + timedelta(hours=1)),
    "from the future": lambda: token(iat=NOW + timedelta(hours=1)),
    "without an end": lambda: token(exp=None),
    "a whole day": lambda: token(exp=NOW + timedelta(days=1)),
    "for another workspace": lambda: token(aud="other"),
    "for nobody": lambda: token(aud=None),
    "without a user": lambda: token(sub=None),
    "an empty user": lambda: token(sub=""),
    "a long user": lambda: token(sub="x" * 1000),
    "a user with NUL": lambda: token(sub="user_1\x00"),
    "an account that is a list": lambda: token(account_id=["acct_1"]),
    "no token": lambda: "hello",
    "three dots": lambda: "a.b.c",
}


async def test_a_forged_identity_opens_nothing(here: Here) -> None:
    for case, forge in FORGED.items():
        answer = await here.http.post("/v1/sessions", json={"identity_token": forge()})

        assert answer.status_code in (401, 422), case
        assert "session_token" not in answer.text


async def test_the_algorithm_and_the_key_are_ours_to_choose(here: Here) -> None:
    # The swap that libraries fell for: a public key, taken for an HMAC's secret.
    public = b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----\n"
    claims = {"sub": "user_1", "aud": WORKSPACE, "exp": datetime.now(UTC) + timedelta(minutes=5)}
    swapped = [
        by_hand({"alg": "HS256"}, claims, public),
        by_hand({"alg": "RS256"}, claims, SECRET.encode()),
        by_hand({"alg": "none"}, claims, SECRET.encode()),
        by_hand({"alg": "HS256", "kid": "../../dev/null"}, claims, b""),
        by_hand({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}, claims, b"\0\0\0"),
        # The other way's secret signs no token.
        by_hand({"alg": "HS256"}, claims, HASH_SECRET.encode()),
    ]

    assert (await begin_as(here, identity_token=by_hand({"alg": "HS256"}, claims, SECRET.encode()))) == "verified"
    for forged in swapped:
        assert (await here.http.post("/v1/sessions", json={"identity_token": forged})).status_code == 401


def by_hand(header: dict[str, object], claims: dict[str, Any], key: bytes) -> str:
    """A token with any header, signed by HMAC-SHA256 whatever it says."""
    payload = {name: value.timestamp() if isinstance(value, datetime) else value for name, value in claims.items()}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, payload)]
    signature = hmac.new(key, b".".join(parts), "sha256").digest()
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


async def begin_as(here: Here, **body: object) -> str:
    return str((await here.session(**body)).begun["identity"]["level"])


def hash_of(user_id: str, secret: str = HASH_SECRET) -> str:
    return hmac.new(secret.encode(), user_id.encode(), "sha256").hexdigest()


async def test_a_hashed_user_id_is_believed(here: Here) -> None:
    body = {"user_id": "user_1", "user_hash": hash_of("user_1")}
    first, again = await here.session(**body), await here.session(**{**body, "user_hash": body["user_hash"].upper()})
    by_token = await here.session(identity_token=here.identity_token())

    for customer in (first, again):
        assert customer.begun["identity"]["level"] == "verified"
        assert customer.begun["identity"]["account"] == "Example Ltd"
    await first.say("Where are my invoices?")
    # It is the same user, whichever way they came.
    path = f"/v1/conversations/{first.conversation_id}/messages"
    assert (await here.http.get(path, headers=by_token.headers)).status_code == 200


FORGED_HASHES: dict[str, dict[str, object]] = {
    "of another user": {"user_id": "user_2", "user_hash": hash_of("user_1")},
    "with another secret": {"user_id": "user_1", "user_hash": hash_of("user_1", "another")},
    "with the token's secret": {"user_id": "user_1", "user_hash": hash_of("user_1", SECRET)},
    "with no secret": {"user_id": "user_1", "user_hash": hash_of("user_1", "")},
    "by another hash": {
        "user_id": "user_1",
        "user_hash": hmac.new(HASH_SECRET.encode(), b"user_1", "sha1").hexdigest(),
    },
    "unkeyed": {"user_id": "user_1", "user_hash": hashlib.sha256(b"user_1").hexdigest()},
    "secret and id in a row": {
        "user_id": "user_1",
        "user_hash": hashlib.sha256(HASH_SECRET.encode() + b"user_1").hexdigest(),
    },
    "its end cut off": {"user_id": "user_1", "user_hash": hash_of("user_1")[:-1]},
    "empty": {"user_id": "user_1", "user_hash": ""},
    "missing": {"user_id": "user_1"},
    "of nobody": {"user_hash": hash_of("")},
    "of an empty user": {"user_id": "", "user_hash": hash_of("")},
    "with a space": {"user_id": "user_1 ", "user_hash": hash_of("user_1")},
    "no text": {"user_id": 1, "user_hash": hash_of("1")},
    "not of letters and digits": {"user_id": "user_1", "user_hash": "é" * 64},
    "of a user with NUL": {"user_id": "user_1\x00", "user_hash": hash_of("user_1\x00")},
    "beside a token": {"user_id": "user_1", "user_hash": hash_of("user_1"), "identity_token": "a.b.c"},
}


async def test_a_forged_hash_opens_nothing(here: Here) -> None:
    for case, body in FORGED_HASHES.items():
        answer = await here.http.post("/v1/sessions", json=body)

        assert answer.status_code in (401, 422), case
        assert "session_token" not in answer.text


async def test_a_hash_is_no_tokens_signature(here: Here) -> None:
    # Somebody registers the text of a token as their user id, and is given its hash by the product.
    claims = {"sub": "user_1", "aud": WORKSPACE, "exp": int(datetime.now(UTC).timestamp()) + 600}
    signed = by_hand({"alg": "HS256"}, claims, HASH_SECRET.encode())
    text, _, signature = signed.rpartition(".")
    given = base64.urlsafe_b64encode(bytes.fromhex(hash_of(text))).rstrip(b"=").decode()
    assert given == signature

    assert (await here.http.post("/v1/sessions", json={"identity_token": f"{text}.{given}"})).status_code == 401
    with pytest.raises(Misconfigured, match="another secret"):
        load_server_settings(identity_secret=SecretStr(SECRET), identity_hash_secret=SecretStr(SECRET))


async def test_without_its_secret_no_hash_is_believed(tmp_path: Path) -> None:
    async with serving(tmp_path, identity_hash_secret=None) as here:
        for secret in ("", SECRET, HASH_SECRET):
            body = {"user_id": "user_1", "user_hash": hash_of("user_1", secret)}
            assert (await here.http.post("/v1/sessions", json=body)).status_code == 401


async def test_a_signed_identity_is_believed(here: Here) -> None:
    customer = await here.session(identity_token=token(name="Ada"))

    identity = customer.begun["identity"]
    assert identity["level"] == "verified"
    assert identity["display_name"] == "Ada"


async def test_what_a_page_says_about_the_user_is_not_believed(here: Here) -> None:
    page = {"route": "/", "identity": {"user_id": "user_1"}, "account_id": "acct_1"}
    customer = await here.session(page=page)

    assert customer.begun["identity"]["level"] == "anonymous"


async def test_a_session_is_resumed_by_the_same_person_only(here: Here) -> None:
    anonymous = await here.session()
    await anonymous.say("Where are my invoices?")
    mine = anonymous.begun["session_token"]
    again = await here.session(session_token=mine)
    signed_in = await here.session(session_token=mine, identity_token=here.identity_token())

    assert again.conversation_id == anonymous.conversation_id
    assert len(again.begun["messages"]) == 2
    assert again.begun["last_event_id"] == str((await anonymous.events(0))[-1].seq)
    assert signed_in.conversation_id != anonymous.conversation_id
    assert signed_in.begun["messages"] == []


async def test_whoever_goes_over_to_another_account_hears_nothing_of_the_first(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        first = await here.session(identity_token=token())
        await first.say("Where are my invoices?")
        mine = first.begun["session_token"]
        same = await here.session(session_token=mine, identity_token=token())
        other = await here.session(session_token=mine, identity_token=token(account_id="acct_2"))
        await other.say("Which plan are we on?")

    assert same.conversation_id == first.conversation_id
    assert other.conversation_id != first.conversation_id
    assert [brief.account and brief.account.account_id for brief in engine.briefs] == ["acct_1", None]


async def test_a_session_ends(tmp_path: Path) -> None:
    async with serving(tmp_path, session_hours=0.00001) as here:
        customer = await here.session()
        await asyncio.sleep(0.1)
        answer = await here.http.get(customer.path("messages"), headers=customer.headers)
        begun_again = await here.session(session_token=customer.begun["session_token"])

    assert answer.status_code == 401
    assert begun_again.conversation_id != customer.conversation_id

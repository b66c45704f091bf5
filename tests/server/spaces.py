"""Two workspaces behind one real server: the example product, and the same one as if somebody else had made it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import jwt

from server.staff import COOKIE
from tests.installed import EXAMPLE
from tests.loopback import NO_TLS
from tests.server.harness import bearer, run_input

QUESTION = "Where can I download my invoices?"
# Of the example's articles: each of the many others costs every installation some processor time, and shows nothing.
ARTICLES = (
    "cancel-subscription",
    "download-invoices",
    "export-reports",
    "invite-members",
    "plans-compared",
    "reset-password",
    "taxes-and-vat",
    "update-payment-method",
)


@dataclass(frozen=True)
class Tenant:
    """A workspace of the two: its folder, and what only it has."""

    workspace_id: str
    folder: Path
    # Of the articles' addresses; no article of the other one's has it.
    host: str
    identity_secret: str
    hash_secret: str
    inbox_password: str
    api_key: str

    def write(self, **more: str) -> None:
        """Write its own settings."""
        given = {
            "IDENTITY_SECRET": self.identity_secret,
            "IDENTITY_HASH_SECRET": self.hash_secret,
            "INBOX_PASSWORD": self.inbox_password,
            "API_KEYS": self.api_key,
            "SESSIONS_PER_MINUTE": "100000",
            "MESSAGES_PER_MINUTE": "100000",
            **more,
        }
        lines = [f"HELPGRAPH_{name}='{value}'\n" for name, value in given.items()]
        (self.folder / "settings.env").write_text("".join(lines))

    def identity(self, user_id: str, *, audience: str | None = None) -> str:
        """A token as its product's backend signs it."""
        claims = {
            "sub": user_id,
            "aud": audience or self.workspace_id,
            "exp": datetime.now(UTC) + timedelta(minutes=30),
        }
        return jwt.encode(claims, self.identity_secret, algorithm="HS256")


@dataclass
class Door:
    """A workspace at a running server's address."""

    tenant: Tenant
    server: str
    http: httpx.Client = field(init=False)
    signed_in: str | None = None

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=NO_TLS)

    def close(self) -> None:
        self.http.close()

    @property
    def url(self) -> str:
        return f"{self.server}/w/{self.tenant.workspace_id}"

    def session(self, **body: object) -> dict[str, Any]:
        answer = self.http.post("/v1/sessions", json=body)
        assert answer.status_code == 200, answer.text
        begun: dict[str, Any] = answer.json()
        return begun

    def ask(self, begun: dict[str, Any], text: str = QUESTION, message_id: str | None = None) -> str:
        """Post a message and return its run's stream, asked for again until the run is over."""
        body = run_input(begun["conversation_id"], text, message_id or uuid4().hex)
        stream = ""
        while "RUN_FINISHED" not in stream:
            answer = self.http.post("/v1/agui", json=body, headers=bearer(begun["session_token"]))
            assert answer.status_code == 200, answer.text
            stream = answer.text
        return stream

    def history(self, begun: dict[str, Any]) -> list[dict[str, Any]]:
        path = f"/v1/conversations/{begun['conversation_id']}/messages"
        answer = self.http.get(path, headers=bearer(begun["session_token"]))
        assert answer.status_code == 200, answer.text
        messages: list[dict[str, Any]] = answer.json()["messages"]
        return messages

    @contextmanager
    def staff(self) -> Iterator[httpx.Client]:
        """A browser of somebody on its team, who signed in once: tries are ten a minute."""
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=NO_TLS) as client:
            if self.signed_in is None:
                answer = client.post("/inbox/login", json={"password": self.tenant.inbox_password})
                assert answer.status_code == 204, answer.text
                self.signed_in = client.cookies[COOKIE]
            else:
                client.cookies.set(COOKIE, self.signed_in)
            yield client


def small_example(folder: Path) -> Path:
    """Make the example's workspace in `folder`, with a few of its articles."""
    dropped = {path.name for path in (EXAMPLE / "articles").iterdir()} - {f"{name}.md" for name in ARTICLES}
    return Path(shutil.copytree(EXAMPLE, folder, ignore=lambda _, names: dropped.intersection(names)))


def two_tenants(folder: Path) -> tuple[Tenant, Tenant]:
    """Make both workspaces in `folder`."""
    folder.mkdir()
    made = []
    for name, host in (("orrery", "orrery.example"), ("globex", "globex.example")):
        own = small_example(folder / name)
        for path in (own / "workspace.yaml", *(own / "articles").glob("*.md")):
            text = path.read_text(encoding="utf-8").replace("orrery.example", host)
            path.write_text(text.replace("workspace_id: orrery", f"workspace_id: {name}"), encoding="utf-8")
        words = (
            f"a secret of {name} that is for {what}" for what in ("tokens", "hashes of ids", "the inbox", "bots alone")
        )
        tenant = Tenant(name, own, host, *words)
        tenant.write()
        made.append(tenant)
    return made[0], made[1]

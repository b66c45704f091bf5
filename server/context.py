"""What every route may need, kept once per application."""

from dataclasses import dataclass, field
from typing import Annotated

import anyio
from fastapi import Depends, Request

from graphs.assembly import Runtime
from server.event_stream import LiveStreams
from server.limits import OpenStreams, RateLimit
from server.metrics import Metrics
from server.ops_figures import OpsFigures
from server.settings import ServerSettings
from tools.storage.api_keys import ApiKeys
from tools.storage.people import People


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What a start of the server makes up: the token of the data folder's owner, the key that signs the inbox's
    cookie, and the secret that verifies the product's signatures (None: everyone is anonymous)."""

    admin: str
    cookie: str
    identity: str | None


@dataclass(frozen=True, slots=True)
class Doors:
    """The installation behind the doors, and what the doors themselves keep.

    `streams` counts what owners and addresses hold; `live` keeps streams alive. `stopping` is set when the server is
    told to stop.
    `admin_token` proves that a caller may read the data folder; `identity_secret` verifies the product's signatures;
    `cookie_secret` signs the inbox's cookie.
    """

    runtime: Runtime
    settings: ServerSettings
    metrics: Metrics
    admin_token: str
    cookie_secret: str
    identity_secret: str | None
    ops: OpsFigures
    api_keys: ApiKeys
    people: People
    streams: OpenStreams = field(default_factory=lambda: OpenStreams(8, 64))
    live: LiveStreams = field(default_factory=LiveStreams)
    messages: RateLimit = field(default_factory=lambda: RateLimit(30))
    key_messages: RateLimit = field(default_factory=lambda: RateLimit(600))
    sessions: RateLimit = field(default_factory=lambda: RateLimit(60))
    notes: RateLimit = field(default_factory=lambda: RateLimit(60))
    logins: RateLimit = field(default_factory=lambda: RateLimit(10))
    stopping: anyio.Event = field(default_factory=anyio.Event)


def get_doors(request: Request) -> Doors:
    """The application's doors, for routes."""
    doors: Doors = request.app.state.doors
    return doors


InDoors = Annotated[Doors, Depends(get_doors)]


def client_address(request: Request) -> str:
    """The address the connection comes from; behind a proxy uvicorn has put the real one there."""
    return request.client.host if request.client else "unknown"

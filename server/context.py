"""What every route may need, kept once per application."""

import ipaddress
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
    address_messages: RateLimit = field(default_factory=lambda: RateLimit(300))
    key_messages: RateLimit = field(default_factory=lambda: RateLimit(600))
    sessions: RateLimit = field(default_factory=lambda: RateLimit(60))
    notes: RateLimit = field(default_factory=lambda: RateLimit(60))
    # A widget says so once a second.
    typing: RateLimit = field(default_factory=lambda: RateLimit(120))
    logins: RateLimit = field(default_factory=lambda: RateLimit(10))
    stopping: anyio.Event = field(default_factory=anyio.Event)


def get_doors(request: Request) -> Doors:
    """The application's doors, for routes."""
    doors: Doors = request.app.state.doors
    return doors


InDoors = Annotated[Doors, Depends(get_doors)]


def client_address(request: Request) -> str:
    """Where the connection comes from, to count by; behind a proxy uvicorn has put the real address there.

    Of IPv6 it is the network of 64 bits: whoever has one address has all of them.
    """
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))

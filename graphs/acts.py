"""What an operator does to the stores: through the server that owns them while one runs, else by opening them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from agent.errors import BadTurn, SupportError
from agent.wire import JsonObject
from graphs import keys, people, privacy, retention, webhooks
from graphs.assembly import find_server
from graphs.settings import Settings, load_settings
from graphs.stores import Stores, open_stores
from tools.observing.logs import set_up_logging

Act = Callable[[Stores, JsonObject], Awaitable[JsonObject]]

ACTS: dict[str, Act] = {
    "export": privacy.export,
    "erase": privacy.erase,
    "retire": retention.retire,
    "keys": keys.keys,
    "people": people.people,
    "webhooks": webhooks.webhooks,
}


def act_by_command(name: str, body: JsonObject, workspace: Path | None, data_dir: Path | None) -> JsonObject:
    """Do it for a command of the operator's, whose options name the installation.

    Raises:
        as `act`.
    """
    set_up_logging("warning")
    return asyncio.run(act(load_settings(workspace=workspace, data_dir=data_dir), name, body))


async def act(settings: Settings, name: str, body: JsonObject) -> JsonObject:
    """Do it, and return what came of it.

    Raises:
        BadTurn: it was asked for wrongly.
        SupportError: it failed; its own words.
        Misconfigured: the stores can't be opened.
    """
    server = find_server(settings)
    if server is None:
        async with open_stores(settings) as stores:
            return await ACTS[name](stores, body)
    async for line in server.stream(f"/v1/admin/acts/{name}", body):
        if "report" in line:
            return dict(line["report"])
        if "error" in line:
            raise (BadTurn if line["usage"] else SupportError)(str(line["error"]))
    raise SupportError("the server stopped before it was done; do it again")

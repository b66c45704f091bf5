"""What an operator does to the stores: through the server that owns them while one runs, else by opening them."""

from collections.abc import Awaitable, Callable

from agent.errors import BadTurn, SupportError
from agent.wire import JsonObject
from graphs import keys, people, privacy, retention
from graphs.running import find_running
from graphs.settings import Settings
from graphs.stores import Stores, open_stores

Act = Callable[[Stores, JsonObject], Awaitable[JsonObject]]

ACTS: dict[str, Act] = {
    "export": privacy.export,
    "erase": privacy.erase,
    "retire": retention.retire,
    "keys": keys.keys,
    "people": people.people,
}


async def act(settings: Settings, name: str, body: JsonObject) -> JsonObject:
    """Do it, and return what came of it.

    Raises:
        BadTurn: it was asked for wrongly.
        SupportError: it failed; its own words.
        Misconfigured: the stores can't be opened.
    """
    server = find_running(settings.data_dir)
    if server is None:
        async with open_stores(settings) as stores:
            return await ACTS[name](stores, body)
    async for line in server.stream(f"/v1/admin/acts/{name}", body):
        if "report" in line:
            return dict(line["report"])
        if "error" in line:
            raise (BadTurn if line["usage"] else SupportError)(str(line["error"]))
    raise SupportError("the server stopped before it was done; do it again")

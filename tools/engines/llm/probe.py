"""Whether an endpoint is there and has the model, without asking the model anything."""

import asyncio
from dataclasses import dataclass

import httpx
from pydantic import BaseModel, ValidationError

from tools.engines.llm.options import Endpoint

_TIMEOUT_S = 5.0
_OPENAI = "https://api.openai.com/v1"
_KEY_REFUSED = (401, 403)


class _Listed(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Listed]


@dataclass(frozen=True, slots=True)
class Probe:
    """What was found. `problem` is None when the endpoint lists the model, or has no list to look at."""

    where: str
    problem: str | None = None


async def probe(endpoint: Endpoint, client: httpx.AsyncClient) -> Probe:
    """Ask the endpoint which models it has; never raises."""
    url = (endpoint.url or _OPENAI).rstrip("/")
    headers = {"authorization": f"Bearer {endpoint.key.get_secret_value()}"} if endpoint.key else {}
    where = f"{endpoint.model} at {url}"
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            response = await client.get(f"{url}/models", headers=headers)
    except TimeoutError:
        return Probe(where, f"no answer within {_TIMEOUT_S:g} s")
    except (httpx.HTTPError, OSError) as exc:
        return Probe(where, f"can't be reached ({type(exc).__name__})")
    if response.status_code in _KEY_REFUSED:
        return Probe(where, f"refused the key ({response.status_code})")
    if response.is_server_error:
        return Probe(where, f"answered {response.status_code}")
    try:
        listed = [model.id for model in _Models.model_validate_json(response.content).data]
    except ValidationError:
        # Some servers have no such list, and answer all the same.
        return Probe(where)
    if listed and endpoint.model not in listed:
        return Probe(where, f"has no model of that name; it lists {', '.join(sorted(listed)[:5])}")
    return Probe(where)

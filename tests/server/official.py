"""OpenAI's own client, as a bot's backend uses it."""

import openai

from tests.loopback import NO_TLS
from tests.server.harness import BOT_KEYS, Here


def official(here: Here, api_key: str = BOT_KEYS[0]) -> openai.AsyncOpenAI:
    """A client of the server that tries nothing twice; close it."""
    plain = openai.DefaultAsyncHttpxClient(verify=NO_TLS)
    return openai.AsyncOpenAI(base_url=f"{here.url}/v1", api_key=api_key, max_retries=0, http_client=plain)
